"""A lock that is held while a block runs, and renewed beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from webchat_sync.memory.ports import Holder, Lock


@contextmanager
def held(
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
