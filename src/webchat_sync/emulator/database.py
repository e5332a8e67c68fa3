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


_IN_USE: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
"""The codes of errors that go away once another process has finished, without their extensions in further bits."""


class Database:
    """The rows of a store. Several threads and processes can use it at the same time.

    With ``path``, the rows are in that file, which only its owner can read, and which the first write creates; without
    it, they're in memory. ``fill`` adds the first rows to a new database; ``patience`` is how many seconds a call waits
    while another process writes. Raises InputError for a file that isn't such a database or is damaged, and
    sqlite3.Error if another process writes for longer.
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
        with self._lock:
            if self._path is not None and not _is_there(self._path):
                return []
            connection = self._open()
            with self._damage_told():
                return connection.execute(query, values).fetchall()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end of the block, or rolled back if that raises."""
        with self._lock:
            connection = self._open()
            with self._damage_told(), _transaction(connection):
                yield connection

    def unusable(self, reason: str) -> InputError:
        """The error that says why what's in the database can't be used."""
        return _unusable(self._path, reason)

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None)  # SQLite's; the module's own errors have none
            if code is None or code & 0xFF in _IN_USE:
                raise
            raise self.unusable(str(error)) from error

    def _open(self) -> sqlite3.Connection:
        """The connection to the current file, which is created if it's missing."""
        path = self._path
        if self._connection is not None and (path is None or _identity(path) == self._file):
            return self._connection
        self.close()
        try:
            connection = _connect(path, self._patience)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, getattr(error, "strerror", None) or str(error)) from error
        self._closed = weakref.finalize(self, connection.close)
        try:
            self._prepare(connection)
        except sqlite3.Error as error:
            self._closed()
            raise _unusable(path, str(error)) from error
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
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    return True


def _connect(path: Path | None, patience: float) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise OSError("it isn't a file")
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    return sqlite3.connect(
        path or ":memory:", timeout=patience, isolation_level=None, check_same_thread=False, cached_statements=64
    )


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


def _unusable(path: Path | None, reason: str) -> InputError:
    return InputError(
        [
            Diagnostic(
                f"can't use the emulator's data: {reason}",
                place=Place(str(path), 1, 1),
                hint="Restore the file, or move it elsewhere to start without it.",
            )
        ]
    )
