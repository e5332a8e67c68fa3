from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands import emulated, invoke
from webchat_sync.cli.runtime import wait_for
from webchat_sync.emulator import Fault, Faults, effects

LOOK = re.compile(r"(Error: [^A-Z\n]|[A-Z]+ |\S+:\d+:\d+: error: ).*\n  \S.*\n", re.DOTALL)
"""What and why on the first line, with its place where it has one; what to do below, indented."""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["plan", "--frobnicate"], 64, "Error: no such option `--frobnicate`"),
        (["plan", "--otu"], 64, "Error: no such option `--otu`\n  Did you mean `--out`? Run"),
        (
            ["plan", "--max-deletes 2"],
            64,
            "Error: no such option `--max-deletes 2`\n  If `--max-deletes` is the option and `2` its value, write `--",
        ),
        (
            ["message", "send", "x", "--type", "gif"],
            64,
            'Error: invalid value for `--type`: "gif" isn\'t one of "text", ',
        ),
        (["apply", "--auto-approve", "--lock-timeout", "nan"], 64, "`--lock-timeout`: nan isn't a number of seconds"),
        (["emulator", "--port", "99999"], 64, "Error: invalid value for `--port`: 99999 is out of range (0 to 65535)"),
        (["emulator", "--port", "x"], 64, 'Error: invalid value for `--port`: "x" isn\'t a whole number'),
        (["secret", "rotate", "x", "--to", "."], 64, 'Error: invalid value for `--to`: "." is a directory, not a file'),
        (["init", "right.yaml"], 64, 'Error: invalid value for `DIR`: "right.yaml" is a file, not a directory'),
        (
            ["plan", "--max-deletes"],
            64,
            "Error: option `--max-deletes` requires an argument\n  Run `webchat-sync plan --help` for",
        ),
        (
            ["secret", "deliver", "x", "--to"],
            64,
            "Error: option `--to` requires an argument\n  Run `webchat-sync secret deliver --help` for",
        ),
        (["plan", "--quiet=1"], 64, "Error: option `--quiet` doesn't take a value"),
        (["apply", "--lock-timeout", "-1"], 64, "Error: invalid value for `--lock-timeout`: -1 is out of range"),
        (["apply", "--lock-timeout", "x"], 64, 'Error: invalid value for `--lock-timeout`: "x" isn\'t a number'),
        (
            ["apply", "--auto-approve", ""],
            64,
            "Error: invalid value for `PATH`: the value is empty\n  Check the variable",
        ),
        (["validate", ""], 64, "Error: invalid value for `PATH`: the value is empty"),
        (["init", ""], 64, "Error: invalid value for `DIR`: the value is empty"),
        (["show", ""], 64, "Error: invalid value for `PLAN`: the value is empty"),
        (["plan", "--out", ""], 64, "Error: invalid value for `--out`: the value is empty"),
        (["plan", "--overlay="], 64, "Error: invalid value for `--overlay`: the value is empty"),
        (["plan", "--memory", ""], 64, "Error: invalid value for `--memory`: the value is empty"),
        (["import", "--out="], 64, "Error: invalid value for `--out`: the value is empty"),
        (["secret", "rotate", "x", "--to", ""], 64, "Error: invalid value for `--to`: the value is empty"),
        (["secret", "status", "--manifest", ""], 64, "Error: invalid value for `--manifest`: the value is empty"),
        (["unlock", "--auto-approve", "--org", ""], 64, "Error: invalid value for `--org`: the value is empty"),
        (["version", "x"], 64, "Error: unexpected argument: `x`\n"),
        (["version", "x", "y"], 64, "Error: unexpected arguments: `x y`\n"),
        (["schema"], 64, 'Error: missing argument `NAME`; it can be "manifest", "channel", "plan", '),
        (["ci", "comment"], 64, "Error: missing argument `PLAN`\n"),
        (["emulator", "--faults", "none"], 1, "Error: can't read none: No such file or directory\n  Check the path"),
        (["frobnicate"], 64, "Error: no such command `frobnicate`\n"),
        (["secret", "rotat"], 64, "Error: no such command `rotat`\n  Did you mean `webchat-sync secret rotate`? Run"),
        (
            ["apply", "--parallelism", "0"],
            64,
            "Error: invalid value for `--parallelism`: 0 is out of range (at least 1)",
        ),
        (["apply"], 64, "Error: apply can't ask for approval here"),
        (["snippet"], 64, "Error: missing argument `NAME`"),
        (
            ["plan", "--max-deletes", 'So. "Many. Too'],
            64,
            '"So. \\"Many. Too" is neither a number of channels, such as 3, nor a percentage of at most',
        ),
        (
            ["init", "--host", "gitlab", "--action", f"a/b@{'0' * 40}"],
            64,
            "on GitHub, and the pipeline is for GitLab\n  Leave it out, or use --host github. Run",
        ),
        (["plan", "--max-deletes", "many"], 64, 'Error: invalid value for `--max-deletes`: "many" is neither'),
        (["secret", "rotate", "x"], 64, "Error: the new secret is shown only once"),
        (["show", "none.json"], 1, "Error: can't read none.json: No such file"),
        (["plan", "none.yaml"], 1, "Error: none.yaml doesn't exist"),
        (["plan", "wrong.yaml"], 1, "wrong.yaml:3:21: error: channels[0].colour: "),
        (["plan", "right.yaml"], 1, "Error: no API key is given"),
        (
            ["plan", "right.yaml", "--live", "wrong.yaml"],
            1,
            "wrong.yaml:1:1: error: this isn't a snapshot: it isn't valid JSON",
        ),
        (["hours", "Support", "right.yaml"], 1, 'right.yaml:4:5: error: "Support" doesn\'t declare operatingHours'),
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


class Vast:
    """What takes too long to write out."""

    def __repr__(self) -> str:
        raise AssertionError("written out")


def test_what_a_command_waits_for_is_never_written_out() -> None:
    async def make() -> Vast:
        return Vast()

    assert isinstance(wait_for(make), Vast)


@pytest.mark.parametrize("name", ["S\n::error::pwned", "L\x1b[2J\u202e0"])
def test_a_name_in_an_error_is_obeyed_by_no_log_and_no_terminal(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    declared = f"version: 1\norganization: acme\nchannels:\n  - {{name: {json.dumps(name)}, sync: {{id: zzz}}}}\n"
    Path("a.yaml").write_text(declared, encoding="utf-8")
    Path("empty.yaml").write_text(
        "version: 1\norganization: acme\nsettings: {prune: true}\nchannels: []\n", encoding="utf-8"
    )
    with emulated({"id": "c-1", "name": name}) as api:
        for arguments in (
            ["plan", "a.yaml"],
            ["plan", "empty.yaml"],
            ["hours", name, "a.yaml"],
            ["snippet", f"{name}x"],
        ):
            failed = api.invoke(*arguments)
            assert failed.code in {1, 5}
            assert not re.search("[\x1b\u202e]|^::error", failed.err, re.MULTILINE), failed.err


@pytest.mark.parametrize("time", ["9999-12-31T23:59", "0001-01-01T00:00+14:00"])
def test_a_time_at_the_end_of_the_calendar_is_refused(time: str, tmp_path: Path) -> None:
    manifest = tmp_path / "channels.yaml"
    hours = 'operatingHours: {timezone: America/Bogota, days: {mon: ["09:00-13:00"]}}'
    manifest.write_text(f"version: 1\norganization: a\nchannels: [{{name: S, {hours}}}]\n", encoding="utf-8")
    failed = invoke("hours", "S", "--at", time, manifest)
    assert failed.code == 1
    assert "--at" in failed.err


@pytest.mark.parametrize(
    ("base_url", "wrong"),
    [("http://127.0.0.1:99999", "the base URL has a port above 65535"), ("", "the base URL must begin with http://")],
)
def test_a_base_url_that_cannot_be_is_refused_at_once(base_url: str, wrong: str, tmp_path: Path) -> None:
    manifest = tmp_path / "channels.yaml"
    manifest.write_text("version: 1\norganization: a\nchannels: [{name: S}]\n", encoding="utf-8")
    failed = invoke("plan", manifest, "--base-url", base_url, environ={"MOSEND_API_KEY": "mk_test_a.b"})
    assert failed.code == 1
    assert wrong in failed.err


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


def test_a_signal_while_the_program_is_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    command = [sys.executable, "-m", "webchat_sync", "version"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")
