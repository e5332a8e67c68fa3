"""What is not ours as it may stand in a log or on a terminal: neither obeyed by it nor hidden from whoever reads it."""

from __future__ import annotations

import re
from typing import Final

_OBEYED: Final = r"\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029"
"""Control characters but the line feed, and the other ends of lines."""

_DIRECTION: Final = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
_UNSEEN: Final = (
    r"\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff0-\uffff\ud800-\udfff"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_JOINERS: Final = r"\u200c\u200d"
_VARIANTS: Final = r"\ufe00-\ufe0f"

HIDDEN: Final = re.compile(
    rf"[{_OBEYED}{_DIRECTION}{_UNSEEN}]"
    # Emoji and many scripts need these, behind a letter or a sign of theirs, and not two of them.
    rf"|(?<![^\x00-\x7f{_JOINERS}])[{_JOINERS}]"
    rf"|(?<![^\x00-\x7f{_JOINERS}{_VARIANTS}])[{_VARIANTS}](?!\u20e3)"
)
"""What a terminal would obey or hide: control characters, overrides of the direction of text, invisible characters."""

_COMMAND: Final = re.compile(r"#(?=#\w*\[)")
"""Where a line of a log would be taken for a command by GitHub, Azure and TeamCity, wherever it stands in it."""

_COMMAND_LINE: Final = re.compile(r"^(\s*+):(?=:)")
"""Where it would be by that of GitHub, which does not count blanks at the beginning of a line."""


def visible(text: str) -> str:
    """``text``, of one or more lines, with every hidden character as its escape in JSON, ``\\u202e``.

    So is what a runner would take for a command wherever it stands. JSON stays the JSON of the same value.
    """
    return _COMMAND.sub(r"\\u0023", HIDDEN.sub(_escape, text))


def no_command(line: str) -> str:
    """``line`` without what would make a runner of GitHub take it for a command, ``::``, at its beginning."""
    return _COMMAND_LINE.sub(r"\1\\u003a", line)


def flat(text: str) -> str:
    """As :func:`visible`, on one line: a name may be anything, and a log or a terminal obeys what begins a line."""
    return no_command(visible(text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")))


def visible_letters(text: str) -> list[str]:
    """Each character of ``text``, which is one line, as :func:`visible` shows it in its surroundings."""
    letters = list(text)
    for found in HIDDEN.finditer(text):
        letters[found.start()] = _escape(found)
    for found in _COMMAND.finditer(text):
        letters[found.start()] = "\\u0023"
    return letters


def _escape(found: re.Match[str]) -> str:
    units = found.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
