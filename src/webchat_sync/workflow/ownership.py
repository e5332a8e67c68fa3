"""Which of the remembered channels belong to the manifests of a run, and which may still belong to others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import field
from functools import cache, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, TypeAlias

from webchat_sync.domain.names import stored_form
from webchat_sync.frozen import frozen
from webchat_sync.memory.document import Document
from webchat_sync.model import KnownChannel, OrganizationKey, manifests_in_words

if TYPE_CHECKING:
    from webchat_sync.manifest.left_out import Mention
    from webchat_sync.memory.clone import ManifestFiles
    from webchat_sync.workflow.state import MemoryPlace

_Recorded: TypeAlias = Mapping[OrganizationKey, Mapping[str, Set[str]]]
"""The names and ids of the channels that the files of an owner have declared, by organisation and file."""

_UNKNOWN_FILE: Final = "it isn't known which file declared it"


@frozen
class Ownership:
    """Tells whether the manifests of a run may delete what they no longer declare.

    ``owner`` identifies whose manifests these are, empty if nobody's, and ``files`` are theirs. ``declared`` has the
    files of the declared channels, by organisation and by their names and ids; ``pruned`` are the organisations with
    ``prune: owned``. ``mentions`` returns what other files of the same repository declare, by their names.
    """

    owner: str = ""
    files: ManifestFiles | None = None
    declared: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pruned: frozenset[str] = frozenset()
    mentions: Callable[[], Mapping[str, Sequence[Mention]]] = dict

    def kept(self, organization: str, document: Document) -> Iterator[tuple[str, str]]:
        """The ids of the channels that this owner declared and that the run mustn't delete, with the reasons."""
        is_responsible, unread = self._responsibility(organization, document), cache(self._unread)
        declared = self.declared.get(organization, {})
        for channel_id, known in self._owned(organization, document):
            is_declared = channel_id not in declared and stored_form(known.name) in declared
            if reason := self._why_kept(known, is_responsible, unread, is_declared=is_declared):
                yield channel_id, reason

    def elsewhere(self, documents: Mapping[OrganizationKey, Document]) -> Mapping[OrganizationKey, Mapping[str, str]]:
        """The files outside the run that declare channels, by the names and ids of the channels.

        They're only read if the run might delete something.
        """
        files: dict[OrganizationKey, Mapping[str, str]] = {}
        recorded = cache(partial(self._recorded, documents))
        for scope, document in documents.items():
            is_responsible = self._responsibility(scope.organization, document)
            declared = self.declared.get(scope.organization, {})
            if any(
                is_responsible(known.owners[self.owner])
                for channel_id, known in self._owned(scope.organization, document)
                if channel_id not in declared and stored_form(known.name) not in declared
            ):
                files[scope] = self._mentioned(scope, recorded())
        return files

    def released(
        self, scope: OrganizationKey, undeclared: Iterable[str], documents: Mapping[OrganizationKey, Document]
    ) -> Iterator[str]:
        """Those of the ``undeclared`` ids that this owner has dropped and others declare.

        None for a saved plan, since it's unknown which files it was made from.
        """
        document = documents.get(scope, Document())
        is_responsible = self._responsibility(scope.organization, document)
        mentioned = cache(lambda: self._mentioned(scope, self._recorded(documents)))
        for channel_id in undeclared if scope.organization in self.declared else ():
            known = document.channels.get(channel_id)
            owners = known.owners if known else {}
            is_shared = len(owners) > 1 and is_responsible(owners.get(self.owner, ""))
            if known and is_shared and mentioned().keys().isdisjoint((channel_id, stored_form(known.name))):
                yield channel_id

    def moves(self, organization: str, document: Document) -> Mapping[str, str]:
        """The folders without manifests whose channels the run declares in another folder, with that folder."""
        moves: dict[str, str] = {}
        declared, is_left = self.declared.get(organization, {}), cache(self._is_left)
        for channel_id, known in document.channels.items() if declared else ():
            before = known.owners.get(self.owner, "")
            now = declared.get(channel_id) or declared.get(stored_form(known.name), "")
            if before and now and _folder(before) != _folder(now) and is_left(_folder(before)):
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

    def _why_kept(
        self,
        known: KnownChannel,
        is_responsible: Callable[[str], bool],
        unread: Callable[[], str],
        *,
        is_declared: bool,
    ) -> str:
        file = known.owners[self.owner]
        if not file:
            return _UNKNOWN_FILE
        if not is_responsible(file):
            if self.files and self.files.has(file):
                return f"its file {file} isn't part of this run"
            return f"its file {file} is gone, and this run doesn't include its folder: apply a folder that contained it"
        if others := [owner for owner in known.owners if owner != self.owner]:
            return f"{manifests_in_words(others)} declare it, too"
        if is_declared:
            return f'this run declares "{known.name}", its name at the last apply'
        return f"{unread()} can't be read, and may declare it" if unread() else ""

    def _unread(self) -> str:
        """The first file that can't be read; empty if there's none."""
        unread = (file for file, mentions in self.mentions().items() if None in {mention.names for mention in mentions})
        return next(unread, "")

    def _mentioned(self, scope: OrganizationKey, recorded: _Recorded) -> Mapping[str, str]:
        """The files outside the run that declare channels of the organisation, by the channels' names and ids."""
        files: dict[str, str] = {}
        for file, mentions in self.mentions().items():
            # A file that has declared nothing here may be another environment's. What it has declared there is that
            # one's, too; anything else may just have moved into it, and be meant for here.
            foreign = _declared_elsewhere(file, scope, recorded)
            for mention in mentions:
                if mention.organization in {"", scope.organization}:
                    names = (mention.names or frozenset()) - (foreign if mention.varies else frozenset())
                    files |= dict.fromkeys(names, file)
        return files

    def _recorded(self, documents: Mapping[OrganizationKey, Document]) -> _Recorded:
        recorded: dict[OrganizationKey, dict[str, set[str]]] = {}
        for scope, document in documents.items():
            files = recorded.setdefault(scope, {})
            for channel_id, known in document.channels.items():
                if self.owner in known.owners:
                    files.setdefault(known.owners[self.owner], set()).update((channel_id, stored_form(known.name)))
        return recorded


def _declared_elsewhere(file: str, scope: OrganizationKey, recorded: _Recorded) -> frozenset[str]:
    """The channels that ``file`` has declared in other organisations, if it has declared none in this one."""
    if file in recorded.get(scope, {}):
        return frozenset()
    return frozenset[str]().union(*(files.get(file, ()) for files in recorded.values()))


def ownership_of(place: MemoryPlace, owner: str, environ: Mapping[str, str]) -> Ownership:
    """The ownership of a run of ``owner`` with the memory at ``place``."""
    from webchat_sync.memory.clone import ManifestFiles

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

    @cache
    def mentions() -> Mapping[str, Sequence[Mention]]:
        by_file: dict[str, list[Mention]] = {}
        for mention in place.mentions(files.tops):
            by_file.setdefault(name(str(mention.file)) or str(mention.file), []).append(mention)
        return by_file

    return Ownership(owner, files, declared, place.pruned, mentions)


def _folder(file: str) -> str:
    return str(PurePosixPath(file).parent)
