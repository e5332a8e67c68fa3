"""The memory of one run: which one is meant, by whom, and ledger and lock of it, opened."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.jsonvalue import show
from webchat_sync.memory.file import FileLock
from webchat_sync.memory.files import FileMemories
from webchat_sync.memory.held import held
from webchat_sync.memory.lease import EXPIRY, LONGEST, FastClock, RefLock, lock_refs
from webchat_sync.memory.ports import Holder, Lock, Memory, Run
from webchat_sync.model import GitMemory

if TYPE_CHECKING:
    from webchat_sync.memory.place import Remote

VARIABLE: Final = "WEBCHAT_SYNC_MEMORY"
"""The environment variable that says where the memory is kept, unless --memory does."""

EXPIRY_VARIABLE: Final = "WEBCHAT_SYNC_LOCK_EXPIRY"
"""The environment variable with the seconds of a lease."""

PATIENCE: Final = 120.0
"""Seconds that a pipeline waits for the lock, unless it is told otherwise; at a terminal nobody is kept waiting."""

_RENEWALS: Final = 4
"""How often a lease is renewed while it lasts: one or two may fail."""


@dataclass(frozen=True, slots=True)
class OpenMemory:
    """The memory of one run. ``lease`` is that of its lock in seconds."""

    memory: Memory
    lock: Lock
    lease: float

    def hold(
        self,
        timeout: float,
        waiting: Callable[[Holder], object] = lambda _: None,
        taken_over: Callable[[Holder], object] = lambda _: None,
    ) -> AbstractContextManager[None]:
        """Hold the lock while a block runs, as :func:`held` does."""
        return held(self.lock, timeout=timeout, every=self.lease / _RENEWALS, waiting=waiting, taken_over=taken_over)


def chosen_remote(
    given: str | None, declared: GitMemory | None, clone: Path, environ: Mapping[str, str]
) -> Remote | None:
    """The remote that keeps the memory; None for a file.

    ``given`` is what the operator said by --memory: ``file``, ``git``, or a URL or a path of a repository; else the
    environment is asked, then what the manifest ``declared``, None for a file. Raises InputError.
    """
    said = given or environ.get(VARIABLE, "").strip()
    if said == "file" or not (said or declared):
        return None
    from webchat_sync.memory.place import declared_remote, named_remote

    if said and said != "git":
        return named_remote(said, environ)
    return declared_remote(declared or GitMemory(), clone, environ)


def lock_timeout(given: float | None, *, interactive: bool) -> float:
    """The seconds to wait for the lock: those ``given``, or what fits where it runs."""
    if given is not None:
        return given
    return 0.0 if interactive else PATIENCE


def lock_expiry(environ: Mapping[str, str]) -> float:
    """The seconds of a lease. Raises InputError for a variable that says none."""
    said = environ.get(EXPIRY_VARIABLE, "").strip()
    try:
        seconds = float(said) if said else EXPIRY
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= LONGEST:
        message = f"{EXPIRY_VARIABLE} is {show(said)}, but must be a number of seconds from 1 to {LONGEST:g}"
        raise InputError([Diagnostic(message, hint=f"The default is {EXPIRY:g} s.")])
    return seconds


@contextmanager
def open_memory(
    remote: Remote | None,
    run: Run,
    *,
    ledgers: Mapping[str, Path],
    folder: Path,
    environ: Mapping[str, str],
    now: Callable[[], datetime],
    random: Callable[[], float],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[OpenMemory]:
    """Ledger and lock on ``remote``; else in the files ``ledgers`` and in ``folder``. Open until the block ends.

    The keys of ``ledgers`` are the organisations that the run is about; an empty one stands for all that there are.

    ``random`` gives numbers from 0 to 1; ``clock`` and ``sleep`` are in seconds. Raises InputError and
    MemoryUnavailableError.
    """
    lease = lock_expiry(environ)
    if remote is None:
        file_lock = FileLock(folder=folder, run=run, now=now, clock=clock, sleep=sleep)
        yield OpenMemory(FileMemories(ledgers), file_lock, lease)
        return
    from webchat_sync.memory.kept import RefMemory
    from webchat_sync.memory.remote import TIMEOUT, open_refs

    # One exchange must not outlast the part of a lease in which its holder may write.
    timeout = min(TIMEOUT, lease / _RENEWALS)
    with open_refs(remote, environ, now=now, sleep=sleep, random=random, timeout=timeout) as refs:
        fast_clock = FastClock() if clock is time.monotonic else clock
        ref_lock = RefLock(
            refs=refs,
            locks=lock_refs(remote.ref, ledgers),
            organizations=tuple(filter(None, ledgers)),
            run=run,
            lease=lease,
            now=now,
            clock=clock,
            fast_clock=fast_clock,
            sleep=sleep,
            random=random,
        )
        yield OpenMemory(RefMemory(refs, remote.ref, run, sleep, random, ref_lock), ref_lock, lease)
