from __future__ import annotations

from dataclasses import replace

import pytest

from planning import changes_for, declare, live, plan_for
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.plan.match_channels import find_channel, match_channels


def test_a_pinned_id_wins_over_the_name() -> None:
    pinned = replace(declare("Sales"), id="c-2")
    matches = match_channels([declare("Support"), pinned], [live("Sales", "c-1"), live("Support", "c-2")])
    assert [(declaration.name, found and found.id) for declaration, found in matches.pairs] == [
        ("Support", None),
        ("Sales", "c-2"),
    ]
    assert [channel.id for channel in matches.undeclared] == ["c-1"]


def test_channels_swap_names_by_their_pins() -> None:
    one, other = replace(declare("B"), id="c-1"), replace(declare("A"), id="c-2")
    changes = changes_for([one, other], [live("A", "c-1"), live("B", "c-2")])
    assert [(each.channel_id, each.renamed_from, each.operations[0].body) for each in changes] == [
        ("c-1", "A", {"name": "B"}),
        ("c-2", "B", {"name": "A"}),
    ]


def test_a_former_name_is_asked_only_when_the_name_is_not_live() -> None:
    renamed = replace(declare("Help"), renamed_from="Support")
    assert changes_for([renamed], [live("Support")])[0].operations[0].method == "PATCH"
    both = match_channels([renamed], [live("Support", "c-1"), live("Help", "c-2")])
    assert both.pairs[0][1] == live("Help", "c-2")


def test_a_name_that_the_server_trimmed_is_found() -> None:
    assert [change.action for change in changes_for([declare(" Support ")], [live("Support")])] == ["none"]


def test_every_declaration_that_cannot_be_matched_is_listed_with_its_place() -> None:
    channels = [live("Support", "c-1"), live("Support", "c-2"), live("Sales", "c-3")]
    with pytest.raises(InputError) as raised:
        plan_for([declare("Support"), replace(declare("Sales"), id="gone")], channels)
    messages = [str(problem.place) + " " + problem.message for problem in raised.value.problems]
    assert messages == [
        'channels.yaml:3:5 channel "Sales" is pinned to the id gone, but no live channel has that id',
        'channels.yaml:3:5 2 live channels have the name "Support": c-1, c-2',
    ]


def test_a_pinned_channel_that_is_to_be_absent_and_is_gone_is_no_problem() -> None:
    absent = replace(declare("Sales"), id="gone", absent=True)
    assert [change.action for change in changes_for([absent], [live("Sales", "c-1")])] == ["none"]


def test_a_channel_is_found_by_name_or_id() -> None:
    channels = [live("Support", "c-1"), live("c-1", "c-2"), live("Twin", "c-3"), live("Twin", "c-4")]
    assert find_channel(channels, "Support") == channels[0]
    assert find_channel(channels, "c-1") == channels[0]
    twin = find_channel(channels, "Twin")
    assert isinstance(twin, Diagnostic)
    assert "c-3, c-4" in twin.message
    missing = find_channel(channels, "support")
    assert isinstance(missing, Diagnostic)
    assert '"Support"' in missing.hint
