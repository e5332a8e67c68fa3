"""``apply --events FILE``: events for programs, as they happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

from webchat_sync.apply.run import Interrupt
from webchat_sync.model import Operation, OperationResult, Plan
from webchat_sync.render import events
from webchat_sync.workflow.apply import Screen

Write: TypeAlias = Callable[[Mapping[str, Any]], object]


class EventScreen:
    """Passes everything on to ``screen``, and writes it as events."""

    def __init__(self, screen: Screen, write: Write) -> None:
        self._screen = screen
        self._write = write

    def planned(self, plan: Plan) -> None:
        """See :class:`Screen`."""
        self._write(events.planned(plan))
        self._screen.planned(plan)

    def approve(self) -> bool:
        """See :class:`Screen`."""
        return self._screen.approve()

    def waiting(self, seconds: float) -> None:
        """See :class:`Screen`."""
        self._write(events.waiting(seconds))
        self._screen.waiting(seconds)

    def running(self, interrupt: Interrupt) -> AbstractAsyncContextManager[None]:
        """See :class:`Screen`."""
        return self._screen.running(interrupt)

    def started(self, address: str, operation: Operation) -> None:
        """See :class:`Observer`."""
        self._write(events.started(address, operation))
        self._screen.started(address, operation)

    def finished(self, result: OperationResult) -> None:
        """See :class:`Observer`."""
        self._write(events.finished(result))
        self._screen.finished(result)
