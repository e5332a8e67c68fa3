"""A channel that was live at the last apply and is not listed: its create is a danger, and refused for the strict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plan_formats import IN_FULL
from planning import NOW, catalogue, dangers, declare, live, refusals
from webchat_sync.model import (
    SANDBOX,
    Declaration,
    KnownChannel,
    KnownChannels,
    Listing,
    LiveChannel,
    Manifest,
    OrganizationKey,
    Plan,
    Remembered,
)
from webchat_sync.plan.guard import GuardOptions
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.writer import render_plan
from webchat_sync.render.formats import FORMATS

URL = "https://api.example"
SUPPORT = KnownChannel("Support", NOW)
ACME = OrganizationKey(URL, "acme")
KNOWN = {ACME: {"c-1": SUPPORT, "c-2": KnownChannel("Sales", NOW)}}
SALES = live("Sales", "c-2")


def planned(
    declaration: Declaration, known: KnownChannels, channels: tuple[LiveChannel, ...] = (SALES,), *, url: str = URL
) -> Plan:
    listing = Listing(url, channels)
    return make_plan(
        [(Manifest("acme", (declaration,)), listing)],
        catalogue=catalogue(),
        created_at=NOW,
        remembered=Remembered(channels=known),
    )


def told(plan: Plan) -> list[str]:
    return [impact.text for change in plan.organizations[0].active_changes for impact in change.impact]


WAS_LIVE = "this channel was live at the last apply (id c-1) and has since been deleted, or isn't visible to this key"


@pytest.mark.parametrize(
    "declaration",
    [
        declare(),
        declare("Support "),
        declare(theme="dark", enabled=False),
        replace(declare("Help"), renamed_from="Support"),
    ],
)
def test_the_create_of_a_channel_that_was_live_is_a_danger_and_refused_under_strict(declaration: Declaration) -> None:
    plan = planned(declaration, KNOWN)
    assert told(plan)[0] == WAS_LIVE
    assert plan.organizations[0].active_changes[0].impact[0].level == "danger"
    assert refusals(plan) == ()
    (problem,) = dangers(plan)
    assert problem.message == f'channel "{declaration.name}" would be created, but {WAS_LIVE}'
    assert problem.place == declaration.place
    assert "key that isn't restricted" in problem.hint
    assert dangers(read_plan(render_plan(plan))) == (problem,)


def test_a_channel_that_has_another_name_by_now_gets_no_second_one_unless_a_declaration_means_it() -> None:
    renamed = live("Hilfe", "c-1")
    plan = planned(declare(), KNOWN, (SALES, renamed))
    assert told(plan)[0] == 'this channel is live under the name "Hilfe" (id c-1)'
    assert dangers(plan) == ()
    (problem,) = refusals(plan)
    assert (
        problem.message
        == 'channel "Support" would be created, but this channel is live under the name "Hilfe" (id c-1)'
    )
    assert "`sync.id`" in problem.hint
    assert refusals(plan, GuardOptions(allow_lookalikes=True)) == ()
    both = Manifest("acme", (declare(), declare("Hilfe")))
    listing = Listing(URL, (SALES, renamed))
    assert (
        refusals(
            make_plan([(both, listing)], catalogue=catalogue(), created_at=NOW, remembered=Remembered(channels=KNOWN))
        )
        == ()
    )


def test_a_channel_that_no_list_has_had_yet_is_not_created_again_without_being_asked() -> None:
    known = {ACME: {"c-1": replace(SUPPORT, unlisted=True), "c-2": replace(SUPPORT, name="Sales", unlisted=True)}}
    plan = planned(declare(), known)
    said = "an earlier apply created this channel (id c-1), and it hasn't been listed since"
    assert (told(plan)[0], plan.organizations[0].active_changes[0].impact[0].level) == (said, "danger")
    (problem,) = refusals(plan)
    assert problem.message == f'channel "Support" would be created, but {said}'
    assert "try again later" in problem.hint
    assert refusals(plan, GuardOptions(allow_lookalikes=True)) == ()
    assert refusals(read_plan(render_plan(plan))) == (problem,)


def test_each_channel_that_had_the_name_is_considered() -> None:
    known = {ACME: {f"c-{number}": SUPPORT for number in (1, 2, 3)}}
    plan = planned(declare(), known, (live("Support 1", "c-1"), live("Support 3", "c-3")))
    ids = [text.split("(id ")[1][:3] for text in told(plan) if "(id " in text]
    assert sorted(ids) == ["c-1", "c-2", "c-3"]


@pytest.mark.parametrize("others", [(), ("Other", "Third")])
def test_a_channel_that_has_another_name_by_now_and_would_be_deleted_is_named_so(others: tuple[str, ...]) -> None:
    channels = (live("Hilfe", "c-1"), *(live(name, name) for name in others))
    plan = make_plan(
        [(Manifest("acme", (declare(),), prune=True), Listing(URL, channels))],
        catalogue=catalogue(),
        created_at=NOW,
        remembered=Remembered(channels=KNOWN),
    )
    create = next(change for change in plan.organizations[0].active_changes if change.address == "Support")
    said = 'this channel is live under the name "Hilfe" (id c-1) and would be deleted'
    assert (create.impact[0].text, create.impact[0].level) == (said, "danger")
    problem = next(problem for problem in refusals(plan) if said in problem.message)
    assert "To delete it and create a new one, use --allow-lookalikes" in problem.hint


@pytest.mark.parametrize("deleted", [False, True])
def test_only_a_delete_of_that_channel_replaces_it(deleted: bool) -> None:
    declarations = (declare(), replace(declare("Other"), absent=True))
    plan = make_plan(
        [(Manifest("acme", declarations, prune=deleted), Listing(URL, (live("Hilfe", "c-1"), live("Other", "c-9"))))],
        catalogue=catalogue(),
        created_at=NOW,
        remembered=Remembered(channels=KNOWN),
    )
    assert any("would be deleted" in text for text in told(plan)) == deleted


@pytest.mark.parametrize(
    ("declaration", "known", "channels"),
    [
        (declare(), {}, (SALES,)),
        (declare("Sales"), KNOWN, (SALES,)),
        (declare("Blog"), KNOWN, (SALES,)),
        (declare(), {OrganizationKey(URL, "other"): {"c-1": SUPPORT}}, (SALES,)),
        (declare(), {OrganizationKey("https://staging.example", "acme"): {"c-1": SUPPORT}}, (SALES,)),
        (replace(declare(), absent=True), KNOWN, (SALES,)),
    ],
)
def test_nothing_is_said_of_a_channel_that_nobody_misses(
    declaration: Declaration, known: KnownChannels, channels: tuple[LiveChannel, ...]
) -> None:
    plan = planned(declaration, known, channels)
    assert dangers(plan) == ()
    assert all("was live" not in text for text in told(plan))


def test_a_sandbox_that_was_emptied_is_no_danger() -> None:
    known = {OrganizationKey(SANDBOX, "acme"): {"c-1": SUPPORT}}
    assert dangers(planned(declare(), known, (), url=SANDBOX)) == ()


@pytest.mark.parametrize("name", IN_FULL)
def test_every_format_shows_it(name: str) -> None:
    assert "was live at the last apply" in FORMATS[name](planned(declare(), KNOWN))
