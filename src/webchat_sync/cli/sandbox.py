"""The data of the sandbox and of the emulator: a database, or a snapshot to start from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from webchat_sync.cli.files import read_bytes
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.tree import is_file

if TYPE_CHECKING:
    from webchat_sync.emulator import Store
    from webchat_sync.model import Json


def sandbox_store(folder: Path, runtime: Runtime, entries: Mapping[str, Mapping[str, Json]]) -> Store:
    """The data of ``--sandbox`` in ``folder``: ``sandbox.db``, created from ``sandbox.json`` if that exists.

    ``entries`` are the manifests' additions to the field catalogue. Raises InputError if a file has neither format.
    """
    database, snapshot = folder / "sandbox.db", folder / "sandbox.json"
    # A link to itself isn't a missing snapshot.
    start = snapshot if os.path.lexists(snapshot) and not database.exists() else None
    return _store(database, start, runtime, entries)


def emulator_store(data: Path | None, runtime: Runtime) -> Store:
    """The data of ``emulator --data``: a snapshot is only read, and changes to its channels aren't saved.

    Raises InputError if the file is neither a snapshot nor a database of the emulator.
    """
    if data is None or not _is_text(data):
        return _store(data, None, runtime, {})
    store = _store(None, data, runtime, {})
    note(f"Starting from the snapshot {data}; changes won't be saved.")
    return store


def _store(
    database: Path | None, snapshot: Path | None, runtime: Runtime, entries: Mapping[str, Mapping[str, Json]]
) -> Store:
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.emulator import Store

    start = _channels(snapshot) if snapshot else None
    return Store(catalogue=load_catalogue().extended(entries), path=database, start=start, now=runtime.now)


def _channels(snapshot: Path) -> dict[str, list[dict[str, Json]]]:
    from webchat_sync.planfile.snapshot import read_snapshot

    listings = read_snapshot(read_bytes(snapshot), file=str(snapshot)).listings
    return {
        organization: [dict(channel.fields) for channel in listing.channels]
        for organization, listing in listings.items()
    }


def _is_text(file: Path) -> bool:
    """Whether the file exists and isn't a database."""
    if not is_file(file):
        return False
    with file.open("rb") as opened:
        head = opened.read(16)
    return bool(head) and not head.startswith(b"SQLite format 3")
