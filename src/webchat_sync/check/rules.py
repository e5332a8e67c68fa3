"""Contradictions between the documents of one organisation, in any files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from webchat_sync.check.parts import Draft, Part
from webchat_sync.domain.names import has_invisible, is_blank, skeleton, stored_form
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import show
from webchat_sync.model import Declaration


def conflicts(parts: Sequence[Part]) -> Iterator[Diagnostic]:
    """Every conflict between ``parts``, all of one organisation, and a warning for every rename without effect.

    A pinned declaration means the live channel with its id, whatever the names, so declarations that pin different ids
    may share a name, as live channels may.
    """
    yield from _settings(parts)
    drafts = [draft for part in parts for draft in part.drafts]
    for first, again in _repeated(drafts, lambda declaration: declaration.id):
        message = f"this id is already pinned at {first.place('sync', 'id')}"
        yield again.problem("duplicate-id", message, "sync", "id", hint="Remove one of the two declarations.")
    for first, again in _repeated(drafts, _name):
        message = f"this name is already declared at {first.place('name')}"
        hint = "Remove one of them, or pin each to its own channel with `sync.id`."
        if first.place().file != again.place().file:
            hint += " If one of the files is an overlay, use it with `--overlay`."
        yield again.problem("duplicate-name", message, "name", hint=hint)
    for first, again in _repeated(drafts, _renamed_name):
        message = f"this channel is already renamed at {first.place('sync', 'renamedFrom')}"
        yield again.problem("duplicate-rename", message, "sync", "renamedFrom", hint="Remove one of them.")
    yield from _renames(drafts)
    yield from _lookalikes(drafts)


def _settings(parts: Sequence[Part]) -> Iterator[Diagnostic]:
    yield from _setting(parts, "prune", lambda part: part.prune)
    yield from _setting(parts, "learn", lambda part: part.learn)
    yield from _setting(parts, "apiKeyEnv", lambda part: part.api_key_env)
    yield from _setting(parts, "ledger", lambda part: part.ledger)
    yield from _setting(parts, "memory", lambda part: part.memory)
    yield from _two_memories(parts)
    yield from _entries(parts)


def _setting(parts: Sequence[Part], name: str, value: Callable[[Part], object]) -> Iterator[Diagnostic]:
    path: Path = ("settings", name)
    stated = [part for part in parts if value(part) is not None]
    for part in stated[1:]:
        if value(part) != value(stated[0]):
            place = stated[0].document.place(path)
            yield _contradiction(part, path, f"this contradicts {_quoted(value(stated[0]))} at {place}")


def _quoted(value: object) -> str:
    """A value of a setting, quoted for a message."""
    return f"`{show(value)}`" if isinstance(value, bool) else show(value) if isinstance(value, str) else "the setting"


def _two_memories(parts: Sequence[Part]) -> Iterator[Diagnostic]:
    """A ledger in addition to a memory on a remote: one would be read and the other written."""
    remote = next((part for part in parts if part.memory is not None), None)
    if remote is None:
        return
    for part in parts:
        if part.ledger is not None:
            place = remote.document.place(("settings", "memory"))
            message = f"this names a file, but `memory` at {place} keeps the ledger in Git"
            yield replace(_contradiction(part, ("settings", "ledger"), message), hint="Remove one of them.")


def _entries(parts: Sequence[Part]) -> Iterator[Diagnostic]:
    first: dict[str, Part] = {}
    for part in parts:
        for name, entry in part.field_entries.items():
            path: Path = ("settings", "extraFields", name)
            other = first.setdefault(name, part)
            if other.field_entries[name] != entry:
                yield _contradiction(part, path, f"this contradicts the entry at {other.document.place(path)}")


def _contradiction(part: Part, path: Path, message: str) -> Diagnostic:
    """What's wrong with the setting at ``path`` of ``part``."""
    hint = "All documents of an organisation share its settings. Keep one of the two."
    document = part.document
    return Diagnostic(message, document.place(path), document.steps(path), hint=hint, code="contradiction")


def _repeated(drafts: Sequence[Draft], claim: Callable[[Declaration], str | None]) -> Iterator[tuple[Draft, Draft]]:
    """The first draft with every claim and every later one with it, unless they pin different ids."""
    groups: defaultdict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        claimed = claim(draft.declaration)
        if claimed is not None:
            groups[claimed].append(draft)
    for first, *others in groups.values():
        pins = {draft.declaration.id for draft in (first, *others)}
        if None in pins or len(pins) == 1:
            yield from ((first, other) for other in others)


def _renames(drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    loose = [draft for draft in drafts if draft.declaration.id is None]
    by_name = {_name(draft.declaration): draft for draft in loose}
    for draft in loose:
        former = _former_name(draft.declaration)
        other = None if former is None else by_name.get(former)
        if other is draft:
            message = "the channel already has this name, so nothing is renamed"
            hint = "Write its former name."
            warning = draft.problem("idle-rename", message, "sync", "renamedFrom", hint=hint)
            yield replace(warning, severity="warning")
        elif other:
            yield draft.problem(
                "rename-conflict",
                f"this is also the name of the channel declared at {other.place('name')}",
                "sync",
                "renamedFrom",
                hint="The live channel with this name belongs to that declaration. Pin one of the two with `sync.id`.",
            )


def _name(declaration: Declaration) -> str:
    return stored_form(declaration.name)


def _former_name(declaration: Declaration) -> str | None:
    return None if declaration.absent or declaration.renamed_from is None else stored_form(declaration.renamed_from)


def _renamed_name(declaration: Declaration) -> str | None:
    """The former name, unless it's also the new one, so that nothing is renamed."""
    former = _former_name(declaration)
    return None if former == _name(declaration) else former


def _lookalikes(drafts: Sequence[Draft]) -> Iterator[Diagnostic]:
    """Two names that are easily confused, names without visible characters, and invisible characters in names."""
    for first, again in _repeated(drafts, lambda declaration: skeleton(declaration.name) or None):
        if _name(first.declaration) != _name(again.declaration):
            message = f"this name is easily confused with {show(first.declaration.name)} at {first.place('name')}"
            hint = "Give one of them a clearly different name, or pin each to its own channel with `sync.id`."
            yield again.problem("lookalike-name", message, "name", hint=hint)
    for draft in drafts:
        name = draft.declaration.name
        if name and is_blank(name):
            blank = draft.problem(
                "blank-name", "this name has no visible characters", "name", hint="Use a name with visible characters."
            )
            # A pinned channel already has its name; a create would make a channel that no one can name.
            yield replace(blank, severity="warning") if draft.declaration.id else blank
        elif has_invisible(name):
            warning = draft.problem(
                "invisible-name",
                f"this name contains an invisible character: {show(name)}",
                "name",
                hint="Type the name again, unless the live channel has exactly this name.",
            )
            yield replace(warning, severity="warning")
