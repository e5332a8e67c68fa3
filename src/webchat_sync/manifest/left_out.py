"""Warns if prune would delete channels because only some files of a folder were given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from webchat_sync.check.variables import guarded
from webchat_sync.domain.names import stored_form
from webchat_sync.errors import Diagnostic
from webchat_sync.jsonvalue import show
from webchat_sync.manifest.files import manifests_beside, show_path
from webchat_sync.manifest.overlay import organization_of
from webchat_sync.manifest.texts import as_written, texts_of
from webchat_sync.sentences import in_a_row

if TYPE_CHECKING:
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.manifest.load import Loaded
    from webchat_sync.model import Manifest
    from webchat_sync.yaml12.document import Document


def left_out(
    loaded: Loaded,
    paths: Sequence[Path],
    *,
    catalogue: Catalogue,
    environ: Mapping[str, str],
    organization: str | None = None,
    overlays: Sequence[Path] = (),
) -> Iterator[Diagnostic]:
    """The channels that files next to those in ``paths`` declare for an organisation whose undeclared channels go.

    The arguments are those of :func:`~webchat_sync.manifest.load.load_manifests`, and ``loaded`` is its result.
    """
    pruned = {manifest.organization: manifest for manifest in loaded.manifests if manifest.prune}
    neighbours = manifests_beside(paths, [*loaded.files, *overlays]) if pruned else []
    if not neighbours:
        return
    from webchat_sync.manifest.read import Reader

    texts = texts_of(catalogue)
    for document in Reader(guarded(environ)).read(neighbours):
        written = as_written(document, texts)
        manifest = pruned.get(organization_of(written) or organization or "")
        if manifest is None or not isinstance(written.value, dict) or "version" not in written.value:
            continue
        missing = _missing(written, manifest)
        if missing:
            index, named = missing[0][0], in_a_row([show(name) for _, name in missing], most=1)
            parent = Path(written.source.name).parent
            folder = "the current directory" if parent == Path() else f"the folder {show_path(parent)}"
            yield Diagnostic(
                f"`settings.prune` is on and this file isn't included, so {named} would be deleted",
                written.place(("channels", index)),
                hint=f"Use {folder}, or all files of organisation {show(manifest.organization)}.",
                code="left-out",
            )


def _missing(document: Document, manifest: Manifest) -> list[tuple[int, str]]:
    """The channels of ``document``, by index and name, that ``manifest`` doesn't declare."""
    names = {stored_form(declaration.name) for declaration in manifest.declarations}
    names |= {declaration.id for declaration in manifest.declarations if declaration.id is not None}
    channels = document.value.get("channels") if isinstance(document.value, dict) else None
    listed = enumerate(channels) if isinstance(channels, list) else ()
    named = [(index, channel.get("name")) for index, channel in listed if isinstance(channel, dict)]
    return [(index, name) for index, name in named if isinstance(name, str) and stored_form(name) not in names]
