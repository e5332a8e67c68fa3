"""Updates the text of manifests to the live values, and leaves everything else in it as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from webchat_sync.check.manifest_schema import manifest_schema
from webchat_sync.check.variables import guarded
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Diagnostic, Path, Place
from webchat_sync.jsonvalue import brief
from webchat_sync.manifest.write import lines_or_reason
from webchat_sync.model import Json
from webchat_sync.yaml12.document import Source

if TYPE_CHECKING:
    from webchat_sync.yaml12.layout import Node
    from webchat_sync.yaml12.lost_comments import Comment

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to change in the channel declared at ``place``: the values of fields, and the id to pin if any."""

    place: Place
    fields: Mapping[str, Json]
    pin: str | None


@dataclass(frozen=True, slots=True)
class Edited:
    """A file with its new bytes, and a note about every value that stood for more than one place."""

    source: Source
    data: bytes
    notes: tuple[Diagnostic, ...]


def refusals(fields: Mapping[str, Json], *, catalogue: Catalogue) -> dict[str, str]:
    """Why values cannot be declared, by the names of the fields; fields whose values can be are not in it."""
    known = manifest_schema(catalogue).channel.known
    reasons = {name: lines_or_reason(name, value, known.get(name))[1] for name, value in fields.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def edit(source: Source, edits: Sequence[Edit], *, environ: Mapping[str, str]) -> Edited | Diagnostic:
    """``source``, a manifest without problems, with ``edits`` made; a problem when it cannot be edited in place.

    Comments, order, quotes, anchors and the variables that still hold stay. The values of other channels, of
    ``defaults`` and of anchors outside of channels never change: a value that came from there is written into the
    channel. The line endings and the byte order mark stay too.
    """
    from webchat_sync.manifest.read import read_documents
    from webchat_sync.yaml12.layout import lay_out, text_of
    from webchat_sync.yaml12.lost_comments import lost_comments
    from webchat_sync.yaml12.pairing import Habits, same
    from webchat_sync.yaml12.rewrite import rewrite

    variables = guarded(environ)
    by_place = {edit.place: edit for edit in edits}
    _, problems = read_documents(source, variables)
    laid_out = [] if problems else lay_out(source, variables)
    if not {place for root in laid_out for place in _channel_places(root)}.issuperset(by_place):
        return Diagnostic(f"{source.name} has changed since it was read", hint="Run adopt again.")
    roots: list[tuple[Node, Json]] = []
    notes: list[Diagnostic] = []
    for root in laid_out:
        places = _channel_places(root)
        roots.append((root, _target(root.value, places, by_place)))
        notes += _from_defaults(root.value, places, by_place)
    habits = Habits(fixed_lists=[("channels",)], last_key="sync")
    text, rewritten = rewrite(text_of(source), roots, as_json=source.name.endswith(".json"), habits=habits)
    data = (_BYTE_ORDER_MARK if source.data.startswith(_BYTE_ORDER_MARK) else b"") + text.encode()
    documents, problems = read_documents(Source.of(source.name, data), variables)
    values = [value for _, value in roots if value is not None]
    if problems or not same([document.value for document in documents], values):
        hint = "Write the values into it by hand; `plan` shows them."
        return Diagnostic(f"{source.name} cannot be edited in place", hint=hint)
    notes += [_note(note.message, note.place, note.path) for note in rewritten]
    lost = lost_comments(text_of(source), laid_out, text, lay_out(Source.of(source.name, data), variables))
    notes += [_lost(comment, Place(source.name, comment.line, comment.column)) for comment in lost]
    return Edited(source, data, tuple(notes))


def _target(value: Json, places: Sequence[Place], edits: Mapping[Place, Edit]) -> Json:
    """The value of a document after ``edits``; ``places`` are those of its channels."""
    if not isinstance(value, dict) or not any(place in edits for place in places):
        return value
    channels = [
        _edited(channel, edits[place]) if place in edits and isinstance(channel, dict) else channel
        for channel, place in zip(_channels(value), places, strict=True)
    ]
    return {**value, "channels": channels}


def _edited(channel: dict[str, Json], edit: Edit) -> dict[str, Json]:
    if edit.pin is None:
        return {**channel, **edit.fields}
    from webchat_sync.yaml12.emit import Inline

    sync = channel.get("sync")
    return {**channel, **edit.fields, "sync": Inline({**(sync if isinstance(sync, dict) else {}), "id": edit.pin})}


def _from_defaults(value: Json, places: Sequence[Place], edits: Mapping[Place, Edit]) -> Iterator[Diagnostic]:
    for index, (channel, place) in enumerate(zip(_channels(value), places, strict=True)):
        own = channel if isinstance(channel, dict) else {}
        for name in edits[place].fields if place in edits else ():
            if name not in own:
                message = "the value in `defaults` stays, and the live one now stands in the channel itself"
                yield _note(message, place, ("channels", index, name))


def _note(message: str, place: Place, path: Path) -> Diagnostic:
    return Diagnostic(message, place=place, steps=path, severity="warning")


def _lost(comment: Comment, place: Place) -> Diagnostic:
    message = f"this comment goes with what it is about: {brief(comment.text)}"
    return Diagnostic(message, place=place, hint="Write it elsewhere if it is still true.", severity="warning")


def _channels(value: Json) -> list[Json]:
    channels = value.get("channels") if isinstance(value, dict) else None
    return channels if isinstance(channels, list) else []


def _channel_places(root: Node) -> list[Place]:
    channels = next((entry.value for entry in root.entries if entry.key == "channels"), None)
    while channels is not None and channels.meant is not None:
        channels = channels.meant
    return [(entry.value.meant or entry.value).place for entry in channels.entries] if channels is not None else []
