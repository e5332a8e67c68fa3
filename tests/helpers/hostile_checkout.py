"""What a pull request could add to a checkout so that a step runs it; whatever runs writes its name to a file."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from programs import write_program
from repositories import git, repository

_MODULES: Final = (
    *("venv", "ensurepip", "pip", "logging", "json", "types", "os", "re", "subprocess", "runpy", "urllib"),
    *("sitecustomize", "usercustomize", "webchat_sync", "click", "httpx", "hatchling", "pathlib"),
)
_PROGRAMS: Final = ("python", "python3", "pip", "gh", "git", "node", "npm", "sed", "mktemp", "webchat-sync", "install")
_FOLDERS: Final = (".", "channels", "my channels")
"""Possible current folders of a step."""


@dataclass(frozen=True)
class HostileCheckout:
    """A repository whose files record in ``marks`` that they were run."""

    root: Path
    marks: Path

    def ran(self) -> list[str]:
        """What has been run so far."""
        return self.marks.read_text(encoding="utf-8").splitlines() if self.marks.exists() else []


def make_hostile(root: Path, marks: Path, *, bare: bool = True) -> HostileCheckout:
    """Add hostile files next to those in ``root``, and hostile settings to its repository.

    With ``bare``, the folders of channels are also bare repositories, which can be committed.
    """
    if not (root / ".git").exists():
        repository(root)
    for folder in (root / name for name in _FOLDERS if (root / name).is_dir()):
        _modules(folder, marks)
        _programs(folder, marks)
    _configuration(root, marks)
    _settings(root, marks, bare=bare)
    return HostileCheckout(root, marks)


def _modules(folder: Path, marks: Path) -> None:
    for number, name in enumerate(_MODULES):
        note = f"open({str(marks)!r}, 'a').write({name + chr(10)!r})\n"
        package = folder / name
        if number % 2:
            package.mkdir()
            (package / "__init__.py").write_text(note, encoding="utf-8")
            (package / "__main__.py").write_text(note, encoding="utf-8")
        else:
            (folder / f"{name}.py").write_text(note, encoding="utf-8")


def _programs(folder: Path, marks: Path) -> None:
    for name in _PROGRAMS:
        if not (folder / name).exists():
            write_program(folder / name, f"echo {name} >> '{marks}'")


def _configuration(folder: Path, marks: Path) -> None:
    elsewhere = "http://127.0.0.1:9/simple"
    build = "[build-system]\nrequires = []\nbuild-backend = 'sitecustomize'\nbackend-path = ['.']\n"
    texts = {
        "pip.conf": f"[global]\nindex-url = {elsewhere}\n",
        ".npmrc": f"registry={elsewhere}\nscript-shell={folder / 'node'}\n",
        ".env": f"MOSEND_BASE_URL={elsewhere}\nMOSEND_API_KEY=stolen\n",
        "pyproject.toml": build,
        "setup.py": f"open({str(marks)!r}, 'a').write('setup.py\\n')\n",
        "setup.cfg": f"[easy_install]\nindex-url = {elsewhere}\n",
        "pyvenv.cfg": f"home = {folder}\n",
        "config.yml": "aliases:\n  run: '!./gh'\n",
        "package.json": json.dumps({"scripts": {"preinstall": "./node"}}),
    }
    for name, text in texts.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")


def _settings(root: Path, marks: Path, *, bare: bool) -> None:
    """Settings that run programs."""
    program = root.parent / "from-git-settings"
    write_program(program, f"echo {program.name} >> '{marks}'")
    settings = {
        "core.fsmonitor": str(program),
        "core.hooksPath": str(root / "hooks"),
        "alias.status": f"!{program}",
        "alias.rev-parse": f"!{program}",
        "core.pager": str(program),
        "core.sshCommand": str(program),
        "diff.external": str(program),
        "filter.x.clean": str(program),
        "filter.a=b.process": str(program),
    }
    (root / ".gitattributes").write_text("* filter=x\nchannels/* filter=a=b\n", encoding="utf-8")
    (root / "hooks").mkdir()
    for name in ("post-index-change", "post-checkout", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(program, root / "hooks" / name)
    for name, value in settings.items():
        git(root, "config", name, value)
    for folder in (root / name for name in _FOLDERS[1:] if bare and (root / name).is_dir()):
        git(folder, "init", "--quiet", "--bare", ".")
        for name, value in {**settings, "core.bare": "false", "core.worktree": os.fspath(folder)}.items():
            git(folder, "config", "--file", str(folder / "config"), name, value)
