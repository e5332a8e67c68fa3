"""From files to manifests: every file is read, and all their problems are reported at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webchat_sync.check.manifest_schema import manifest_schema
from webchat_sync.check.parts import Part
from webchat_sync.check.rules import conflicts
from webchat_sync.check.secrets import in_use
from webchat_sync.check.variables import ALLOW_ENV, Variables, guarded
from webchat_sync.environment import API_KEY_VARIABLE
from webchat_sync.errors import Diagnostic, InputError, Place
from webchat_sync.frozen import frozen
from webchat_sync.leaks import printable_line, redact_text
from webchat_sync.manifest.declare import declare, extra_fields
from webchat_sync.manifest.files import OVERLAY, find_files, read_source, show_path
from webchat_sync.manifest.overlay import lay_over, organization_of
from webchat_sync.manifest.shared_sinks import shared_sinks
from webchat_sync.manifest.texts import as_written, numbers, texts_of
from webchat_sync.model import Json, Manifest
from webchat_sync.readings import recognizer
from webchat_sync.redact import forms_of
from webchat_sync.yaml12.interpolation import names_in

if TYPE_CHECKING:
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.manifest.overlay import Layered
    from webchat_sync.yaml12.document import Source


LONGEST_LINE: Final = 10_000
"""The maximum length of a line to show with a problem."""

FOREIGN_KEY: Final = "this variable can't be used as an API key"
FOREIGN_KEY_HINT: Final = (
    f"Use a name that begins with `{API_KEY_VARIABLE}`, or have the operator allow it: `--allow-env NAME` or "
    f"{ALLOW_ENV}."
)
"""Without the variable's name, which may itself come from a variable."""

_HIDING: Final = frozenset(("encoding", "secret"))
"""Codes of problems whose lines aren't shown."""


@frozen
class Loaded:
    """What the files declare, one manifest per organisation; ``problems`` are warnings, unless errors were requested.

    ``limited``: the files also declare other organisations.
    """

    manifests: tuple[Manifest, ...]
    problems: tuple[Diagnostic, ...]
    files: tuple[Path, ...]
    limited: bool = False


def load_manifests(
    paths: Sequence[Path],
    *,
    catalogue: Catalogue,
    environ: Mapping[str, str],
    organization: str | None = None,
    overlays: Sequence[Path] = (),
    policies: bool = True,
    despite_errors: bool = False,
    written: Mapping[Path, bytes] | None = None,
) -> Loaded:
    """The manifests in ``paths``, files or folders; see :func:`~webchat_sync.manifest.files.find_files`.

    The documents of one organisation form one manifest, with declarations in the order of the files' paths.
    ``overlays`` are applied in order; see :mod:`webchat_sync.manifest.overlay`. Variables are taken from ``environ``;
    ``organization`` is for documents that name none. Without ``policies``, the ones in the settings aren't read.
    ``written`` are files as they will be, which are read instead of what is there now; the others are new manifests.

    Raises InputError with all problems of all files, sorted by place, if one of them is an error; with
    ``despite_errors``, only if a file contains a secret that's in use. Invalid values are then omitted, as in
    :func:`declare`.
    """
    from webchat_sync.manifest.read import Reader

    files, unreadable = find_files(paths, overlays)
    files += sorted((written or {}).keys() - {*files, *overlays}, key=show_path)
    variables = guarded(environ)
    reader = Reader(variables, written)
    texts = texts_of(catalogue)
    below = [as_written(document, texts) for document in reader.read(files)]
    above = [as_written(document, texts) for document in reader.read(overlays, OVERLAY)]
    documents, misplaced = lay_over(below, above, organization=organization)
    parts, wrong = _declare(documents, catalogue, organization)
    wrong += misplaced
    wrong += _foreign_keys(parts, variables)
    secrets = variables.secrets_in_use(part.api_key_env for part in parts if part.api_key_env is not None)
    forms = forms_of(secrets)
    remembered = variables.recognizer(part.ledger for part in parts if part.ledger is not None)
    recognized = recognizer(secrets, forms)
    exposed = [problem for document in (*below, *above) for problem in in_use(document, forms, recognized, remembered)]
    by_organization: defaultdict[str, list[Part]] = defaultdict(list)
    for part in parts:
        by_organization[part.organization or organization or ""].append(part)
    wrong += _nameless(by_organization.get("", ()))
    for owner, together in by_organization.items():
        wrong += conflicts(together)
        if policies and any(part.policies for part in together):
            from webchat_sync.manifest.policies import policy_findings

            wrong += policy_findings(together, owner, catalogue.fields)
    wrong += shared_sinks(parts)
    wrong += chain.from_iterable(map(numbers, (*below, *above)))
    holds_secret = _either(lambda text: any(form in text for form in forms), recognized, remembered)
    lines = _Lines(reader.sources, holds_secret)
    problems = _tidy([*unreadable, *reader.problems, *exposed], wrong, lines, forms)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors and not (despite_errors and _HIDING.isdisjoint(problem.code for problem in errors)):
        raise InputError(problems)
    manifests = tuple(_manifest(owner, together, reader.sources) for owner, together in by_organization.items())
    return Loaded(manifests, problems, tuple(files))


def with_lines(problems: Iterable[Diagnostic], paths: Sequence[Path]) -> list[Diagnostic]:
    """``problems`` about the manifests in ``paths``, with the lines at their places if they have none yet.

    The manifests were loaded before, so they contain no secret that's in use.
    """
    sources: dict[str, Source] = {}
    if any(problem.place and problem.line is None for problem in problems):
        from webchat_sync.manifest.read import may_quote

        read = map(read_source, find_files(paths)[0])
        sources = {
            source.name: source for source in read if not isinstance(source, Diagnostic) and may_quote(source, [])
        }
    lines = _Lines(sources)
    return [_finished(problem, lines) if problem.line is None else problem for problem in problems]


def _declare(
    documents: Sequence[Layered], catalogue: Catalogue, organization: str | None
) -> tuple[list[Part], list[Diagnostic]]:
    extra: defaultdict[str | None, dict[str, Mapping[str, Json]]] = defaultdict(dict)
    owners = [organization_of(document) or organization for document in documents]
    for owner, document in zip(owners, documents, strict=True):
        for name, entry in extra_fields(document).items():
            extra[owner][name] = extra[owner].get(name) or entry
    keys = {owner: json.dumps(extra[owner], sort_keys=True) for owner in owners}
    # Equal settings share one schema, which takes long to build.
    alike = {key: extra[owner] for owner, key in keys.items()}
    schemas = {key: manifest_schema(catalogue, fields) for key, fields in alike.items()}
    parts: list[Part] = []
    problems: list[Diagnostic] = []
    for owner, document in zip(owners, documents, strict=True):
        part, wrong = declare(document, schemas[keys[owner]])
        parts.append(part)
        problems += wrong
    return parts, problems


def _foreign_keys(parts: Iterable[Part], variables: Variables) -> Iterator[Diagnostic]:
    path = ("settings", "apiKeyEnv")
    for part in parts:
        if part.api_key_env is not None and not variables.may_hold_key(part.api_key_env):
            yield Diagnostic(
                FOREIGN_KEY,
                place=part.document.place(path),
                steps=part.document.steps(path),
                hint=FOREIGN_KEY_HINT,
                code="variable",
            )


def _nameless(parts: Iterable[Part]) -> Iterator[Diagnostic]:
    for part in parts:
        if isinstance(part.document.value, dict) and "organization" not in part.document.value:
            yield Diagnostic(
                "this manifest doesn't name an organisation",
                place=part.document.place(),
                hint="Add `organization:` to the file, use --org, or set MOSEND_ORG_ID.",
                code="no-organization",
            )


def _manifest(organization: str, parts: Sequence[Part], sources: Mapping[str, Source]) -> Manifest:
    keyed = next((part for part in parts if part.api_key_env is not None), None)
    place = next((part.document.place(("organization",)) for part in parts if part.organization), None)
    source = sources.get(place.file) if place else None
    # Of a copy: a source that's asked keeps its lines, and there may be thousands.
    written = replace(source).text_at(place) if source and place else ""
    return Manifest(
        organization,
        tuple(draft.declaration for part in parts for draft in part.drafts),
        prune=next((part.prune for part in parts if part.prune), False),
        learn=all(part.learn is not False for part in parts),
        api_key_env=keyed.api_key_env if keyed else None,
        api_key_place=keyed.document.place(("settings", "apiKeyEnv")) if keyed else None,
        organization_place=place,
        organization_variables=tuple(names_in(written.partition(" #")[0])),
        ledger=next((part.ledger for part in parts if part.ledger), None),
        memory=next((part.memory for part in parts if part.memory), None),
        field_entries={name: entry for part in parts for name, entry in part.field_entries.items()},
    )


def _either(*tests: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: any(test(text) for test in tests)


def _tidy(
    unread: Sequence[Diagnostic], wrong: Sequence[Diagnostic], lines: _Lines, forms: Collection[str]
) -> tuple[Diagnostic, ...]:
    """All problems by place, without repetition, with lines and without keys; ``forms`` are those of secrets in use.

    A value that couldn't be read only has one problem.
    """
    settled = {problem.place for problem in unread}
    problems = [*unread, *(problem for problem in wrong if problem.place not in settled)]
    unique = {(problem.place, problem.message): problem for problem in reversed(problems)}
    lines.hide(problem.place for problem in problems if problem.place and problem.code in _HIDING)
    return tuple(_finished(problem, lines, forms) for problem in sorted(unique.values(), key=by_place))


def by_place(problem: Diagnostic) -> tuple[Place, str]:
    """The sort key of a problem."""
    return problem.place or Place("", 0, 0), problem.message


def _finished(problem: Diagnostic, lines: _Lines, forms: Collection[str] = ()) -> Diagnostic:
    """``problem`` with its line, and with redacted texts."""
    message, hint = (_without(forms, redact_text(text)) for text in (problem.message, problem.hint))
    steps = tuple(_without(forms, redact_text(step)) if isinstance(step, str) else step for step in problem.steps)
    return replace(problem, message=message, steps=steps, hint=hint, line=lines.of(problem))


def _without(forms: Collection[str], text: str) -> str:
    for form in forms:
        text = text.replace(form, "***")
    return text


class _Lines:
    """The lines of ``sources`` that can be shown: not too long, and without anything that may be a secret."""

    def __init__(self, sources: Mapping[str, Source], holds_secret: Callable[[str], bool] = lambda _: False) -> None:
        self._sources = sources
        self._holds_secret = holds_secret
        self._known: dict[tuple[str, int], str] = {}

    def hide(self, places: Iterable[Place]) -> None:
        """Don't show the lines at ``places``."""
        self._known |= {(place.file, place.line): "" for place in places}

    def of(self, problem: Diagnostic) -> str:
        """The line of ``problem``; empty if it can't be shown."""
        if problem.place is None or problem.place.file not in self._sources:
            return ""
        at = (problem.place.file, problem.place.line)
        if at not in self._known:
            line = self._sources[problem.place.file].line(problem.place.line)
            shown = len(line) <= LONGEST_LINE and not self._holds_secret(line)
            self._known[at] = printable_line(line) if shown else ""
        return self._known[at]
