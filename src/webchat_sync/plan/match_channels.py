"""Matches declarations with live channels: by pinned id, then by exact name, then by former name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from webchat_sync.domain.names import same, stored_form
from webchat_sync.errors import Diagnostic
from webchat_sync.frozen import frozen
from webchat_sync.model import Declaration, LiveChannel
from webchat_sync.plan.live_names import LiveNames
from webchat_sync.sentences import candidates

_PIN_ONE: Final = "Pin the right one with sync.id."


@frozen
class Matches:
    """The live channel of every declaration (None: none yet), the undeclared live channels, and the problems."""

    pairs: tuple[tuple[Declaration, LiveChannel | None], ...]
    undeclared: tuple[LiveChannel, ...]
    problems: tuple[Diagnostic, ...]


def match_channels(declarations: Sequence[Declaration], live: Sequence[LiveChannel]) -> Matches:
    """Pair every declaration with at most one live channel, and vice versa.

    All pins are matched first, then all names, then all former names, so the order of the declarations doesn't matter.
    A pinned id that isn't live, and a name that several live channels have, are problems.
    """
    matched: dict[int, LiveChannel] = {}
    problems: dict[int, Diagnostic] = {}
    free = {channel.id: channel for channel in live}

    for index, declaration in enumerate(declarations):
        if declaration.id in free:
            matched[index] = free.pop(declaration.id)
        elif declaration.id is not None and not declaration.absent:
            problems[index] = _pin_not_live(declaration)
    passes = ((_exact_name, str), (_stored_name, stored_form), (_former_name, str), (_stored_former, stored_form))
    for declared_name, live_name in passes:
        by_name = _by_name(free.values(), live_name)
        for index, declaration in enumerate(declarations):
            if index in matched or index in problems or declaration.id is not None:
                continue
            name = declared_name(declaration)
            called = by_name.get(name, ())
            if len(called) > 1:
                problems[index] = Diagnostic(_several(str(name), called), declaration.place, hint=_PIN_ONE)
            elif called and called[0].id in free:
                matched[index] = free.pop(called[0].id)
    problems.update(_unclear_renames(declarations, matched, problems, live))
    pairs = tuple((declaration, matched.get(index)) for index, declaration in enumerate(declarations))
    return Matches(pairs, tuple(free.values()), tuple(problems.values()))


def find_channel(live: Sequence[LiveChannel], name_or_id: str) -> LiveChannel | Diagnostic:
    """The live channel with that id or name, or a problem: there's none, or several."""
    by_id = [channel for channel in live if channel.id == name_or_id]
    found = (
        by_id
        or [channel for channel in live if channel.name == name_or_id]
        or [channel for channel in live if same(channel.name, name_or_id)]
    )
    if len(found) == 1:
        return found[0]
    if found:
        return Diagnostic(_several(name_or_id, found), hint="Use the channel's id instead.")
    names = candidates(name_or_id, [channel.name for channel in live])
    return Diagnostic(f'no live channel has the name or id "{name_or_id}"', hint=f"Live channels: {names}.")


def _exact_name(declaration: Declaration) -> str:
    return declaration.name


def _stored_name(declaration: Declaration) -> str:
    # A server that trims and normalises names would otherwise be sent the same create on every run.
    return stored_form(declaration.name)


def _former_name(declaration: Declaration) -> str | None:
    return declaration.renamed_from if not declaration.absent else None


def _stored_former(declaration: Declaration) -> str | None:
    former = _former_name(declaration)
    return None if former is None else stored_form(former)


def _unclear_renames(
    declarations: Sequence[Declaration],
    matched: Mapping[int, LiveChannel],
    problems: Mapping[int, Diagnostic],
    live: Sequence[LiveChannel],
) -> Iterator[tuple[int, Diagnostic]]:
    """A problem for every rename whose old name is still live, or whose channel another declaration matched."""
    index_by_id = {channel.id: index for index, channel in matched.items()}
    names = LiveNames(live)
    for index, declaration in enumerate(declarations):
        former = _former_name(declaration)
        if former is None or index in problems or declaration.id is not None or same(former, declaration.name):
            continue
        for old in names.same(former):
            if index in matched and old.id not in index_by_id:
                yield index, _both_live(declaration, matched[index], old)
            elif index not in matched and old.id in index_by_id and declarations[index_by_id[old.id]].id is not None:
                yield index, _pinned_elsewhere(declaration, old, declarations[index_by_id[old.id]])


def _by_name(
    channels: Iterable[LiveChannel], live_name: Callable[[str], str]
) -> Mapping[str | None, list[LiveChannel]]:
    by_name: defaultdict[str | None, list[LiveChannel]] = defaultdict(list)
    for channel in channels:
        by_name[live_name(channel.name)].append(channel)
    return by_name


def _pin_not_live(declaration: Declaration) -> Diagnostic:
    return Diagnostic(
        f'channel "{declaration.name}" is pinned to the id {declaration.id}, but no live channel has that id',
        declaration.place,
        hint="Fix sync.id, or remove it to match the channel by its name; if no channel has that name, it's created "
        "again. If it was deleted on purpose, remove its declaration. A key that's restricted to some channels doesn't "
        "list the others.",
    )


def _both_live(declaration: Declaration, new: LiveChannel, old: LiveChannel) -> Diagnostic:
    return Diagnostic(
        f'channel "{declaration.name}" would be renamed from "{declaration.renamed_from}", but both names '
        f"are live: {new.id} and {old.id}",
        declaration.place,
        hint="If they're two channels, remove sync.renamedFrom; with settings.prune, also declare the old one, which "
        "is deleted otherwise. If they're the same, pin the right one with sync.id.",
    )


def _pinned_elsewhere(declaration: Declaration, old: LiveChannel, other: Declaration) -> Diagnostic:
    return Diagnostic(
        f'channel "{declaration.name}" would be renamed from "{declaration.renamed_from}", but that channel '
        f'({old.id}) is pinned by "{other.name}" at {other.place}',
        declaration.place,
        hint="Remove sync.renamedFrom here, or sync.id there.",
    )


def _several(name: str, channels: Sequence[LiveChannel]) -> str:
    ids = ", ".join(channel.id for channel in channels)
    return f'{len(channels):,} live channels have the name "{name}": {ids}'
