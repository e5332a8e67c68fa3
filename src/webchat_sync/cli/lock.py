"""One apply at a time in one folder."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

from webchat_sync.cli.connection import STATE_FOLDER
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import InputError, Problem


@contextmanager
def apply_lock(runtime: Runtime) -> Iterator[None]:
    """Hold the lock of this folder; raises InputError that tells who holds it when another process does.

    The operating system frees the lock when its process dies, so a killed run blocks nobody.
    """
    from filelock import FileLock, Timeout

    STATE_FOLDER.mkdir(mode=0o700, exist_ok=True)
    lock, holder = FileLock(STATE_FOLDER / "lock", blocking=False), STATE_FOLDER / "lock.holder"
    try:
        with lock:
            since = runtime.now().isoformat(timespec="seconds")
            holder.write_text(f"process {os.getpid()} on {platform.node()} since {since}", encoding="utf-8")
            yield
    except Timeout:
        who = holder.read_text(encoding="utf-8") if holder.exists() else "another process"
        problem = Problem(f"another apply runs in this folder: {who}", hint="Wait for it to end, then run again.")
        raise InputError([problem]) from None
