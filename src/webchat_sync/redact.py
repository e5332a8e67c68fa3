"""Takes secrets out of text: as they are, in the usual encodings, and in parts."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

from webchat_sync.model import Secret

HIDDEN: Final = "***"

PIECE: Final = 8
"""Characters: a shorter part of a secret says nothing, and would be found in ordinary words."""


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` with ``***`` for every secret in it and every part of one that is long enough to tell something.

    Found are the secret itself and its forms in JSON, URLs, hexadecimal and base64, wherever in a longer base64
    text it begins.
    """
    for secret in secrets:
        for form in _forms(secret.reveal()):
            text = _without(text, form)
    return text


def forms_of(secrets: Iterable[Secret]) -> frozenset[str]:
    """The forms of ``secrets`` that :func:`redact` looks for."""
    return frozenset(form for secret in secrets for form in _forms(secret.reveal()))


def _forms(plain: str) -> Iterator[str]:
    if not plain:
        return
    data = plain.encode("utf-8", "surrogatepass")
    forms = [
        plain,
        json.dumps(plain)[1:-1],
        quote(plain, safe="", errors="replace"),
        quote_plus(plain, errors="replace"),
    ]
    encodings = [data.hex(), data.hex().upper()]
    for encode in (b64encode, urlsafe_b64encode):
        for shift in range(3):
            # What stands before and after shares its first and its last characters, so those are not the secret's own.
            encoded = encode(bytes(shift) + data).decode().rstrip("=")
            encodings.append(encoded[(0, 2, 3)[shift] : len(encoded) - 1])
    # Of a very short secret the encodings are single letters and pairs of digits.
    yield from dict.fromkeys([*forms, *(encoding for encoding in encodings if len(encoding) >= PIECE)])


def _without(text: str, form: str) -> str:
    if len(form) < PIECE:
        return text.replace(form, HIDDEN) if form else text
    pieces = {form[start : start + PIECE] for start in range(len(form) - PIECE + 1)}
    kept: list[str] = []
    position = end = 0
    for start in range(len(text) - PIECE + 1):
        if text[start : start + PIECE] in pieces:
            if start > end or not kept:
                kept += [text[position:start], HIDDEN]
            position = end = start + PIECE
    return "".join(kept) + text[position:]
