"""Opens the memory of one run: chooses the place, and creates its ledger and lock."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import show
from webchat_sync.memory.file import FileLock, FileMemories
from webchat_sync.memory.ports import EXPIRY, LONGEST, Holder, Lock, Memory, Run
from webchat_sync.model import GitMemory

if TYPE_CHECKING:
    from webchat_sync.memory.place import Remote

VARIABLE: Final = "WEBCHAT_SYNC_MEMORY"
"""The environment variable for --memory, which chooses where the memory is kept."""

EXPIRY_VARIABLE: Final = "WEBCHAT_SYNC_LOCK_EXPIRY"
"""The environment variable with the seconds of a lease."""

PATIENCE: Final = 120.0
"""Seconds that a pipeline waits for the lock by default. At a terminal, there's no wait."""

_RENEWALS: Final = 4
"""How often a lease is renewed within its time, so that one or two renewals may fail."""


@frozen
class OpenMemory:
    """The memory of one run. ``lease`` is that of its lock, in seconds."""

    memory: Memory
    lock: Lock
    lease: float

    def hold(
        self,
        timeout: float,
        waiting: Callable[[Holder], object] = lambda _: None,
        taken_over: Callable[[Holder], object] = lambda _: None,
    ) -> AbstractContextManager[None]:
        """Hold the lock while the block runs; see :func:`hold_lock`."""
        return hold_lock(
            self.lock, timeout=timeout, every=self.lease / _RENEWALS, waiting=waiting, taken_over=taken_over
        )


@contextmanager
def hold_lock(
    lock: Lock,
    *,
    timeout: float,
    every: float,
    waiting: Callable[[Holder], object] = lambda _: None,
    taken_over: Callable[[Holder], object] = lambda _: None,
) -> Iterator[None]:
    """Hold the lock; ``timeout`` is as for :meth:`Lock.acquire`, and it's renewed ``every`` so many seconds.

    ``waiting`` is called with the holder that it waits for, ``taken_over`` with a former holder. A thread renews it,
    since the block may wait for a user or a command. Raises like :meth:`Lock.acquire`.
    """
    try:
        for former in lock.acquire(timeout, waiting):
            taken_over(former)
        with _renewed(lock, every):
            yield
    finally:
        # An interrupted acquisition may also have taken effect.
        lock.release()


@contextmanager
def _renewed(lock: Lock, every: float) -> Iterator[None]:
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(every) and lock.renew():
            pass

    thread = threading.Thread(target=renew, name="lock renewal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def chosen_remote(
    given: str | None, declared: GitMemory | None, clone: Path, environ: Mapping[str, str]
) -> Remote | None:
    """The remote that keeps the memory; None for a file.

    ``given`` is the operator's --memory: ``file``, ``git``, ``git#REF``, or the URL or path of a repository. Otherwise,
    the environment variable counts, then what the manifest ``declared``; None means a file. Raises InputError.
    """
    choice = (given or environ.get(VARIABLE, "")).strip()
    if choice == "file" or not (choice or declared):
        return None
    from webchat_sync.memory.place import declared_remote, named_remote

    name, _, ref = choice.partition("#")
    if name not in ("", "git") or (ref and not name):
        return named_remote(choice, environ)
    setting = declared or GitMemory()
    return declared_remote(replace(setting, ref=ref) if ref else setting, clone, environ)


def lock_timeout(given: float | None, *, interactive: bool) -> float:
    """Seconds to wait for the lock: ``given``, or the default for terminals or pipelines."""
    if given is not None:
        return given
    return 0.0 if interactive else PATIENCE


def lock_expiry(environ: Mapping[str, str]) -> float:
    """The seconds of a lease. Raises InputError if the environment variable is invalid."""
    text = environ.get(EXPIRY_VARIABLE, "").strip()
    try:
        seconds = float(text) if text else EXPIRY
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= LONGEST:
        message = f"{EXPIRY_VARIABLE} must be a number of seconds from 1 to {LONGEST:,.0f}, not {show(text)}"
        raise InputError([Diagnostic(message, hint=f"The default is {EXPIRY:g} s.")])
    return seconds


@contextmanager
def open_memory(
    remote: Remote | None,
    run: Run,
    *,
    ledgers: Mapping[str, Path],
    folder: Path,
    environment: Environment,
    named_in: Sequence[Path] = (),
) -> Iterator[OpenMemory]:
    """Ledger and lock on ``remote``, or else in the files ``ledgers`` and in ``folder``; closed after the block.

    The keys of ``ledgers`` are the run's organisations; an empty one means all of them. The folders of the files that
    name the ledgers are ``named_in``. Raises InputError and MemoryUnavailableError.
    """
    lease = lock_expiry(environment.environ)
    if remote is None:
        file_lock = FileLock(folder=folder, run=run, environment=environment)
        yield OpenMemory(FileMemories(ledgers, tuple(named_in)), file_lock, lease)
        return
    from webchat_sync.memory.lease import FastClock, RefLock, lock_refs
    from webchat_sync.memory.ref_memory import RefMemory
    from webchat_sync.memory.remote import TIMEOUT, open_refs

    # An exchange must not outlast the time in which the holder may write.
    timeout = min(TIMEOUT, lease / _RENEWALS)
    with open_refs(remote, environment, timeout=timeout) as refs:
        fast_clock = FastClock() if environment.clock is time.monotonic else environment.clock
        ref_lock = RefLock(
            refs=refs,
            locks=lock_refs(remote.ref, ledgers),
            organizations=tuple(filter(None, ledgers)),
            run=run,
            lease=lease,
            environment=environment,
            fast_clock=fast_clock,
        )
        yield OpenMemory(RefMemory(refs, remote.ref, run, environment, ref_lock), ref_lock, lease)
