"""One chaos run: what ends it early, what's known about it, and its possible flaws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from chaos_stage import Arrival, lose_client
from webchat_sync.apply.run_log import ChannelRun, results
from webchat_sync.emulator import Fault
from webchat_sync.errors import WebchatSyncError
from webchat_sync.model import ApplyReport, OperationResult, Plan

FlawKind: TypeAlias = Literal["duplicate", "loss", "account"]
EndKind: TypeAlias = Literal[
    "never", "started", "arrived", "committed", "half answered", "waiting", "asked", "insisted"
]


@dataclass(frozen=True)
class End:
    """What ends a run early, at its ``nth`` occurrence: a kill, or a request to stop (``asked``, ``insisted``).

    A kill comes after an operation has ``started`` but before it's sent, in one of the halves of a writing call, or
    while the run is ``waiting``.
    """

    kind: EndKind = "never"
    nth: int = 1


NEVER: Final = End()


@dataclass
class Run:
    """One run and everything known about it; ``plan`` is None if the channels couldn't be read."""

    arrivals: list[Arrival] = field(default_factory=list)
    listed: frozenset[str] = frozenset()
    plan: Plan | None = None
    channels: tuple[ChannelRun, ...] = ()
    report: ApplyReport | None = None
    error: WebchatSyncError | None = None
    killed: bool = False

    @property
    def results(self) -> tuple[OperationResult, ...]:
        return self.report.results if self.report else results(self.channels)

    @property
    def converged(self) -> bool:
        if self.report is not None:
            return self.report.outcome == "converged"
        return self.plan is not None and not self.channels


@dataclass(frozen=True)
class Flaw:
    kind: FlawKind
    text: str


def fatal_fault(end: End, kill: Callable[[], object]) -> list[Fault]:
    """The fault that kills a run in one of the halves of a call, if that's how it ends."""
    if end.kind not in {"arrived", "committed", "half answered"}:
        return []
    effect = lose_client(kill, after_commit=end.kind != "arrived", half_answer=end.kind == "half answered")
    return [Fault(effect, "[PD]*", nth=end.nth)]
