"""Names of channels, completed by the real shells: what is typed, completed and entered arrives as that very name."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.slow

MANIFEST = """\
version: 1
channels:
  - name: Support
  - name: Old shop
  - name: $(touch evil)
"""
PROGRAM = """\
#!/bin/sh
if test -n "$_WEBCHAT_SYNC_COMPLETE"; then
  exec PYTHON -c 'import sys; from webchat_sync.cli import main; sys.argv[0] = "webchat-sync"; main()'
fi
for each in "$@"; do printf '%s\\n' "$each"; done > ran
echo "it ran"
"""
"""The program where completion asks for it; else the arguments that arrive are written down."""

STARTS: Final = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(_WEBCHAT_SYNC_COMPLETE=bash_source webchat-sync)"'),
    "zsh": (
        ["-f", "-i"],
        'autoload -Uz compinit; compinit -u -D; eval "$(_WEBCHAT_SYNC_COMPLETE=zsh_source webchat-sync)"',
    ),
}
LIMIT: Final = 100.0
"""Seconds that a shell may take for one answer."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    program = tmp_path / "bin" / "webchat-sync"
    program.parent.mkdir()
    program.write_text(PROGRAM.replace("PYTHON", sys.executable), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")
    return tmp_path


def path_of(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not on this machine")
    return found


class Terminal:
    """A shell at a terminal."""

    def __init__(self, *command: str) -> None:
        self.screen, inside = pty.openpty()
        self.process = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
        os.close(inside)

    def type(self, keys: str, *, until: str) -> None:
        """Type, and wait for the shell to show ``until``."""
        os.write(self.screen, keys.encode())
        shown = b""
        while until.encode() not in shown:
            ready, _, _ = select.select([self.screen], [], [], LIMIT)
            assert ready, f"the shell shows {shown!r}, not {until!r}"
            shown += os.read(self.screen, 65536)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.screen)


@pytest.mark.parametrize("shell", STARTS)
@pytest.mark.parametrize(
    ("typed", "shown", "name"),
    [("Su", "Support", "Support"), ("Ol", "shop", "Old shop"), ("\\$", "evil", "$(touch evil)")],
)
def test_a_name_is_completed_at_a_terminal(folder: Path, shell: str, typed: str, shown: str, name: str) -> None:
    arguments, start = STARTS[shell]
    terminal = Terminal(path_of(shell), *arguments)
    try:
        # The words that are waited for are not among those that are typed, which the terminal shows as well.
        terminal.type(f"PS1='>'; {start}; echo rea''dy\n", until="ready")
        terminal.type(f"webchat-sync snippet {typed}\t", until=shown)
        terminal.type("\n", until="it ran")
    finally:
        terminal.close()
    assert (folder / "ran").read_text(encoding="utf-8").splitlines() == ["snippet", name]
    assert not (folder / "evil").exists()


def test_fish_completes_a_name(folder: Path) -> None:
    start = "_WEBCHAT_SYNC_COMPLETE=fish_source webchat-sync | source"
    for typed, name in (("Su", "Support"), ("Ol", "Old shop"), ("'$'", "$(touch evil)")):
        ask = f'{start}; complete --do-complete "webchat-sync snippet {typed}"'.replace("$'", "\\$'")
        done = subprocess.run([path_of("fish"), "--no-config", "-c", ask], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == [name], done.stderr
    assert not (folder / "evil").exists()
