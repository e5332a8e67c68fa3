"""The building blocks of the other values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from webchat_sync.jsonvalue import Json

__all__ = ["UNKNOWN", "Json", "Missing", "Secret", "moment_text", "read_moment", "share_of"]


class Missing(Enum):
    """The type of :data:`UNKNOWN`, which type checkers can distinguish from any JSON value."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Missing.UNKNOWN
"""The value of a field that the live channel doesn't have. It isn't ``None``, since null is a value."""


class Secret:
    """An API key or an identity secret: text that can't be printed by accident.

    Every conversion to text gives ``***``; only :meth:`reveal` returns the text.
    """

    __slots__ = ("_read",)

    def __init__(self, text: str) -> None:
        # A closure, since debuggers and `rich.inspect` print attributes.
        self._read: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """The secret text, for code that sends or stores it."""
        return self._read()

    def __repr__(self) -> str:
        return "***"

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        from hmac import compare_digest  # it loads OpenSSL, which most commands do without

        return isinstance(other, Secret) and compare_digest(self.reveal().encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash((Secret, self.reveal()))

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return (Secret, ("***",))


def read_moment(value: Json) -> datetime | None:
    """The moment in someone else's text, in UTC if it has no offset; None for anything else.

    Moments near the ends of the calendar are None too, because converting or adding a year to them would overflow.
    """
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None or not 2 <= moment.year <= 9997:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def moment_text(moment: datetime) -> str:
    """The moment in files and on screens: ISO 8601, to the second, with its offset."""
    return moment.isoformat(timespec="seconds")


def share_of(organization: str, total: int) -> int:
    """The shard of the organisation, from 0: by the SHA-256 of its id, so it's the same on every machine."""
    digest = hashlib.sha256(organization.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest) % total
