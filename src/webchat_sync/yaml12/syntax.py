"""Explains in plain words why a file isn't valid YAML."""

from __future__ import annotations

import re
from typing import Final

import yaml
from yaml.reader import ReaderError

from webchat_sync.errors import Diagnostic, Place
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12.document import LINE_BREAK, Source

_NOT_YAML: Final = lazy_pattern("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONFLICT: Final = lazy_pattern(rb"^<{7} ", re.MULTILINE)
_BOTH_SIDES: Final = lazy_pattern(rb"^={7}\r?$", re.MULTILINE)


@frozen
class _Wording:
    """``sign`` is a part of a parser's message. In the texts, ``{char}`` is the character at the place.

    ``from_start``: the place is the start of the invalid value, not where the parser gave up.
    """

    sign: str
    message: str
    hint: str
    from_start: bool = False


_UNQUOTED: Final = 'Inside brackets, text with a variable must be quoted: `"${NAME}"`.'
_LINED_UP: Final = "Give all keys of a mapping, and all items of a list, the same indentation."
_TAB: Final = _Wording("found a tab", "a tab is used where only spaces can indent", "Indent with spaces.")
_EMPTY: Final = _Wording("", "this empty line has a tab, where only spaces can indent", "Remove the tab.")
TAG_HINT: Final = "Remove the tag. To write text that begins with `!`, quote it."
_NO_TAG: Final = ("this isn't a valid tag", TAG_HINT)
_IN_TAGS: Final = ("URI", "whitespace or line break", "expected ' '", "expected '>'", "the expected '>'")
"""What parsers expect in a tag or after it."""

_ANY: Final = _Wording("", "this isn't valid YAML: {said}", "")
_WORDINGS: Final = (
    _Wording(
        "mapping values are not allowed",
        "this `:` doesn't follow a key",
        "Quote text that contains `: `, and align each key with the other keys of its mapping.",
    ),
    _Wording(
        "cannot start any token",
        "a value can't begin with `{char}`",
        "To write text that begins with `{char}`, quote it.",
    ),
    _Wording(
        "alphabetic or numeric character",
        "`{char}` has a special meaning at the beginning of a value",
        "To write text that begins with `{char}`, quote it.",
        from_start=True,
    ),
    _Wording("',' or ']'", "this list isn't closed", "A `,` or the closing `]` is missing.", True),
    _Wording("',' or '}'", "this mapping isn't closed", "A `,` or the closing `}` is missing.", True),
    _Wording("end of stream", "the quoted text that begins here isn't closed", "Close it with the same quote.", True),
    _Wording(
        "unexpected document",
        "the quoted text that begins here isn't closed",
        "Close it before the line with `---` or `...`.",
        from_start=True,
    ),
    _Wording(
        "expected ':'",
        "this key isn't followed by `:`",
        "Write `key: value`, or quote text that spans several lines.",
        True,
    ),
    _Wording(
        "expected '-' indicator",
        "this doesn't line up with the list above",
        "Start each item with `- `, and give all its keys the same indentation.",
    ),
    _Wording(
        "expected key",
        "this doesn't line up with what's above",
        f"{_LINED_UP} Nothing can follow a value's closing quote or bracket.",
    ),
    _Wording(
        "expected <block end>",
        "this doesn't line up with what's above",
        _LINED_UP,
    ),
    _Wording("node content", "a value is missing here", "Close each bracket, and quote text that begins with one."),
    _Wording(
        "mapping keys are not allowed",
        "`{char}` has a special meaning at the beginning of a value",
        "To write text that begins with `{char}`, quote it.",
    ),
    # Before the wording for escapes: a `%` in a tag begins one of its own kind.
    *(_Wording(sign, *_NO_TAG, from_start=True) for sign in _IN_TAGS),
    _Wording("Unicode character escape", "this isn't a valid escape sequence", "Write the character itself."),
    _Wording(
        "escape",
        "YAML doesn't know the escape sequence that begins with this `\\`",
        "Write `\\\\`, or use single quotes.",
    ),
    _Wording("hexdecimal", "this escape sequence is too short", "For a backslash, write `\\\\`, or use single quotes."),
    _Wording("sequence entries are not allowed", "a list can't begin here", "Start it on its own line."),
    _Wording("comment or line break", "only a comment can follow `|` or `>`", "Start the text on the next line."),
    _Wording("comment or a line break", "only a comment can follow `|` or `>`", "Start the text on the next line."),
    _Wording("indentation indicator", "only a comment can follow `|` or `>`", "Start the text on the next line."),
    _Wording("undefined tag handle", "this tag isn't known", TAG_HINT),
    _Wording("<document start>", "a document ends above", "Start the next document with a line `---`."),
    _Wording("directive", "this isn't a valid YAML directive", "Remove the line.", True),
    _Wording("incompatible YAML document", "this YAML version isn't supported", "Remove the line."),
)


def explain(error: yaml.YAMLError, source: Source) -> Diagnostic:
    """The problem for ``error``, which a PyYAML parser raised for ``source``."""
    if isinstance(error, ReaderError):
        return _control_character(source)
    conflict = _CONFLICT.search(source.data)
    if conflict and _BOTH_SIDES.search(source.data, conflict.end()):
        hint = "Keep one side, and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`."
        place = _place_after(source.data[: conflict.start()], source)
        return Diagnostic("an unresolved merge conflict begins here", place, hint=hint, code="yaml-syntax")
    marked = error if isinstance(error, yaml.MarkedYAMLError) else yaml.MarkedYAMLError(problem=str(error))
    reason = marked.problem or marked.context or ""
    wording = next(candidate for candidate in (_TAB, *_WORDINGS, _ANY) if candidate.sign in reason)
    place = _place(marked, source, from_start=wording.from_start)
    char = source.text_at(place)[:1]
    if char == "\t" and "{char}" in wording.message:
        wording = _TAB
    if wording is _TAB and not source.line(place.line).strip():
        wording = _EMPTY
    message, hint = wording.message.format(char=char, said=reason), wording.hint.replace("{char}", char)
    if _gave_up_in_variable(marked, source):
        hint = f"{hint} {_UNQUOTED}"
    return Diagnostic(message, place, hint=hint, code="yaml-syntax")


def encoding_problem(source: Source) -> Diagnostic | None:
    """The problem with the bytes of ``source`` if they aren't UTF-8."""
    data = source.data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        place = Place(source.name, 1, 1)
        return Diagnostic("this file is in UTF-16", place, hint="Save it as UTF-8.", code="encoding")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return Diagnostic(
            f"byte {error.start} (0x{data[error.start]:02x}) isn't valid UTF-8",
            place=_place_after(data[: error.start], source),
            hint="Save the file as UTF-8.",
            code="encoding",
        )
    return None


def _control_character(source: Source) -> Diagnostic:
    text = source.data.decode()
    control = _NOT_YAML.search(text)
    char = control[0] if control else "\0"
    return Diagnostic(
        f"the character U+{ord(char):04X} isn't allowed in YAML",
        place=_place_after(text.partition(char)[0].encode(), source),
        hint=f"Remove it, or write it as `\\u{ord(char):04x}` in double quotes.",
        code="yaml-syntax",
    )


def _gave_up_in_variable(error: yaml.MarkedYAMLError, source: Source) -> bool:
    """Whether the parser gave up at the brace of a ``${``, which begins a mapping inside brackets."""
    mark = error.problem_mark
    return mark is not None and source.text_at(Place(source.name, mark.line + 1, mark.column)).startswith("${")


def _place(error: yaml.MarkedYAMLError, source: Source, *, from_start: bool) -> Place:
    marks = (error.context_mark, error.problem_mark) if from_start else (error.problem_mark, error.context_mark)
    mark = next((mark for mark in marks if mark), None)
    return Place(source.name, mark.line + 1, mark.column + 1) if mark else Place(source.name, 1, 1)


def _place_after(before: bytes, source: Source) -> Place:
    lines = LINE_BREAK.split(before.decode().removeprefix("\ufeff"))
    return Place(source.name, len(lines), len(lines[-1]) + 1)
