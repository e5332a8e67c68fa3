"""What the trials of mutants rest on; mutants themselves are only tried by nox's session ``mutants``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"

WORK = {
    "a reply": ("lambda: {'by': 'x' * 10**6}", "a reply"),
    "a failure": ("lambda: {}['by']", "{}"),
    "the end of the process": ("lambda: os._exit(3)", "{}"),
    "a crash": ("lambda: os.kill(os.getpid(), 11)", "{}"),
    "what never ends": ("lambda: [None for _ in iter(int, 1)]", "None"),
    "a child that outlives it": ("lambda: {'child': bool(os.fork() or time.sleep(99))}", "{'child': True}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORK)
def test_a_trial_ends_in_its_time_with_a_reply_or_without(name: str) -> None:
    work, expected = WORK[name]
    code = f"import os, time; from forks import *; print(finish_in_time(fork({work}, 1)))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=SCRIPTS, check=True, capture_output=True, text=True, timeout=120)
    said = done.stdout.strip()
    assert ("a reply" if "xxx" in said else said) == expected
