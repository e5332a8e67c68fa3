"""A plan: all changes of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from webchat_sync.errors import Diagnostic
from webchat_sync.model.changes import ActiveChange, Change, Unchanged
from webchat_sync.model.channels import LiveChannel, Prune
from webchat_sync.model.memory import GitMemory
from webchat_sync.model.values import Json


@dataclass(frozen=True, slots=True)
class OrganizationPlan:
    """The changes of one organisation, and the digest of the listing that they were computed from.

    Without a digest it is of a plan that is only looked at. ``listed_ids`` are the ids of all live channels.
    ``prune``, ``api_key_env``, ``ledger``, ``memory`` and ``field_entries`` are the manifest's settings; ``wanted`` is
    how many channels the manifest declares that are to be there. ``refused`` is why the guards would not let it be
    applied, by the options that it was planned with.
    """

    organization: str
    base_url: str
    listing_digest: str
    changes: tuple[Change, ...]
    undeclared: tuple[LiveChannel, ...]
    listed_ids: tuple[str, ...] = ()
    prune: Prune = False
    wanted: int = 0
    api_key_env: str | None = None
    ledger: str | None = None
    memory: GitMemory | None = None
    field_entries: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    refused: tuple[Diagnostic, ...] = ()

    @property
    def listed(self) -> int:
        """How many live channels there were."""
        return len(self.listed_ids)

    @property
    def active_changes(self) -> tuple[ActiveChange, ...]:
        """The changes that call the API."""
        return tuple(change for change in self.changes if not isinstance(change, Unchanged))


@dataclass(frozen=True, slots=True)
class FailedOrganization:
    """One that nothing can be planned or done for, and why; ``exit_code`` is that of a run of this one alone."""

    organization: str
    exit_code: int
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes of a run.

    ``manifest_digest`` is the same as long as the manifests declare the same; a plan that is only looked at has none.
    ``partial`` holds the patterns of names that the plan was limited to; empty, it covers every channel.
    ``live_created_at`` is when the live channels were saved, for a plan that was made against a snapshot of them.
    ``failed`` are the organisations that were to be in it; ``limited``: others were not to be, for the share of a fleet
    that this run has or by the organisations that it was limited to. Times are aware.
    """

    created_at: datetime
    organizations: tuple[OrganizationPlan, ...]
    manifest_digest: str = ""
    partial: tuple[str, ...] = ()
    live_created_at: datetime | None = None
    failed: tuple[FailedOrganization, ...] = ()
    limited: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The organisations that it is about, also those that failed."""
        return (
            *(planned.organization for planned in self.organizations),
            *(failure.organization for failure in self.failed),
        )

    @property
    def reached(self) -> Plan:
        """The plan without the changes of organisations that failed since it was made."""
        names = {failed.organization for failed in self.failed}
        if names.isdisjoint(planned.organization for planned in self.organizations):
            return self
        return replace(
            self, organizations=tuple(planned for planned in self.organizations if planned.organization not in names)
        )
