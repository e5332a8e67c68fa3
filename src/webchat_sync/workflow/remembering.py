"""The memory of one run: read once, written through, updated before and after the calls of an apply."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Final

from anyio import CapacityLimiter

from webchat_sync.apply.run_log import ChannelRun, runs_by_organization
from webchat_sync.memory.document import Document
from webchat_sync.memory.opened import OpenMemory
from webchat_sync.memory.ports import Edit, Note
from webchat_sync.model import (
    ChannelKey,
    Create,
    CreateChannel,
    Delete,
    DoubtfulCreate,
    KnownChannel,
    Ledger,
    LedgerEntry,
    OrganizationKey,
    OrganizationPlan,
    PatchChannel,
    Plan,
    Remembered,
    SecretOperation,
    SecretState,
    Update,
)
from webchat_sync.plan.unfinished import CUT_OFF
from webchat_sync.sentences import counted
from webchat_sync.workflow.memory_edits import begun, ended, with_rotation
from webchat_sync.workflow.ownership import Ownership

_MESSAGES: Final[Mapping[SecretState, str]] = {
    "intended": "About to create an identity secret",
    "delivered": "Delivered an identity secret",
    "undelivered": "Created an identity secret that wasn't delivered",
    "adopted": "Adopted an identity secret",
    "vouched": "Adopted an identity secret as delivered",
    "revoked": "Revoked an identity secret",
}

_VERBS: Final = {"created": Create, "updated": Update, "deleted": Delete}

_Adoptions = Mapping[ChannelKey, LedgerEntry]


class _Rotations(Mapping[ChannelKey, LedgerEntry]):
    """The rotations in all documents; finding one takes no longer if there are thousands."""

    def __init__(self, documents: Mapping[OrganizationKey, Document]) -> None:
        self._documents = documents

    def __getitem__(self, key: ChannelKey) -> LedgerEntry:
        return self._documents[key.of_organization].rotations[key.channel_id]

    def __iter__(self) -> Iterator[ChannelKey]:
        documents = self._documents.items()
        return (ChannelKey(*scope, known) for scope, document in documents for known in document.rotations)

    def __len__(self) -> int:
        return sum(len(document.rotations) for document in self._documents.values())


@dataclass(slots=True)
class RunMemory:
    """The memory of one run against the server ``base_url``; only this run writes it while it holds the lock.

    ``ownership`` says whose manifests these are; ``run`` is the run's URL or machine.
    ``blocking``: a write may take long, so it happens in a thread. ``why_no_owner``: why nothing owned is deleted.
    """

    opened: OpenMemory
    base_url: str
    ownership: Ownership = field(default_factory=Ownership)
    run: str = ""
    blocking: bool = False
    why_no_owner: str = ""
    documents: dict[OrganizationKey, Document] = field(default_factory=dict)
    _attempts: dict[tuple[str, str], str] = field(default_factory=dict)
    _one_at_a_time: CapacityLimiter = field(default_factory=partial(CapacityLimiter, 1))

    def may_write(self) -> bool:
        """Whether this run still holds the lock."""
        return self.opened.lock.still_held()

    def read(self) -> Remembered:
        """Everything remembered. Raises InputError and MemoryUnavailableError."""
        self.documents = dict(self.opened.memory.read())
        return self.remembered

    @property
    def remembered(self) -> Remembered:
        """Everything remembered, as last read or written."""
        return Remembered(
            self.ledger(),
            {scope: document.channels for scope, document in self.documents.items()},
            {scope: tuple(document.creates.values()) for scope, document in self.documents.items()},
            self.ownership.owner,
            {scope: dict(self.ownership.kept(scope.organization, known)) for scope, known in self.documents.items()},
            self.ownership.elsewhere(self.documents),
        )

    def ledger(self) -> Ledger:
        """The remembered rotations."""
        return _Rotations(dict(self.documents))

    def flaw(self) -> str:
        """Why it can't be written; empty if it can."""
        return self.opened.memory.flaw()

    async def record(self, key: ChannelKey, entry: LedgerEntry | None, *, name: str) -> None:
        """Remember the last rotation of the channel ``name``, or forget it. Raises MemoryUnavailableError."""
        note = Note(_MESSAGES[entry.state] if entry else "Didn't create an identity secret", (name,))
        edit = partial(with_rotation, channel_id=key.channel_id, entry=entry)
        await self.write({key.of_organization: edit}, note)

    async def write(
        self, edits: Mapping[OrganizationKey, Edit], note: Note, logged: Collection[OrganizationKey] = ()
    ) -> None:
        """Apply ``edits`` to the memory; ``logged`` is as for :class:`Memory`. Raises MemoryUnavailableError."""
        unchanged = (edit(before := self.documents.get(scope, Document())) == before for scope, edit in edits.items())
        if not logged and all(unchanged):
            return
        if self.blocking:
            from anyio import to_thread

            # A write that was started is awaited, since the run must know whether it took effect.
            write = partial(self.opened.memory.write, edits, note, logged=logged)
            written = await to_thread.run_sync(write, limiter=self._one_at_a_time)
        else:
            written = self.opened.memory.write(edits, note, logged=logged)
        self.documents |= written

    async def begin(self, plan: Plan, adoptions: _Adoptions, new_id: Callable[[], str], now: datetime) -> None:
        """Record what the next run must know if this one is cut off: creates and adopted secrets."""
        edits: dict[OrganizationKey, Edit] = {}
        creating: list[str] = []
        for planned in plan.organizations:
            names = [change.address for change in planned.active_changes if isinstance(change, Create)]
            creates = {new_id(): DoubtfulCreate(name, now, self.run) for name in names}
            self._attempts |= {(planned.organization, create.name): attempt for attempt, create in creates.items()}
            creating += names
            edits[self._scope(planned)] = partial(
                begun, creates=creates, adoptions=_of(planned, self.base_url, adoptions)
            )
        adopted = [entry.name for entry in adoptions.values()]
        parts = [
            f"about to create {_counted(creating, 'channel')}" if creating else "",
            f"adopted {_counted(adopted, 'identity secret')}" if adopted else "",
        ]
        sentence = "; ".join(filter(None, parts))
        await self.write(edits, Note(_capitalized(sentence), tuple(dict.fromkeys([*creating, *adopted]))))

    async def end(
        self, plan: Plan, runs: Sequence[ChannelRun], now: datetime, listed: Callable[[str, str], bool]
    ) -> None:
        """Record the outcome: what was changed, the channels that are live and declared, the creates still in doubt.

        ``listed`` says whether the channel that the run created in an organisation with a name has been listed.
        """
        edits: dict[OrganizationKey, Edit] = {}
        by_organization = runs_by_organization(runs)
        for planned in plan.organizations:
            of_plan = by_organization.get(planned.organization, [])
            settled = [self._attempts[run.organization, run.change.address] for run in of_plan if _is_settled(run)]
            edits[self._scope(planned)] = partial(
                ended,
                settled=settled,
                gone=[run.change.channel_id for run in of_plan if isinstance(run.change, Delete) and _is_done(run)],
                live=dict(self._declared(planned, of_plan, now, listed)),
                listed=planned.listed_ids,
                now=now,
                owner=self.ownership.owner,
                released=frozenset() if plan.partial else self._released(planned),
                moves=self.ownership.moves(planned.organization, self._document(planned)),
            )
        changed = {run.organization for run in runs if _has_changed(run)}
        logged = [self._scope(planned) for planned in plan.organizations if planned.organization in changed]
        await self.write(edits, _outcome(runs), logged)

    def _declared(
        self,
        planned: OrganizationPlan,
        runs: Iterable[ChannelRun],
        now: datetime,
        listed: Callable[[str, str], bool],
    ) -> Iterator[tuple[str, KnownChannel]]:
        """The channels that are declared and live, by their ids."""
        name_of = cache(self.ownership.files.name) if self.ownership.files else lambda _: ""
        by_address = {run.change.address: run for run in runs}
        before = self._document(planned).channels
        for change in planned.changes:
            run = by_address.get(change.address)
            channel_id = run.channel_id if run and isinstance(change, Create) else change.channel_id
            if channel_id is not None and not isinstance(change, Delete):
                known = KnownChannel(
                    change.address,
                    now,
                    self.ownership.owner,
                    change.protected,
                    name_of(change.place.file) if change.place else "",
                    unlisted=isinstance(change, Create) and not listed(planned.organization, change.address),
                    unfinished=run is not None and _is_unfinished(run, before.get(channel_id)),
                )
                yield channel_id, known

    def _released(self, planned: OrganizationPlan) -> Set[str]:
        """The ids of the channels that these manifests no longer declare, and others do."""
        undeclared = [channel.id for channel in planned.undeclared]
        return {*self.ownership.released(self._scope(planned), undeclared, self.documents)}

    def _document(self, planned: OrganizationPlan) -> Document:
        return self.documents.get(self._scope(planned), Document())

    def _scope(self, planned: OrganizationPlan) -> OrganizationKey:
        return OrganizationKey(self.base_url, planned.organization)


def _outcome(runs: Sequence[ChannelRun]) -> Note:
    """What the runs have done, for the history; the names are in the order of the sentence."""
    done = {
        verb: [run.change.address for run in runs if isinstance(run.change, kind) and _has_changed(run)]
        for verb, kind in _VERBS.items()
    }
    sentence = ", ".join(f"{verb} {_counted(names, 'channel')}" for verb, names in done.items() if names)
    if not sentence:
        # Secrets have entries of their own.
        any_done = any(result.status == "done" for run in runs for result in run.results)
        return Note("Changed nothing" if runs and not any_done else "Recorded which declared channels are live")
    return Note(_capitalized(sentence), tuple(name for names in done.values() for name in names))


def _has_changed(run: ChannelRun) -> bool:
    """Whether something was done to the channel itself; what's done to its secret has entries of its own."""
    return any(result.status == "done" and not isinstance(result.operation, SecretOperation) for result in run.results)


def _capitalized(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _counted(names: Sequence[str], what: str) -> str:
    return counted(len(names), what)


def _of(planned: OrganizationPlan, base_url: str, adoptions: _Adoptions) -> dict[str, LedgerEntry]:
    scope = OrganizationKey(base_url, planned.organization)
    return {key.channel_id: entry for key, entry in adoptions.items() if key.of_organization == scope}


def _is_unfinished(run: ChannelRun, before: KnownChannel | None) -> bool:
    """Whether the run left its channel switched off, although it should have switched it on."""
    waits = isinstance(run.change, Create) or run.change.note == CUT_OFF or (before is not None and before.unfinished)
    return waits and any(
        isinstance(result.operation, PatchChannel)
        and result.operation.body.get("enabled") is True
        and result.status != "done"
        for result in run.results
    )


def _is_done(run: ChannelRun) -> bool:
    return all(result.status == "done" for result in run.results)


def _is_settled(run: ChannelRun) -> bool:
    """Whether the outcome of the channel's create is certain: not sent, refused, or answered at the first attempt."""
    if not isinstance(run.change, Create):
        return False
    creates = [result for result in run.results if isinstance(result.operation, CreateChannel)]
    return all(
        result.status in {"not_started", "failed"} or (result.status == "done" and result.attempts <= 1)
        for result in creates
    )
