"""The Python that tests of pipelines fork behaves like the one that they would start."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Final

import pytest

from programs import PYTHON, write_program
from warm_python import forked_python

TELLS: Final = """\
import os, sys, time
print(sys.argv[1:], os.getcwd(), oct(os.umask(0)), time.tzname, sys.flags.isolated, __name__, __file__)
print(sorted(os.environ.items()), sys.path, sys.stdin.read(), sys.stdin.encoding, sys.stdout.errors)
print([os.isatty(number) for number in range(3)], sorted(os.listdir("/proc/self/fd"))[:3], file=sys.stderr)
"""
WAITS: Final = """\
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
print("waiting", flush=True)
signal.pause()
"""


@pytest.fixture(params=["started", "forked"])
def python(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_program(tmp_path / "python", PYTHON if request.param == "started" else forked_python())


def script(python: Path, text: str) -> list[str]:
    file = python.parent / "script.py"
    file.write_text(text, encoding="utf-8")
    return [str(python), "-I", str(file)]


def test_it_has_the_arguments_environment_folder_and_files_that_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    told = []
    for lines in (PYTHON, forked_python()):
        python = write_program(tmp_path / "python", lines)
        environ = {"PATH": os.environ["PATH"], "TZ": "America/Bogota", "EMPTY": "", "PYTHONPATH": ".", "Ñ": "é\udce9"}
        done = subprocess.run(
            [*script(python, TELLS), "a b", "*", ""],
            cwd=tmp_path / "here",
            env=environ,
            umask=0o27,
            input=b"one\ntwo",
            capture_output=True,
            check=True,
        )
        told.append((done.stdout, done.stderr))
    assert told[0] == told[1]
    assert b"America" in told[0][0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import sys; sys.exit()", 0),
        ("import sys; sys.exit(7)", 7),
        ("import sys; sys.exit('said')", 1),
        ("raise ValueError", 1),
        ("import atexit; atexit.register(print, 'said')", 0),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
    ],
)
def test_it_ends_as_its_program_does(python: Path, text: str, code: int) -> None:
    done = subprocess.run(script(python, text), capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert ("said" in done.stdout + done.stderr) == ("said" in text)
    assert ("Traceback" in done.stderr) == ("ValueError" in text)


def test_a_signal_to_it_reaches_its_program(python: Path) -> None:
    with subprocess.Popen(script(python, WAITS), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.terminate()
        assert process.wait(60) == 9


def test_what_one_run_changes_is_not_seen_by_the_next(python: Path) -> None:
    text = "import os, webchat_sync; print(os.environ.pop('X'), hasattr(webchat_sync, 'X')); webchat_sync.X = 1"
    for value in ("1", "2"):
        environ = {**os.environ, "X": value}
        done = subprocess.run(script(python, text), env=environ, capture_output=True, text=True, check=True)
        assert done.stdout == f"{value} False\n"
