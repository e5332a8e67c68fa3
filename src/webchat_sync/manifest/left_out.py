"""Keeps prune from deleting channels because only some files of a folder or repository were given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webchat_sync.check.variables import guarded
from webchat_sync.domain.names import stored_form
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import show
from webchat_sync.manifest.files import manifests_below, manifests_beside, show_path
from webchat_sync.manifest.overlay import organization_of
from webchat_sync.manifest.texts import as_written, texts_of
from webchat_sync.sentences import in_a_row
from webchat_sync.yaml12.interpolation import names_in

if TYPE_CHECKING:
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.manifest.load import Loaded
    from webchat_sync.model import Manifest
    from webchat_sync.yaml12.document import Document


def refuse_left_out(
    loaded: Loaded,
    paths: Sequence[Path],
    *,
    catalogue: Catalogue,
    environ: Mapping[str, str],
    organization: str | None = None,
    overlays: Sequence[Path] = (),
) -> None:
    """Raise InputError for channels that ``prune: true`` would delete and files next to those in ``paths`` declare.

    The arguments are those of :func:`~webchat_sync.manifest.load.load_manifests`, and ``loaded`` is its result.
    """
    pruned = {manifest.organization: manifest for manifest in loaded.manifests if manifest.prune is True}
    neighbours = manifests_beside(paths, [*loaded.files, *overlays]) if pruned else []
    if not neighbours:
        return
    from webchat_sync.manifest.read import Reader

    texts, problems = texts_of(catalogue), list[Diagnostic]()
    for document in Reader(guarded(environ)).read(neighbours):
        written = as_written(document, texts)
        manifest = pruned.get(organization_of(written) or organization or "")
        if manifest is None or not isinstance(written.value, dict) or "version" not in written.value:
            continue
        if missing := _missing(written, manifest):
            problems.append(_would_delete(written, missing, manifest))
    if problems:
        raise InputError(problems)


@frozen
class Mention:
    """The channels of ``organization`` that ``file`` declares: all ids and names by which they may be live.

    Without ``names``, the file can't be read. ``varies``: a variable or an option says which organisation it's for,
    which may be unknown here and is empty then.
    """

    file: Path
    organization: str = ""
    names: frozenset[str] | None = None
    varies: bool = False


def mentions_below(
    tops: Sequence[Path],
    given: Sequence[Path],
    *,
    catalogue: Catalogue,
    environ: Mapping[str, str],
    organization: str | None = None,
) -> list[Mention]:
    """What the manifests in the folders ``tops`` and below declare, but for the files and folders ``given``."""
    from webchat_sync.manifest.read import Reader

    reader, texts, mentions = Reader(guarded(environ)), texts_of(catalogue), list[Mention]()
    for file in manifests_below(tops, given):
        documents = reader.read([file])
        mentions += [] if documents else [Mention(file)]
        for document in (as_written(document, texts) for document in documents):
            named = organization_of(document) or organization or ""
            varies = not organization_of(document) or any(names_in(document.written(("organization",))))
            known = "" if any(names_in(named)) else named  # a variable that isn't set here
            mentions.append(Mention(file, known, _identified(document), varies))
    return mentions


def _would_delete(written: Document, missing: Sequence[tuple[int, str]], manifest: Manifest) -> Diagnostic:
    index, named = missing[0][0], in_a_row([show(name) for _, name in missing], most=1)
    parent = Path(written.source.name).parent
    folder = "the current directory" if parent == Path() else f"the folder {show_path(parent)}"
    return Diagnostic(
        f"`settings.prune` is on and this file isn't included, so {named} would be deleted",
        written.place(("channels", index)),
        hint=f"Use {folder}, or all files of organisation {show(manifest.organization)}.",
        code="left-out",
    )


def _identified(document: Document) -> frozenset[str]:
    """The names and ids by which the channels of ``document`` may be live: former names, too."""
    names_and_ids: set[str] = set()
    for _, channel in _channels(document):
        sync = channel.get("sync")
        block = sync if isinstance(sync, dict) else {}
        values = (channel.get("name"), block.get("renamedFrom"), block.get("id"))
        names_and_ids |= {stored_form(value) for value in values if isinstance(value, str)}
    return frozenset(names_and_ids)


def _missing(document: Document, manifest: Manifest) -> list[tuple[int, str]]:
    """The channels of ``document``, by index and name, that ``manifest`` doesn't declare."""
    names = {stored_form(declaration.name) for declaration in manifest.declarations}
    names |= {declaration.id for declaration in manifest.declarations if declaration.id is not None}
    named = [(index, channel.get("name")) for index, channel in _channels(document)]
    return [(index, name) for index, name in named if isinstance(name, str) and stored_form(name) not in names]


def _channels(document: Document) -> Iterator[tuple[int, dict[str, Any]]]:
    """The channels of ``document`` as written, by index."""
    channels = document.value.get("channels") if isinstance(document.value, dict) else None
    for index, channel in enumerate(channels if isinstance(channels, list) else ()):
        if isinstance(channel, dict):
            yield index, channel
