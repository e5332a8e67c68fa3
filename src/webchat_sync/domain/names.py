"""When two channel names are the same, and when people or servers may confuse them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

from webchat_sync.flat import INVISIBLE
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern

_TRIMMED: Final = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""The characters that JavaScript's ``trim`` removes (ECMA-262, WhiteSpace and LineTerminator)."""

_INVISIBLE: Final = lazy_pattern(rf"[{INVISIBLE}\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u2800\U0001d159]")
"""What nobody sees in a name, control characters included, and two symbols that fonts leave empty."""

_JOINING: Final = lazy_pattern("(?<=\\S)[\u200c\u200d\ufe0e\ufe0f](?=\\S|$)")
"""Joiners and variation selectors in positions where scripts and emoji need them."""

_BLANKS: Final = lazy_pattern(r"\s+")

_TAGS: Final = lazy_pattern(r"<[^<>]*>")

_UNENCODED: Final = lazy_pattern("[^\x00-\x7f]+|\\?+")
"""What a server limited to ASCII stores as question marks."""

_LONG: Final = 20
"""The number of letters from which a live name may be a truncated longer one."""

_SHORT: Final = 5
"""The number of characters from which it may be one truncated inside a word."""


def stored_form(name: str) -> str:
    """The name as stored by servers that normalise Unicode (NFC) and trim like JavaScript."""
    return unicodedata.normalize("NFC", name.strip(_TRIMMED)).strip(_TRIMMED)


def same(name: str, other: str) -> bool:
    """Whether both are the same name."""
    return stored_form(name) == stored_form(other)


def matches(name: str, pattern: str) -> bool:
    """Whether ``pattern`` is the name, or a glob that it matches (``*``, ``?``, ``[…]``; case-sensitive)."""
    return same(name, pattern) or fnmatchcase(stored_form(name), unicodedata.normalize("NFC", pattern))


def skeleton(name: str) -> str:
    """The name without differences that people or careless servers overlook.

    It undoes HTML entities, applies NFKC and case folding, removes invisible characters, and collapses white space.
    """
    text = _unescaped(name)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).casefold()
    return _BLANKS.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).strip()


def _unescaped(text: str) -> str:
    """The text without HTML entities, even nested ones."""
    if "&" not in text:
        return text
    import html

    while (plain := html.unescape(text)) != text:
        text = plain
    return text


def confusable(name: str, other: str) -> bool:
    """Whether the names can be confused."""
    return skeleton(name) == skeleton(other)


@frozen(slots=False)
class NameIndex:
    """Finds names among many, as fast as among few.

    The results are positions in ``names``, in order.
    """

    names: Sequence[str]

    def same(self, name: str) -> Sequence[int]:
        """Those that are the same name."""
        return self._by_form.get(stored_form(name), ())

    def similar(self, name: str) -> list[int]:
        """Those that can be confused with ``name``, or that a server may have stored that can't store all of it.

        It may have truncated it, dropped accents, punctuation, emoji and markup, or replaced characters by question
        marks. Differences between confusable names are ignored.
        """
        whole, letters = skeleton(name), _letters(name)
        similar = {*self._by_skeleton.get(whole, ()), *self._by_mark.get(_UNENCODED.sub("?", stored_form(name)), ())}
        if letters:
            similar.update(self._by_letters.get(letters, ()))
        for length in self._lengths:
            # A live name may be a long beginning, or one that ends inside a word.
            if _LONG <= length <= len(letters):
                similar.update(self._by_letters.get(letters[:length], ()))
            if _SHORT <= length <= len(whole) and whole[length - 1 : length + 1].isalpha():
                similar.update(self._by_skeleton.get(whole[:length], ()))
        return sorted(similar)

    @cached_property
    def _by_form(self) -> Mapping[str, Sequence[int]]:
        return _positions(map(stored_form, self.names))

    @cached_property
    def _by_skeleton(self) -> Mapping[str, Sequence[int]]:
        return _positions(map(skeleton, self.names))

    @cached_property
    def _by_letters(self) -> Mapping[str, Sequence[int]]:
        return _positions(map(_letters, self.names))

    @cached_property
    def _by_mark(self) -> Mapping[str, Sequence[int]]:
        return _positions(map(_questioned, self.names))

    @cached_property
    def _lengths(self) -> Sequence[int]:
        """The lengths of skeletons and of letters."""
        return sorted({len(text) for text in (*self._by_skeleton, *self._by_letters)})


def _positions(texts: Iterable[str | None]) -> Mapping[str, Sequence[int]]:
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for position, text in enumerate(texts):
        if text is not None:
            positions[text].append(position)
    return dict(positions)


def _letters(name: str) -> str:
    """The letters and digits of a name, without accents."""
    plain = unicodedata.normalize("NFKD", skeleton(_TAGS.sub("", name)))
    return "".join(sign for sign in plain if sign.isalnum() and sign != "\u0640")


def _questioned(live: str) -> str | None:
    """A live name with question marks or U+FFFD, each run reduced to one question mark; None for any other."""
    marked = re.sub("[?\ufffd]+", "?", live)
    return marked if "?" in marked else None


def is_blank(name: str) -> bool:
    """Whether nothing of it is visible."""
    return not skeleton(name)


def has_invisible(name: str) -> bool:
    """Whether it contains invisible characters, apart from joiners inside words and emoji."""
    return _INVISIBLE.search(_JOINING.sub("", name)) is not None
