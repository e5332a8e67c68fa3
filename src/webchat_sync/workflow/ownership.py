"""Which of the remembered channels belong to the manifests of a run, and which may still belong to others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from webchat_sync.domain.names import stored_form
from webchat_sync.frozen import frozen
from webchat_sync.memory.clone import ManifestFiles
from webchat_sync.memory.document import Document
from webchat_sync.model import KnownChannel, OrganizationKey, manifests_of

if TYPE_CHECKING:
    from webchat_sync.manifest.left_out import Mention
    from webchat_sync.workflow.state import MemoryPlace

_UNKNOWN_FILE: Final = "it isn't known which file declared it"


@frozen
class Ownership:
    """Tells whether the manifests of a run may delete what they no longer declare.

    ``owner`` identifies whose manifests these are, empty if nobody's, and ``files`` are theirs. ``declared`` has the
    files of the declared channels, by organisation and by their names and ids; ``pruned`` are the organisations with
    ``prune: owned``. ``mentions`` returns what other files of the same repository declare.
    """

    owner: str = ""
    files: ManifestFiles | None = None
    declared: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pruned: frozenset[str] = frozenset()
    mentions: Callable[[], Sequence[Mention]] = tuple

    def kept(self, organization: str, document: Document) -> Iterator[tuple[str, str]]:
        """The ids of the channels that this owner declared and that the run mustn't delete, with the reasons."""
        is_responsible = self._responsibility(organization, document)
        declared = self.declared.get(organization, {})
        for channel_id, known in self._owned(organization, document):
            is_declared = channel_id not in declared and stored_form(known.name) in declared
            if reason := self._why_kept(known, is_responsible, is_declared=is_declared):
                yield channel_id, reason

    def elsewhere(self, documents: Mapping[OrganizationKey, Document]) -> Mapping[str, Mapping[str, str]]:
        """The files outside the run that declare channels, by organisation and by the names and ids of the channels.

        They're only read if the run might delete something.
        """
        files: dict[str, Mapping[str, str]] = {}
        for scope, document in documents.items():
            is_responsible = self._responsibility(scope.organization, document)
            declared = self.declared.get(scope.organization, {})
            if any(
                is_responsible(known.owners[self.owner])
                for channel_id, known in self._owned(scope.organization, document)
                if channel_id not in declared and stored_form(known.name) not in declared
            ):
                files[scope.organization] = self._mentioned(scope, documents)
        return files

    def released(
        self, scope: OrganizationKey, undeclared: Iterable[str], documents: Mapping[OrganizationKey, Document]
    ) -> Iterator[str]:
        """Those of the ``undeclared`` ids that this owner has dropped and others declare.

        None for a saved plan, since it's unknown which files it was made from.
        """
        document = documents.get(scope, Document())
        is_responsible = self._responsibility(scope.organization, document)
        for channel_id in undeclared if scope.organization in self.declared else ():
            known = document.channels.get(channel_id)
            owners = known.owners if known else {}
            is_shared = len(owners) > 1 and is_responsible(owners.get(self.owner, ""))
            if known and is_shared and self._is_unmentioned(channel_id, known, scope, documents):
                yield channel_id

    def moves(self, organization: str, document: Document) -> Mapping[str, str]:
        """The folders without manifests whose channels the run declares in another folder, with that folder."""
        moves: dict[str, str] = {}
        declared = self.declared.get(organization, {})
        for channel_id, known in document.channels.items() if declared else ():
            before = known.owners.get(self.owner, "")
            now = declared.get(channel_id) or declared.get(stored_form(known.name), "")
            if before and now and _folder(before) != _folder(now) and self._is_left(_folder(before)):
                moves[_folder(before)] = _folder(now)
        return moves

    def _is_left(self, folder: str) -> bool:
        return self.files is not None and self.files.is_without_manifests(folder)

    def _responsibility(self, organization: str, document: Document) -> Callable[[str], bool]:
        """A function that says whether the run reads a file, or the one that took its place."""
        if self.files is None:
            return lambda _: False
        moves, may_contain = cache(partial(self.moves, organization, document)), self.files.may_contain
        return cache(lambda file: bool(file) and (may_contain(file) or _folder(file) in moves()))

    def _owned(self, organization: str, document: Document) -> Iterator[tuple[str, KnownChannel]]:
        """The channels that this owner declared in an organisation where it deletes what it drops."""
        if self.owner and organization in self.pruned:
            for channel_id, known in document.channels.items():
                if self.owner in known.owners:
                    yield channel_id, known

    def _is_unmentioned(
        self,
        channel_id: str,
        known: KnownChannel,
        scope: OrganizationKey,
        documents: Mapping[OrganizationKey, Document],
    ) -> bool:
        return self._mentioned(scope, documents).keys().isdisjoint({channel_id, stored_form(known.name)})

    def _why_kept(self, known: KnownChannel, is_responsible: Callable[[str], bool], *, is_declared: bool) -> str:
        file = known.owners[self.owner]
        if not file:
            return _UNKNOWN_FILE
        if not is_responsible(file):
            if self.files and self.files.has(file):
                return f"its file {file} isn't part of this run"
            return f"its file {file} is gone, and this run doesn't include its folder: apply a folder that contained it"
        if others := [owner for owner in known.owners if owner != self.owner]:
            return f"{manifests_of(others)} declare it, too"
        if is_declared:
            return f'this run declares "{known.name}", its name at the last apply'
        if unread := [self._shown(mention) for mention in self.mentions() if mention.names is None]:
            return f"{unread[0]} can't be read, and may declare it"
        return ""

    def _mentioned(self, scope: OrganizationKey, documents: Mapping[OrganizationKey, Document]) -> Mapping[str, str]:
        """The files outside the run that declare channels of the organisation, by the channels' names and ids."""
        files: dict[str, str] = {}
        for mention in self.mentions():
            file = self._shown(mention)
            is_ours = mention.organization in {"", scope.organization}
            if is_ours and not (mention.varies and self._is_of_others(file, scope, documents)):
                files |= dict.fromkeys(mention.names or (), file)
        return files

    def _is_of_others(self, file: str, scope: OrganizationKey, documents: Mapping[OrganizationKey, Document]) -> bool:
        """Whether the file has only declared channels of other organisations: those of another environment."""
        scopes = {
            other
            for other, document in documents.items()
            if any(known.owners.get(self.owner) == file for known in document.channels.values())
        }
        return bool(scopes) and scope not in scopes

    def _shown(self, mention: Mention) -> str:
        return (self.files.name(str(mention.file)) if self.files else "") or str(mention.file)


def ownership_of(place: MemoryPlace, owner: str, environ: Mapping[str, str]) -> Ownership:
    """The ownership of a run of ``owner`` with the memory at ``place``."""
    files = ManifestFiles.of(place.paths, owner, environ)
    name = cache(files.name)
    declared = {
        manifest.organization: {
            stored_form(identity): name(declaration.place.file)
            for declaration in manifest.declarations
            for identity in (declaration.id, declaration.renamed_from, declaration.name)
            if identity is not None
        }
        for manifest in place.manifests
    }
    return Ownership(owner, files, declared, place.pruned, cache(lambda: place.mentions(files.tops)))


def _folder(file: str) -> str:
    return str(PurePosixPath(file).parent)
