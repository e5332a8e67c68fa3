"""Deliveries: of a secret that was just made, with patience, and of one that waits."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from webchat_sync.environment import Environment, Sleep
from webchat_sync.errors import ApplyError
from webchat_sync.model import LedgerEntry, Secret, Sink
from webchat_sync.secrets.addresses import held_by
from webchat_sync.secrets.ledger import marked
from webchat_sync.secrets.ports import Book
from webchat_sync.secrets.recovery import Recovered, drop, keep
from webchat_sync.secrets.sinks import Occasion, SinkError, Sinks

TRIES: Final = 3
"""How often a sink is tried."""

PAUSE: Final = 1.0
"""Seconds before the second try; twice as many before the next."""


_WAITS: Final = "The secret is still waiting. Try again, or use --to FILE."


async def deliver_patiently(sinks: Sinks, sink: Sink, occasion: Occasion, secret: Secret, *, sleep: Sleep) -> None:
    """Deliver, with another try or two when the sink fails. Raises SinkError with the name of the sink."""
    for attempt in range(1, TRIES + 1):
        try:
            await sinks.deliver(sink, occasion, secret)
        except SinkError as error:
            if attempt == TRIES:
                raise SinkError(f"the sink `{sink.label}` didn't accept the secret: {error.message}") from None
            await sleep(PAUSE * 2.0 ** (attempt - 1))
        else:
            return


async def deliver_waiting(
    found: Recovered,
    sinks: Sinks,
    *,
    folder: Path,
    book: Book,
    instead: tuple[Sink, ...],
    environment: Environment,
) -> tuple[Sink, ...]:
    """Deliver a secret that waits in ``folder``, to its own sinks or ``instead``, and return which those were.

    Then the ledger says so, and it waits no longer. Raises ApplyError when a sink does not take it, or holds the
    secret of another channel; it waits on then.
    """
    targets = instead or found.sinks
    occasion = Occasion(found.name, found.key.channel_id, found.key.organization, found.rotation)
    for sink in targets:
        if reason := await sinks.probe(sink, occasion) or held_by(sink, found.key, book.ledger()):
            raise ApplyError(f"the sink `{sink.label}` isn't ready to accept the secret: {reason}", hint=_WAITS)
    try:
        for sink in targets:
            await deliver_patiently(sinks, sink, occasion, found.secret, sleep=environment.sleep)
    except SinkError as error:
        # Once more, since a sink may have cleaned up the folder.
        with suppress(OSError):
            keep(folder, found)
        raise ApplyError(error.message, hint=_WAITS) from None
    before = book.ledger().get(found.key)
    entry = before or LedgerEntry(found.name, "delivered", found.attempt, environment.now(), found.rotation)
    delivered = replace(marked(entry, found.secret), state="delivered", sinks=targets)
    await book.record(found.key, delivered, name=found.name)
    drop(folder, found.key)
    return targets
