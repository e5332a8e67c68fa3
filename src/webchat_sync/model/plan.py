"""A plan: what it does to which channel, and what that means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from webchat_sync.errors import Place
from webchat_sync.model.channels import LiveChannel
from webchat_sync.model.identity_secret import Adoption, SecretChange
from webchat_sync.model.values import Json, Missing


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One difference inside a channel: ``before`` is what is live, ``after`` what is declared.

    ``before`` is UNKNOWN when the live answer does not carry the field, and None beside the action ``add``
    when there is nothing before; ``after`` is None beside the action ``remove``. ``place`` is where the field is
    declared, when that is another file than the channel's.
    """

    path: str
    action: Literal["add", "change", "remove"]
    before: Json | Missing
    after: Json
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One API call that a plan asks for. ``path`` has ``{id}`` where only the create's answer will tell."""

    method: Literal["POST", "PATCH", "DELETE"]
    path: str
    body: dict[str, Json] | None

    @property
    def about_secret(self) -> bool:
        """Whether it makes or revokes an identity secret."""
        return self.path.endswith("/identity-secret")


ImpactLevel: TypeAlias = Literal["danger", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change means to visitors. ``text`` is a phrase; the values in it are quoted as JSON strings.

    ``code`` names the kind of impact; ``path`` is the field that has it, empty for the channel as a whole.
    """

    level: ImpactLevel
    code: str
    text: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class ChannelChange:
    """What a plan does to one channel.

    ``address`` is the channel's name; ``channel_id`` is None for a channel that is still to be created;
    ``renamed_from`` is the live name when it differs; ``note`` says why, where the fields alone do not.
    ``impact`` is what it means to visitors, dangers first; ``field_places`` says where the fields are declared
    that change.

    The rest is for a plan that is applied later. ``reviewed`` holds the live values that the change was decided
    on: the managed fields and the name for an update, the id and every settable field for a delete;
    ``fingerprint`` is their digest. ``protected``: the channel is declared with ``sync.protect: true``.

    ``secret`` is what happens to the identity secret; where nothing does, ``secret_note`` says why when that is
    worth saying, and ``adoption`` what to remember. ``danger`` is what visitors would suffer.
    ``lockout``: a signature would be required of visitors with a secret that the site may not have. ``secret_known``
    is the attempt in the ledger that this was decided on, empty when there was none, None when it does not matter.
    """

    address: str
    action: Literal["create", "update", "delete", "none"]
    channel_id: str | None
    fields: tuple[FieldChange, ...] = ()
    operations: tuple[Operation, ...] = ()
    renamed_from: str | None = None
    note: str = ""
    place: Place | None = None
    impact: tuple[Impact, ...] = ()
    field_places: Mapping[str, Place] = field(default_factory=dict)
    reviewed: Mapping[str, Json] = field(default_factory=dict)
    fingerprint: str | None = None
    protected: bool = False
    secret: SecretChange | None = None
    secret_note: str = ""
    adoption: Adoption | None = None
    danger: str = ""
    lockout: bool = False
    secret_known: str | None = None


@dataclass(frozen=True, slots=True)
class OrganizationPlan:
    """The changes of one organisation, and the fingerprint of the live channels they were computed from.

    Without a fingerprint it is of a plan that is only looked at. ``listed_ids`` are the ids of all those channels.
    ``prune``, ``api_key_env`` and ``ledger`` are the manifest's settings; ``wanted`` is how many channels the
    manifest declares that are to be there.
    """

    organization: str
    base_url: str
    fingerprint: str
    changes: tuple[ChannelChange, ...]
    undeclared: tuple[LiveChannel, ...]
    listed_ids: tuple[str, ...] = ()
    prune: bool = False
    wanted: int = 0
    api_key_env: str | None = None
    ledger: str | None = None

    @property
    def listed(self) -> int:
        """How many live channels there were."""
        return len(self.listed_ids)


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes of a run.

    ``manifest_digest`` is the same as long as the manifests declare the same; a plan that is only looked at has none.
    ``partial`` holds the patterns of
    names that the plan was limited to; empty, it covers every channel. ``live_created_at`` is when the live
    channels were saved, for a plan that was made against a snapshot of them.
    """

    created_at: str
    organizations: tuple[OrganizationPlan, ...]
    manifest_digest: str = ""
    partial: tuple[str, ...] = ()
    live_created_at: str | None = None
