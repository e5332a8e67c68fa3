"""When two names of channels are the same, and when people, or servers, may take one for the other."""

from __future__ import annotations

import html
import re
import unicodedata
from fnmatch import fnmatchcase
from typing import Final

_TRIMMED: Final = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What JavaScript's ``trim`` takes away (ECMA-262, WhiteSpace and LineTerminator)."""

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u2800\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What Unicode calls default ignorable (Default_Ignorable_Code_Point), other format and control characters, and two
symbols that fonts leave empty."""

_JOINING: Final = re.compile("(?<=\\S)[\u200c\u200d\ufe0e\ufe0f](?=\\S|$)")
"""Joiners and variation selectors where scripts and emoji need them."""

_BLANKS: Final = re.compile(r"\s+")

_TAGS: Final = re.compile(r"<[^<>]*>")

_UNENCODED: Final = re.compile("[^\x00-\x7f]+|\\?+")
"""What a server that knows ASCII only stores as question marks."""

_LONG: Final = 20
"""Letters from which on a live name may be a longer one that the server has cut off."""

_SHORT: Final = 5
"""Characters from which on it may be one that is cut off inside a word."""


def stored_form(name: str) -> str:
    """The name as servers store it that normalise Unicode (NFC) and trim as JavaScript does."""
    return unicodedata.normalize("NFC", name.strip(_TRIMMED)).strip(_TRIMMED)


def same(name: str, other: str) -> bool:
    """Whether both are one name."""
    return stored_form(name) == stored_form(other)


def matches(name: str, pattern: str) -> bool:
    """Whether ``pattern`` is the name, or a glob that it matches (``*``, ``?``, ``[…]``; case counts)."""
    return same(name, pattern) or fnmatchcase(stored_form(name), unicodedata.normalize("NFC", pattern))


def skeleton(name: str) -> str:
    """What is left of a name when all is taken away that makes no difference to the eye or to a careless server.

    Equal after NFKC, case folding, removal of what cannot be seen, runs of blanks as one, and HTML entities undone.
    """
    text = _unescaped(name)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).casefold()
    return _BLANKS.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).strip()


def _unescaped(text: str) -> str:
    """Without HTML entities, however often they were made of one another."""
    while (plain := html.unescape(text)) != text:
        text = plain
    return text


def confusable(name: str, other: str) -> bool:
    """Whether one can be taken for the other."""
    return skeleton(name) == skeleton(other)


def may_be_stored_as(name: str, live: str) -> bool:
    """Whether a server that cannot store all of ``name`` may have made ``live`` of it.

    It may have cut it off, dropped marks, punctuation, emoji and markup, or put question marks for what it has no
    code for. What makes two names confusable makes no difference here either.
    """
    has_its_letters = _letters(live) == _letters(name) != ""
    return has_its_letters or _is_cut_off(live, name) or _questioned(live) == _UNENCODED.sub("?", stored_form(name))


def _is_cut_off(live: str, name: str) -> bool:
    """Whether ``live`` is a long beginning of ``name``, or one that ends inside a word."""
    letters = _letters(live)
    if len(letters) >= _LONG and _letters(name).startswith(letters):
        return True
    stored, whole = skeleton(live), skeleton(name)
    inside_word = whole[len(stored) - 1 : len(stored) + 1].isalpha()
    return whole.startswith(stored) and len(stored) >= _SHORT and inside_word


def _letters(name: str) -> str:
    """The letters and figures of a name, without the marks on them."""
    plain = unicodedata.normalize("NFKD", skeleton(_TAGS.sub("", name)))
    return "".join(sign for sign in plain if sign.isalnum() and sign != "\u0640")


def _questioned(live: str) -> str | None:
    """A live name that has question marks or U+FFFD, each run as one question mark; None for any other."""
    marked = re.sub("[?\ufffd]+", "?", live)
    return marked if "?" in marked else None


def is_blank(name: str) -> bool:
    """Whether there is nothing to see of it."""
    return not skeleton(name)


def has_invisible(name: str) -> bool:
    """Whether something in it cannot be seen, joiners inside words and emoji apart."""
    return _INVISIBLE.search(_JOINING.sub("", name)) is not None
