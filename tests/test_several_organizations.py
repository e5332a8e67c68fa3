"""Of several organisations that each have a channel of one name, every line about a channel says whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands import Emulated, Finished, emulated
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.render.formats import FORMATS

ORGANIZATIONS = ("org-one", "org-two")
WHOSE = re.compile("|".join(ORGANIZATIONS))
HEADING = re.compile(r"Organisation (?:org-one|org-two):|#+ .*(?:org-one|org-two)|<!-- .*")
ODD = {"name": "Zebra", "departments": [{"name": "Sales"}]}

Case = tuple[str, list[dict[str, Any]], str]
CASES: dict[str, Case] = {
    "updates": ("{name: Zebra, theme: dark, color: '#ffff00'}", [{"name": "Zebra"}], ""),
    "a create": ("{name: Zebra, theme: dark}", [], ""),
    "undeclared": ("{name: Other}", [{"name": "Zebra"}, {"name": "Other"}], ""),
    "a delete": ("{name: Other}", [{"name": "Zebra"}, {"name": "Other"}], "true"),
    "deletes over the limit": ("{name: Other}", [{"name": "Zebra"}, {"name": "Zebra 2"}, {"name": "Other"}], "true"),
    "a lookalike": ("{name: zebra}", [{"name": "Zebra"}], ""),
    "a pin that is gone": ("{name: Zebra, sync: {id: gone}}", [{"name": "Zebra"}], ""),
    "two of a name": ("{name: Zebra, theme: dark}", [{"name": "Zebra"}, {"name": "Zebra"}], ""),
    "a lost rename": ("{name: Zebra, sync: {renamedFrom: Zoe}}", [{"name": "Zoo"}], "true"),
    "a former name that is live": ("{name: Zebra, sync: {renamedFrom: Zoo}}", [{"name": "Zebra"}, {"name": "Zoo"}], ""),
    "a protected one": ("{name: Zebra, enabled: false, sync: {protect: true}}", [{"name": "Zebra"}], ""),
    "a lockout": ("{name: Zebra, identityRequired: true}", [{"name": "Zebra"}], ""),
    "a secret": (
        "{name: Zebra, sync: {identitySecret: {verify: true, deliver: [{file: ORG}]}}}",
        [{"name": "Zebra"}],
        "",
    ),
    "one that is off": (
        "{name: Zebra, enabled: false, sync: {identitySecret: {deliver: [{file: ORG}], verify: true}}}",
        [{"name": "Zebra"}],
        "",
    ),
    "a sink that fails": (
        "{name: Zebra, sync: {identitySecret: {deliver: [{command: [git, no-such-command]}]}}}",
        [{"name": "Zebra"}],
        "",
    ),
    "a sink without a folder": (
        "{name: Zebra, sync: {identitySecret: {deliver: [{file: no/ORG}]}}}",
        [{"name": "Zebra"}],
        "",
    ),
    "shapes": (
        "{name: Zebra, departments: [{nam: Sales}]}",
        [ODD, {**ODD, "name": "Two"}, {**ODD, "name": "Three"}],
        "",
    ),
}
COMMANDS = [
    ("plan", "-v"),
    ("plan", "--strict"),
    # The lines of JSON and HTML are about more than one thing.
    *(("plan", "--format", name) for name in FORMATS if name not in ("json", "html")),
    ("drift",),
    ("adopt", "--check"),
    ("apply", "--auto-approve"),
    ("apply", "--auto-approve", "--allow-lookalikes", "--allow-protected", "--max-deletes=9", "--events=events.ndjson"),
]
REFUSING = Faults([Fault(effects.status(422), method, "*org-two*") for method in ("POST", "PATCH", "DELETE")])


def unattributed(finished: Finished) -> Iterator[str]:
    """The lines that name a channel, and neither its organisation nor stand below its heading.

    What a message quotes of a file, and the hint below it, belong to the message; a diff of a file is that file.
    """
    below = False
    for line in finished.out.splitlines() if not finished.out.startswith("--- ") else ():
        below = below or HEADING.match(line) is not None
        if "Zebra" in line and not below and not WHOSE.search(line):
            yield line
    for line in finished.err.splitlines():
        if "Zebra" in line and not WHOSE.search(line) and not line.startswith("  "):
            yield line


def prepared(api: Emulated, case: Case) -> Path:
    declared, live, prune = case
    texts = []
    for organization in ORGANIZATIONS:
        api.store.seed(organization, live)
        settings = f"settings: {{prune: {prune}}}\n" if prune else ""
        body = declared.replace("ORG", organization)
        texts.append(f"version: 1\norganization: {organization}\n{settings}channels:\n  - {body}\n")
    path = Path("all.yaml")
    path.write_text("---\n".join(texts), encoding="utf-8")
    return path


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_line_about_a_channel_says_whose_it_is(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = ""
    with emulated() as api:
        path = prepared(api, case)
        for command, *options in COMMANDS:
            ended = api.invoke(command, path, *options, environ={"MOSEND_ORG_ID": ""})
            assert list(unattributed(ended)) == [], (command, options)
            said += ended.out + ended.err
    events = Path("events.ndjson")
    for line in events.read_text(encoding="utf-8").splitlines() if events.exists() else ():
        assert "Zebra" not in line or WHOSE.search(line), line
    assert all(organization in said for organization in ORGANIZATIONS)
    with emulated(faults=REFUSING) as api:
        ended = api.invoke(
            "apply", prepared(api, case), "--auto-approve", "--take-over-sink", environ={"MOSEND_ORG_ID": ""}
        )
        assert list(unattributed(ended)) == []


def test_a_line_that_does_not_say_it_is_seen() -> None:
    heading = "Organisation org-one:\n\n  Zebra\n"
    assert list(unattributed(Finished(0, "Zebra\n" + heading, ""))) == ["Zebra"]
    assert list(unattributed(Finished(0, heading, 'Error: "Zebra"\n  3 | Zebra\n'))) == ['Error: "Zebra"']


def test_a_name_that_several_have_is_told_with_all_of_them_and_a_way_to_choose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    week = 'operatingHours: {timezone: UTC, days: {mon: ["09:00-13:00"]}}'
    with emulated() as api:
        case = (
            f"{{name: Zebra, {week}, sync: {{identitySecret: {{deliver: [{{file: ORG}}]}}}}}}",
            [{"name": "Zebra"}],
            "",
        )
        path = prepared(api, case)
        none = {"MOSEND_ORG_ID": ""}
        assert api.invoke("apply", path, "--auto-approve", environ=none).code == 0
        hours = api.invoke("hours", "Zebra", path, environ=none)
        assert hours.code == 1
        assert all(f'"Zebra" of {organization}' in hours.err for organization in ORGANIZATIONS)
        assert api.invoke("hours", "Zebra", path, "--org", "org-two", environ=none).code == 0
        signed = api.invoke("secret", "sign", "Zebra", "--user-id", "u", environ=none)
        ids = [str(api.store.channels(organization)[0]["id"]) for organization in ORGANIZATIONS]
        assert signed.code == 1
        assert all(f"{one} of {owner}" in signed.err for one, owner in zip(ids, ORGANIZATIONS, strict=True))
        assert api.invoke("secret", "sign", ids[1], "--user-id", "u", environ=none).code == 0
