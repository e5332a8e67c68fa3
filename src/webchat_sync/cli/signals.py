"""Ctrl-C, SIGTERM and SIGHUP while an apply runs: the first lets what is in flight end, the next leaves at once."""

from __future__ import annotations

import signal
from typing import Final

import anyio
import click

from webchat_sync.apply.run import Interrupt

ENDING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a run: Ctrl-C, the end of a pipeline's job, and a terminal that is closed."""


async def watch_signals(interrupt: Interrupt) -> None:
    """Pass each signal that ends a run on to ``interrupt``, until cancelled; what is ignored, by nohup, stays so."""
    heeded = [each for each in ENDING if signal.getsignal(each) is not signal.SIG_IGN]
    with anyio.open_signal_receiver(*heeded) as signals:
        async for _ in signals:
            message = (
                "Leaving at once. What was in flight is in doubt."
                if interrupt.requested
                else "Interrupted: nothing more is started. Waiting for what is in flight; once more leaves at once."
            )
            click.echo(message, err=True)
            interrupt.request()
