"""Readers of documents that someone else may have written, for fuzzers and their seeds: one function per kind.

The first byte of an input selects the reader, the rest is the document. Any document is either read, or raises one of
our errors, which can be rendered.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

import httpx

from webchat_sync.api.answers import channel_page
from webchat_sync.api.exchange import Call, read_answer
from webchat_sync.domain.catalogue import load_schema
from webchat_sync.errors import Diagnostic, InputError, WebchatSyncError
from webchat_sync.memory.document import parse_document
from webchat_sync.memory.file import FileMemory
from webchat_sync.model import ChannelKey, Json
from webchat_sync.planfile.desired import desired_manifests
from webchat_sync.planfile.digest import document_digest
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.snapshot import read_snapshot
from webchat_sync.render.formats import FORMATS
from webchat_sync.render.problems.text import render_error
from webchat_sync.render.text import render_plan
from webchat_sync.secrets.ledger import recognizer
from webchat_sync.strict_json import load_json

load_schema("plan")
_FOLDER: Final = Path(tempfile.mkdtemp(prefix="webchat-sync-documents-"))


def answer(data: bytes) -> None:
    """A page of channels in the API's response."""
    call = Call("GET", "/organizations/acme/web-chat/channels")
    channel_page(read_answer(call, httpx.Response(200), data, attempts=1), organization="acme")


def plan(data: bytes) -> None:
    """A saved plan with the right digest, in every format, and its desired manifests."""
    text = data.decode("utf-8", "replace")
    with suppress(ValueError):
        document = load_json(text)
        text = json.dumps({**document, "digest": document_digest(document)}) if isinstance(document, dict) else text
    saved = read_plan(text)
    desired_manifests(saved)
    render_plan(saved, color=False, width=80, verbose=True)
    for render in FORMATS.values():
        render(saved)


def snapshot(data: bytes) -> None:
    """A snapshot of live channels."""
    read_snapshot(data.decode("utf-8", "replace"))


def ledger(data: bytes) -> None:
    """A ledger, the times in it, and whether a text contains a secret that it has a hash of."""
    path = _FOLDER / "ledger.json"
    path.write_bytes(data)
    for document in FileMemory(path).read().values():
        for entry in document.rotations.values():
            entry.at.isoformat()
            recognizer({ChannelKey("", "", ""): entry})(_RANDOM)


_RANDOM: Final = "rVnL0FIEWgpbsO8j2Ks8DqF-bjVqT2Kxkn4OEJ1fRus"


def memory(data: bytes) -> None:
    """The memory on a ref of a Git remote, read and written again."""
    try:
        document = parse_document(load_json(data, unique_keys=True))
    except ValueError as error:
        raise InputError([Diagnostic(str(error))]) from None
    assert parse_document(document.as_json()) == document
    for entry in document.rotations.values():
        recognizer({ChannelKey("", "", ""): entry})(_RANDOM)


READERS: Final[tuple[Callable[[bytes], None], ...]] = (answer, plan, snapshot, ledger, memory)


def read_input(data: bytes) -> None:
    """Read one document; our errors are rendered, others are raised."""
    try:
        READERS[((data[:1] or b"0")[0] - ord("0")) % len(READERS)](data[1:])
    except WebchatSyncError as error:
        render_error(error)


ODDITIES: Final[list[Json]] = [
    *(None, True, False, 0, -1, 1.5, 10**299, "", "x", "\ud800", "\u202e", "::add-mask::x", "\x1b[2J", "1.0", "never"),
    *("2026-01-01T00:00:00+00:00", "2026-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    *("mk_live_abcdefgh.ijklmnop", "../../../etc/passwd", "a" * 300),
    [],
    {},
    [[None]],
    [{"a": 1}],
    {"": ""},
    {"a": None},
]


def bent(document: Json, random: Random) -> Json:
    """``document`` with something odd in it: a replaced value, or a missing, additional or renamed key."""
    if isinstance(document, dict) and document and random.random() < 0.95:
        key = random.choice(list(document))
        rest = {name: value for name, value in document.items() if name != key}
        match random.randrange(12):
            case 0:
                return rest
            case 1:
                return {**document, random.choice(["", "\n", "a.b", key + "x"]): random.choice(ODDITIES)}
            case 2:
                return {**rest, key: random.choice(list(document.values()))}
        return {**document, key: bent(document[key], random)}
    if isinstance(document, list) and document and random.random() < 0.95:
        at = random.randrange(len(document))
        match random.randrange(8):
            case 0:
                return document[:at] + document[at + 1 :]
            case 1:
                return [*document, document[at]]
        return [*document[:at], bent(document[at], random), *document[at + 1 :]]
    return random.choice(ODDITIES)
