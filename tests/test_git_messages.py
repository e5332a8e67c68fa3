"""What Git says, as a part of our sentences."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from repositories import ENVIRON
from webchat_sync.errors import machine_fault
from webchat_sync.git import run_git
from webchat_sync.git_messages import in_short


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("", ""),
        ("fatal: not a tree object\n", "not a tree object"),
        (
            "fatal: No.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
            "No; Please make sure you have the correct access rights and the repository exists",
        ),
        ("error: bogus\nfatal: bogus\n", "bogus"),
        ("remote: no.\n[remote rejected] (hook declined)\n", "remote: no; [remote rejected] (hook declined)"),
        ("remote: Refused:\nthe rest\n", "remote: Refused: the rest"),
        ("remote: \nremote: ====\nremote: \nremote: Refused.\nremote:\nremote: ====\n", "remote: Refused"),
        (  # GitHub
            (
                "remote: error: GH013: Repository rule violations found for refs/heads/webchat-sync/adopt.\nremote: \n"
                "remote: - Commits must have verified signatures.\nremote:   Found 1 violation:\nremote: \n"
                "remote:   5e0c1f\nremote: \nTo https://github.com/acme/web\n"
            ),
            (
                "remote: error: GH013: Repository rule violations found for refs/heads/webchat-sync/adopt; "
                "remote: - Commits must have verified signatures; remote:   Found 1 violation: 5e0c1f; "
                "To https://github.com/acme/web"
            ),
        ),
    ],
)
def test_the_messages_are_one_line_without_prefixes_and_full_stops(said: str, shown: str) -> None:
    assert in_short(said.splitlines()) == shown


def test_a_sentence_that_git_wraps_is_one(tmp_path: Path) -> None:
    asked = ["git", "-C", str(tmp_path), "ls-remote", "./missing"]
    done = subprocess.run(asked, env=ENVIRON, capture_output=True, text=True, check=False)
    shown = in_short(done.stderr.splitlines())
    assert shown.endswith("; Please make sure you have the correct access rights and the repository exists")


def test_a_git_that_takes_too_long_is_named_with_its_limit(tmp_path: Path) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nsleep 60\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(TimeoutError) as raised:
        run_git(tmp_path, {"PATH": f"{tmp_path}:/usr/bin:/bin"}, "status", timeout=0.5)
    assert machine_fault(raised.value) == "git didn't finish within 0.5 s"
