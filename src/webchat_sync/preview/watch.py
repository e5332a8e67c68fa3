"""Notices changes of files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import watchfiles

_ENDINGS: Final = (".yaml", ".yml", ".json")
_OWN: Final = ".webchat-sync"
"""The program's own folder, whose files aren't manifests."""


class Watch:
    """Counts the changes of manifests in some folders; ``version`` is the count."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """``paths`` are files and folders. For a file, its folder is watched, since editors replace files."""
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
        found = watchfiles.watch(
            *self._folders,
            watch_filter=lambda _, path: path.endswith(_ENDINGS) and _OWN not in path,
            debounce=100,
            step=20,
            rust_timeout=200,
            stop_event=stop,
            raise_interrupt=False,
        )
        for _ in found:
            self._count += 1
