"""Ctrl-C and SIGTERM while an apply runs: the first lets what is in flight finish, the second leaves at once."""

from __future__ import annotations

import signal

import anyio
import click

from webchat_sync.apply.run import Interrupt


async def watch_signals(interrupt: Interrupt) -> None:
    """Pass each SIGINT and SIGTERM on to ``interrupt``, until cancelled."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            message = (
                "Leaving at once. What was in flight is in doubt."
                if interrupt.requested
                else "Interrupted: nothing more is started. Waiting for what is in flight; once more leaves at once."
            )
            click.echo(message, err=True)
            interrupt.request()
