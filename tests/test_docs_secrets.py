"""The programs of docs/how-to/secrets.md that sign a visitor, each run where its interpreter is on the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from webchat_sync.model import Secret
from webchat_sync.secrets.sign import signature

DOCUMENT = (Path(__file__).parents[1] / "docs" / "how-to" / "secrets.md").read_text(encoding="utf-8")
RUNNERS = {
    "python": ([sys.executable], "sign.py"),
    "javascript": (["node"], "sign.js"),
    "php": (["php"], "sign.php"),
    "ruby": (["ruby"], "sign.rb"),
    "go": (["go", "run"], "sign.go"),
}


@pytest.mark.parametrize("language", RUNNERS)
def test_every_program_signs_as_the_server_does(tmp_path: Path, language: str) -> None:
    command, name = RUNNERS[language]
    (program,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on this machine")
    (tmp_path / name).write_text(program, encoding="utf-8")
    done = subprocess.run(
        [*command, str(tmp_path / name), "usuario-ñ"],
        env={**os.environ, "SECRET": "s3cr3t+/ñ"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == signature(Secret("s3cr3t+/ñ"), "usuario-ñ")
