"""What the documents of one organisation must not say together, whichever files they stand in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from webchat_sync.check.parts import Draft, Part
from webchat_sync.errors import Problem
from webchat_sync.model import Declaration
from webchat_sync.yaml12.describe import show


def conflicts(parts: Sequence[Part]) -> Iterator[Problem]:
    """Every conflict between ``parts``, all of one organisation, and a warning about each rename without effect.

    A pinned declaration means the live channel of its id, whatever the names; so those that pin different ids may
    have one name, as live channels may.
    """
    yield from _settings(parts)
    drafts = [draft for part in parts for draft in part.drafts]
    for first, again in _repeated(drafts, lambda each: each.id):
        message = f"this id is pinned already, at {first.place('sync', 'id')}"
        yield again.problem("duplicate-id", message, "sync", "id", hint="Remove one of the two declarations.")
    for first, again in _repeated(drafts, _name):
        message = f"this name is declared already, at {first.place('name')}"
        hint = "Remove one, or pin each to its own channel with `sync.id`."
        yield again.problem("duplicate-name", message, "name", hint=hint)
    for first, again in _repeated(drafts, _former_name):
        message = f"this channel is renamed already, at {first.place('sync', 'renamedFrom')}"
        yield again.problem("duplicate-rename", message, "sync", "renamedFrom", hint="Remove one of the two.")
    yield from _renames(drafts)


def _settings(parts: Sequence[Part]) -> Iterator[Problem]:
    yield from _setting(parts, "prune", lambda part: part.prune)
    yield from _setting(parts, "apiKeyEnv", lambda part: part.api_key_env)
    yield from _setting(parts, "ledger", lambda part: part.ledger)


def _setting(parts: Sequence[Part], name: str, value: Callable[[Part], bool | str | None]) -> Iterator[Problem]:
    path = ("settings", name)
    stated = [part for part in parts if value(part) is not None]
    for part in stated[1:]:
        if value(part) != value(stated[0]):
            yield Problem(
                f"this contradicts the {show(value(stated[0]))} at {stated[0].document.place(path)}",
                place=part.document.place(path),
                path=part.document.dotted(path),
                hint="All documents of an organisation share its settings. Keep one of the two.",
                code="contradiction",
            )


def _repeated(drafts: Sequence[Draft], claim: Callable[[Declaration], str | None]) -> Iterator[tuple[Draft, Draft]]:
    """The first draft with each claim beside each later one with it, unless different pins keep them apart."""
    groups: defaultdict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        claimed = claim(draft.declaration)
        if claimed is not None:
            groups[claimed].append(draft)
    for first, *others in groups.values():
        pins = {draft.declaration.id for draft in (first, *others)}
        if None in pins or len(pins) == 1:
            yield from ((first, other) for other in others)


def _renames(drafts: Sequence[Draft]) -> Iterator[Problem]:
    loose = [draft for draft in drafts if draft.declaration.id is None]
    by_name = {_name(draft.declaration): draft for draft in loose}
    for draft in loose:
        former = _former_name(draft.declaration)
        other = by_name.get(former or "")
        if other is draft:
            message = "this is the name that the channel has, so nothing is renamed"
            hint = "Write the name that it had before."
            warning = draft.problem("idle-rename", message, "sync", "renamedFrom", hint=hint)
            yield replace(warning, severity="warning")
        elif other:
            yield draft.problem(
                "rename-conflict",
                f"this is also the name of the channel declared at {other.place('name')}",
                "sync",
                "renamedFrom",
                hint="The live channel of this name stays with that one. Pin one of the two with `sync.id`.",
            )


def _name(declaration: Declaration) -> str:
    return declaration.name.strip()


def _former_name(declaration: Declaration) -> str | None:
    return None if declaration.absent or declaration.renamed_from is None else declaration.renamed_from.strip()
