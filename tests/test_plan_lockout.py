"""A required signature never takes effect over a secret that nobody is known to have: a table over the situations."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from plan_formats import IN_FULL
from planning import dangers, declare, live, refusals
from test_plan_secret import KEY, URL, planned, remembered, wants
from webchat_sync.errors import InputError
from webchat_sync.model import Declaration, Json, LedgerEntry, LiveChannel, MakeSecret, SecretAdoption, Unchanged
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.stale import forgotten
from webchat_sync.planfile.writer import render_plan
from webchat_sync.render.formats import FORMATS

HAS: dict[str, dict[str, Json]] = {
    "yes": {"hasIdentitySecret": True},
    "no": {"hasIdentitySecret": False},
    "missing": {},
}
STATES = (None, "delivered", "vouched", "undelivered", "intended", "adopted", "revoked")


def change_of(
    declaration: Declaration, channel: LiveChannel | None, entry: LedgerEntry | None = None, **options: Any
) -> Any:
    plan = planned([declaration], [channel] if channel else [], {KEY: entry} if entry else None, **options)
    change = plan.organizations[0].changes[0]
    assert bool(refusals(plan)) == change.remarks.lockout
    # What is refused anyway is not told once more by --strict.
    assert bool(dangers(plan)) == (bool(change.remarks.danger) and not change.remarks.lockout)
    return change


@pytest.mark.parametrize(("has", "state", "required"), list(itertools.product(HAS, STATES, (False, True))))
@pytest.mark.parametrize("asked", ["nothing", "rotate", "adopt_secrets"])
@pytest.mark.parametrize("declared", [True, False])
def test_no_requirement_takes_effect_over_an_unknown_secret(
    has: str, state: Any, required: bool, asked: str, declared: bool
) -> None:
    declaration = wants(declare(identityRequired=True)) if declared else declare(identityRequired=True)
    channel = live(identityRequired=required, **HAS[has])
    entry = remembered(state=state, rotation=None) if state else None
    options = {} if asked == "nothing" else {asked: ["Support"]}
    if (asked == "rotate" and not declared) or (asked == "adopt_secrets" and has == "no"):
        with pytest.raises(InputError):
            change_of(declaration, channel, entry, **options)
        return
    change = change_of(declaration, channel, entry, **options)
    operations = () if isinstance(change, Unchanged) else change.operations
    methods = [operation.method for operation in operations]
    made = any(isinstance(operation, MakeSecret) for operation in operations)
    sent = any("identityRequired" in (operation.body or {}) for operation in operations)
    assert sent == (not required)
    assert methods == ["POST"] * made + ["PATCH"] * sent
    gone = has == "no" or (has == "missing" and state == "revoked")
    known = state in {"delivered", "vouched"}
    assert change.remarks.lockout == (sent and not made and not gone and not known and asked != "adopt_secrets")
    vouched = asked == "adopt_secrets" and not known and not made
    assert change.remarks.adoption == (SecretAdoption(None, vouched=True) if vouched else None)
    if required and not made and not known and not gone and declared and asked == "nothing":
        assert "can't tell" in change.remarks.note


@pytest.mark.parametrize("required_live", [True, False])
def test_a_channel_is_not_switched_on_over_an_unknown_secret(required_live: bool) -> None:
    channel = live(enabled=False, identityRequired=required_live, hasIdentitySecret=True)
    assert change_of(declare(enabled=True), channel).remarks.lockout == required_live
    assert not change_of(declare(enabled=True), channel, remembered()).remarks.lockout
    assert not change_of(declare(enabled=True, identityRequired=False), channel).remarks.lockout
    assert change_of(declare(enabled=True, identityRequired=True), channel).remarks.lockout


def test_a_new_channel_has_its_secret_before_it_is_required() -> None:
    created = change_of(wants(declare(identityRequired=True)), None)
    assert not created.remarks.lockout
    assert [isinstance(operation, MakeSecret) for operation in created.operations] == [False, True, False]
    assert "identityRequired" not in (created.operations[0].body or {})


def test_what_does_not_touch_the_requirement_is_not_held_up() -> None:
    channel = live(identityRequired=True, theme="light", hasIdentitySecret=True)
    change = change_of(declare(identityRequired=True, theme="dark"), channel)
    assert (change.action, change.remarks.lockout, change.remarks.danger, change.remarks.note) == (
        "update",
        False,
        "",
        "",
    )


def test_the_lockout_is_told_in_every_format_and_stays_in_a_saved_plan() -> None:
    plan = planned([wants(declare(identityRequired=True))], [live(identityRequired=False, hasIdentitySecret=True)])
    for name in IN_FULL:
        assert "the ledger has no record" in " ".join(FORMATS[name](plan).split()), name
    saved = read_plan(render_plan(plan))
    (problem,) = refusals(saved)
    assert '--rotate "Support"' in problem.hint
    assert "--adopt-secret" in problem.hint


def test_a_saved_plan_that_rests_on_the_ledger_is_stale_when_that_changed() -> None:
    channel = live(identityRequired=False, hasIdentitySecret=True)
    plan = read_plan(render_plan(planned([declare(identityRequired=True)], [channel], {KEY: remembered()})))
    assert not refusals(plan)
    assert not forgotten(plan, {KEY: remembered()})
    assert forgotten(plan, {KEY: remembered(attempt="a-2", state="undelivered")})
    assert forgotten(plan, {})
    vouched = planned([declare(identityRequired=True)], [channel], adopt_secrets=["Support"])
    assert not forgotten(vouched, {})
    assert forgotten(vouched, {KEY: remembered(state="undelivered")})
    assert vouched.organizations[0].base_url == URL


@pytest.mark.parametrize(
    ("channels", "options"),
    [
        ([], {"adopt_secrets": ["Support"]}),
        ([live()], {"adopt_secrets": ["Nobody*"]}),
        ([live()], {"adopt_secrets": ["Support"], "rotate": ["S*"]}),
    ],
)
def test_nobody_vouches_for_what_is_not_there(channels: list[LiveChannel], options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        planned([wants(declare(identityRequired=True))], channels, **options)


def test_the_ways_out_are_limited_to_the_organisation_if_there_are_several() -> None:
    plan = planned([wants(declare(identityRequired=True))], [live(identityRequired=False, hasIdentitySecret=True)])
    (organization,) = plan.organizations
    (alone,) = refusals(plan)
    assert "--target-org" not in alone.hint
    several = replace(plan, organizations=(organization, replace(organization, organization="bolt")))
    limits = [problem.hint.removeprefix(alone.hint) for problem in refusals(several)]
    assert limits == [
        f" Add --target-org {name}, or the option also applies to channels of that name in other organisations."
        for name in (organization.organization, "bolt")
    ]
