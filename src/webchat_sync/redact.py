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

_FEW: Final = 20_000
"""The parts of about 40 secrets, which may take more memory, since they're found faster."""


class KeyRing:
    """The API keys and new secrets of a run, possibly thousands; quickly shows that a text contains none of them."""

    def __init__(self, keys: Iterable[Secret] = ()) -> None:
        self._keys: dict[Secret, None] = {}
        self._short: list[Secret] = []
        self._unread: list[Secret] = []
        # As hashes, since the pieces themselves would fill the memory; a collision only costs a closer look.
        self._few: set[int] = set()
        self._many: list[array[int]] = []
        for key in keys:
            self.add(key)

    def add(self, key: Secret) -> None:
        """Another one to look for from now on."""
        if key not in self._keys:
            self._keys[key] = None
            self._unread.append(key)
            if len(key.reveal()) < PIECE:
                self._short.append(key)

    def within(self, text: str) -> tuple[Secret, ...]:
        """The keys for :func:`redact` to look for in ``text``: usually none, since no part of one is in it."""
        if self._unread:
            self._read()
        # One at a time, since the text can be a long body.
        contains_part = (self._few and not self._few.isdisjoint(map(hash, _pieces(text)))) or (
            self._many and any(map(self._is_one_of_many, map(hash, _pieces(text))))
        )
        return tuple(self._keys if contains_part else self._short)

    def _read(self) -> None:
        for key in self._unread:
            self._few.update(hash(part) for form in _forms(key.reveal()) for part in _pieces(form))
        self._unread.clear()
        if len(self._few) < _FEW:
            return
        numbers, self._few = self._few, set()
        # Each array is longer than the next one, so there are few, and every number is rarely sorted again.
        while self._many and len(self._many[-1]) <= len(numbers):
            numbers.update(self._many.pop())
        self._many.append(array("q", sorted(numbers)))

    def _is_one_of_many(self, number: int) -> bool:
        for numbers in self._many:
            position = bisect_left(numbers, number)
            if position < len(numbers) and numbers[position] == number:
                return True
        return False


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
