"""The canonical layout of manifests and overlays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import yaml

from webchat_sync.check.variables import Variables
from webchat_sync.domain.catalogue import Catalogue, load_schema
from webchat_sync.errors import Diagnostic, Place
from webchat_sync.errors import Path as Steps
from webchat_sync.flat import json_text
from webchat_sync.jsonvalue import Json
from webchat_sync.manifest.adopt import BYTE_ORDER_MARK, Edited
from webchat_sync.manifest.declare import mapping_problem
from webchat_sync.manifest.files import read_source
from webchat_sync.manifest.load import by_place
from webchat_sync.manifest.overlay import CHANNELS
from webchat_sync.manifest.read import Reader, read_documents
from webchat_sync.yaml12 import stream
from webchat_sync.yaml12.composer import compose
from webchat_sync.yaml12.document import Source
from webchat_sync.yaml12.interpolation import MARK
from webchat_sync.yaml12.layout import lay_out, text_of
from webchat_sync.yaml12.lost_comments import lost_comments
from webchat_sync.yaml12.pairing import same
from webchat_sync.yaml12.pieces import CannotLayOutError
from webchat_sync.yaml12.policy import WITHOUT_VARIABLES
from webchat_sync.yaml12.reformat import Order, Orders, reformat
from webchat_sync.yaml12.scalars import TEXT_TAGS

_PLAIN: Final = Order()
_HINT: Final = "Format it by hand, or exclude it."


class _Ones(Mapping[str, str]):
    """Pretends that every variable is set to a number, so that quoted and unquoted ones differ."""

    def __getitem__(self, name: str) -> str:
        return "1"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_TYPED: Final = Variables(_Ones(), ("*",))


def canonical(source: Source, catalogue: Catalogue) -> bytes | list[Diagnostic]:
    """``source`` in the canonical layout, or the problems that prevent it.

    The values stay the same for any variables: both versions are read and compared. Comments are kept.
    """
    if problems := _certain(source, read_documents(source, _TYPED)[1]):
        return problems
    text = text_of(source)
    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        if source.name.endswith(".json"):
            new = _as_json(source, _orders(catalogue)).replace("\n", newline)
        else:
            new = reformat(text, lay_out(source, None), _orders(catalogue), newline=newline)
    except CannotLayOutError as error:
        return [_cannot(source, "this key has an anchor or its own comment", _place_of(source, text, error.start))]
    data = (BYTE_ORDER_MARK if source.data.startswith(BYTE_ORDER_MARK) else b"") + new.encode()
    laid_out = Source.of(source.name, data)
    if not _same(source, laid_out):
        return [_cannot(source, "the result would have different values")]
    if lost_comments(text, lay_out(source, None), new, lay_out(laid_out, None)):
        return [_cannot(source, "a comment would be lost")]
    return data


def as_formatted(edited: Edited, catalogue: Catalogue) -> Edited:
    """``edited`` in the canonical layout if the file was in it before, so that a check of the layout still succeeds."""
    if canonical(edited.source, catalogue) != edited.source.data:
        return edited
    data = canonical(Source.of(edited.source.name, edited.data), catalogue)
    return replace(edited, data=data) if isinstance(data, bytes) else edited


def lay_out_files(
    files: Iterable[Path], catalogue: Catalogue
) -> tuple[list[tuple[Path, Source, bytes]], list[Diagnostic]]:
    """The ``files`` that the canonical layout changes, with their new bytes, and every problem by place."""
    reader = Reader(_TYPED)
    changed: list[tuple[Path, Source, bytes]] = []
    unlaid: list[Diagnostic] = []
    for file in files:
        known = len(reader.problems)
        reader.problems += filter(None, map(mapping_problem, reader.read([file])))
        source = read_source(file)
        if isinstance(source, Diagnostic):
            continue
        reader.problems[known:] = _certain(source, reader.problems[known:])
        if len(reader.problems) > known:
            continue
        laid = canonical(source, catalogue)
        if isinstance(laid, list):
            unlaid += laid
        elif laid != source.data:
            changed.append((file, source, laid))
    return changed, sorted([*reader.problems, *unlaid], key=by_place)


def _cannot(source: Source, why: str, place: Place | None = None) -> Diagnostic:
    message = f"can't format this file: {why}"
    return Diagnostic(message, place or Place(source.name, 1, 1), hint=_HINT, code="layout")


def _place_of(source: Source, text: str, start: int) -> Place:
    """The place of ``start`` in ``text``; only bytes are split where YAML breaks lines."""
    lines = f"{text[:start]}x".encode().splitlines()
    return Place(source.name, len(lines), len(lines[-1].decode()))


def _orders(catalogue: Catalogue) -> Orders:
    """The key order of the schema; in a channel, the catalogue's order between the name and ``sync``."""
    schema = load_schema("manifest")
    inside = {name: Order(tuple(schema["$defs"][name]["properties"])) for name in ("sync", "identitySecret")}
    settings = Order(tuple(schema["properties"]["settings"]["properties"]))
    root = Order(("$schema", *(name for name in schema["properties"] if name != CHANNELS)), (CHANNELS,))
    channel = Order(("name", *catalogue.declarable), ("sync",))

    def order(path: Steps) -> Order:
        match path:
            case ():
                return root
            case ("settings",):
                return settings
            case ("defaults",) | ("channels", int()):
                return channel
            case ("channels", int(), "sync"):
                return inside["sync"]
            case ("channels", int(), "sync", "identitySecret"):
                return inside["identitySecret"]
            case _:
                return _PLAIN

    return order


def _same(one: Source, other: Source) -> bool:
    """Whether both have the same values, with variables as written and with variables replaced."""
    readings = [
        [document.value for document in compose(source, WITHOUT_VARIABLES).documents] for source in (one, other)
    ]
    typed = [read_documents(source, _TYPED) for source in (one, other)]
    values = [[document.value for document in documents] for documents, _ in typed]
    converted = [sorted(_typed_variables(source).values()) for source in (one, other)]
    return same(*readings) and same(*values) and same(*converted) and not _certain(other, typed[1][1])


def _certain(source: Source, problems: list[Diagnostic]) -> list[Diagnostic]:
    """``problems`` without those of a tag that only fits some values of a variable."""
    if not any(problem.code == "tag" for problem in problems):
        return problems
    places = _typed_variables(source)
    return [problem for problem in problems if problem.place not in places]


def _typed_variables(source: Source) -> dict[Place, str]:
    """The texts with variables that a tag turns into something else, by their places."""
    found: dict[Place, str] = {}
    if b"!" not in source.data or MARK.encode() not in source.data:
        return found
    next_event = stream.event_source(source, stream.FASTEST_PARSER)
    with suppress(yaml.YAMLError):
        while type(event := next_event()) is not stream.STREAM_END:
            if type(event) is stream.SCALAR and event.tag not in (None, *TEXT_TAGS) and MARK in event.value:
                found[source.place(stream.position_of(event))] = event.value
    return found


def _as_json(source: Source, orders: Orders) -> str:
    values = [document.value for document in compose(source, WITHOUT_VARIABLES).documents]
    return "---\n".join(f"{json_text(_ordered(value, (), orders))}\n" for value in values)


def _ordered(value: Json, path: Steps, orders: Orders) -> Json:
    if isinstance(value, list):
        return [_ordered(item, (*path, index), orders) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    order = orders(path)
    first = [name for name in order.first if name in value]
    last = [name for name in order.last if name in value]
    names = [*first, *(name for name in value if name not in (*first, *last)), *last]
    return {name: _ordered(value[name], (*path, name), orders) for name in names}
