"""Git ignores the program's own folder, which may contain secrets, in a repository that says nothing of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commands import emulated, invoke
from repositories import git

MANIFEST = """version: 1
organization: acme
channels:
  - name: Support
    sync: {identitySecret: {deliver: [{command: [sh, -c, 'cat >/dev/null; exit 1']}]}}
"""


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "--quiet")
    Path("channels.yaml").write_text(MANIFEST, encoding="utf-8")


def committed() -> list[str]:
    git(Path(), "add", "--all")
    return git(Path(), "ls-files").split()


def test_a_secret_that_waits_is_not_committed() -> None:
    with emulated({"name": "Support"}) as api:
        assert api.invoke("apply", "channels.yaml", "--auto-approve").code == 3
    assert list(Path(".webchat-sync", "recovery").iterdir())
    assert committed() == ["channels.yaml"]


def test_it_is_ignored_while_secrets_are_delivered_so_that_a_kill_changes_nothing() -> None:
    ignored = "[sh, -c, 'cat >/dev/null; test -f .webchat-sync/.gitignore']"
    Path("channels.yaml").write_text(MANIFEST.replace("[sh, -c, 'cat >/dev/null; exit 1']", ignored), encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        assert api.invoke("apply", "channels.yaml", "--auto-approve", environ={"PATH": os.environ["PATH"]}).code == 0


def test_a_sandbox_is_not_committed() -> None:
    assert invoke("apply", "channels.yaml", "--sandbox", "--auto-approve").code == 0
    assert Path(".webchat-sync", "sandbox.db").exists()
    assert committed() == ["channels.yaml"]


def test_a_folder_that_the_program_does_not_need_is_not_made_and_a_file_of_the_user_is_kept() -> None:
    with emulated({"name": "Support"}) as api:
        assert api.invoke("plan", "channels.yaml").code == 0
        assert not Path(".webchat-sync").exists()
        Path(".webchat-sync").mkdir()
        Path(".webchat-sync", ".gitignore").write_text("recovery\n", encoding="utf-8")
        assert api.invoke("apply", "channels.yaml", "--auto-approve").code == 3
    assert Path(".webchat-sync", ".gitignore").read_text(encoding="utf-8") == "recovery\n"
