from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from commands import emulated, invoke
from webchat_sync import __version__
from webchat_sync.cli import webchat_sync
from webchat_sync.cli.files import KeptFile
from webchat_sync.cli.other_words import COMMANDS_ELSEWHERE, INSTEAD_OF_COMMANDS, OPTIONS_ELSEWHERE
from webchat_sync.cli.runtime import Runtime
from webchat_sync.emulator.faults import KINDS
from webchat_sync.emulator.quirks import described

HEAVY = ["anyio", "deepdiff", "httpx", "jsonschema", "rich", "starlette", "uvicorn", "yaml"]


def every_command(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found = [path]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += every_command(command, *path, name) if isinstance(command, click.Group) else [(*path, name)]
    return found


COMMANDS = every_command(webchat_sync)


def every_parameter() -> Iterator[tuple[str, click.Parameter]]:
    """Each parameter of each command, with the words of the command."""
    for path in COMMANDS:
        command: click.Command = webchat_sync
        for name in path:
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(command), name) or command
        for parameter in command.params:
            yield " ".join(["webchat-sync", *path]), parameter


READ = {"--api-key-file", "--faults", "--learned", "--live", "--manifest", "--overlay"}


def test_no_file_that_is_written_is_called_dash() -> None:
    """Each option for a file to write takes `-` for stdout or refuses it; what is only read must exist."""
    kept = set()
    for command, option in every_parameter():
        if not isinstance(option, click.Option) or not isinstance(option.type, click.Path):
            continue
        if isinstance(option.type, KeptFile):
            kept.add(option.opts[0])
            with pytest.raises(click.BadParameter, match="isn't a file"):
                option.type.convert("-", option, None)
        else:
            assert option.type.allow_dash or option.opts[0] in READ, f"{command} {option.opts}"
    assert kept == {"--data", "--ledger", "--to"}


def test_no_path_can_be_empty() -> None:
    """That of an unset variable would be the current directory."""
    for _, parameter in every_parameter():
        if isinstance(parameter.type, click.Path):
            with pytest.raises(click.BadParameter, match="the value is empty"):
                parameter.type.convert("", parameter, None)


def test_all_commands_are_there() -> None:
    assert {" ".join(path) for path in COMMANDS} == {
        "", "adopt", "apply", "avatar", "avatar remove", "avatar set", "ci",
        "ci adopt", "ci comment", "ci drift", "drift", "emulator", "fmt", "help", "hours", "import", "init", "media",
        "media upload", "message", "message send", "plan", "preview", "schema", "secret", "secret deliver",
        "secret revoke", "secret rotate", "secret sign", "secret status", "shapes", "show", "snapshot", "snippet",
        "validate", "version", "history", "unlock",
    }  # fmt: skip


@pytest.mark.parametrize("path", COMMANDS)
def test_every_help_shows_an_example(path: tuple[str, ...]) -> None:
    shown = invoke(*path, "--help")
    assert shown.code == 0
    assert "Example" in shown.out
    assert " ".join(("webchat-sync", *path)) in shown.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["help", "plan"],
        ["version"],
        ["plan", "--help"],
        ["secret", "rotate", "--help"],
        ["adopt", "--help"],
        ["init", "--help"],
        ["import", "--help"],
        ["drift", "--help"],
        ["emulator", "--help"],
        ["ci", "comment", "--help"],
        ["ci", "adopt", "--help"],
    ],
)
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import json, sys\n"
        "from webchat_sync.cli import run\n"
        "from webchat_sync.cli.runtime import Runtime\n"
        f"code = run({arguments!r}, Runtime.real())\n"
        f"print(json.dumps([code, [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


UNUSED = [
    *("difflib", "html", "jinja2", "jsonschema", "rich", "starlette", "tenacity", "truststore", "uvicorn"),
    *("click.shell_completion", "pygments"),
    *("webchat_sync.apply.run", "webchat_sync.emulator", "webchat_sync.git", "webchat_sync.memory.clone"),
    *("webchat_sync.memory.lease", "webchat_sync.memory.remote", "webchat_sync.planfile.reader"),
    *("webchat_sync.planfile.snapshot", "webchat_sync.planfile.writer", "webchat_sync.render.problems.text"),
    *("webchat_sync.secrets.rotate", "webchat_sync.secrets.sinks"),
]
"""What a plan of equal channels doesn't use: importing takes most of its time if there are few."""


def test_a_plan_of_equal_channels_loads_only_what_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "channels.yaml"
    file.write_text("version: 1\norganization: acme\nchannels:\n  - name: Support\n    color: '#0f766e'\n")
    script = (
        "import json, sys\n"
        "from webchat_sync.cli import main\n"
        f"sys.argv = ['webchat-sync', 'plan', {str(file)!r}, '--detailed-exitcode']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        f"    print(json.dumps([end.code, [name for name in {UNUSED!r} if name in sys.modules]]))"
    )
    with emulated({"name": "Support", "color": "#0f766e"}) as api:
        environ = {**os.environ, **api.environ}
        done = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=tmp_path, env=environ
        )
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


@pytest.mark.parametrize("path", [path for path in COMMANDS if len(path) < 2])
def test_every_summary_fits_its_line(path: tuple[str, ...]) -> None:
    listed = invoke(*path, "--help").out.partition("\nCommands:\n")[2].splitlines()
    for line in listed:
        assert line.endswith((".", "?")), line
        assert not line.endswith("..."), line
        assert len(line) <= 80


@pytest.mark.parametrize("path", COMMANDS)
def test_help_shows_what_the_option_does(path: tuple[str, ...]) -> None:
    asked, shown = invoke("help", *path), invoke(*path, "--help")
    assert (asked.code, asked.out) == (0, shown.out)


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_that_reads_manifests_has_the_options_that_their_errors_name(path: tuple[str, ...]) -> None:
    shown = invoke(*path, "--help").out
    reads = ("[PATH]..." in shown or "  --manifest " in shown) and path != ("fmt",)  # which reads no variables
    assert [f"  {option} " in shown for option in ("--allow-env", "--allow-path")] == [reads, reads]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_can_be_quiet_verbose_and_without_colours(path: tuple[str, ...]) -> None:
    shown = invoke(*path, "--help").out
    for option in ("-v, --verbose", "-q, --quiet", "--no-color"):
        assert shown.count(f"  {option} ") == 1
    contradictory = invoke("-q", *path, "-v")
    assert contradictory.code == 64
    assert "--verbose and --quiet can't be used together" in contradictory.err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["plann"], "Did you mean `webchat-sync plan`?"),
        (["aply", "channels/"], "Did you mean `webchat-sync apply`?"),
        (["secret", "rotat"], "Did you mean"),
        (["help", "secret", "rotat"], "Did you mean `webchat-sync secret rotate`?"),
        (["plan", "--sandox"], "--sandbox"),
        (["secret", "rotate", "--ledgr", "x"], "--ledger"),
        (["--sandbox", "plan"], "Options go after the command, as in `webchat-sync plan --sandbox`."),
        (["--live", "x", "plan"], "Options go after the command, as in `webchat-sync plan --live`."),
        (["--auto-approve", "apply"], "Options go after the command, as in `webchat-sync apply --auto-approve`."),
        (
            ["secret", "--user-id", "x", "sign"],
            "Options go after the command, as in `webchat-sync secret sign --user-id`.",
        ),
        (["--vebose", "plan"], "Did you mean `--verbose`?"),
        (["zzz"], "Run `webchat-sync --help` for usage"),
        (["diff"], "Did you mean `webchat-sync plan`?"),
        (["rotate", "Support"], "Did you mean `webchat-sync secret rotate`?"),
        (["help", "rotate"], "Did you mean `webchat-sync secret rotate`?"),
        (["secret", "diff"], "no such command `diff`\n  Run `webchat-sync secret --help` for usage"),
        (["destroy"], "declare it with `sync: {state: absent}`"),
        (["plan", "-out=plan.json"], "Write `--out`, with two dashes."),
        (["plan", "channels/", "-target", "Support"], "Write `--target`, with two dashes."),
        (["apply", "-auto-approve"], "Write `--auto-approve`, with two dashes."),
        (["plan", "-verbose"], "Write `--verbose`, with two dashes."),
        (["plan", "-auto-approve=mk_live_x"], "no such option `-a`\n  Run `webchat-sync plan --help`"),
        (["apply", "--yes"], "Did you mean `--auto-approve`?"),
        (["apply", "-yes"], "Did you mean `--auto-approve`?"),
        (["plan", "--yes"], "no such option `--yes`\n  Run `webchat-sync plan --help`"),
        (["apply", "--dry-run"], "`webchat-sync plan` shows what apply would change."),
        (["adopt", "--dry-run"], "Did you mean `--check`?"),
        (["plan", "--json"], "Did you mean `--format json`?"),
        (["apply", "--json"], "no such option `--json`\n  Run `webchat-sync apply --help`"),
        (["apply", "--format", "json"], "no such option `--format`\n  Run `webchat-sync apply --help`"),
        (["apply", "--force"], "no such option `--force`\n  Run `webchat-sync apply --help`"),
        (["plan", "-f", "channels.yaml"], "Give the files or folders as arguments, without an option."),
        (["apply", "--prune"], "Set `settings.prune` in the manifests."),
        (["validate", "--sandbox"], "This command doesn't call Mosend's API, so it needs no sandbox."),
    ],
)
def test_what_is_misspelt_gets_a_suggestion(arguments: list[str], meant: str) -> None:
    refused = invoke(*arguments)
    assert (refused.code, refused.out) == (64, "")
    assert meant in refused.err


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_that_calls_the_api_can_use_the_sandbox(path: tuple[str, ...]) -> None:
    shown = invoke(*path, "--help").out
    assert ("  --sandbox " in shown) == ("  --base-url " in shown)


def test_words_of_other_tools_are_translated_to_words_of_ours() -> None:
    helps = {" ".join(path): invoke(*path, "--help").out for path in COMMANDS}
    assert helps.keys() >= set(COMMANDS_ELSEWHERE.values())
    assert helps.keys().isdisjoint({*COMMANDS_ELSEWHERE, *INSTEAD_OF_COMMANDS})
    for theirs, ours in OPTIONS_ELSEWHERE.items():
        option, _, value = ours.partition(" ")
        lines = [line for shown in helps.values() for line in shown.splitlines() if line.startswith(f"  {option} ")]
        assert lines, ours
        assert all(value in line for line in lines), ours
        assert not any(f"  {theirs} " in shown or f"  {theirs}, " in shown for shown in helps.values()), theirs


def test_the_help_says_what_each_format_is_for() -> None:
    told = set()
    for path in COMMANDS:
        paragraph = re.search(r"^  Formats: (.*?)\n\n", invoke(*path, "--help").out, re.MULTILINE | re.DOTALL)
        if paragraph is not None:
            words = re.findall(r"\w+", paragraph[1])
            (formats,) = re.findall(r"--format \[(.*?)\]", invoke(*path, "--help").out)
            assert [name for name in formats.split("|") if name not in words] == [], f"webchat-sync {' '.join(path)}"
            told.add(path)
    assert told >= {("plan",), ("drift",), ("validate",), ("shapes",)}


def test_the_version_is_that_of_the_package() -> None:
    assert invoke("--version").out == invoke("version").out == f"webchat-sync {__version__}\n"


def test_the_module_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "webchat_sync", "--version"], check=True, capture_output=True, text=True
    )
    assert done.stdout == f"webchat-sync {__version__}\n"


def test_without_a_command_the_help_is_shown_as_wrong_usage() -> None:
    assert invoke().code == 64


def test_the_real_world_is_what_the_command_runs_in() -> None:
    runtime = Runtime.real()
    assert runtime.now().tzinfo is not None
    assert runtime.new_id() != runtime.new_id()
    assert 0 <= runtime.random() < 1


def test_the_emulators_help_lists_every_fault_and_every_quirk() -> None:
    shown = invoke("emulator", "--help").out
    for name, kind in KINDS.items():
        optional = [parameter for parameter in kind.parameters if parameter not in kind.required]
        parts = [", ".join(kind.required), f"[{', '.join(optional)}]" if optional else ""]
        assert f"{name}: {' '.join(part for part in parts if part)}\n" in shown
    for quirk in described():
        assert f"\n    {quirk}" in shown
