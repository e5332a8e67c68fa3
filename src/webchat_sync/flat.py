"""Makes foreign text safe for a log or a terminal: nothing in it is obeyed, and nothing is hidden from readers."""

from __future__ import annotations

import re
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern

_OBEYED: Final = r"\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029"
"""Control characters except for the line feed, and other line separators."""

_DIRECTION: Final = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
_UNSEEN: Final = (
    r"\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff0-\ufffb"
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_NO_CHARACTERS: Final = r"\ufffc-\uffff\ud800-\udfff"
"""Replacements, noncharacters and lone surrogates."""

_JOINERS: Final = r"\u200c\u200d"
_VARIANTS: Final = r"\ufe00-\ufe0f"

INVISIBLE: Final = f"{_DIRECTION}{_UNSEEN}{_JOINERS}{_VARIANTS}"
"""For the brackets of a pattern: Default_Ignorable_Code_Point in Unicode, and other format characters."""

HIDDEN: Final = lazy_pattern(
    rf"[{_OBEYED}{_DIRECTION}{_UNSEEN}{_NO_CHARACTERS}]"
    # Emoji and many scripts need one of these after a character.
    rf"|(?<![^\x00-\x7f{_JOINERS}])[{_JOINERS}]"
    rf"|(?<![^\x00-\x7f{_JOINERS}{_VARIANTS}])[{_VARIANTS}](?!\u20e3)"
)
"""What a terminal would obey or hide: control characters, bidirectional overrides, invisible characters."""

_COMMAND: Final = lazy_pattern(r"#(?=#\w*\[)")
"""What GitHub, Azure and TeamCity take for a command anywhere in a line of a log."""

_COMMAND_LINE: Final = lazy_pattern(r"^(\s*+):(?=:)")
"""What GitHub takes for a command at the start of a line, ignoring leading spaces."""


def visible(text: str) -> str:
    r"""``text``, with every hidden character as its JSON escape, such as ``\u202e``.

    What a runner would take for a command anywhere in a line is escaped, too. JSON keeps its value.
    """
    return _COMMAND.sub(r"\\u0023", HIDDEN.sub(_escape, text))


def json_text(value: object) -> str:
    """``value``, which JSON can express, as indented JSON, with every hidden character as its escape."""
    import json  # imported late, since most commands don't need it at start-up

    return visible(json.dumps(value, ensure_ascii=False, indent=2))


def no_command(line: str) -> str:
    """``line``, changed so that GitHub's runner doesn't take it for a command, ``::`` at its start."""
    return _COMMAND_LINE.sub(r"\1\\u003a", line)


def flat(text: str) -> str:
    """Like :func:`visible`, on one line, since a log or a terminal could obey what starts a new line."""
    return no_command(visible(text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")))


def visible_letters(text: str) -> list[str]:
    """Each character of the single line ``text`` as :func:`visible` shows it in context."""
    letters = list(text)
    for match in HIDDEN.finditer(text):
        letters[match.start()] = _escape(match)
    for match in _COMMAND.finditer(text):
        letters[match.start()] = "\\u0023"
    return letters


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
