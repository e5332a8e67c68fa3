from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from commands import invoke
from webchat_sync.cli import webchat_sync
from webchat_sync.cli.runtime import Runtime
from webchat_sync.environment import COMPLETE_VARIABLE
from webchat_sync.manifest.glance import LARGEST, channel_names

MANIFEST = """\
version: 1
channels:
  - name: Support
  - {name: Old shop}
  - {name: "$(touch evil)"}
  - {name: "two\\nlines"}
  - {name: "${WEBCHAT_TEAM:-Sales}"}
"""
PROGRAM = "import sys; from webchat_sync.cli import main; sys.argv[0] = 'webchat-sync'; main()"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels").mkdir()
    (tmp_path / "channels" / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path


def names(*words: str) -> list[str]:
    """The names that are offered for the last of ``words``."""
    completion = BashComplete(webchat_sync, {"obj": Runtime(environ={})}, "webchat-sync", "_WEBCHAT_SYNC_COMPLETE")
    return [item.value for item in completion.get_completions(list(words[:-1]), words[-1])]


def complete(shell: str, *words: str) -> list[str]:
    """What ``shell`` is offered for the last of ``words``."""
    given = ["webchat-sync", *words]
    environ = {**os.environ, "_WEBCHAT_SYNC_COMPLETE": f"{shell}_complete", "COMP_WORDS": " ".join(given)}
    environ["COMP_CWORD"] = words[-1] if shell == "fish" else str(len(words))
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    "words",
    [
        ["snippet", "S"],
        ["secret", "rotate", "S"],
        ["secret", "revoke", "S"],
        ["avatar", "set", "S"],
        ["avatar", "remove", "S"],
        ["hours", "S"],
        ["plan", "--target", "S"],
        ["apply", "channels", "--target", "S"],
    ],
)
def test_names_of_channels_are_completed_from_the_manifests(words: list[str]) -> None:
    assert names(*words) == ["Sales", "Support"]


def test_each_shell_gets_them_in_its_own_way() -> None:
    assert complete("zsh", "snippet", "Su") == ["plain", "Support", "_"]
    assert "".join(complete("fish", "snippet", "Su")).endswith("Support")


def test_bash_is_given_nothing_that_it_would_run_or_split() -> None:
    assert r"plain,\\$\\(touch\\ evil\\)" in complete("bash", "snippet", "")
    assert r"plain,Old\\ shop" in complete("bash", "snippet", "")
    assert not any("two" in line for line in complete("bash", "snippet", ""))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(shell: str) -> None:
    environ = {**os.environ, "_WEBCHAT_SYNC_COMPLETE": f"{shell}_source"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, check=True, capture_output=True, text=True)
    assert f"_WEBCHAT_SYNC_COMPLETE={shell}_complete" in done.stdout


def test_only_the_named_paths_are_looked_into(folder: Path) -> None:
    (folder / "other.yaml").write_text("channels: [{name: Stranger}]", encoding="utf-8")
    assert names("plan", "channels", "--target", "St") == []
    assert names("plan", "other.yaml", "--target", "S") == ["Stranger"]


def test_broken_manifests_have_no_names_and_no_errors(folder: Path) -> None:
    contents = [b"channels: [", b"channels: {a: b}", b"channels: [1, {name: 2}]", b"\xff channels", b"- channels", b""]
    for number, content in enumerate(contents):
        (folder / f"{number}.yaml").write_bytes(content)
    (folder / "large.yaml").write_bytes(b"channels: [{name: Large}]" + b" " * LARGEST)
    (folder / "gone.yaml").symlink_to("nowhere")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "x.yaml").write_text("channels: [{name: Hidden}]", encoding="utf-8")
    names = channel_names([folder, folder / "no such folder"], {"WEBCHAT_TEAM": "Team"})
    assert names == sorted(["$(touch evil)", "Old shop", "Support", "Team", "two\nlines"])


def test_a_thousand_channels_are_all_completed(folder: Path) -> None:
    channels = "".join(f"  - {{name: Shop {number}, theme: dark}}\n" for number in range(1000))
    (folder / "many.yaml").write_text(f"channels:\n{channels}", encoding="utf-8")
    assert len(channel_names([folder], {})) == 1005


@pytest.mark.parametrize(
    ("request_", "more"),
    [
        ("bash", {}),
        ("bash-source", {}),
        ("nope_source", {}),
        ("_complete", {}),
        ("bash_complete", {}),
        ("zsh_complete", {"COMP_WORDS": "webchat-sync "}),
        ("fish_complete", {"COMP_WORDS": "webchat-sync "}),
        ("bash_complete", {"COMP_WORDS": "webchat-sync ", "COMP_CWORD": "x"}),
        ("zsh_complete", {"COMP_WORDS": "webchat-sync ", "COMP_CWORD": ""}),
    ],
)
def test_a_request_that_no_shell_makes_is_refused(
    monkeypatch: pytest.MonkeyPatch, request_: str, more: dict[str, str]
) -> None:
    for name, value in {COMPLETE_VARIABLE: request_, **more}.items():
        monkeypatch.setenv(name, value)
    refused = invoke("version")
    assert (refused.code, refused.out) == (1, "")
    assert f'{COMPLETE_VARIABLE} is set to "{request_}"' in refused.err
    assert "Set it to bash_source, zsh_source or fish_source for the script of your shell" in refused.err
