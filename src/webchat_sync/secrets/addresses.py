"""Prevents a sink from being used for two channels: an address of a sink holds the secret of one channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Generic, TypeVar

from webchat_sync.errors import Diagnostic
from webchat_sync.model import (
    SANDBOX,
    ChannelKey,
    Create,
    Ledger,
    LedgerEntry,
    MakeSecret,
    Sink,
    Update,
    server_in_words,
)
from webchat_sync.secrets.sinks import Address, addresses, read_sink

_APART: Final = "Use a different sink for one of them, for example with `${MOSEND_ORG_ID}` in its path."
_REPLACE: Final = "To replace what's there, use --take-over-sink."
_WAY_OUT: Final = f"{_APART} {_REPLACE}"
_AWAY: Final = f"Move it elsewhere, or use a different sink. {_REPLACE}"


def occupied_sinks(
    changes: Sequence[Create | Update], ledger: Ledger, base_url: str, live: Mapping[str, Collection[str]]
) -> list[Diagnostic]:
    """A problem for every sink of ``changes`` that holds, or is about to hold, another channel's secret.

    ``live`` has the ids of the live channels by organisation: the secrets of deleted channels can be replaced.
    """
    problems: list[Diagnostic] = []
    making = [(change, change.secret) for change in changes if isinstance(change.secret, MakeSecret)]
    remembered = _Owners((entry.sinks, key) for key, entry in ledger.items()) if making else _Owners()
    planned = _Owners[str]()
    for change, operation in making:
        ours = ChannelKey(base_url, operation.organization, change.channel_id or "")
        for sink in operation.sinks:
            keys = remembered.of(sink)
            held = [key for key in keys if key != ours and _holds(key, ledger[key], ours, live)]
            problems += [_occupied(change, sink, f"the secret of {_named(key, ledger[key])}", _WAY_OUT) for key in held]
            others = planned.of(sink)
            problems += [_claimed(change, sink, other) for other in others]
            if not others and not keys and _is_unknown(sink):
                problems.append(_occupied(change, sink, "something that isn't in any ledger", _AWAY))
        planned.add(operation.sinks, f'"{change.address}" of organisation "{operation.organization}"')
    return problems


_Owner = TypeVar("_Owner")


class _Owners(Generic[_Owner]):
    """Who has which addresses, by path: a run may have thousands of sinks, and a ledger even more."""

    def __init__(self, owners: Iterable[tuple[Sequence[Sink], _Owner]] = ()) -> None:
        self._owners: list[_Owner] = []
        self._numbers: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for sinks, owner in owners:
            self.add(sinks, owner)

    def add(self, sinks: Sequence[Sink], owner: _Owner) -> None:
        """Register the sinks of another owner."""
        for sink in sinks:
            for place in addresses(sink):
                self._numbers[place.path][place.key].append(len(self._owners))
        self._owners.append(owner)

    def of(self, sink: Sink) -> list[_Owner]:
        """The owners whose secret would be replaced by one in ``sink``, in the order they were added."""
        numbers = {number for place in addresses(sink) for number in self._at(place)}
        return [self._owners[number] for number in sorted(numbers)]

    def _at(self, place: Address) -> Iterator[int]:
        by_key = self._numbers.get(place.path)
        if not by_key:
            return
        meeting = by_key if not place.key else [key for key in {place.key, ""} if key in by_key]
        for key in meeting:
            yield from by_key[key]


def held_by(sink: Sink, ours: ChannelKey, ledger: Ledger) -> str:
    """Why the sink can't be used: it holds another channel's secret. Empty if it doesn't."""
    for key, entry in ledger.items():
        if key != ours and _holds(key, entry, ours, {}) and _meets(sink, entry.sinks):
            return f"it holds the secret of {_named(key, entry)}"
    return ""


def _is_unknown(sink: Sink) -> bool:
    """Whether the sink, which no remembered rotation wrote to, is a file with a single word in it.

    The probe reports files that can't contain a secret at all.
    """
    places = addresses(sink)
    if not places or places[0].key:
        return False
    try:
        held = read_sink(sink)
    except (OSError, ValueError):
        return False
    return held is not None and len(held.reveal().split()) == 1


def _named(key: ChannelKey, entry: LedgerEntry) -> str:
    return f'"{entry.name}" of organisation "{key.organization}" on {server_in_words(key.base_url)}'


def _holds(key: ChannelKey, entry: LedgerEntry, ours: ChannelKey, live: Mapping[str, Collection[str]]) -> bool:
    """Whether the channel may still need its secret."""
    if entry.state == "revoked" or (key.base_url == SANDBOX and ours.base_url != SANDBOX):
        return False
    if key.base_url != ours.base_url or key.organization not in live:
        return True
    return key.channel_id in live[key.organization]


def _meets(sink: Sink, others: Iterable[Sink]) -> bool:
    return any(ours.meets(theirs) for ours in addresses(sink) for other in others for theirs in addresses(other))


def _occupied(change: Create | Update, sink: Sink, what: str, way_out: str) -> Diagnostic:
    message = f'channel "{change.address}": the sink `{sink.label}` already holds {what}, which would be lost'
    return Diagnostic(message, change.place, hint=way_out)


def _claimed(change: Create | Update, sink: Sink, other: str) -> Diagnostic:
    """The problem with a sink that another channel's new secret also goes to, so that it holds neither yet."""
    message = f'channel "{change.address}": the secret of {other} goes to the sink `{sink.label}`, too'
    return Diagnostic(f"{message}; one of the two would be lost", change.place, hint=_APART)
