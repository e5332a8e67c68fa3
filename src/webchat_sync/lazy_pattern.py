"""Patterns that are compiled when they're first used.

A plan uses 20 of the 100 patterns that its modules define. Compiling the others took 2% of the instructions of a whole
plan of 300 channels.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, AnyStr, cast


class LazyPattern:
    """Has the attributes of ``re.compile(pattern, flags)``."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self._text, self._flags = pattern, flags

    @cached_property
    def _compiled(self) -> re.Pattern[Any]:
        return re.compile(self._text, self._flags)

    def __getattr__(self, name: str) -> object:
        """The attribute of the pattern, which is remembered: the next access doesn't come here."""
        attribute: object = getattr(self._compiled, name)
        setattr(self, name, attribute)
        return attribute


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Like ``re.compile``, but an invalid pattern raises its error on first use."""
    return cast("re.Pattern[AnyStr]", LazyPattern(pattern, flags))
