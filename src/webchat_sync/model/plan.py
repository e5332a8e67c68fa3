"""A plan: all the changes of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime

from webchat_sync.errors import Diagnostic
from webchat_sync.frozen import frozen
from webchat_sync.model.changes import ActiveChange, Change, Unchanged
from webchat_sync.model.channels import LiveChannel, Prune
from webchat_sync.model.memory import GitMemory
from webchat_sync.model.values import Json, share_of


@frozen
class OrganizationPlan:
    """The changes of one organisation, and the digest of the listing that they're based on.

    Without a digest, the plan is only for display. ``listed_ids`` are the ids of all live channels. ``prune``,
    ``api_key_env``, ``ledger``, ``memory`` and ``field_entries`` are the manifest's settings; ``declared_count`` is the
    number of channels that the manifest declares as present. ``refused`` are the guards' reasons not to apply it, under
    the options that it was planned with. ``kept`` says, by id, why a channel that an apply declared isn't deleted.
    """

    organization: str
    base_url: str
    listing_digest: str
    changes: tuple[Change, ...]
    undeclared: tuple[LiveChannel, ...]
    listed_ids: tuple[str, ...] = ()
    prune: Prune = False
    declared_count: int = 0
    api_key_env: str | None = None
    ledger: str | None = None
    memory: GitMemory | None = None
    field_entries: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    refused: tuple[Diagnostic, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def listed(self) -> int:
        """The number of live channels."""
        return len(self.listed_ids)

    @property
    def active_changes(self) -> tuple[ActiveChange, ...]:
        """The changes that need calls to the API."""
        return tuple(change for change in self.changes if not isinstance(change, Unchanged))


@frozen
class FailedOrganization:
    """An organisation that can't be planned or applied, and why; ``exit_code`` is for a run of it alone."""

    organization: str
    exit_code: int
    problems: tuple[Diagnostic, ...]


@frozen
class Shard:
    """The share ``index``, from 1, of ``total``. An organisation's shard doesn't depend on the other organisations."""

    index: int
    total: int

    def __str__(self) -> str:
        return f"{self.index}/{self.total}"

    def has(self, organization: str) -> bool:
        """Whether the organisation is in this shard."""
        return share_of(organization, self.total) == self.index - 1


@frozen
class Plan:
    """All the changes of a run.

    ``manifest_digest`` depends only on what the manifests declare; a plan that's only displayed has none. ``partial``
    holds the name patterns that the plan is limited to; empty means every channel. ``live_created_at`` is the time of
    the snapshot that it was made from, if any. ``failed`` are the organisations that should be in it; ``limited``:
    some were selected by name; ``shard``: the share of the organisations that it covers, and ``fleet_digest`` is the
    ``manifest_digest`` of all shards together. Times are aware.
    """

    created_at: datetime
    organizations: tuple[OrganizationPlan, ...]
    manifest_digest: str = ""
    partial: tuple[str, ...] = ()
    live_created_at: datetime | None = None
    failed: tuple[FailedOrganization, ...] = ()
    limited: bool = False
    shard: Shard | None = None
    fleet_digest: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The organisations of the plan, including those that failed."""
        return tuple(self._every_name())

    @property
    def several(self) -> bool:
        """Whether it's about more than one organisation: what it says about a channel then names its organisation."""
        names = self._every_name()
        first = next(names, None)
        # Renderers ask it for every organisation, so it ends at the second one.
        return any(name != first for name in names)

    def _every_name(self) -> Iterator[str]:
        yield from (planned.organization for planned in self.organizations)
        yield from (failure.organization for failure in self.failed)

    @property
    def is_part(self) -> bool:
        """Whether other organisations were left out on purpose, so that other plans may be about them."""
        return self.limited or self.shard is not None

    @property
    def is_complete(self) -> bool:
        """Whether it covers every declared channel."""
        return not (self.partial or self.failed or self.is_part)

    @property
    def reached(self) -> Plan:
        """The plan without the organisations that failed after it was made."""
        names = {failed.organization for failed in self.failed}
        if names.isdisjoint(planned.organization for planned in self.organizations):
            return self
        return replace(
            self, organizations=tuple(planned for planned in self.organizations if planned.organization not in names)
        )
