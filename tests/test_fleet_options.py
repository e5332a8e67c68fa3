"""Every command that reads many organisations takes the same options to choose among them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import pytest

import loopback
from commands import Emulated, Finished, emulated, invoke
from test_preview import previewing
from webchat_sync.cli import webchat_sync
from webchat_sync.model import Shard

ORGANIZATIONS = [f"org-{number}" for number in range(6)]

COMMANDS = {
    "plan": ["--out", "plan.json"],
    "apply": ["--auto-approve"],
    "drift": ["--detailed-exitcode"],
    "adopt": ["--check"],
    "snapshot": ["--out", "live.json"],
    "shapes": [],
}
"""Those that ask the server about what the files name and end, with what else they need."""

EMPTY = {
    "plan": "Nothing was compared: none of the run's organisations is in shard ",
    "apply": "Nothing was compared: none of the run's organisations is in shard ",
    "drift": "Nothing was compared: none of the run's organisations is in shard ",
    "adopt": "Nothing to adopt: none of the run's organisations is in this shard.",
    "snapshot": "Saved 0 live channels to live.json.",
    "shapes": "No organisation was examined.",
}
"""What they say about none of the organisations."""

OTHERS = {"preview", "ci adopt"}
"""Those that need a page or a pipeline."""

OF_ONE = {"hours"}
"""Those that are about one channel."""


def reading(group: click.Group, *path: str) -> Iterable[str]:
    """The commands that take manifests and ask a server about their organisations."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from reading(command, *path, name)
        elif {"paths", "sandbox"} <= {parameter.name for parameter in command.params} and any(
            isinstance(parameter, click.Argument) and parameter.name == "paths" for parameter in command.params
        ):
            yield " ".join([*path, name])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    fleet = tmp_path / "fleet"
    fleet.mkdir()
    for name in ORGANIZATIONS:
        text = f"version: 1\norganization: {name}\nchannels: [{{name: Support, theme: dark}}]\n"
        (fleet / f"{name}.yaml").write_text(text, encoding="utf-8")
    return fleet


def asked(api: Emulated) -> list[str]:
    """The organisations that were asked about since this was last looked at."""
    names = sorted({call.path.split("/")[2] for call in api.calls})
    api.calls.clear()
    return names


def shown(page: str) -> list[str]:
    """The organisations of the channels on a page of `preview`."""
    return re.findall(r"<bdi>(org-\d)</bdi>", loopback.get(page).text)


def run(api: Emulated, command: str, folder: Path, *options: object, **world: Any) -> Finished:
    finished = api.invoke(command, folder, *COMMANDS[command], *options, **world)
    assert finished.code in {0, 1, 2}, finished.err
    return finished


def test_no_command_is_missing() -> None:
    assert {*reading(webchat_sync)} == {*COMMANDS, *OTHERS, *OF_ONE}


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_pattern_an_id_and_a_share_choose_the_organisations(command: str, folder: Path) -> None:
    with emulated() as api:
        run(api, command, folder)
        assert asked(api) == ORGANIZATIONS
        run(api, command, folder, "--target-org", "org-[12]", "--target-org", "org-5")
        assert asked(api) == ["org-1", "org-2", "org-5"]
        run(api, command, folder, "--org", "org-3")
        assert asked(api) == ["org-3"]
        run(api, command, folder, "--shard", "1/2")
        one = asked(api)
        run(api, command, folder, "--shard", "2/2")
        other = asked(api)
        assert sorted([*one, *other]) == ORGANIZATIONS
        assert one
        assert other


@pytest.mark.parametrize("command", COMMANDS)
def test_a_shard_without_organisations_succeeds_and_claims_nothing_about_any(command: str, folder: Path) -> None:
    empty = next(shard for index in range(1, 9) if not any(map((shard := Shard(index, 8)).has, ORGANIZATIONS)))
    with emulated() as api:
        done = run(api, command, folder, "--shard", empty, environ={"MOSEND_ORG_ID": "org-1"})
        assert (done.code, asked(api)) == (0, [])
        assert f"Shard {empty}: 0 of 6 organisations.\n" in done.err
        said = f"{done.out}{done.err}"
        assert "match" not in said
        assert EMPTY[command] in said
        if command == "plan":
            commented = invoke("show", "plan.json", "--format", "markdown")
            assert f"### Nothing was compared: none of the run's organisations is in shard {empty}." in commented.out
        if command == "snapshot":
            assert api.invoke("plan", folder, "--live", "live.json", "--shard", empty).code == 0
            learned = api.invoke("shapes", folder, "--live", "live.json", "--shard", empty)
            assert learned.out == "No organisation was examined.\n"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--target-org", "--org"])
def test_an_organisation_that_no_file_names_is_refused_with_those_there_are(
    command: str, option: str, folder: Path
) -> None:
    with emulated() as api:
        refused = run(api, command, folder, option, "org-9")
        assert (refused.code, asked(api)) == (1, [])
    assert "org-9" in refused.err
    assert "org-1" in refused.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("option", "said"), [("--org", '--org is "", which can'), ("--target-org", '--target-org "" matches no organ')]
)
def test_an_empty_id_is_not_that_of_all_organisations(command: str, option: str, said: str, folder: Path) -> None:
    """A script passed --org "$ORG" without having set it, and all organisations were meant."""
    with emulated() as api:
        refused = run(api, command, folder, option, "")
        assert (refused.code, said in refused.err, asked(api)) == (1, True, []), refused.err


@pytest.mark.parametrize("command", ["snapshot", "shapes"])
@pytest.mark.parametrize("option", ["--target-org=org-1", "--shard=1/2"])
def test_what_reads_no_manifests_has_nothing_to_choose_from(command: str, option: str) -> None:
    refused = invoke(command, *COMMANDS[command], option)
    assert (refused.code, "also give PATH" in refused.err) == (64, True)


@pytest.mark.slow
def test_a_preview_shows_the_organisations_that_were_chosen(folder: Path) -> None:
    with previewing(folder.parent, "fleet", "--target-org", "org-[12]") as page:
        assert shown(page) == ["org-1", "org-2"]
        for name in ORGANIZATIONS:
            (folder / f"{name}.yaml").write_text("version: 1\norganization: [\n", encoding="utf-8")
        # As without the option: what a slip hides is still drawn.
        assert shown(page) == ["org-1", "org-2"]
