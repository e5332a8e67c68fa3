"""Updates the text of manifests to the live values, and leaves everything else in it unchanged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webchat_sync.check.manifest_schema import manifest_schema
from webchat_sync.check.variables import Variables, guarded
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Diagnostic, InputError, Place
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import brief
from webchat_sync.manifest.files import read_source
from webchat_sync.manifest.overlay import CHANNELS, Layered, channels_of, lay_over
from webchat_sync.manifest.place_edits import Edit, Left, place_edits
from webchat_sync.manifest.write import lines_or_reason
from webchat_sync.model import Json
from webchat_sync.yaml12.document import Document, Source

if TYPE_CHECKING:
    from webchat_sync.yaml12.lost_comments import Comment
    from webchat_sync.yaml12.pairing import Habits

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BY_HAND: Final = "Edit the file yourself; `plan` shows the values."


@frozen
class Edited:
    """A file with its new bytes, and a note for every changed value that other places shared."""

    source: Source
    data: bytes
    notes: tuple[Diagnostic, ...]


@frozen
class Files:
    """The files of a run, overlays in order; ``organization`` applies to documents that name none."""

    manifests: Sequence[Source]
    overlays: Sequence[Source] = ()
    organization: str | None = None


def read_files(manifests: Iterable[Path], overlays: Iterable[Path], organization: str | None) -> Files:
    """The current files; one that can no longer be read is omitted, and :func:`edit` reports it."""
    below, above = (
        [source for source in map(read_source, paths) if not isinstance(source, Diagnostic)]
        for paths in (manifests, overlays)
    )
    return Files(below, above, organization)


@frozen
class Rewritten:
    """The files that change, and the fields that no file can take."""

    edited: tuple[Edited, ...]
    left: tuple[Left, ...]


def refusals(fields: Mapping[str, Json], *, catalogue: Catalogue) -> dict[str, str]:
    """Why values can't be declared, by field name; fields with valid values are omitted."""
    known = manifest_schema(catalogue).channel.known
    reasons = {name: lines_or_reason(name, value, known.get(name))[1] for name, value in fields.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def edit(files: Files, edits: Sequence[Edit], *, environ: Mapping[str, str]) -> Rewritten:
    """``files``, manifests without problems, after ``edits``. Raises InputError if one can't be edited in place.

    :func:`~webchat_sync.manifest.place_edits.place_edits` chooses the file for every value. Comments, order, quotes,
    anchors and variables that still apply are kept. The values of other channels, of ``defaults`` and of anchors
    outside channels never change: a value from there is written into the channel. Line endings and the byte order mark
    are kept, too.
    """
    variables = guarded(environ)
    before = _read(files, variables)
    by_place = {edit.place: edit for edit in edits}
    declared = {place for document in before.laid for place in _channel_places(document)}
    if missing := [place.file for place in by_place if place not in declared]:
        raise InputError([Diagnostic(f"{missing[0]} has changed since it was read", hint="Run adopt again.")])
    placed = place_edits(before.laid, by_place, files.organization)
    edited = [
        _edited(source, [placed.targets.get(id(document), document.value) for document in documents], variables)
        for source, documents in before.documents
        if any(id(document) in placed.targets for document in documents)
    ]
    _check(before, _read(_renewed(files, edited), variables), by_place, placed.left)
    notes = [
        replace(text, notes=(*(note for note in placed.notes if _is_in(note, text.source)), *text.notes))
        for text in edited
    ]
    return Rewritten(tuple(notes), tuple(placed.left))


def rewritten(
    source: Source, values: Sequence[Json], variables: Variables, habits: Habits
) -> tuple[bytes, tuple[Diagnostic, ...]] | None:
    """``source`` with its documents changed to ``values``, and notes; None if it can't be edited in place."""
    ended = source
    if not source.data.endswith((b"\n", b"\r")):
        # A block of text at the end of a file only ends with a line break if the file does.
        ended = Source.of(source.name, source.data + (b"\r\n" if b"\r\n" in source.data else b"\n"))
    for candidate in (source, ended) if ended is not source else (source,):
        if (result := _rewritten(candidate, values, variables, habits)) is not None:
            return result
    # What follows a block of text, such as a line of spaces, may become a part of it.
    return _rewritten(ended, values, variables, replace(habits, on_one_line=True))


def _rewritten(
    source: Source, values: Sequence[Json], variables: Variables, habits: Habits
) -> tuple[bytes, tuple[Diagnostic, ...]] | None:
    from webchat_sync.manifest.read import read_documents
    from webchat_sync.yaml12.layout import lay_out, text_of
    from webchat_sync.yaml12.lost_comments import lost_comments
    from webchat_sync.yaml12.pairing import same
    from webchat_sync.yaml12.rewrite import rewrite

    roots = [root for root in lay_out(source, variables) if root.value is not None]
    if len(roots) != len(values):
        return None
    as_json = source.name.endswith(".json")
    targets = list(zip(roots, values, strict=True))
    text, notes = rewrite(text_of(source), targets, as_json=as_json, habits=habits)
    data = (BYTE_ORDER_MARK if source.data.startswith(BYTE_ORDER_MARK) else b"") + text.encode()
    documents, problems = read_documents(Source.of(source.name, data), variables)
    if problems or not same([document.value for document in documents], list(values)):
        return None
    warnings = [Diagnostic(note.message, note.place, note.path, severity="warning") for note in notes]
    new_roots = [root for root in lay_out(Source.of(source.name, data), variables) if root.value is not None]
    lost = lost_comments(text_of(source), roots, text, new_roots)
    return data, (*warnings, *(_lost(source.name, comment) for comment in lost))


def _lost(file: str, comment: Comment) -> Diagnostic:
    message = f"this comment would be removed together with its value: {brief(comment.text)}"
    hint = "If it's still true, move it elsewhere."
    return Diagnostic(message, Place(file, comment.line, comment.column), hint=hint, severity="warning")


def _edited(source: Source, values: Sequence[Json], variables: Variables) -> Edited:
    from webchat_sync.yaml12.pairing import Habits

    result = rewritten(source, values, variables, Habits(fixed_lists=[(CHANNELS,)], last_key="sync"))
    if result is None:
        raise InputError([Diagnostic(f"{source.name} can't be edited in place", hint=_BY_HAND)])
    return Edited(source, *result)


@frozen
class _Reading:
    """The documents of every file, and those of the manifests with their overlays applied."""

    documents: Sequence[tuple[Source, list[Document]]]
    laid: Sequence[Layered]
    problems: Sequence[Diagnostic]


def _read(files: Files, variables: Variables) -> _Reading:
    from webchat_sync.manifest.read import read_documents

    read: list[tuple[Source, list[Document]]] = []
    problems: list[Diagnostic] = []
    for source in (*files.manifests, *files.overlays):
        documents, wrong = read_documents(source, variables)
        read.append((source, documents))
        problems += wrong
    count = len(files.manifests)
    below, above = (
        [document for _, documents in part for document in documents] for part in (read[:count], read[count:])
    )
    laid, wrong = lay_over(below, above, organization=files.organization)
    return _Reading(read, [] if problems else laid, [*problems, *wrong])


def _renewed(files: Files, edited: Sequence[Edited]) -> Files:
    new = {text.source.name: Source.of(text.source.name, text.data) for text in edited}

    def renewed(sources: Sequence[Source]) -> list[Source]:
        return [new.get(source.name, source) for source in sources]

    return Files(renewed(files.manifests), renewed(files.overlays), files.organization)


def _check(before: _Reading, after: _Reading, edits: Mapping[Place, Edit], left: Sequence[Left]) -> None:
    """Raise InputError unless the files together have the new values, and all other channels their old ones."""
    from webchat_sync.yaml12.pairing import same

    missed = {(entry.place, entry.field) for entry in left}
    for document, new in zip(before.laid, after.laid, strict=False):
        places = list(_channel_places(document))
        now, then = channels_of(new.value), channels_of(document.value)
        expected = [_expected(channel, edits.get(place), missed) for channel, place in zip(then, places, strict=True)]
        if not same([_stripped(channel) for channel in now], [_stripped(channel) for channel in expected]):
            raise InputError([Diagnostic(f"{places[0].file} can't be edited in place", hint=_BY_HAND)])
    if after.problems or len(before.laid) != len(after.laid):
        raise InputError([*after.problems] or [Diagnostic("the files can't be edited in place", hint=_BY_HAND)])


def _expected(channel: Json, edit: Edit | None, missed: Collection[tuple[Place, str]]) -> Json:
    if edit is None or not isinstance(channel, dict):
        return channel
    fields = {name: value for name, value in edit.fields.items() if (edit.place, name) not in missed}
    if edit.pin is None or (edit.place, "sync.id") in missed:
        return {**channel, **fields}
    sync = channel.get("sync")
    return {**channel, **fields, "sync": {**(sync if isinstance(sync, dict) else {}), "id": edit.pin}}


def _stripped(channel: Json) -> Json:
    """The channel without nulls inside its values, where null equals a missing key."""
    if not isinstance(channel, dict):
        return channel
    return {name: _without_nulls(value) for name, value in channel.items()}


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_nulls(entry) for key, entry in value.items() if entry is not None}
    return value


def _channel_places(document: Layered) -> Iterator[Place]:
    return (document.place((CHANNELS, index)) for index in range(len(channels_of(document.value))))


def _is_in(note: Diagnostic, source: Source) -> bool:
    return note.place is not None and note.place.file == source.name
