"""When two names of channels are the same, and when people, or servers, may take one for the other."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_TRIMMED: Final = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What JavaScript's ``trim`` takes away (ECMA-262, WhiteSpace and LineTerminator)."""

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What Unicode calls default ignorable (Default_Ignorable_Code_Point), and control characters."""

_JOINING: Final = re.compile("(?<=\\S)[\u200c\u200d\ufe0e\ufe0f](?=\\S|$)")
"""Joiners and variation selectors where scripts and emoji need them."""

_BLANKS: Final = re.compile(r"\s+")

_LONG: Final = 20
"""Characters from which on a live name may be a longer one that the server has cut off."""


def stored_form(name: str) -> str:
    """The name as servers store it that normalise Unicode (NFC) and trim as JavaScript does."""
    return unicodedata.normalize("NFC", name.strip(_TRIMMED)).strip(_TRIMMED)


def same(name: str, other: str) -> bool:
    """Whether both are one name."""
    return stored_form(name) == stored_form(other)


def skeleton(name: str) -> str:
    """What is left of a name when all is taken away that makes no difference to the eye or to a careless server.

    Equal after NFKC, case folding, removal of what cannot be seen, runs of blanks as one, and HTML entities undone.
    """
    text = html.unescape(html.unescape(name))
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).casefold()
    return _BLANKS.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).strip()


def confusable(name: str, other: str) -> bool:
    """Whether one can be taken for the other."""
    return skeleton(name) == skeleton(other)


def may_be_cut_off(live: str, name: str) -> bool:
    """Whether ``live`` may be ``name`` on a server that stores no more characters than that."""
    cut, whole = skeleton(live), skeleton(name)
    return len(cut) >= _LONG and cut != whole and whole.startswith(cut)


def is_blank(name: str) -> bool:
    """Whether there is nothing to see of it."""
    return not skeleton(name)


def has_invisible(name: str) -> bool:
    """Whether something in it cannot be seen, joiners inside words and emoji apart."""
    return _INVISIBLE.search(_JOINING.sub("", name)) is not None
