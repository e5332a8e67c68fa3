"""Loads manifests from texts, and shortens their problems."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from planning import catalogue
from webchat_sync.check.variables import Variables
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.manifest import Loaded, load_manifests
from webchat_sync.manifest.read import read_documents
from webchat_sync.model import Declaration, Json
from webchat_sync.yaml12.composer import compose
from webchat_sync.yaml12.document import Source
from webchat_sync.yaml12.stream import FASTEST_PARSER, Parser

HEAD = "version: 1\norganization: acme\n"


def load(
    folder: Path,
    *texts: str | bytes,
    environ: Mapping[str, str] | None = None,
    fields: Catalogue | None = None,
    organization: str | None = None,
) -> Loaded:
    """What ``texts`` declare, written to the files ``1.yaml``, ``2.yaml`` and so on in ``folder``."""
    for number, text in enumerate(texts, 1):
        (folder / f"{number}.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    return load_manifests([folder], catalogue=fields or catalogue(), environ=environ or {}, organization=organization)


def declared(folder: Path, text: str, **environ: str) -> tuple[Declaration, ...]:
    """The declarations in one manifest of the organisation ``acme``."""
    return load(folder, HEAD + text, environ=environ).manifests[0].declarations


def problems(
    folder: Path, *texts: str | bytes, environ: Mapping[str, str] | None = None, organization: str | None = None
) -> list[Diagnostic]:
    """The problems of ``texts``, which must have at least one."""
    try:
        load(folder, *texts, environ=environ, organization=organization)
    except InputError as error:
        return list(error.problems)
    raise AssertionError("this manifest has no problem")


def short(problem: Diagnostic) -> str:
    """``1.yaml:3:11 channels[0].name`` for a problem."""
    place = problem.place
    return f"{Path(place.file).name}:{place.line}:{place.column} {problem.path}" if place else problem.path


def said(folder: Path, text: str, **environ: str) -> list[str]:
    """``line:column path: message | hint`` for each problem of a manifest, after its two header lines."""
    found = problems(folder, HEAD + text, environ=environ)
    return [
        f"{each.place.line - 2}:{each.place.column} {each.path}: {each.message} | {each.hint}"
        for each in found
        if each.place
    ]


def values(text: str | bytes, *, name: str = "x.yaml", parser: Parser = FASTEST_PARSER) -> list[Json]:
    """The values of the documents in ``text``, which must have no problems."""
    reading = compose(Source.of(name, text.encode() if isinstance(text, str) else text), parser=parser)
    assert not reading.problems, reading.problems
    return [document.value for document in reading.documents]


def flaws(text: str | bytes, *, parser: Parser = FASTEST_PARSER) -> list[str]:
    """``line:column path: message`` for each problem of ``text`` as YAML."""
    source = Source.of("x.yaml", text.encode() if isinstance(text, str) else text)
    _, wrong = read_documents(source, Variables.of({}), parser)
    return [f"{each.place.line}:{each.place.column} {each.path}: {each.message}" for each in wrong if each.place]
