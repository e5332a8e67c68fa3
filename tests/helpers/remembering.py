"""Runs with a memory on a Git remote, real or simulated, in the test's own time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from repositories import ENVIRON, git
from webchat_sync.environment import Environment
from webchat_sync.errors import MemoryUnavailableError
from webchat_sync.memory.document import Document
from webchat_sync.memory.lease import FastClock, RefLock, lock_refs
from webchat_sync.memory.place import REF, Remote
from webchat_sync.memory.ports import Edit, Note, Refs, Run, Swap
from webchat_sync.memory.ref_memory import RefMemory
from webchat_sync.memory.remote import open_refs
from webchat_sync.model import LedgerEntry, OrganizationKey

SCOPE = OrganizationKey("https://api.example.com", "org-1")
(LOCK,) = lock_refs(REF, [SCOPE.organization])
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """Seconds that only pass while someone sleeps."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def in_time_of(clock: Clock | None, environ: Mapping[str, str] = ENVIRON) -> Environment:
    """An environment whose time is that of ``clock``, or the real one."""
    if clock is None:
        return Environment(environ)
    return Environment(environ, now=clock.now, clock=clock, pause=clock.sleep)


def bare(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    return folder


def run(name: str) -> Run:
    return Run(name, f"machine of {name}", f"https://ci.example.com/{name}", "c0ffee")


def entry(state: str = "intended", attempt: str = "1") -> LedgerEntry:
    return LedgerEntry("Support", state, attempt, datetime(2026, 7, 1, 12, tzinfo=UTC))  # type: ignore[arg-type]


def remembering(channel_id: str, attempt: str = "1") -> Edit:
    return lambda document: document.with_rotation(channel_id, entry(attempt=attempt))


@dataclass
class Runner:
    """One run: its refs, its lock and its memory."""

    refs: Refs
    lock: RefLock
    memory: RefMemory

    def write(self, channel_id: str, attempt: str = "1", scope: OrganizationKey = SCOPE) -> None:
        self.memory.write({scope: remembering(channel_id, attempt)}, Note(f'rotate "{channel_id}"', (channel_id,)))

    def remembered(self) -> set[str]:
        return set(self.memory.read().get(SCOPE, Document()).rotations)


def runner(
    name: str,
    refs: Refs,
    clock: Clock | None = None,
    *,
    lease: float = 60.0,
    locked: bool = True,
    ref: str = REF,
    organizations: tuple[str, ...] = (SCOPE.organization,),
) -> Runner:
    """A run over these organisations, in the time of ``clock`` or in real time."""
    environment = in_time_of(clock)
    lock = RefLock(
        refs=refs,
        locks=lock_refs(ref, organizations),
        organizations=organizations,
        run=run(name),
        lease=lease,
        environment=environment,
        fast_clock=clock or FastClock(),
    )
    return Runner(refs, lock, RefMemory(refs, ref, run(name), environment, lock if locked else None))


@contextmanager
def remote_runner(
    name: str,
    remote: Remote,
    clock: Clock | None = None,
    *,
    environ: Mapping[str, str] = ENVIRON,
    lease: float = 60.0,
    locked: bool = True,
    timeout: float = 20.0,
    organizations: tuple[str, ...] = (SCOPE.organization,),
) -> Iterator[Runner]:
    with open_refs(remote, in_time_of(clock, environ), timeout=timeout) as refs:
        yield runner(name, refs, clock, lease=lease, locked=locked, ref=remote.ref, organizations=organizations)


@dataclass
class SimulatedRemote:
    """The remote that all runs share: refs, commits, and pushes that are still on their way."""

    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, tuple[Mapping[str, bytes], str, str | None]] = field(default_factory=dict)
    late: list[Sequence[Swap]] = field(default_factory=list)

    def apply(self, swaps: Sequence[Swap]) -> bool:
        if any(self.refs.get(swap.ref) != swap.old for swap in swaps):
            return False
        for swap in swaps:
            if swap.new is None:
                self.refs.pop(swap.ref, None)
            else:
                self.refs[swap.ref] = swap.new
        return True


@dataclass
class SimulatedRefs:
    """One run's access to the remote. ``fault`` is the fate of its next push: lost, late, or unanswered."""

    remote: SimulatedRemote
    fault: str = ""
    away: bool = False

    def tips(self, *refs: str) -> Mapping[str, str]:
        if self.away:
            raise MemoryUnavailableError("away")
        return {ref: self.remote.refs[ref] for ref in refs if ref in self.remote.refs}

    def files(self, commit: str) -> Mapping[str, bytes]:
        return self.remote.commits[commit][0]

    def commit(self, files: Mapping[str, bytes], message: str, parent: str | None) -> str:
        commit = f"{len(self.remote.commits):040x}"
        before = self.remote.commits[parent][0] if parent else {}
        self.remote.commits[commit] = ({**before, **files}, message, parent)
        return commit

    def swap(self, *swaps: Swap) -> bool:
        if self.away:
            raise MemoryUnavailableError("away")
        fault, self.fault = self.fault, ""
        if fault == "late":
            self.remote.late.append(swaps)
        elif fault == "unanswered":
            self.remote.apply(swaps)
        if fault:
            raise MemoryUnavailableError(f"a push whose answer is lost ({fault})")
        return self.remote.apply(swaps)

    def messages(self, ref: str) -> Sequence[tuple[datetime, str]]:
        found: list[tuple[datetime, str]] = []
        commit = self.remote.refs.get(ref)
        while commit is not None:
            found.append((NOON, self.remote.commits[commit][1]))
            commit = self.remote.commits[commit][2]
        return found
