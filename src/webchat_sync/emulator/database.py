"""The database of a store: an SQLite file that several processes can share, or one in memory."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from webchat_sync.errors import Diagnostic, InputError, Place

_APPLICATION: Final = 0x77636865
"""Distinguishes our files from those of other programs."""

_VERSION: Final = 1
_TABLES: Final = (
    # `position` keeps the order of creation; the other columns are indexed for lookups.
    """CREATE TABLE channels (
        position INTEGER PRIMARY KEY AUTOINCREMENT, organization TEXT NOT NULL, id TEXT NOT NULL, token TEXT,
        body TEXT NOT NULL, UNIQUE (organization, id))""",
    "CREATE INDEX by_position ON channels (organization, position)",
    "CREATE INDEX by_token ON channels (token)",
    "CREATE TABLE identity_secrets (channel TEXT PRIMARY KEY, secret TEXT NOT NULL)",
    """CREATE TABLE first_answers (
        organization TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (organization, key))""",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_VERSION}",
)

_HINT: Final = "Restore the file, or move it elsewhere to start without it."
_HINTS: Final = {
    sqlite3.SQLITE_BUSY: "Another process is still writing to the file. Run this again once it's done.",
    sqlite3.SQLITE_FULL: "Free some space on the disk, and run this again.",
    **dict.fromkeys(
        (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY),
        "Check the disk, and the permissions of the file and its folder.",
    ),
}
"""What to do, by SQLite's primary result code."""


class UnusableDataError(InputError):
    """The file isn't a store's, or it can't be read or written; nothing was changed."""

    def __str__(self) -> str:
        (problem,) = self.problems
        file = f" ({problem.place.file})" if problem.place else ""
        return f"{problem.message}{file}. {problem.hint}"


class Database:
    """The rows of a store. Several threads and processes can use it at the same time.

    With ``path``, the rows are in that file, which only its owner can read, and which the first write creates; without
    it, they're in memory. ``fill`` adds the first rows to a new database; ``patience`` is how many seconds a call waits
    while another process writes. Raises UnusableDataError for a file that isn't such a database, or if it can't be
    read or written.
    """

    def __init__(
        self, path: Path | None, fill: Callable[[sqlite3.Connection], None] | None = None, *, patience: float
    ) -> None:
        self._path = path
        self._patience = patience
        self._fill = fill
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._closed: weakref.finalize[..., Database] | None = None
        with self._translated():
            if path is None or fill is not None or _is_there(path):
                self._open()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._closed is not None:
                self._closed()
            self._connection = None

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The results of ``query``."""
        with self._lock, self._translated():
            if self._path is not None and not _is_there(self._path):
                return []
            return self._open().execute(query, values).fetchall()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end of the block, or rolled back if that raises."""
        with self._lock, self._translated():
            connection = self._open()
            with _transaction(connection):
                yield connection

    def unusable(self, reason: str, hint: str = _HINT) -> UnusableDataError:
        """The error for what the file contains or how it can't be used."""
        place = Place(str(self._path), 1, 1) if self._path else None
        return UnusableDataError([Diagnostic(f"can't use the emulator's data: {reason}", place=place, hint=hint)])

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self.unusable(error.strerror or str(error)) from error
        except sqlite3.Error as error:
            primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
            raise self.unusable(str(error), _HINTS.get(primary, _HINT)) from error

    def _open(self) -> sqlite3.Connection:
        """The connection to the current file, which is created if it's missing."""
        path = self._path
        if self._connection is not None and (path is None or _identity(path) == self._file):
            return self._connection
        self.close()
        connection = _connect(path, self._patience)
        self._closed = weakref.finalize(self, connection.close)
        try:
            self._prepare(connection)
        except sqlite3.Error:
            self._closed()
            raise
        self._connection, self._file = connection, _identity(path) if path else None
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # Committed data survives the end of this process, but perhaps not a power failure.
        connection.execute("PRAGMA synchronous = OFF")
        if _number(connection, "user_version") == 0:
            with _transaction(connection):
                # Another process may have been faster.
                if _number(connection, "user_version") == 0 and not _number(connection, "schema_version"):
                    for statement in _TABLES:
                        connection.execute(statement)
                    if self._fill is not None:
                        self._fill(connection)
        identifiers = (_number(connection, "application_id"), _number(connection, "user_version"))
        if identifiers != (_APPLICATION, _VERSION):
            raise sqlite3.DatabaseError("it's a database of another program or of a newer release")


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _connect(path: Path | None, patience: float) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise OSError("it isn't a file")
        for file in _companions(path):
            if file.exists() and not file.is_file():  # SQLite would wait for the other end of a FIFO
                raise OSError(f"{file.name} isn't a file")
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    return sqlite3.connect(
        path or ":memory:", timeout=patience, isolation_level=None, check_same_thread=False, cached_statements=64
    )


def _companions(path: Path) -> list[Path]:
    """The files that SQLite opens next to the database, even if it has no use for them."""
    database = os.path.realpath(path)
    return [Path(f"{database}{suffix}") for suffix in ("-journal", "-wal", "-shm")]


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (number,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(number)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
