"""Deliveries, with retries: of a new secret, and of one that waits."""

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
from webchat_sync.secrets.recovery import WaitingSecret, drop, keep
from webchat_sync.secrets.sinks import Occasion, SinkError, Sinks

TRIES: Final = 3
"""Attempts per sink."""

PAUSE: Final = 1.0
"""Seconds before the second attempt; doubled before the third."""

_WAITS: Final = "The secret is still waiting. Try again, or use --to FILE."


async def deliver_patiently(sinks: Sinks, sink: Sink, occasion: Occasion, secret: Secret, *, sleep: Sleep) -> None:
    """Deliver, retrying if the sink fails. Raises SinkError with the label of the sink."""
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
    waiting: WaitingSecret,
    sinks: Sinks,
    *,
    folder: Path,
    book: Book,
    instead: tuple[Sink, ...],
    environment: Environment,
) -> tuple[Sink, ...]:
    """Deliver a secret that waits in ``folder``, to its own sinks or ``instead``; returns the sinks used.

    Then it's recorded in the ledger, and the copy is removed. Raises ApplyError if a sink rejects it or holds another
    channel's secret; the secret then keeps waiting.
    """
    targets = instead or waiting.sinks
    occasion = Occasion(waiting.name, waiting.key.channel_id, waiting.key.organization, waiting.rotation)
    for sink in targets:
        if reason := await sinks.probe(sink, occasion) or held_by(sink, waiting.key, book.ledger()):
            raise ApplyError(f"the sink `{sink.label}` isn't ready to accept the secret: {reason}", hint=_WAITS)
    try:
        for sink in targets:
            await deliver_patiently(sinks, sink, occasion, waiting.secret, sleep=environment.sleep)
    except SinkError as error:
        # Written again, since a sink may have deleted the folder's files.
        with suppress(OSError):
            keep(folder, waiting)
        raise ApplyError(error.message, hint=_WAITS) from None
    before = book.ledger().get(waiting.key)
    entry = before or LedgerEntry(waiting.name, "delivered", waiting.attempt, environment.now(), waiting.rotation)
    delivered = replace(marked(entry, waiting.secret), state="delivered", sinks=targets)
    await book.record(waiting.key, delivered, name=waiting.name)
    drop(folder, waiting.key)
    return targets
