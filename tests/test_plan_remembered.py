"""What a plan takes from what is remembered: whom a prune deletes, who stays protected, and which twin is ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from planning import NOW, catalogue, declare, live, refusals
from webchat_sync.errors import InputError
from webchat_sync.model import (
    Declaration,
    DoubtfulCreate,
    KnownChannel,
    Listing,
    LiveChannel,
    Manifest,
    OrganizationKey,
    OrganizationPlan,
    Prune,
    Remembered,
)
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.writer import plan_pieces
from webchat_sync.render import markdown
from webchat_sync.render.html import page
from webchat_sync.render.text import render_plan

SERVER, OURS = "https://api.example", "github.com/acme/site"
SEEN = datetime(2026, 7, 1, tzinfo=UTC)


def remembered(
    *channels: tuple[str, KnownChannel], creates: Sequence[DoubtfulCreate] = (), owner: str = OURS
) -> Remembered:
    return Remembered(
        channels={OrganizationKey(SERVER, "acme"): dict(channels)},
        creates={OrganizationKey(SERVER, "acme"): creates},
        owner=owner,
    )


def planned(
    declarations: Sequence[Declaration],
    channels: Sequence[LiveChannel],
    known: Remembered,
    *,
    prune: Prune = False,
    remove_twins: bool = False,
) -> OrganizationPlan:
    manifest = Manifest("acme", tuple(declarations), prune)
    plan = make_plan(
        [(manifest, Listing(SERVER, tuple(channels)))],
        catalogue=catalogue(),
        created_at=NOW,
        remembered=known,
        remove_twins=remove_twins,
    )
    return plan.organizations[0]


def known(name: str, *, owner: str = OURS, protected: bool = False) -> KnownChannel:
    return KnownChannel(name, SEEN, owner, protected)


SUPPORT, SALES, BY_HAND = live("Support", "c-1"), live("Sales", "c-2"), live("By hand", "c-3")


@pytest.mark.parametrize(
    ("prune", "memory", "gone"),
    [
        (False, remembered(("c-2", known("Sales"))), []),
        ("owned", remembered(("c-2", known("Sales"))), ["Sales"]),
        ("owned", remembered(("c-2", known("Soporte"))), ["Sales"]),
        ("owned", remembered(("c-2", known("Sales", owner="github.com/acme/other"))), []),
        ("owned", remembered(("c-2", known("Sales", owner=""))), []),
        ("owned", remembered(("c-2", known("Sales", owner="")), owner=""), []),
        ("owned", remembered(("c-2", replace(known("Sales"), others={"": "a.yaml"})), owner=""), []),
        ("owned", remembered(), []),
        (True, remembered(), ["Sales", "By hand"]),
        (True, remembered(("c-2", known("Sales"))), ["Sales", "By hand"]),
    ],
    ids=[
        "off",
        "ours",
        "renamed by hand",
        "another repository's",
        "nobody's",
        "no name",
        "no name beside ours",
        "nothing known",
        "all",
        "on",
    ],
)
def test_a_prune_of_owned_channels_deletes_what_these_manifests_declared_and_nothing_else(
    prune: Prune, memory: Remembered, gone: list[str]
) -> None:
    plan = planned([declare("Support")], [SUPPORT, SALES, BY_HAND], memory, prune=prune)
    assert [change.address for change in plan.changes if change.action == "delete"] == gone
    assert [channel.name for channel in plan.undeclared] == [
        channel.name for channel in (SALES, BY_HAND) if channel.name not in gone
    ]
    assert plan.kept.keys() <= {channel.id for channel in plan.undeclared}
    assert prune or not plan.kept


def test_what_a_prune_of_owned_channels_leaves_is_told_as_such() -> None:
    manifest = Manifest("acme", (declare("Support"),), "owned")
    plan = make_plan([(manifest, Listing(SERVER, (SUPPORT, BY_HAND)))], catalogue=catalogue(), created_at=NOW)
    why = "settings.prune is owned, and no apply of these manifests declared it"
    assert f"1 undeclared channel is left alone because {why}" in render_plan(plan, verbose=True)


def test_every_format_gives_the_reason_for_a_channel_that_stays_although_an_apply_declared_it() -> None:
    memory = remembered(("c-2", known("Sales")))
    scope = OrganizationKey(SERVER, "acme")
    kept = replace(memory, kept={scope: {"c-2": "its file `a|b`.yaml isn't part of this run"}})
    manifest = Manifest("acme", (declare("Support"),), "owned")
    listing = Listing(SERVER, (SUPPORT, SALES, BY_HAND))
    plan = make_plan([(manifest, listing)], catalogue=catalogue(), created_at=NOW, remembered=kept)
    saved = read_plan("".join(plan_pieces(plan)))
    assert saved.organizations[0].kept == plan.organizations[0].kept
    for planned_again in (plan, saved):
        assert "2 undeclared channels are left alone although settings.prune is owned:" in render_plan(
            planned_again, verbose=True
        )
        assert '"Sales" (c-2): its file' in render_plan(planned_again, verbose=True)
        assert '"By hand" (c-3): no apply of these manifests declared it' in render_plan(planned_again, verbose=True)
        for render in (markdown.render_plan, page.render_plan):
            assert "isn't part of this run" in unescape(render(planned_again))


def test_the_plan_says_which_rule_a_delete_rests_on() -> None:
    memory = remembered(("c-2", known("Sales")))
    notes = {
        prune: [
            change.note for change in planned([], [SALES], memory, prune=prune).changes if change.action == "delete"
        ]
        for prune in (True, "owned")
    }
    assert notes == {
        True: ["not declared, and settings.prune is on"],
        "owned": ["no longer declared, and settings.prune is owned: an earlier apply of these manifests declared it"],
    }


@pytest.mark.parametrize("prune", [True, "owned"])
def test_what_was_protected_when_it_was_last_declared_is_not_pruned(prune: Prune) -> None:
    memory = remembered(("c-2", known("Sales", protected=True)))
    plan = planned([declare("Support")], [SUPPORT, SALES], memory, prune=prune)
    whole = make_plan(
        [(Manifest("acme", (declare("Support"),), prune), Listing(SERVER, (SUPPORT, SALES)))],
        catalogue=catalogue(),
        created_at=NOW,
        remembered=memory,
    )
    assert [change.protected for change in plan.changes if change.action == "delete"] == [True]
    (refusal,) = refusals(whole)
    assert refusal.message == 'channel "Sales" was protected when it was last declared and would be deleted'
    assert refusal.hint == "Declare it without sync.protect and apply once, or use --allow-protected."


AT = datetime(2026, 10, 1, tzinfo=UTC)
DOUBT = DoubtfulCreate("Support", AT, "https://ci.example.com/7")
FIRST, SECOND = live("Support", "c-1"), live("Support", "c-9")
NO_CHANNELS = Remembered(creates={OrganizationKey(SERVER, "acme"): [DOUBT]}, owner=OURS)


@pytest.mark.parametrize(
    ("channels", "memory", "stays", "twin"),
    [
        ([FIRST, SECOND], remembered(("c-1", known("Support")), creates=[DOUBT]), "c-1", "c-9"),
        ([SECOND, FIRST], remembered(("c-1", known("Support")), creates=[DOUBT]), "c-1", "c-9"),
        ([FIRST, SECOND], remembered(("c-9", known("Support")), creates=[DOUBT]), "c-9", "c-1"),
        ([FIRST, SECOND], remembered(creates=[DOUBT]), "c-1", "c-9"),
        ([FIRST, live("Support ", "c-9")], remembered(creates=[DOUBT]), "c-1", "c-9"),
        ([FIRST, SECOND], NO_CHANNELS, "c-1", "c-9"),
    ],
)
def test_a_twin_that_a_create_in_doubt_made_is_told_and_removed_when_asked(
    channels: list[LiveChannel], memory: Remembered, stays: str, twin: str
) -> None:
    with pytest.raises(InputError) as error:
        planned([declare("Support")], channels, memory)
    manifest = Manifest("acme", (declare("Support"),))
    with pytest.raises(InputError):
        make_plan(
            [(manifest, Listing(SERVER, tuple(channels)))], catalogue=catalogue(), created_at=NOW, remembered=memory
        )
    (problem,) = error.value.problems
    assert problem.place == declare().place
    assert twin in problem.message
    assert "probably from the create sent" in problem.message, "somebody may have made it by hand"
    assert stays in problem.message
    assert "https://ci.example.com/7 at 2026-10-01" in problem.message
    assert "--remove-twins" in problem.hint
    plan = planned([declare("Support")], channels, memory, remove_twins=True)
    deletes = [change for change in plan.changes if change.action == "delete"]
    sent = "the create sent by https://ci.example.com/7 at 2026-10-01T00:00:00+00:00"
    story = f"probably from {sent}, whose outcome is unknown"
    assert [(change.channel_id, change.note) for change in deletes] == [(twin, f"a duplicate of {stays}, {story}")]
    assert [change.channel_id for change in plan.changes if change.action != "delete"] == [stays]


@pytest.mark.parametrize(
    "memory",
    [
        remembered(("c-1", known("Support"))),
        remembered(("c-1", known("Support")), ("c-9", known("Support")), creates=[DOUBT]),
        remembered(creates=[DoubtfulCreate("Sales", AT)]),
    ],
    ids=["no create in doubt", "both were there before", "another channel's"],
)
def test_two_channels_of_one_name_that_no_create_of_ours_made_are_never_removed(memory: Remembered) -> None:
    for remove_twins in (False, True):
        with pytest.raises(InputError, match="2 live channels have the name"):
            planned([declare("Support")], [FIRST, SECOND], memory, remove_twins=remove_twins)


def test_the_twins_of_every_channel_are_reported_and_removed() -> None:
    declarations = [declare("Support"), declare("Sales"), declare("Other")]
    channels = [FIRST, SECOND, live("Sales", "c-2"), live("Sales", "c-8"), live("Other", "c-3")]
    memory = remembered(creates=[DOUBT, DoubtfulCreate("Sales", AT)])
    with pytest.raises(InputError) as error:
        planned(declarations, channels, memory)
    sent = "probably from the create sent at 2026-10-01T00:00:00+00:00, whose outcome is unknown"
    assert [problem.message for problem in error.value.problems][1] == (
        f'the live channel c-8 is a duplicate of "Sales" (c-2), {sent}'
    )
    plan = planned(declarations, channels, memory, remove_twins=True)
    deletes = [change for change in plan.changes if change.action == "delete"]
    assert [change.channel_id for change in deletes] == ["c-9", "c-8"]
    assert deletes[1].note == f"a duplicate of c-2, {sent}"


def test_a_create_in_doubt_that_took_effect_once_is_no_twin() -> None:
    later = DoubtfulCreate("Support", AT + timedelta(days=1))
    plan = planned([declare("Support")], [FIRST], remembered(creates=[DOUBT, later]), remove_twins=True)
    assert [change.action for change in plan.changes] == ["none"]
