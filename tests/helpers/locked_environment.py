"""An environment with only what ``requirements.txt`` locks, created without a network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

import webchat_sync
from webchat_sync.domain.catalogue import schema_path

ROOT: Final = Path(__file__).parents[2]


def locked() -> list[str]:
    """The packages that the lock has for this machine."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    entries = [Requirement(line.rstrip(" \\")) for line in text.splitlines() if re.match(r"[a-z]", line)]
    return [entry.name for entry in entries if entry.marker is None or entry.marker.evaluate()]


def locked_environment(folder: Path) -> Path:
    """A virtual environment in ``folder`` with the package and the lock; returns its interpreter.

    The packages are linked from the tests' environment, so their versions and dependencies may differ from the lock's.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in _with_what_they_need(locked()):
        parts = {Path(file).parts[0] for file in distribution(name).files or ()}
        for part in parts - {"..", "__pycache__"}:
            source = Path(str(distribution(name).locate_file(part)))
            if not (packages / part).exists():
                (packages / part).symlink_to(source, target_is_directory=source.is_dir())
    shutil.copytree(Path(webchat_sync.__file__).parent, packages / "webchat_sync", dirs_exist_ok=True)
    schemas = schema_path("manifest").parent
    shutil.copytree(schemas, packages / "webchat_sync" / "schemas", dirs_exist_ok=True)
    return folder / "bin" / "python"


def _with_what_they_need(names: list[str]) -> list[str]:
    """``names`` and the dependencies of their installed versions."""
    needed = dict.fromkeys(names)
    waiting = list(names)
    while waiting:
        requirements = map(Requirement, distribution(waiting.pop()).requires or ())
        needs = [one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
        waiting += [name for name in needs if name not in needed]
        needed.update(dict.fromkeys(needs))
    return list(needed)
