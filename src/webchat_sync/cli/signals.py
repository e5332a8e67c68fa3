"""Signals that end a run during an apply: the first one lets calls in flight finish, the next abandons them."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.runtime import Runtime
from webchat_sync.environment import Sleep

if TYPE_CHECKING:
    from webchat_sync.apply.run import Interrupt

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGALRM")

ENDING: Final = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
"""Ctrl-C, the end of a pipeline's job, a closed terminal, and what schedulers, limits and timers send."""

GRACE: Final = 4.0
"""Seconds that a pipeline's run waits for calls in flight. GitHub's runner kills a job 7.5 s after its first signal,
and the report and the memory, possibly on a Git remote, must be written by then."""


async def watch_signals(interrupt: Interrupt, *, patient: bool, sleep: Sleep) -> None:
    """Pass each signal that ends a run to ``interrupt``, until cancelled; ignored signals (nohup) stay ignored.

    Unless ``patient``, for a user at a terminal, calls in flight are abandoned after GRACE. ``sleep`` takes seconds.
    """
    import anyio

    heeded = [signum for signum in ENDING if signal.getsignal(signum) is not signal.SIG_IGN]
    limit = (
        "interrupt again to stop immediately"
        if patient
        else f"{GRACE:.0f} s at most; interrupt again to stop immediately"
    )

    async def leave_in_time() -> None:
        await sleep(GRACE)
        click.echo(f"Calls still in flight after {GRACE:.0f} s are in doubt.", err=True)
        interrupt.request()

    with anyio.open_signal_receiver(*heeded) as signals:
        async with anyio.create_task_group() as group:
            async for _ in signals:
                if interrupt.requested:
                    click.echo("Stopping immediately. Calls in flight are in doubt.", err=True)
                else:
                    waiting = f"Waiting for calls in flight to finish ({limit})."
                    click.echo(f"Interrupted: no new calls are started. {waiting}", err=True)
                    if not patient:
                        group.start_soon(leave_in_time)
                interrupt.request()


def heeding(runtime: Runtime) -> Callable[[Interrupt], AbstractAsyncContextManager[None]]:
    """A function that surrounds calls in flight: signals go to its argument. No error may leave that block."""
    import anyio

    @asynccontextmanager
    async def heeded(interrupt: Interrupt) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(partial(watch_signals, interrupt, patient=runtime.interactive, sleep=runtime.sleep))
            yield
            group.cancel_scope.cancel()

    return heeded
