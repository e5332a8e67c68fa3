"""Notices changes of files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import watchfiles

from webchat_sync.environment import OWN_FOLDER

_AGAIN: Final = 1.0
"""Seconds until files that can't be watched count as changed again."""


class Watch:
    """Counts the changes of manifests in some folders; ``version`` is the count.

    If they can't be watched, they count as changed every second, so that a page of them is never out of date.
    """

    def __init__(self, paths: Sequence[Path], suffixes: tuple[str, ...]) -> None:
        """``paths`` are files and folders. For a file, its folder is watched, since editors replace files.

        Names of manifests end in one of the ``suffixes``.
        """
        self._suffixes = suffixes
        self._folders = sorted({path if path.is_dir() else path.parent for path in paths})
        self._count = 0

    def version(self) -> int:
        """A number that differs after every change."""
        return self._count

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch while the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop,), name="webchat-sync-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._watch(stop)
            # A folder that can't be watched, such as one too many for the system, or a name that isn't UTF-8.
            except (OSError, RuntimeError):
                self._count += 1
                stop.wait(_AGAIN)

    def _watch(self, stop: threading.Event) -> None:
        changes = watchfiles.watch(
            *self._folders,
            watch_filter=lambda _, path: path.endswith(self._suffixes) and OWN_FOLDER not in path,
            debounce=100,
            step=20,
            rust_timeout=200,
            stop_event=stop,
            raise_interrupt=False,
        )
        for _ in changes:
            self._count += 1
