"""Every reason to refuse a plan in full: the message, the place and the way out, as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from planning import NOW, catalogue, dangers, declare, live, plan_for, refusals
from test_plan_guard import channels, deleting
from test_plan_secret import HAS, change_of, planned, remembered, wants
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import Declaration, Json, Listing, MakeSecret, Manifest, Plan, RevokeSecret, SecretAdoption
from webchat_sync.plan.filter_by_target import filter_by_target, filter_channels
from webchat_sync.plan.guard import GuardOptions, MaxDeletes, judged, short_listings
from webchat_sync.plan.make import begin
from webchat_sync.plan.match_channels import find_channel, match_channels
from webchat_sync.plan.organizations import refused

PLACE = "channels.yaml:3:5"
InFull = tuple[str, str, str]


def in_full(message: str, place: str = "", hint: str = "") -> InFull:
    return message, place, hint


def read(problems: Iterable[object]) -> tuple[InFull, ...]:
    """The message, the place and the hint of each."""
    told = [problem for problem in problems if isinstance(problem, Diagnostic)]
    return tuple((problem.message, str(problem.place or ""), problem.hint) for problem in told)


def protected(absent: bool) -> Plan:
    return plan_for([replace(declare(enabled=False), protect=True, absent=absent)], [live(enabled=True)])


PROTECTED_HINT = "Remove sync.protect from its declaration first, in a separate change, or use --allow-protected."
LIMITS = {
    None: ("1", "the default: 1, or 20% if that's more"),
    MaxDeletes(2): ("2", "--max-deletes is 2"),
    MaxDeletes(25, percent=True): ("2", "--max-deletes is 25%"),
}


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (protected(absent=True), in_full('channel "Support" is protected and would be deleted', PLACE, PROTECTED_HINT)),
        (
            protected(absent=False),
            in_full('channel "Support" is protected and would be switched off', PLACE, PROTECTED_HINT),
        ),
        (
            plan_for([], channels(1), prune=True),
            in_full(
                'the manifest of organisation "acme" declares no channels to keep, and settings.prune is on',
                hint="Check for a missing or empty file, or use --allow-empty.",
            ),
        ),
        (
            planned([declare(identityRequired=True)], [live(identityRequired=False, **HAS)]),
            in_full(
                'channel "Support": identityRequired would take effect, but the ledger has no record that the identity '
                "secret was delivered; if the site doesn't have it, every visitor is refused",
                PLACE,
                'Use --rotate "Support" to create and deliver a new secret first (this needs `sync.identitySecret` '
                "with `deliver`), or --adopt-secret with the same name if the site already has the current one.",
            ),
        ),
    ],
    ids=["deleted", "switched off", "empty", "lockout"],
)
def test_a_refusal_in_full(plan: Plan, problem: InFull) -> None:
    assert read(refusals(plan)) == (problem,)


@pytest.mark.parametrize("chosen", LIMITS, ids=str)
def test_too_many_deletes_in_full(chosen: MaxDeletes | None) -> None:
    limit, said = LIMITS[chosen]
    assert read(refusals(deleting(3, 9), GuardOptions(max_deletes=chosen))) == (
        in_full(
            'organisation "acme": 3 of 9 live channels would be deleted ("C0", "C1", "C2"), but the limit is '
            f"{limit} ({said})",
            hint="If you want to delete all of them, use --max-deletes 3.",
        ),
    )


def test_one_delete_too_many_in_full() -> None:
    assert read(refusals(deleting(1, 1), GuardOptions(max_deletes=MaxDeletes(0)))) == (
        in_full(
            'organisation "acme": 1 of 1 live channel would be deleted ("C0"), but the limit is 0 (--max-deletes is 0)',
            hint="If you want to delete it, use --max-deletes 1.",
        ),
    )


def test_a_short_listing_in_full() -> None:
    now = {"acme": Listing("https://api.example", tuple(channels(3)))}
    assert read(short_listings(deleting(1, 5), now)) == (
        in_full(
            'organisation "acme" had 5 live channels when the plan was made, and now has 3, although the plan '
            "deletes only 1",
            hint="Check that the list is complete and plan again, or use --allow-short-listing.",
        ),
    )
    (kept,) = short_listings(plan_for([], channels(5)), now)
    assert kept.message.endswith("although the plan deletes none")
    (only,) = short_listings(plan_for([], channels(1)), {"acme": Listing("https://api.example", ())})
    assert only.message.startswith('organisation "acme" had 1 live channel when the plan was made, and now has 0, ')


def test_a_channel_that_cannot_be_matched_in_full() -> None:
    twins = [live("Support", "c-1"), live("Support", "c-2"), live("Sales", "c-3")]
    matches = match_channels([declare("Support"), replace(declare("Gone"), id="gone")], twins)
    assert set(read(matches.problems)) == {
        in_full(
            'channel "Gone" is pinned to the id gone, but no live channel has that id',
            PLACE,
            "Fix sync.id, or remove it to match the channel by its name; if no channel has that name, it's created "
            "again. If it was deleted on purpose, remove its declaration. A key that's restricted to some channels "
            "doesn't list the others.",
        ),
        in_full('2 live channels have the name "Support": c-1, c-2', PLACE, "Pin the right one with sync.id."),
    }
    assert read([find_channel(twins, "Support")]) == (
        in_full('2 live channels have the name "Support": c-1, c-2', hint="Use the channel's id instead."),
    )
    assert read([find_channel(twins, "Help")]) == (
        in_full('no live channel has the name or id "Help"', hint='Live channels: "Sales", "Support".'),
    )
    assert read([find_channel([], "Help")]) == (
        in_full('no live channel has the name or id "Help"', hint="Live channels: none."),
    )


def test_a_target_that_nothing_matches_in_full() -> None:
    plan = plan_for([declare(f"Support {number}") for number in range(7)], [])
    with pytest.raises(InputError) as raised:
        filter_by_target(plan, ["Support"])
    (problem,) = raised.value.problems
    assert problem.hint.count('"Support ') == 5
    with pytest.raises(InputError) as raised:
        filter_by_target(plan_for([], []), ["Support"])
    assert raised.value.problems[0].hint == "Channels: none."


def test_a_rotation_of_a_channel_without_a_sink_in_full() -> None:
    with pytest.raises(InputError) as raised:
        planned([declare()], [live(**HAS)], rotate=["Support"])
    assert read(raised.value.problems) == (
        in_full(
            '--rotate "Support": the channel doesn\'t declare a sink for its secret',
            PLACE,
            "Declare `sync.identitySecret` with `deliver`, or use `secret rotate --to FILE`.",
        ),
    )


@pytest.mark.parametrize(
    ("declaration", "what"),
    [(replace(declare(), absent=True), "channel"), (wants(absent=True), "channel's identity secret")],
)
def test_a_rotation_of_what_is_declared_absent_in_full(declaration: Declaration, what: str) -> None:
    with pytest.raises(InputError) as raised:
        planned([declaration], [live(**HAS)], rotate=["Support"])
    assert read(raised.value.problems) == (
        in_full(
            f'--rotate "Support": the {what} is declared with state: absent',
            PLACE,
            "Remove that state, or don't rotate it.",
        ),
    )


ADOPTED = "is adopted without rotating, since the channel already has a secret that isn't in the ledger"


@pytest.mark.parametrize(
    ("block", "entry", "note"),
    [
        ({"rotation": "ñ"}, None, f'rotation "ñ" {ADOPTED}'),
        ({"rotation": "1"}, remembered(state="revoked"), f'rotation "1" {ADOPTED}'),
        ({"max_age": timedelta(days=90), "age_text": "90d"}, None, f"the secret {ADOPTED}; its age counts from now"),
        (
            {"rotation": "2"},
            remembered(declared=False),
            'rotation "2" is adopted without rotating: the secret was rotated by hand',
        ),
        (
            {"rotation": "2"},
            remembered(state="vouched", declared=False),
            'rotation "2" is adopted without rotating: it was confirmed with --adopt-secret',
        ),
    ],
)
def test_an_adoption_in_full(block: dict[str, Any], entry: Any, note: str) -> None:
    assert change_of(wants(**block), live(**HAS), entry).remarks.note == note


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("has", [True, False])
def test_what_is_made_of_a_secret_in_full(has: bool, required: bool) -> None:
    entry = remembered(state="undelivered")
    declaration = wants(rotation="1", verify=True)
    change = change_of(declaration, live(hasIdentitySecret=has, identityRequired=required), entry)
    assert isinstance(change.secret, MakeSecret)
    assert (change.secret.channel_id, change.secret.rotation, change.secret.verify) == ("c-1", "1", True)
    assert (change.secret.replaces, bool(change.secret.stops)) == (has, has)
    assert change.secret.known == "a-1"


def test_what_is_revoked_is_the_secret_of_the_live_channel() -> None:
    change = change_of(wants(absent=True), live(**HAS), remembered())
    assert isinstance(change.secret, RevokeSecret)
    assert (change.secret.channel_id, change.secret.known) == ("c-1", "a-1")


@pytest.mark.parametrize(
    ("entry", "rotation"), [(None, "2"), (remembered(state="undelivered"), "1"), (remembered(state="revoked"), "2")]
)
def test_who_vouches_for_a_secret_vouches_for_the_rotation_that_it_is_of(entry: Any, rotation: str) -> None:
    change = change_of(wants(rotation="2" if rotation == "2" else "1"), live(**HAS), entry, adopt_secrets=["Support"])
    assert change.remarks.adoption == SecretAdoption(rotation, vouched=True)


def test_who_vouches_for_a_secret_of_an_earlier_rotation_gets_the_declared_one() -> None:
    entry = remembered(state="undelivered", rotation="1")
    change = change_of(wants(rotation="2"), live(**HAS), entry, adopt_secrets=["Support"])
    assert isinstance(change.secret, MakeSecret)
    assert change.secret.reason == 'rotation "1" -> "2"'


@pytest.mark.parametrize(("declared", "refused"), [(False, True), (True, False)])
def test_a_lost_rename_is_refused_beside_the_delete_of_what_nobody_declares(declared: bool, refused: bool) -> None:
    """A channel that is declared absent by its name is not the one that was meant."""
    renamed = replace(declare("Help"), renamed_from="Suport")
    going = [replace(declare("Support"), absent=True)] if declared else []
    told = read(refusals(plan_for([renamed, *going], [live("Support", "c-1")], prune=True)))
    message = (
        'channel "Help" would be renamed from "Suport", but no live channel has that name, and an '
        'undeclared channel would be deleted in the same apply: "Support"'
    )
    hint = "Fix `sync.renamedFrom`, or remove it if the channel is new."
    assert told == ((in_full(message, PLACE, hint),) if refused else ())


@pytest.mark.parametrize("organizations", [1, 2, 3])
@pytest.mark.parametrize("find", [refusals, dangers])
def test_what_is_refused_names_its_organization_where_there_are_several(find: Any, organizations: int) -> None:
    refused = {
        refusals: protected(absent=True),
        dangers: planned([declare(identityRequired=True)], [live(hasIdentitySecret=False)]),
    }[find]
    (one,) = refused.organizations
    names = ["acme", "other", "third"][:organizations]
    plan = replace(refused, organizations=tuple(replace(one, organization=name) for name in names))
    (alone,) = find(refused)
    expected = [f'organisation "{name}": {alone.message}' for name in names] if organizations > 1 else [alone.message]
    assert [problem.message for problem in find(plan)] == expected


def test_a_danger_in_full() -> None:
    plan = planned([declare(identityRequired=True)], [live(hasIdentitySecret=False)])
    assert refused(judged(plan, GuardOptions(), strict=True)) == dangers(plan)
    assert refused(judged(plan, GuardOptions())) == ()
    assert read(dangers(plan)) == (
        in_full(
            'channel "Support": identityRequired is on, but the channel has no identity secret: no signature can be '
            "valid, so every visitor is refused",
            PLACE,
            "Declare `sync.identitySecret` for it, turn `identityRequired` off, or remove --strict.",
        ),
    )


def test_the_danger_of_a_revocation_in_full() -> None:
    plan = planned([wants(declare(identityRequired=True), absent=True)], [live(identityRequired=True, **HAS)])
    assert read(dangers(plan)) == (
        in_full(
            'channel "Support": identityRequired is on, but the identity secret is revoked: no signature is valid '
            "after that, so every visitor is refused",
            PLACE,
            "Remove `state: absent` from its `sync.identitySecret`, turn `identityRequired` off, or remove --strict.",
        ),
    )


@pytest.mark.parametrize(
    ("declaration", "taken_for"),
    [
        (declare("Support"), "it"),
        (replace(declare("Help"), renamed_from="Support"), 'it or with its former name "Support"'),
    ],
)
def test_a_lookalike_in_full(declaration: Declaration, taken_for: str) -> None:
    plan = plan_for([declaration], [live("SUPPORT", "c-1"), live("Súpport", "c-2"), live("Sales", "c-3")])
    assert read(refusals(plan)) == (
        in_full(
            f'channel "{declaration.name}" would be created next to others whose names are easily confused with '
            f'{taken_for}: "SUPPORT" (c-1), "Súpport" (c-2)',
            PLACE,
            'If you mean one of them, such as "SUPPORT", declare that exact name, rename it with '
            '`sync.renamedFrom: "SUPPORT"`, or pin it with `sync.id: c-1`. If you want all of them, use '
            "--allow-lookalikes.",
        ),
    )
    (alone,) = refusals(plan_for([declaration], [live("SUPPORT", "c-1"), live("Sales", "c-3")]))
    assert alone.message.endswith(f'next to one whose name is easily confused with {taken_for}: "SUPPORT" (c-1)')
    assert alone.hint == (
        'If you mean that one, declare its exact name "SUPPORT", rename it with `sync.renamedFrom: "SUPPORT"`, or '
        "pin it with `sync.id: c-1`. If you want both, use --allow-lookalikes."
    )


@pytest.mark.parametrize(
    ("going", "named"),
    [
        (["Supporter 1", "Supporter 2", "Supporter 3", "Supporter 4"], 3),
        (["Sales", "Supporter"], ["Supporter"]),
        (["Store", "Blog"], ["Store"]),
        (["Blog", "Jobs", "News", "Shop"], ["Blog", "Jobs", "News"]),
        (["Blog", "Support desk"], ["Support desk"]),
        (["Blog", "Sport"], ["Sport"]),
        (["Blog"], ["Blog"]),
    ],
)
def test_a_lost_rename_names_the_nearest_deletes_else_the_first(going: list[str], named: list[str] | int) -> None:
    renamed = replace(declare("Help"), renamed_from="Support")
    plan = plan_for([renamed], [live(name, f"c-{name}") for name in going], prune=True)
    (told,) = [message for message, _, _ in read(refusals(plan)) if "would be renamed" in message]
    names = [name for name in going if f'"{name}"' in told]
    what = "an undeclared channel" if len(names) == 1 else "undeclared channels"
    assert f"and {what} would be deleted in the same apply: " in told
    assert told.endswith(": " + ", ".join(sorted((f'"{name}"' for name in names), key=told.index)))
    assert named in (names, len(names))


def test_only_so_many_lost_renames_are_compared_with_every_name() -> None:
    renamed = [replace(declare(f"New {number}"), renamed_from="Suport") for number in range(21)]
    plan = plan_for(renamed, [live("Blog", "c-1"), live("Support", "c-2")], prune=True)
    told = [message.rpartition(": ")[2] for message, _, _ in read(refusals(plan)) if "would be renamed" in message]
    assert told == ['"Support"'] * 20 + ['"Blog", "Support"']


NO_SINK = "Declare `sync.identitySecret` with `deliver`, or use `secret rotate --to FILE`."
BOTH = "A rotation creates a new secret, so there's no need to adopt the current one. Use one of the two."


def asked(options: dict[str, Any], **fields: Json) -> tuple[InFull, ...]:
    """What is wrong with names to rotate or to adopt, of two channels with sinks and one without."""
    declarations = [wants(declare("Support")), wants(declare("Sales")), declare("Plain")]
    channels = [live(name, f"c-{name}", **fields) for name in ("Support", "Sales", "Plain")]
    with pytest.raises(InputError) as raised:
        planned(declarations, channels, **options)
    return read(raised.value.problems)


@pytest.mark.parametrize(
    ("options", "fields", "problems"),
    [
        (
            {"rotate": ["Nobody", "S*", "X*"]},
            HAS,
            [
                in_full(
                    f'--rotate "{pattern}" matches no channel with a declared identity secret',
                    hint='Channels: "Sales", "Support".',
                )
                for pattern in ("Nobody", "X*")
            ],
        ),
        (
            {"rotate": ["Plain"]},
            HAS,
            [in_full('--rotate "Plain": the channel doesn\'t declare a sink for its secret', PLACE, NO_SINK)],
        ),
        (
            {"adopt_secrets": ["Nobody"]},
            HAS,
            [
                in_full(
                    '--adopt-secret "Nobody" matches no declared channel with an identity secret to adopt',
                    hint='Channels: "Plain", "Sales", "Support".',
                )
            ],
        ),
        (
            {"adopt_secrets": ["Support"]},
            {"hasIdentitySecret": False},
            [
                in_full(
                    '--adopt-secret "Support" matches no declared channel with an identity secret to adopt',
                    hint="No declared channel has one; a new secret doesn't need to be adopted.",
                )
            ],
        ),
        (
            {"adopt_secrets": ["S*"], "rotate": ["*"]},
            HAS,
            [in_full(f'"{name}" matches both --rotate and --adopt-secret', hint=BOTH) for name in ("Sales", "Support")],
        ),
    ],
)
def test_a_name_to_rotate_or_to_adopt_that_cannot_be_in_full(
    options: dict[str, Any], fields: dict[str, Json], problems: list[InFull]
) -> None:
    assert asked(options, **fields) == tuple(problems)


def test_nothing_is_rotated_or_adopted_of_what_is_to_be_absent() -> None:
    """Neither of a channel that is to be absent, nor of a secret that is."""
    gone = [replace(wants(declare("Gone")), absent=True), wants(declare("Bare"), absent=True)]
    channels = [live("Support", "c-1", **HAS), live("Gone", "c-2", **HAS), live("Bare", "c-3", **HAS)]
    asking: list[dict[str, Any]] = [{"rotate": ["B*"]}, {"adopt_secrets": ["G*"]}]
    for options in asking:
        with pytest.raises(InputError) as raised:
            planned([wants(declare("Support")), *gone], channels, **options)
        assert [hint for _, _, hint in read(raised.value.problems)] == ['Channels: "Support".']


def test_a_name_of_another_plan_is_no_problem_of_this_one() -> None:
    manifest = Manifest("acme", (wants(declare("Support")),))
    listing = Listing("https://api.example", (live(**HAS),))
    options: dict[str, Any] = {"catalogue": catalogue(), "created_at": NOW, "elsewhere": ["Else"]}
    for named in ({"rotate": ["Else"]}, {"adopt_secrets": ["El*"]}):
        planning = begin([manifest], **{**options, **named})
        plan = planning.end([planning.organization(manifest, listing)])
        assert [change.action for change in plan.organizations[0].changes] == ["none"]
    with pytest.raises(InputError):
        begin([manifest], **options, adopt_secrets=["Other"]).end([])
    begin([manifest], **options, adopt_secrets=["Other"]).end([], elsewhere=frozenset(["Other"]))


def test_channels_are_chosen_by_name_id_and_pattern() -> None:
    channels = [live("Sales", "c-1"), live("Support", "c-2"), live("Support EU", "c-3")]

    def chosen(only: list[str], exclude: list[str]) -> list[str]:
        return [channel.id for channel in filter_channels(channels, only, exclude)]

    assert chosen([], []) == ["c-1", "c-2", "c-3"]
    assert chosen(["Support*"], []) == ["c-2", "c-3"]
    assert chosen(["c-1", "Support EU"], []) == ["c-1", "c-3"]
    assert chosen([], ["c-2", "Sal*"]) == ["c-3"]
    assert chosen(["Support*"], ["c-3"]) == ["c-2"]
    with pytest.raises(InputError) as raised:
        chosen(["Suport", "Sales", "c-9"], [])
    assert read(raised.value.problems) == (
        in_full('--only "Suport" matches no channel', hint='Channels: "Support", "Support EU".'),
        in_full('--only "c-9" matches no channel', hint='Channels: "Sales", "Support", "Support EU".'),
    )
    with pytest.raises(InputError) as raised:
        chosen(["Spot"], [])
    assert read(raised.value.problems) == (
        in_full('--only "Spot" matches no channel', hint='Channels: "Support", "Support EU".'),
    )


def test_a_target_of_another_plan_is_no_problem_of_this_one() -> None:
    plan = plan_for([declare("Sales"), declare("Support")], [])
    assert filter_by_target(plan, ["Else"], elsewhere=frozenset(["Else"])).organizations[0].changes == ()
    limited = filter_by_target(plan, ["Else", "Sales"], elsewhere=frozenset(["Else"]))
    assert [change.address for change in limited.organizations[0].changes] == ["Sales"]
