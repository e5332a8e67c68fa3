"""What an apply shows and asks on the terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from anyio import create_task_group

from webchat_sync.apply.run import Interrupt
from webchat_sync.cli.approval import approved
from webchat_sync.cli.fleet import say_failed
from webchat_sync.cli.output import Output
from webchat_sync.cli.progress import Display, Scope, show_progress
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.signals import watch_signals
from webchat_sync.model import Operation, OperationResult, Plan
from webchat_sync.plan.summary import has_changes

QUESTION: Final = "Do you want to perform these actions?"
REFUSED: Final = "Apply cancelled. Nothing was changed."


class CommandScreen:
    """Shows the plan and the progress of an apply, and asks for `yes` unless ``auto_approve``."""

    def __init__(self, runtime: Runtime, output: Output, *, auto_approve: bool) -> None:
        self._runtime = runtime
        self._output = output
        self._auto_approve = auto_approve
        self._display: Display | None = None
        self._scope = Scope({})

    def planned(self, plan: Plan) -> None:
        """Show the plan, at least in one line, if it will be approved; otherwise, the end of the run says enough."""
        self._scope = Scope.of(plan.reached)
        say_failed(plan.failed, plan.names)
        if not self._runtime.quiet or not self._auto_approve or not has_changes(plan):
            self._output.emit(plan, self._runtime)

    def approve(self) -> bool:
        """Whether the user says yes."""
        return self._auto_approve or approved(QUESTION, refused=REFUSED)

    def waiting(self, seconds: float) -> None:
        """The rate limit holds a call back for ``seconds``."""
        if self._display is not None:
            self._display.waiting(seconds)

    def started(self, address: str, operation: Operation) -> None:
        """The operation is about to be sent."""
        if self._display is not None:
            self._display.started(address, operation)

    def finished(self, result: OperationResult) -> None:
        """The operation has ended, successfully or not."""
        if self._display is not None:
            self._display.finished(result)

    @asynccontextmanager
    async def running(self, interrupt: Interrupt) -> AsyncIterator[None]:
        """Show the progress of the plan until the block ends, and pass signals on to ``interrupt``."""
        with show_progress(self._scope, self._runtime) as self._display:
            async with create_task_group() as beside:
                patient, sleep = self._runtime.interactive, self._runtime.sleep
                beside.start_soon(partial(watch_signals, interrupt, patient=patient, sleep=sleep))
                beside.start_soon(self._display.tick)
                yield
                beside.cancel_scope.cancel()
