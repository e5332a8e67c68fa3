"""The status of identity secrets as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from webchat_sync.flat import flat, json_text
from webchat_sync.model import LedgerEntry, SecretState, SecretStatus, moment_text
from webchat_sync.render.values import age, inline


def render_text(statuses: Sequence[SecretStatus], *, now: datetime) -> str:
    """One line per channel, or a line that says there are none."""
    if not statuses:
        return "There are no live channels."
    return "\n".join(f"{inline(status.name)} ({flat(status.channel_id)}): {_line(status, now)}" for status in statuses)


def render_json(statuses: Sequence[SecretStatus]) -> str:
    """One object per channel."""
    return json_text([_document(status) for status in statuses])


def _line(status: SecretStatus, now: datetime) -> str:
    has = {True: "has a secret", False: "has no secret", None: "can't tell whether it has a secret"}[status.has]
    deliver = f"run `webchat-sync secret deliver {inline(status.name)}` to deliver it"
    waiting = f"a secret is waiting in .webchat-sync/recovery; {deliver}" if status.waits else ""
    return "; ".join(filter(None, (has, _remembered(status.entry, now), waiting)))


_STATES: Final[Mapping[SecretState, str]] = {
    "intended": "unfinished rotation, begun",
    "delivered": "delivered",
    "undelivered": "created, but not delivered or verified,",
    "adopted": "adopted",
    "vouched": "adopted as delivered",
    "revoked": "revoked",
}


def _remembered(entry: LedgerEntry | None, now: datetime) -> str:
    if entry is None:
        return "not in the ledger"
    rotation = f", rotation {inline(entry.rotation)}" if entry.rotation is not None else ""
    return f"{_STATES[entry.state]} at {moment_text(entry.at)} ({_when(entry, now)}{rotation})"


def _when(entry: LedgerEntry, now: datetime) -> str:
    """How long ago it was; a moment in the future shows that a clock is wrong."""
    made_at = entry.made_at(now)
    if made_at == entry.at:
        return f"{age(now - entry.at)} ago"
    instead = f"; the server's time was {moment_text(made_at)}" if made_at else ""
    return f"{age(entry.at - now)} in the future, so the clock of that run or of this one is wrong{instead}"


def _document(status: SecretStatus) -> dict[str, object]:
    entry = status.entry
    return {
        "name": status.name,
        "channel_id": status.channel_id,
        "has_identity_secret": status.has,
        "state": entry.state if entry else None,
        "rotation": entry.rotation if entry else None,
        "at": moment_text(entry.at) if entry else None,
        "sinks": [sink.label for sink in entry.sinks] if entry and entry.state != "revoked" else [],
        "waiting": status.waits,
    }
