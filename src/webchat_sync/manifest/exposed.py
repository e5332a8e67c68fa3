"""Finds the secrets in a document: keys and tokens known by their form, and random texts under telling names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from webchat_sync.errors import Problem
from webchat_sync.leaks import looks_random, names_secret
from webchat_sync.manifest.document import Document, Path, Step
from webchat_sync.manifest.leaks import IN_USE, SECRET, leak
from webchat_sync.model import Json
from webchat_sync.redact import PIECE


def exposed(document: Document) -> Iterator[Problem]:
    """A problem for each value and each key of ``document`` that looks like a secret."""
    for path, key, text, at_key in _texts(document.value):
        words = leak(text)
        if words is None and not at_key and names_secret(key) and looks_random(text):
            words = SECRET
        if words is not None:
            place = document.place(path, key=at_key)
            yield Problem(words.message, place, document.dotted(path), words.hint, code="secret")


def in_use(document: Document, forms: Collection[str], is_secret: Callable[[str], bool]) -> Iterator[Problem]:
    """A problem for each value and each key of ``document`` that holds one of ``forms``, those of secrets in use.

    ``is_secret`` tells whether a whole text is one.
    """
    for path, _, text, at_key in _texts(document.value):
        if any(form in text for form in forms) or (len(text) >= PIECE and is_secret(text)):
            place = document.place(path, key=at_key)
            yield Problem(IN_USE.message, place, document.dotted(path), IN_USE.hint, code="secret")


def _texts(value: Json) -> Iterator[tuple[Path, str, str, bool]]:
    """The path, the nearest key above it, the text, and whether it is a key, of every text and number in ``value``."""
    waiting: list[tuple[tuple[Step, ...], str, Json]] = [((), "", value)]
    while waiting:
        path, key, each = waiting.pop()
        if isinstance(each, str):
            yield path, key, each, False
        elif isinstance(each, int | float) and not isinstance(each, bool):
            yield path, key, str(each), False
        elif isinstance(each, dict):
            yield from (((*path, name), key, name, True) for name in each)
            waiting += [((*path, name), name, inner) for name, inner in each.items()]
        elif isinstance(each, list):
            waiting += [((*path, index), key, inner) for index, inner in enumerate(each)]
