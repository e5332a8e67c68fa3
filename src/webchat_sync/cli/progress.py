"""The progress of an apply on stderr: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.frozen import frozen
from webchat_sync.model import (
    CreateChannel,
    DeleteChannel,
    MakeSecret,
    Operation,
    OperationResult,
    PatchChannel,
    Plan,
    RevokeSecret,
)
from webchat_sync.render.report import done, render_result
from webchat_sync.render.values import inline, named
from webchat_sync.sentences import in_a_row

if TYPE_CHECKING:
    from rich.progress import BarColumn, Progress

STILL: Final = 10.0
"""Seconds after which an unfinished operation is mentioned, repeatedly."""

WORTH_SAYING: Final = 1.0
"""Seconds: shorter waits for the rate limit aren't mentioned."""


class Display(Protocol):
    """Shows what an apply and its clients report."""

    def started(self, address: str, operation: Operation) -> None:
        """The operation is about to be sent."""
        ...

    def finished(self, result: OperationResult) -> None:
        """The operation has ended, successfully or not."""
        ...

    def waiting(self, seconds: float) -> None:
        """The rate limit holds a call back for ``seconds``."""
        ...

    async def tick(self) -> None:
        """Mention slow operations, until cancelled."""
        ...


@frozen(slots=False)
class Scope:
    """How many operations a run has, by organisation and channel."""

    operations: Mapping[tuple[str, str], int]

    @staticmethod
    def of(plan: Plan) -> Scope:
        """The scope of a run of ``plan``."""
        return Scope(
            {
                (planned.organization, change.address): len(change.operations)
                for planned in plan.organizations
                for change in planned.active_changes
            }
        )

    @cached_property
    def several(self) -> bool:
        """Whether it covers several organisations."""
        return len({organization for organization, _ in self.operations}) > 1


@contextmanager
def show_progress(scope: Scope, runtime: Runtime) -> Iterator[Display]:
    """The display of a run, until the block ends."""
    if not runtime.animated or runtime.quiet:
        yield Lines(scope, runtime)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn

    # rich's default colour for a finished bar looks like a failure.
    bar = BarColumn(complete_style="cyan", finished_style="green", pulse_style="cyan")
    columns = (TextColumn("Applying"), bar, MofNCompleteColumn(), TaskProgressColumn(show_speed=True))
    console = Console(stderr=True, no_color=runtime.no_color or None)
    with Progress(*columns, TextColumn("{task.fields[now]}"), console=console, transient=True) as progress:
        yield Bar(progress, bar, scope, runtime)


class Lines:
    """One line for every operation that ends, and for every slow one."""

    def __init__(self, scope: Scope, runtime: Runtime) -> None:
        self._scope = scope
        self._runtime = runtime
        self._named = named
        self._in_flight: dict[tuple[str, str], float] = {}
        self._said_until = 0.0

    def started(self, address: str, operation: Operation) -> None:
        """Remember the start time."""
        self._in_flight[_doing(address, operation)] = self._runtime.clock()

    def finished(self, result: OperationResult) -> None:
        """Print how it ended."""
        self._in_flight.pop(_doing(result.address, result.operation), None)
        note(render_result(result, several=self._scope.several))

    def waiting(self, seconds: float) -> None:
        """Print until when, once for all calls that wait for the same moment."""
        until = self._runtime.clock() + seconds
        if seconds >= WORTH_SAYING and until > self._said_until + WORTH_SAYING:
            self._said_until = until
            note(_waiting(seconds, self._runtime))

    async def tick(self) -> None:
        """Every STILL seconds, print what is still in flight."""
        while True:
            await self._runtime.sleep(STILL)
            for (doing, _), since in self._in_flight.items():
                elapsed = self._runtime.clock() - since
                if elapsed >= STILL:
                    note(f"Still {doing}… [{elapsed:,.0f} s elapsed]")


class Bar:
    """A bar with the rate, calls in flight and waits, below a permanent line for each channel.

    It turns red after a failure.
    """

    def __init__(self, progress: Progress, bar: BarColumn, scope: Scope, runtime: Runtime) -> None:
        self._progress = progress
        self._bar = bar
        self._task = progress.add_task("", total=sum(scope.operations.values()), now="")
        self._scope = scope
        self._left = dict(scope.operations)
        self._done: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._runtime = runtime
        self._in_flight: dict[tuple[str, str], None] = {}

    def started(self, address: str, operation: Operation) -> None:
        """Show it as in flight."""
        self._in_flight[_doing(address, operation)] = None
        self._show()

    def finished(self, result: OperationResult) -> None:
        """Advance the bar."""
        self._in_flight.pop(_doing(result.address, result.operation), None)
        self._progress.update(self._task, advance=1)
        self._show()
        channel = (result.organization, result.address)
        if result.status != "done":
            self._bar.complete_style = self._bar.finished_style = "red"
            self._print(render_result(result, several=self._scope.several))
            return
        self._done[channel].append(done(result.operation))
        self._left[channel] = self._left.get(channel, 1) - 1
        if self._left[channel] <= 0:
            # The PATCH after a create counts as part of it.
            words = [
                words for words in self._done[channel] if words != "updated" or "created" not in self._done[channel]
            ]
            name = named(result.address, result.organization if self._scope.several else "")
            self._print(f"{name}: {', '.join(words)}")

    def _print(self, line: str) -> None:
        """Print a permanent line above the bar."""
        from rich.markup import escape

        self._progress.console.print(escape(line), soft_wrap=True, highlight=False)

    def waiting(self, seconds: float) -> None:
        """Show until when."""
        self._progress.update(self._task, now=_waiting(seconds, self._runtime))

    async def tick(self) -> None:
        """Nothing to do: the bar shows what is in flight."""

    def _show(self) -> None:
        from rich.markup import escape

        doing = [words for words, _ in self._in_flight]
        self._progress.update(self._task, now=escape(in_a_row(doing, most=1)))


def _doing(address: str, operation: Operation) -> tuple[str, str]:
    """An operation in words, and its path, which distinguishes it from others with the same words."""
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
            return "rotating the identity secret of" if operation.replaces else "creating an identity secret for"
        case RevokeSecret():
            return "revoking the identity secret of"


def _waiting(seconds: float, runtime: Runtime) -> str:
    until = (runtime.now() + timedelta(seconds=seconds)).astimezone()
    return f"Waiting for the rate limit until {until:%H:%M:%S}."
