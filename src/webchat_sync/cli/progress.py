"""Shows how far an apply is: a bar on a terminal, lines elsewhere. To stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

import click

from webchat_sync.cli.runtime import Runtime
from webchat_sync.model import (
    CreateChannel,
    DeleteChannel,
    MakeSecret,
    Operation,
    OperationResult,
    PatchChannel,
    RevokeSecret,
)
from webchat_sync.render.report import render_result
from webchat_sync.render.values import inline

if TYPE_CHECKING:
    from rich.progress import Progress

STILL: Final = 10.0
"""Seconds after which, and again after as many, an operation that has not ended is mentioned."""

WORTH_SAYING: Final = 1.0
"""Seconds: a shorter wait for the rate limit is not mentioned."""


class Display(Protocol):
    """What an apply and its clients tell while they work."""

    def started(self, address: str, operation: Operation) -> None:
        """The operation is about to be sent."""
        ...

    def finished(self, result: OperationResult) -> None:
        """The operation has ended, in whatever way."""
        ...

    def waiting(self, seconds: float) -> None:
        """A call is held back that long for the rate limit."""
        ...

    async def tick(self) -> None:
        """Mention what takes long, until cancelled."""
        ...


@contextmanager
def show_progress(operations: int, runtime: Runtime, *, named: bool = False) -> Iterator[Display]:
    """The display for a run of so many operations, until the block ends; ``named``: of several organisations."""
    if not runtime.animated:
        yield Lines(runtime, named=named)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn

    columns = (TextColumn("Applying"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True))
    with Progress(*columns, TextColumn("{task.fields[now]}"), console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress, operations, runtime, named=named)


class Lines:
    """A line for each operation that ends, and for each that takes long."""

    def __init__(self, runtime: Runtime, *, named: bool) -> None:
        self._runtime = runtime
        self._named = named
        self._in_flight: dict[tuple[str, str], float] = {}
        self._said_until = 0.0

    def started(self, address: str, operation: Operation) -> None:
        """Remember since when."""
        self._in_flight[_doing(address, operation)] = self._runtime.clock()

    def finished(self, result: OperationResult) -> None:
        """Say how it ended."""
        self._in_flight.pop(_doing(result.address, result.operation), None)
        click.echo(render_result(result, named=self._named), err=True)

    def waiting(self, seconds: float) -> None:
        """Say until when, once for all the calls that wait for the same moment."""
        until = self._runtime.clock() + seconds
        if seconds >= WORTH_SAYING and until > self._said_until + WORTH_SAYING:
            self._said_until = until
            click.echo(_waiting(seconds, self._runtime), err=True)

    async def tick(self) -> None:
        """Say every STILL seconds what is still in flight."""
        while True:
            await self._runtime.sleep(STILL)
            for (doing, _), since in self._in_flight.items():
                elapsed = self._runtime.clock() - since
                if elapsed >= STILL:
                    click.echo(f"Still {doing}… [{elapsed:.0f}s elapsed]", err=True)


class Bar:
    """A bar with the rate, what is in flight and what it waits for; failures are printed above it."""

    def __init__(self, progress: Progress, operations: int, runtime: Runtime, *, named: bool) -> None:
        self._named = named
        self._progress = progress
        self._task = progress.add_task("", total=operations, now="")
        self._runtime = runtime
        self._in_flight: dict[tuple[str, str], None] = {}

    def started(self, address: str, operation: Operation) -> None:
        """Show it among what is in flight."""
        self._in_flight[_doing(address, operation)] = None
        self._show()

    def finished(self, result: OperationResult) -> None:
        """Move on."""
        from rich.markup import escape

        self._in_flight.pop(_doing(result.address, result.operation), None)
        self._progress.update(self._task, advance=1)
        self._show()
        if result.status != "done":
            said = escape(render_result(result, named=self._named))
            self._progress.console.print(said, soft_wrap=True, highlight=False)

    def waiting(self, seconds: float) -> None:
        """Show until when."""
        self._progress.update(self._task, now=_waiting(seconds, self._runtime))

    async def tick(self) -> None:
        """Nothing to do: the bar shows what is in flight."""

    def _show(self) -> None:
        from rich.markup import escape

        doing = [words for words, _ in self._in_flight]
        more = f" and {len(doing) - 1} more" if len(doing) > 1 else ""
        self._progress.update(self._task, now=escape(doing[0]) + more if doing else "")


def _doing(address: str, operation: Operation) -> tuple[str, str]:
    """What an operation does in words, and the path that tells it from others of the same words."""
    return f"{_verb(operation)} {inline(address)}", operation.path


def _verb(operation: Operation) -> str:
    match operation:
        case CreateChannel():
            return "creating"
        case PatchChannel():
            return "updating"
        case DeleteChannel():
            return "destroying"
        case MakeSecret():
            return "making an identity secret for"
        case RevokeSecret():
            return "revoking the identity secret of"


def _waiting(seconds: float, runtime: Runtime) -> str:
    until = (runtime.now() + timedelta(seconds=seconds)).astimezone()
    return f"Waiting for the rate limit until {until:%H:%M:%S}."
