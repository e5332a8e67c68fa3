"""Ids of organisations, which are part of every path of the API, so each must be a single segment."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from webchat_sync.jsonvalue import is_unicode
from webchat_sync.lazy_pattern import lazy_pattern

_GLOB: Final = frozenset("*?[")
_SLASH: Final = lazy_pattern(r"[/\\]")


def is_id(text: str) -> bool:
    """Whether ``text`` can be an id: servers resolve ``..`` and empty segments even if they're quoted.

    White space around an id, such as the line feed of a variable, would make it another organisation's.
    """
    return is_unicode(text) and text == text.strip() and {"", ".", ".."}.isdisjoint(_SLASH.split(text))


def no_id(text: str) -> str:
    """Why ``text`` isn't an id."""
    if text != text.strip():
        return "it begins or ends with white space"
    if not is_unicode(text):
        return "it isn't valid Unicode"
    return "it would change the path of the request" if text else "it's empty"


class Choice:
    """The organisations that match one of several patterns, which are ids or globs (case-sensitive)."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._ids = frozenset(patterns)
        self._globs = [pattern for pattern in self._ids if not _GLOB.isdisjoint(pattern)]

    def has(self, organization: str) -> bool:
        """Whether the organisation matches."""
        return organization in self._ids or any(fnmatchcase(organization, glob) for glob in self._globs)

    def has_any(self, organizations: frozenset[str]) -> bool:
        """Whether one of the organisations matches."""
        return not self._ids.isdisjoint(organizations) or (bool(self._globs) and any(map(self.has, organizations)))
