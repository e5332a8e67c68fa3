"""Secrets in a manifest, where they don't belong: keys and tokens by their form, random texts by their key's name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Final

from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import texts_in
from webchat_sync.leaks import holds_key, holds_own_key, looks_random, may_hold_token, names_secret
from webchat_sync.model import Declaration, Json
from webchat_sync.redact import PIECE
from webchat_sync.yaml12.document import SEPARATOR, Document, Reading

_API_KEY: Final = Diagnostic(
    "this looks like an API key, which doesn't belong in a manifest",
    hint="If the file was shared, revoke the key. webchat-sync reads its key from MOSEND_API_KEY or a file.",
    code="secret",
)
_SECRET: Final = Diagnostic(
    "this looks like a secret, which doesn't belong in a manifest",
    hint="If the file was shared, replace the secret. Keep it out of the manifest and its variables.",
    code="secret",
)
_IN_USE: Final = Diagnostic(
    "this contains a key, token or secret that's in use, in plain text or encoded",
    hint="Remove it from the manifest and from the variables that the manifest reads.",
    code="secret",
)


def refuse_secret(text: str) -> Diagnostic | None:
    """The problem, without a place, with a text that contains a key or a token; None if it contains none."""
    if holds_own_key(text):
        return _API_KEY
    return _SECRET if holds_key(text) else None


def exposed(reading: Reading) -> Iterator[Diagnostic]:
    """A problem for every value and key in the documents of a file that looks like a secret."""
    named = any(map(names_secret, reading.keys))
    for document in reading.documents:
        if named or may_hold_token(document.texts):
            for path, at_key, problem in _secrets(document.value):
                yield problem.at(document.place(path, key=at_key), document.steps(path))


def holds_secret(name: str, value: Json) -> bool:
    """Whether ``value``, under the key ``name``, would be rejected in a manifest."""
    return any(_secrets({name: value}))


def in_use(
    document: Document,
    forms: Collection[str],
    recognized: Callable[[str], bool],
    remembered: Callable[[str], bool] = lambda _: False,
) -> Iterator[Diagnostic]:
    """A problem for every value and key of ``document`` that contains one of ``forms``, those of secrets in use.

    ``recognized`` tells whether a text contains one in another form, and ``remembered`` whether it contains one that's
    only known by its hash.
    """
    # Most documents contain none, which is fastest to see in all texts joined.
    together = document.texts
    forms = [form for form in forms if form in together]
    texts = together.split(SEPARATOR)
    if not forms and not recognized(together) and not any(len(text) >= PIECE and remembered(text) for text in texts):
        return
    for path, _, text, at_key in _texts(document.value):
        if any(form in text for form in forms) or (len(text) >= PIECE and (recognized(text) or remembered(text))):
            yield _IN_USE.at(document.place(path, key=at_key), document.steps(path))


def remembered_in(declaration: Declaration, remembered: Callable[[str], bool]) -> Iterator[Diagnostic]:
    """Like :func:`in_use`, for a declaration, once the memory has been read."""
    for name, value in declaration.fields.items():
        if any(len(text) >= PIECE and remembered(text) for text in texts_in({name: value})):
            place = declaration.field_places.get(name, declaration.place)
            yield replace(_IN_USE.at(place), line="")  # whose text would show it


def _secrets(value: Json) -> Iterator[tuple[Path, bool, Diagnostic]]:
    """The path of every text and key that looks like a secret, whether it's a key, and the problem."""
    for path, key, text, at_key in _texts(value):
        problem = refuse_secret(text)
        if problem is None and not at_key and names_secret(key) and looks_random(text):
            problem = _SECRET
        if problem is not None:
            yield path, at_key, problem


def _texts(value: Json) -> Iterator[tuple[Path, str, str, bool]]:
    """The path, the nearest key above it, the text, and whether it's a key, for every text and number in ``value``."""
    waiting: list[tuple[Path, str, Json]] = [((), "", value)]
    while waiting:
        path, key, inner = waiting.pop()
        if isinstance(inner, str):
            yield path, key, inner, False
        elif isinstance(inner, int | float) and not isinstance(inner, bool):
            yield path, key, str(inner), False
        elif isinstance(inner, dict):
            yield from (((*path, name), key, name, True) for name in inner)
            waiting += [((*path, name), name, entry) for name, entry in inner.items()]
        elif isinstance(inner, list):
            waiting += [((*path, index), key, item) for index, item in enumerate(inner)]
