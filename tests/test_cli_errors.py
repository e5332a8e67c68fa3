from __future__ import annotations

import re
from pathlib import Path

import pytest

from commands import emulated, invoke
from webchat_sync.emulator import Fault, Faults, effects

LOOK = re.compile(r"(Error: [^A-Z\n]|[A-Z]+ |\S+:\d+:\d+: error: ).*\n  \S.*\n", re.DOTALL)
"""What and why on the first line, with its place where it has one; what to do below, indented."""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["plan", "--frobnicate"], 64, "Error: no such option '--frobnicate'"),
        (["frobnicate"], 64, "Error: no such command 'frobnicate'"),
        (["apply", "--parallelism", "0"], 64, "Error: invalid value for '--parallelism': 0 is not in the range"),
        (["apply"], 64, "Error: apply cannot ask for approval here"),
        (["snippet"], 64, "Error: missing argument 'NAME'"),
        (["plan", "--max-deletes", "many"], 64, "Error: invalid value for '--max-deletes': 'many' is neither"),
        (["secret", "rotate", "x"], 64, "Error: the new secret is shown only once"),
        (["show", "none.json"], 1, "Error: none.json cannot be read: No such file"),
        (["plan", "none.yaml"], 1, "Error: none.yaml does not exist"),
        (["plan", "wrong.yaml"], 1, "wrong.yaml:3:21: error: channels[0].colour: "),
        (["plan", "right.yaml"], 1, "Error: no API key is given"),
        (["plan", "right.yaml", "--live", "wrong.yaml"], 1, "wrong.yaml:1:1: error: this is not JSON"),
        (["hours", "Support", "right.yaml"], 1, 'right.yaml:4:5: error: "Support" declares no operatingHours'),
    ],
)
def test_every_error_says_what_where_and_what_to_do(
    arguments: list[str], code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("right.yaml").write_text("version: 1\norganization: acme\nchannels:\n  - name: Support\n", encoding="utf-8")
    Path("wrong.yaml").write_text("version: 1\nchannels:\n  - {name: Support, colour: x}\n", encoding="utf-8")
    failed = invoke(*arguments)
    assert (failed.code, failed.out) == (code, "")
    assert message in failed.err
    assert LOOK.fullmatch(failed.err), failed.err


def test_an_error_of_the_api_looks_as_the_others_do(tmp_path: Path) -> None:
    manifest = tmp_path / "channels.yaml"
    manifest.write_text("version: 1\nchannels: [{name: Support}]\n", encoding="utf-8")
    with emulated(faults=Faults([Fault(effects.status(401), "GET")])) as api:
        failed = api.invoke("plan", manifest)
    assert failed.code == 6
    assert failed.err.startswith("Error: GET /organizations/acme/web-chat/channels: ")
    assert "\n  " in failed.err


def test_a_usage_error_names_the_help_of_its_command() -> None:
    assert "`webchat-sync secret rotate --help`" in invoke("secret", "rotate", "x").err
