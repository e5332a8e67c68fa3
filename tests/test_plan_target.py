from __future__ import annotations

from dataclasses import replace

import pytest

from planning import declare, live, plan_for
from webchat_sync.errors import InputError
from webchat_sync.plan.filter_by_target import filter_by_target
from webchat_sync.render.text import last_line, render_plan

PLAN = plan_for(
    [declare("Sales"), replace(declare("Support"), renamed_from="Soporte"), declare("Support [EU]", color="#fff")],
    [live("Soporte", "c-1"), live("Stranger", "c-2")],
)


@pytest.mark.parametrize(
    ("targets", "addresses", "undeclared"),
    [
        ([], ["Sales", "Support", "Support [EU]"], ["Stranger"]),
        (["Sup*"], ["Support", "Support [EU]"], []),
        (["Soporte"], ["Support"], []),
        (["Support [EU]"], ["Support [EU]"], []),
        (["S*s", "Strange?"], ["Sales"], ["Stranger"]),
    ],
)
def test_a_plan_is_limited_to_the_channels_that_are_named(
    targets: list[str], addresses: list[str], undeclared: list[str]
) -> None:
    plan = filter_by_target(PLAN, targets)
    (organization,) = plan.organizations
    assert [change.address for change in organization.changes] == addresses
    assert [channel.name for channel in organization.undeclared] == undeclared
    assert plan.partial == tuple(targets)
    assert organization.listed == 2


def test_a_partial_plan_says_so_before_its_last_line() -> None:
    lines = render_plan(filter_by_target(PLAN, ["Sup*", "Sales"])).splitlines()
    assert lines[-2] == 'Only channels matching "Sup*" or "Sales" were considered.'
    assert lines[-1] == "Plan: 2 to add, 1 to change, 0 to destroy."


def test_a_partial_plan_without_changes_speaks_for_what_it_considered_only() -> None:
    assert last_line(filter_by_target(PLAN, ["Stranger"])).startswith(
        "No changes. The live channels that were considered "
    )


def test_a_target_that_matches_nothing_is_an_error_that_lists_the_nearest_names() -> None:
    with pytest.raises(InputError) as raised:
        filter_by_target(PLAN, ["Suport", "sales", "zzz"])
    assert [problem.message for problem in raised.value.problems] == [
        '--target "Suport" matches no channel',
        '--target "sales" matches no channel',
        '--target "zzz" matches no channel',
    ]
    assert [problem.hint for problem in raised.value.problems] == [
        'Channels: "Support", "Soporte", "Support [EU]".',
        'Channels: "Sales".',
        'Channels: "Sales", "Soporte", "Stranger", "Support", "Support [EU]".',
    ]
