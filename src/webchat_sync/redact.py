"""Removes secrets from text: as they are, in common encodings, and in parts."""

from __future__ import annotations

import json
from array import array
from base64 import b64encode, urlsafe_b64encode
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, quote_plus

from webchat_sync.model import Secret

HIDDEN: Final = "***"

PIECE: Final = 8
"""The length, in characters, from which a part of a secret is redacted; shorter parts occur in ordinary words."""


FEW: Final = 20
"""The number of keys that are searched for one by one, even in nested encodings."""


class KeyRing:
    """The API keys of a run, possibly thousands; quickly shows that a text contains none of them."""

    def __init__(self, keys: Iterable[Secret] = ()) -> None:
        self._keys = tuple(dict.fromkeys(keys))
        self._short = tuple(key for key in self._keys if len(key.reveal()) < PIECE)
        self._pieces = array("q")

    def within(self, text: str) -> tuple[Secret, ...]:
        """The keys for :func:`redact` to look for in ``text``: usually none, since no part of one is in it."""
        few = len(self._keys) <= FEW
        return self._keys if few or any(map(self._has, _pieces(text))) else self._short

    def _has(self, piece: str) -> bool:
        if not self._pieces:
            # As hashes, since the pieces themselves would fill the memory; a collision only costs a closer look.
            forms = (form for key in self._keys for form in _forms(key.reveal()))
            self._pieces.extend(sorted({hash(part) for form in forms for part in _pieces(form)}))
        number = hash(piece)
        position = bisect_left(self._pieces, number)
        return position < len(self._pieces) and self._pieces[position] == number


NO_KEYS: Final = KeyRing()


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` with ``***`` for every secret in it, and for every part of one that's long enough to matter.

    It recognises a secret and its forms in JSON, URLs, hexadecimal, and base64 at any offset.
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
            # The first and last characters also encode the surroundings, so they don't belong to the secret.
            encoded = encode(bytes(shift) + data).decode().rstrip("=")
            encodings.append(encoded[(0, 2, 3)[shift] : len(encoded) - 1])
    # The encodings of a very short secret are single letters and pairs of digits.
    yield from dict.fromkeys([*forms, *(encoding for encoding in encodings if len(encoding) >= PIECE)])


def _without(text: str, form: str) -> str:
    if len(form) < PIECE:
        return text.replace(form, HIDDEN) if form else text
    pieces = set(_pieces(form))
    kept: list[str] = []
    position = end = 0
    for start in range(len(text) - PIECE + 1):
        if text[start : start + PIECE] in pieces:
            if start > end or not kept:
                kept += [text[position:start], HIDDEN]
            position = end = start + PIECE
    return "".join(kept) + text[position:]


def _pieces(text: str) -> Iterator[str]:
    """Every part of ``text`` that's long enough to matter."""
    return (text[start : start + PIECE] for start in range(len(text) - PIECE + 1))
