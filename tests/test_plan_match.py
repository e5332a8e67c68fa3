from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from planning import changes_for, declare, live, plan_for
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import Declaration, LiveChannel
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


def test_of_names_that_are_nearly_the_same_the_exact_one_is_found() -> None:
    channels = [live("Support ", "c-1"), live("Support", "c-2")]
    assert find_channel(channels, "Support") == channels[1]
    assert find_channel(channels[:1], "Support") == channels[0]


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


def test_each_way_out_that_the_hint_for_a_pin_without_a_channel_names_works() -> None:
    pinned, other = replace(declare("Sales"), id="gone"), declare("Support")
    channels = [live("Support", "c-1")]
    with pytest.raises(InputError) as raised:
        plan_for([pinned, other], channels)
    hint = raised.value.problems[0].hint
    assert "remove it to match the channel by its name; if no channel has that name, it's created again" in hint
    assert "remove its declaration" in hint
    unpinned = changes_for([replace(pinned, id=None), other], channels)
    assert {change.address: change.action for change in unpinned} == {"Sales": "create", "Support": "none"}
    assert [change.action for change in changes_for([other], channels)] == ["none"]


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


def paired(*declarations: Declaration, live: Sequence[LiveChannel]) -> list[str | None]:
    """The ids that the declarations are matched with."""
    return [channel.id if channel else None for _, channel in match_channels(declarations, live).pairs]


def test_a_name_that_a_pinned_channel_has_too_is_that_of_the_other() -> None:
    pinned = replace(declare("Sales"), id="c-1")
    channels = [live("Support", "c-1"), live("Support", "c-2")]
    assert paired(pinned, declare("Support"), live=channels) == ["c-1", "c-2"]
    assert paired(declare("Support"), pinned, live=channels) == ["c-2", "c-1"]


def test_an_exact_name_is_asked_before_one_that_the_server_may_have_made_of_it() -> None:
    channels = [live("Support", "c-1"), live("Support ", "c-2")]
    assert paired(declare("Support "), declare("Support"), live=channels) == ["c-2", "c-1"]


def test_a_former_name_is_asked_in_the_form_that_the_server_keeps() -> None:
    renamed = replace(declare("Help"), renamed_from=" Support ")
    assert paired(renamed, live=[live("Sales", "c-1"), live("Support", "c-2")]) == ["c-2"]


def test_the_former_name_of_a_channel_that_is_to_be_absent_means_nothing() -> None:
    absent = replace(declare("Help"), renamed_from="Support", absent=True)
    matches = match_channels([absent], [live("Support", "c-1")])
    assert (matches.pairs, matches.problems) == (((absent, None),), ())
    assert [channel.id for channel in matches.undeclared] == ["c-1"]


def test_a_name_that_several_have_is_not_settled_by_a_former_name() -> None:
    renamed = replace(declare("Support"), renamed_from="Help")
    matches = match_channels([renamed], [live("Support", "c-1"), live("Support", "c-2"), live("Help", "c-3")])
    assert matches.pairs == ((renamed, None),)
    assert [problem.message for problem in matches.problems] == ['2 live channels have the name "Support": c-1, c-2']


def test_a_pinned_channel_has_no_use_for_its_former_name() -> None:
    pinned = replace(declare("Help"), renamed_from="Support", id="c-2")
    matches = match_channels([pinned], [live("Support", "c-1"), live("Sales", "c-2")])
    assert [channel.id if channel else None for _, channel in matches.pairs] == ["c-2"]
    assert matches.problems == ()


BOTH_LIVE = (
    'channel "Help" would be renamed from "Support", but both names are live: c-2 and c-1',
    (
        "If they're two channels, remove sync.renamedFrom; with settings.prune, also declare the old one, which is "
        "deleted otherwise. If they're the same, pin the right one with sync.id."
    ),
)
PINNED_ELSEWHERE = (
    'channel "Help" would be renamed from "Support", but that channel (c-1) is pinned by "Desk" at channels.yaml:3:5',
    "Remove sync.renamedFrom here, or sync.id there.",
)
RENAMED = replace(declare("Help"), renamed_from="Support")


@pytest.mark.parametrize(
    ("declarations", "names", "problem"),
    [
        ([RENAMED], ["Support", "Help"], BOTH_LIVE),
        ([RENAMED], [" Support", "Help"], BOTH_LIVE),
        ([declare("Other"), RENAMED], ["Support", "Help"], BOTH_LIVE),
        # The old name is that of another declaration by now.
        ([RENAMED, declare("Support")], ["Support", "Help"], None),
        ([RENAMED, declare("Support")], ["Support"], None),
        ([RENAMED, replace(declare("Desk"), id="c-1")], ["Support"], PINNED_ELSEWHERE),
        ([replace(declare("Desk"), id="c-1"), RENAMED], ["Support", "Other"], PINNED_ELSEWHERE),
        ([RENAMED, replace(declare("Desk"), id="c-1")], ["Support", "Help"], None),
        ([RENAMED], ["Help"], None),
        ([RENAMED], ["Help", "Other"], None),
        ([RENAMED], ["Support"], None),
        ([replace(declare("Support "), renamed_from="Support")], ["Support", "Support "], None),
    ],
)
def test_a_rename_that_is_not_clear_in_full(
    declarations: list[Declaration], names: list[str], problem: tuple[str, str] | None
) -> None:
    channels = [live(name, f"c-{number}") for number, name in enumerate(names, 1)]
    problems = match_channels(declarations, channels).problems
    assert [(told.message, told.hint, told.place) for told in problems] == (
        [(*problem, RENAMED.place)] if problem else []
    )
