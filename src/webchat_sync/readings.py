"""Decodes a text in every way that a reader might, and finds secrets in it: the inverse of ``redact.py``."""

from __future__ import annotations

import binascii
import re
import string
import unicodedata
from base64 import b32decode, b64decode
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import reduce
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Secret

_LAYERS: Final = 2
"""The number of nested encodings to decode."""

_WORD: Final = lazy_pattern(r"[!-~]{8,}")
_PARTS: Final = tuple(lazy_pattern(rf"[\w{marks}-]{{8,}}", re.ASCII) for marks in ("+/=.~", "+/", ".~", ""))
"""The parts of a word that may be a secret: in base64, in URLs, after a dot or an equals sign."""

_SEPARATORS: Final = (b"\\x", b"0x", *(bytes([code]) for code in b":,;-"))
"""What can separate the bytes of hexadecimal text."""

_HEX: Final = lazy_pattern(rb"[0-9a-fA-F]{16,}")
_BASE32: Final = lazy_pattern(rb"[A-Z2-7]{16,}")
_BASE64: Final = lazy_pattern(rb"[\w+/-]{11,}")
_SHORTEST: Final = 11
"""Characters: a shorter text holds no such run, and neither of the two others."""

_CAPITALS: Final = string.ascii_uppercase.encode()
_ESCAPE: Final = lazy_pattern(
    r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,5})\}|x([0-9a-fA-F]{2})|([0-7]{3})|(.))", re.DOTALL
)
_ENTITY: Final = lazy_pattern(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});?")
_QUOTED: Final = lazy_pattern(r"=([0-9a-fA-F]{2})")
_PRINTABLE: Final = lazy_pattern(rb"[\t\n\r -~]{8,}")
"""What is worth reading in decoded bytes: a run of printable characters, as long as a part of a secret."""

_BETWEEN: Final = bytes(code for code in range(128) if not chr(code).isalnum())

_GLUED: Final = 512
"""The longest word in which a secret is looked for at every position; image data is longer."""

TELLING: Final = 12
"""The length of a run of letters and digits in a random secret that occurs in no other text."""

_PART: Final = 6
"""The length of a part of such a run: if none of its parts is in a text, the run isn't either."""

_CHANGES: Final = 6
"""How often such a run changes between lower case, upper case and digits; names and words with a year don't."""


def layers(text: str) -> Iterator[str]:
    """``text``, and everything that it, its words and their parts decode to, up to two encodings deep.

    The encodings are those of URLs, JSON, HTML, e-mail, hexadecimal, base32 and base64, in any surroundings.
    """
    level = {text}
    seen = set(level)
    yield text
    for _ in range(_LAYERS):
        level = {decoded for outer in level for decoded in _decoded(outer)} - seen
        seen |= level
        yield from level


def readings(text: str, lengths: Collection[int] = ()) -> Iterator[str]:
    """Every word in ``text`` and its parts, as they are and decoded, for comparison with hashes of secrets.

    In words that aren't too long, every substring whose length is in ``lengths`` is a part.
    """
    seen: set[str] = set()
    for layer in layers(text):
        seen.update(part for word in _WORD.findall(layer) for part in _parts(word, lengths))
    yield from seen


def recognizer(secrets: Iterable[Secret], forms: Collection[str]) -> Callable[[str], bool]:
    """A function that tells whether a text contains one of ``secrets``: encoded, split, reversed or spaced out.

    It skips texts that contain one of ``forms``, which are recognised elsewhere.
    """
    plain = [secret.reveal() for secret in secrets]
    pieces = {piece for text in (*plain, *(text[::-1] for text in plain)) for piece in _telling(text)}

    parts = {piece[at : at + _PART] for piece in pieces for at in range(TELLING - _PART + 1)}

    def holds_piece(text: str) -> bool:
        bare = _bare(text)
        # Every piece contains a part that starts at one of these positions.
        if not any(bare[at : at + _PART] in parts for at in range(0, len(bare), TELLING - _PART + 1)):
            return False
        return any(bare[at : at + TELLING] in pieces for at in range(len(bare) - TELLING + 1))

    def holds_secret(text: str) -> bool:
        within = layers(text)
        return holds_piece(next(within)) or any(
            holds_piece(decoded) or any(form in decoded for form in forms) for decoded in within
        )

    return holds_secret if forms else lambda _: False


def _parts(word: str, lengths: Collection[int]) -> Iterator[str]:
    yield word
    for length in lengths if len(word) <= _GLUED else ():
        yield from (word[at : at + length] for at in range(len(word) - length + 1))
    for parts in _PARTS:
        yield from parts.findall(word)


def _decoded(text: str) -> Iterator[str]:
    if "%" in text:
        yield unquote(text)
    if "\\" in text:
        yield _ESCAPE.sub(_unescaped, text)
    if "&" in text:
        import html

        yield _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if "=" in text:
        yield _QUOTED.sub(lambda escape: chr(int(escape[1], 16)), text)
    for data in _bytes_in(text):
        # Without the NUL bytes of UTF-16.
        for form in (data, data.replace(b"\0", b"")) if b"\0" in data else (data,):
            yield from (printable.decode("ascii") for printable in _PRINTABLE.findall(form))


def _unescaped(escape: re.Match[str]) -> str:
    unicode, long, byte, octal, letter = escape.groups()
    if letter:
        return "\n" if letter in "bfnrt" else str(letter)
    return chr(int(octal, 8) if octal else int(unicode or long or byte, 16))


def _bytes_in(text: str) -> Iterator[bytes]:
    """What the runs of letters and digits in ``text``, even across line ends, may encode."""
    if len(text) < _SHORTEST:
        return
    apart, together = (form.encode("utf-8", "surrogatepass") for form in (text, "".join(text.split())))
    # One that was cut from a longer text may start at any offset.
    for run in _HEX.findall(reduce(lambda data, mark: data.replace(mark, b""), _SEPARATORS, together)):
        yield from (bytes.fromhex(run[start : len(run) - (len(run) - start) % 2].decode()) for start in range(2))
    for run in dict.fromkeys(_BASE64.findall(apart) + _BASE64.findall(together)):
        # Prose has few capitals; in base64, two characters in five are capitals.
        if (len(run) - len(run.translate(None, _CAPITALS))) * 8 >= len(run):
            yield from (_from_base64(run[start:]) for start in range(4))
    for run in _BASE32.findall(together):
        yield from (_from_base32(run[start:]) for start in range(8))


def _from_base64(run: bytes) -> bytes:
    plain = run.replace(b"-", b"+").replace(b"_", b"/")
    whole = plain[: len(plain) - (len(plain) % 4 == 1)]
    return b64decode(whole + b"=" * (-len(whole) % 4))


def _from_base32(run: bytes) -> bytes:
    whole = run[: len(run) - len(run) % 8]
    rest = run[len(whole) :]
    try:
        return b32decode(whole + (rest + b"=" * (-len(rest) % 8) if rest else b""))
    except binascii.Error:
        return b32decode(whole)


def _telling(plain: str) -> Iterator[str]:
    """The parts of ``plain``, bare, that occur in no other text."""
    letters = [letter for letter in plain if letter.isascii() and letter.isalnum()]
    for at in range(len(letters) - TELLING + 1):
        row = letters[at : at + TELLING]
        kinds = [letter.isdigit() + 2 * letter.isupper() for letter in row]
        if sum(one != other for one, other in pairwise(kinds)) >= _CHANGES:
            yield "".join(row).lower()


def _bare(text: str) -> str:
    """``text`` in lower case, with only letters and digits, and wide forms normalised."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return plain.lower().encode("ascii", "ignore").translate(None, _BETWEEN).decode("ascii")
