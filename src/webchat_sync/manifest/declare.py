"""From a document to declarations: checks its structure and values, and merges its defaults."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import Final

from webchat_sync.check.advice import silent_week
from webchat_sync.check.manifest_schema import Entries, ManifestSchema
from webchat_sync.check.parts import Draft, Located, Part
from webchat_sync.check.schema import Check
from webchat_sync.errors import Diagnostic, Path, Place, Step
from webchat_sync.jsonvalue import kind, mapping
from webchat_sync.manifest.overlay import Layered, organization_of
from webchat_sync.model import Declaration, GitMemory, IdentitySecretDeclaration, Json

MOST_PROBLEMS: Final = 1000
"""The limit of problems to list for one document."""

_NONE: Final[frozenset[str]] = frozenset()
"""Shared by all channels, since every empty frozenset is a separate object."""

_KNOWN: Final = "It has its own rules for checking and comparing. Remove it from `settings.extraFields`."


@dataclass(frozen=True, slots=True, eq=False)
class _Places(Mapping[str, Place]):
    """The place of every field of one channel, computed on access, since most are never needed."""

    document: Layered
    path: Path
    fields: Mapping[str, Json]
    own: Container[str]

    def __getitem__(self, name: str) -> Place:
        if name not in self.fields:
            raise KeyError(name)
        return self.document.place((*self.path, name) if name in self.own else ("defaults", name))

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)


def extra_fields(document: Layered) -> dict[str, Mapping[str, Json]]:
    """The fields that a document adds because this release may not know them, with their catalogue entries.

    The entry is empty if the document has none, or an invalid one.
    """
    extra = mapping(mapping(document.value).get("settings")).get("extraFields")
    if isinstance(extra, dict):
        return {name: entry if isinstance(entry, dict) and _usable(entry) else {} for name, entry in extra.items()}
    return {name: {} for name in extra if isinstance(name, str)} if isinstance(extra, list) else {}


def _policies(named: Json) -> Iterator[tuple[Path, str]]:
    path: Path = ("settings", "policy")
    for steps, name in [(path, named)] if isinstance(named, str) else _numbered(path, named):
        if file := _path_text(name):
            yield steps, file


def _numbered(path: Path, values: Json) -> list[tuple[Path, Json]]:
    return [((*path, index), value) for index, value in enumerate(values if isinstance(values, list) else ())]


def _entry_findings(entry: Mapping[str, Json]) -> Iterator[Diagnostic]:
    from webchat_sync.check.field_entries import entry_findings

    return entry_findings(entry)


def _usable(entry: Mapping[str, Json]) -> bool:
    return next(_entry_findings(entry), None) is None


def mapping_problem(document: Layered) -> Diagnostic | None:
    """The problem with a document that can't be a manifest or an overlay, because it's not a mapping."""
    return None if isinstance(document.value, dict) else _no_mapping(document)


def _no_mapping(document: Layered) -> Diagnostic:
    message = f"expected a mapping that begins with `version: 1`, but this is {kind(document.value)}"
    return Diagnostic(message, document.place(), code="type")


def declare(document: Layered, schema: ManifestSchema) -> tuple[Part, list[Diagnostic]]:
    """The part of a manifest in ``document``, and everything that's wrong with the document by itself.

    Invalid values are omitted from the part: a channel without a usable name or id, a setting of the wrong type.
    """
    value = document.value
    if not isinstance(value, dict):
        return Part(document), [_no_mapping(document)]
    drafts = _drafts(document, value, schema.fields)
    settings = mapping(value.get("settings"))
    prune, learn, ledger = settings.get("prune"), settings.get("learn"), _path_text(settings.get("ledger"))
    part = Part(
        document,
        organization=organization_of(document),
        prune="owned" if prune == "owned" else prune if isinstance(prune, bool) else None,
        learn=learn if isinstance(learn, bool) else None,
        memory=_memory(settings.get("memory")),
        api_key_env=_text(settings.get("apiKeyEnv")),
        drafts=tuple(draft for draft in drafts if draft.declaration.name),
        ledger=(PurePath(document.place(("settings", "ledger")).file).parent / ledger).as_posix() if ledger else None,
        field_entries={name: entry for name, entry in extra_fields(document).items() if entry},
        policies=tuple(_policies(settings.get("policy"))),
    )
    problems = list(islice(_wrong(document, value, drafts, schema), MOST_PROBLEMS + 1))
    if len(problems) > MOST_PROBLEMS:
        # Errors and warnings have separate limits, so that warnings can't crowd out errors.
        errors = list(islice(_errors(document, value, drafts, schema.without_advice()), MOST_PROBLEMS))
        warnings = [problem for problem in problems[:MOST_PROBLEMS] if problem.severity == "warning"]
        message = f"this document has more than {MOST_PROBLEMS:,} problems, and not all of them are listed"
        note = Diagnostic(message, document.place(), severity="error" if errors else "warning", code="limit")
        problems = [*errors, *warnings, note]
    return part, problems


def _memory(setting: Json) -> GitMemory | None:
    """Where the manifest keeps the memory; None for a file, and for an invalid setting."""
    if setting == "git":
        return GitMemory()
    named = mapping(mapping(setting).get("git"))
    texts = {name: value for name in ("remote", "ref") if isinstance(value := named.get(name), str)}
    return GitMemory(**texts) if isinstance(setting, dict) and "git" in setting else None


def _errors(
    document: Layered, value: dict[str, Json], drafts: Iterable[Draft], schema: ManifestSchema
) -> Iterator[Diagnostic]:
    return (problem for problem in _wrong(document, value, drafts, schema) if problem.severity == "error")


def _wrong(
    document: Layered, value: dict[str, Json], drafts: Iterable[Draft], schema: ManifestSchema
) -> Iterator[Diagnostic]:
    yield from _problems(document, (), schema.frame, value)
    yield from _unneeded(document, value, schema)
    yield from _wrong_entries(document, value)
    yield from _problems(document, ("defaults",), schema.defaults, mapping(value.get("defaults")))
    for draft, channel in zip(drafts, _channels(value).values(), strict=True):
        yield from _problems(document, draft.path, schema.channel, channel)
        yield from _contradictions(draft, channel)
        if schema.channel.advise and not draft.declaration.absent:
            for warning in silent_week(draft.declaration.fields):
                yield _located(document, draft.path, warning)


def _unneeded(document: Layered, value: dict[str, Json], schema: ManifestSchema) -> Iterator[Diagnostic]:
    """Extra fields that this release knows, or that can't be declared."""
    extra = mapping(value.get("settings")).get("extraFields")
    entries = mapping(extra)
    named: Iterable[tuple[Step, Json]] = (
        enumerate(extra) if isinstance(extra, list) else zip(entries, entries, strict=True)
    )
    for step, name in named:
        path: Path = ("settings", "extraFields", step)
        if not isinstance(name, str):
            continue
        if name in schema.channel.refused:
            message, hint = schema.channel.refused[name]
            refused = Diagnostic(message, hint=hint, code="misplaced-key", at_key=name in entries)
            yield _located(document, path, refused)
        elif name in schema.channel.known and name not in schema.extra and (name == "sync" or not entries.get(name)):
            message = f"this release already knows `{name}`"
            warning = Diagnostic(message, hint=_KNOWN, severity="warning", code="known-field")
            yield _located(document, path, warning)


def _wrong_entries(document: Layered, value: dict[str, Json]) -> Iterator[Diagnostic]:
    """Problems with the catalogue entries in the document."""
    for name, entry in mapping(mapping(value.get("settings")).get("extraFields")).items():
        path = ("settings", "extraFields", name)
        if isinstance(entry, dict):
            for problem in _entry_findings(entry):
                yield _located(document, path, problem)
        else:
            hint = "Write `{}` to accept any value."
            wrong = Diagnostic(f"expected a mapping, but this is {kind(entry)}", hint=hint, code="type")
            yield _located(document, path, wrong)


def _drafts(document: Layered, value: dict[str, Json], declarable: Collection[str]) -> list[Draft]:
    defaults = mapping(value.get("defaults"))
    return [_draft(document, path, channel, defaults, declarable) for path, channel in _channels(value).items()]


def _draft(
    document: Layered,
    path: Path,
    channel: Mapping[str, Json],
    defaults: Mapping[str, Json],
    declarable: Collection[str],
) -> Draft:
    sync = mapping(channel.get("sync"))
    absent, pin = sync.get("state") == "absent", _text(sync.get("id"))
    written = {**defaults, **channel}
    fields = {name: written[name] for name in declarable if name in written}
    ignore = sync.get("ignore")
    declaration = Declaration(
        name=_text(channel.get("name")) or (pin if absent and pin else ""),
        fields=fields,
        place=document.place(path),
        field_places=_Places(document, path, fields, channel),
        id=pin,
        renamed_from=_text(sync.get("renamedFrom")),
        absent=absent,
        protect=sync.get("protect") is True,
        ignore=frozenset(name for name in ignore if isinstance(name, str)) if isinstance(ignore, list) else _NONE,
        identity_secret=_identity_secret(
            sync.get("identitySecret"), lambda steps: document.place((*path, "sync", "identitySecret", *steps))
        ),
    )
    return Draft(declaration, document, path)


def _identity_secret(value: Json, place: Callable[[Path], Place]) -> IdentitySecretDeclaration | None:
    if value is None:
        return None
    # The kinds of sinks take long to import, and most channels need none.
    from webchat_sync.manifest.identity_secret import identity_secret

    return identity_secret(value, place)


def _contradictions(draft: Draft, channel: Mapping[str, Json]) -> Iterator[Diagnostic]:
    """Problems that no schema can find: valid values that contradict each other."""
    declaration = draft.declaration
    if "name" not in channel and not declaration.name:
        hint = "Every channel needs a name, except one with `state: absent` and a `sync.id`."
        yield draft.problem("missing-key", "`name` is missing", hint=hint)
    if declaration.protect and declaration.absent:
        hint = "To delete the channel, remove `protect`. To keep it, remove `state: absent`."
        message = "a protected channel can't be absent"
        yield draft.problem("protected-absent", message, "sync", "protect", hint=hint)
    if declaration.identity_secret is None:
        return
    from webchat_sync.manifest.identity_secret import flaws

    for flaw in flaws(mapping(channel.get("sync")).get("identitySecret")):
        yield _located(draft.document, (*draft.path, "sync", "identitySecret"), flaw)


def _problems(document: Layered, base: Path, expected: Check | Entries, value: dict[str, Json]) -> Iterator[Diagnostic]:
    for problem in expected.problems(value, lambda path: document.written((*base, *path))):
        yield _located(document, base, problem)


def _located(document: Located, base: Path, problem: Diagnostic) -> Diagnostic:
    """``problem``, whose steps start at ``base``, at its place in the document."""
    path = (*base, *problem.steps)
    return problem.at(document.place(path, key=problem.at_key), document.steps(path))


def _channels(value: dict[str, Json]) -> dict[Path, dict[str, Json]]:
    channels = value.get("channels")
    listed = enumerate(channels) if isinstance(channels, list) else ()
    return {("channels", index): channel for index, channel in listed if isinstance(channel, dict)}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None


def _path_text(value: Json) -> str | None:
    return text if (text := _text(value)) and "\0" not in text else None
