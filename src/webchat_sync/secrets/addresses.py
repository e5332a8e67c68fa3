"""Prevents a sink from being used for two channels: the address of a sink holds the secret of one channel."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.model import SANDBOX, ChannelKey, Create, Ledger, LedgerEntry, MakeSecret, Sink, Update
from webchat_sync.secrets.sinks import address, read_sink

_WAY_OUT: Final = (
    "Use a different sink for one of them, for example with `${MOSEND_ORG_ID}` in its path. To replace "
    "what's there, use --take-over-sink."
)

_AWAY: Final = "Move it away, or use a different sink. To replace what's there, use --take-over-sink."


def occupied_sinks(
    changes: Sequence[Create | Update], ledger: Ledger, base_url: str, live: Mapping[str, Collection[str]]
) -> list[Diagnostic]:
    """A problem for every sink of ``changes`` that holds, or is about to hold, another channel's secret.

    ``live`` has the ids of the live channels by organisation: the secrets of deleted channels can be replaced.
    """
    problems: list[Diagnostic] = []
    making = [(change, change.secret) for change in changes if isinstance(change.secret, MakeSecret)]
    for position, (change, operation) in enumerate(making):
        ours = ChannelKey(base_url, operation.organization, change.channel_id or "")
        for sink in operation.sinks:
            owners = [*_remembered(sink, ours, ledger, live), *_planned(sink, making[:position])]
            problems += [_occupied(change, sink, f"the secret of {owner}", _WAY_OUT) for owner in owners]
            if not owners and _is_unknown(sink, ledger):
                problems.append(_occupied(change, sink, "something that isn't in any ledger", _AWAY))
    return problems


def held_by(sink: Sink, ours: ChannelKey, ledger: Ledger) -> str:
    """Why the sink can't be used: it holds another channel's secret. Empty if it doesn't."""
    owner = next(_remembered(sink, ours, ledger, {}), "")
    return f"it holds the secret of {owner}" if owner else ""


def _is_unknown(sink: Sink, ledger: Ledger) -> bool:
    """Whether the sink is a file with a single word in it that no remembered rotation wrote.

    The probe reports files that can't contain a secret at all.
    """
    place = address(sink)
    if place is None or place.key or any(_meets(sink, entry.sinks) for entry in ledger.values()):
        return False
    try:
        held = read_sink(sink)
    except (OSError, ValueError):
        return False
    return held is not None and len(held.reveal().split()) == 1


def _remembered(sink: Sink, ours: ChannelKey, ledger: Ledger, live: Mapping[str, Collection[str]]) -> Iterator[str]:
    for key, entry in ledger.items():
        if key != ours and _holds(key, entry, ours, live) and _meets(sink, entry.sinks):
            yield f'"{entry.name}" of organisation "{key.organization}" on {key.base_url}'


def _holds(key: ChannelKey, entry: LedgerEntry, ours: ChannelKey, live: Mapping[str, Collection[str]]) -> bool:
    """Whether the channel may still need its secret."""
    if entry.state == "revoked" or (key.base_url == SANDBOX and ours.base_url != SANDBOX):
        return False
    if key.base_url != ours.base_url or key.organization not in live:
        return True
    return key.channel_id in live[key.organization]


def _planned(sink: Sink, others: Iterable[tuple[Create | Update, MakeSecret]]) -> Iterator[str]:
    for change, operation in others:
        if _meets(sink, operation.sinks):
            yield f'"{change.address}" of organisation "{operation.organization}"'


def _meets(sink: Sink, others: Iterable[Sink]) -> bool:
    ours = address(sink)
    return ours is not None and any(ours.meets(theirs) for other in others if (theirs := address(other)))


def _occupied(change: Create | Update, sink: Sink, what: str, way_out: str) -> Diagnostic:
    message = f'channel "{change.address}": the sink `{sink.label}` already holds {what}, which would be lost'
    return Diagnostic(message, change.place, hint=way_out)
