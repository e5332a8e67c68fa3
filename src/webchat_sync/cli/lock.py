"""One apply at a time in one folder."""

from __future__ import annotations

import os
import platform
from contextlib import AbstractContextManager

from webchat_sync.cli.connection import STATE_FOLDER
from webchat_sync.cli.runtime import Runtime


def apply_lock(runtime: Runtime) -> AbstractContextManager[None]:
    """Hold the lock of this folder; raises LockedError that tells who holds it when another process does."""
    from webchat_sync.memory.file import FileLock
    from webchat_sync.memory.held import held
    from webchat_sync.memory.ports import Run

    run = Run(str(os.getpid()), f"process {os.getpid()} on {platform.node()}")
    return held(FileLock(folder=STATE_FOLDER, run=run, now=runtime.now), timeout=0, every=3600)
