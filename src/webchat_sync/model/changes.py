"""Changes: what a plan does to one channel, and what that means to visitors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from webchat_sync.errors import Place
from webchat_sync.model.identity_secret import SecretAdoption
from webchat_sync.model.operations import MakeSecret, Operation, RevokeSecret, SecretOperation
from webchat_sync.model.steps import Key, Steps, path_text
from webchat_sync.model.values import Json, Missing


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One difference inside a channel, at ``steps``: ``before`` is what is live, ``after`` what is declared.

    ``before`` is UNKNOWN when the live answer does not carry the field, and None beside the action ``add``
    when there is nothing before; ``after`` is None beside the action ``remove``. ``place`` is where the field is
    declared, when that is another file than the channel's.
    """

    steps: Steps
    action: Literal["add", "change", "remove"]
    before: Json | Missing
    after: Json
    place: Place | None = None

    @property
    def path(self) -> str:
        """The place as people read it; what has to know where it is asks ``steps``."""
        return path_text(self.steps)

    @property
    def field(self) -> str:
        """The field of the channel that it is in."""
        first = self.steps[0]
        return first.name if isinstance(first, Key) else ""


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
class SecretRemarks:
    """What there is to know of a channel's identity secret, besides what is done to it.

    ``note`` says why nothing is done where that is worth saying, ``adoption`` what the ledger is to remember, and
    ``danger`` what visitors would suffer. ``lockout``: a signature would be required of visitors with a secret that
    the site may not have. ``known`` is the attempt in the ledger that this was decided on, empty when there was
    none, None when it does not matter.
    """

    note: str = ""
    adoption: SecretAdoption | None = None
    danger: str = ""
    lockout: bool = False
    known: str | None = None


NO_REMARKS = SecretRemarks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """A channel that is created. ``address`` is its name; ``impact`` has dangers first.

    ``note`` says what there is to know where the fields alone do not. ``lookalikes`` are live channels, ids and names,
    whose name can be taken for this one; ``renamed`` is the former name that no live channel has. ``place`` is its
    declaration, and ``field_places`` says where its fields are written. ``protected``: it is declared with
    ``sync.protect: true``.
    """

    address: str
    fields: tuple[FieldChange, ...] = ()
    operations: tuple[Operation, ...] = ()
    impact: tuple[Impact, ...] = ()
    place: Place | None = None
    field_places: Mapping[str, Place] = field(default_factory=dict)
    protected: bool = False
    remarks: SecretRemarks = NO_REMARKS
    note: str = ""
    renamed: str | None = None
    lookalikes: tuple[tuple[str, str], ...] = ()
    action: ClassVar[Literal["create"]] = "create"
    channel_id: ClassVar[None] = None
    renamed_from: ClassVar[None] = None

    @property
    def secret(self) -> SecretOperation | None:
        """What is done to the identity secret."""
        return secret_of(self.operations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A live channel that is changed, in its fields or in its identity secret; the rest is as for :class:`Create`.

    ``renamed_from`` is the live name when it differs; ``note`` says why, where the fields alone do not. ``reviewed``
    holds the live values that the change was decided on, the managed fields and the name; ``digest`` is theirs.
    """

    address: str
    channel_id: str
    fields: tuple[FieldChange, ...] = ()
    operations: tuple[Operation, ...] = ()
    impact: tuple[Impact, ...] = ()
    renamed_from: str | None = None
    note: str = ""
    place: Place | None = None
    field_places: Mapping[str, Place] = field(default_factory=dict)
    reviewed: Mapping[str, Json] = field(default_factory=dict)
    digest: str | None = None
    protected: bool = False
    remarks: SecretRemarks = NO_REMARKS
    action: ClassVar[Literal["update"]] = "update"

    @property
    def secret(self) -> SecretOperation | None:
        """What is done to the identity secret."""
        return secret_of(self.operations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """A live channel that is deleted; ``note`` says on what grounds. ``address`` is its live name.

    ``reviewed`` holds the id and every field that could be set; the rest is as for :class:`Update`.
    """

    address: str
    channel_id: str
    fields: tuple[FieldChange, ...] = ()
    operations: tuple[Operation, ...] = ()
    impact: tuple[Impact, ...] = ()
    note: str = ""
    place: Place | None = None
    reviewed: Mapping[str, Json] = field(default_factory=dict)
    digest: str | None = None
    protected: bool = False
    action: ClassVar[Literal["delete"]] = "delete"
    renamed_from: ClassVar[None] = None
    remarks: ClassVar[SecretRemarks] = NO_REMARKS
    secret: ClassVar[None] = None

    @property
    def field_places(self) -> Mapping[str, Place]:
        """None: nothing is declared."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """A declared channel that nothing happens to; without a ``channel_id`` it is declared absent, and is."""

    address: str
    channel_id: str | None
    place: Place | None = None
    protected: bool = False
    remarks: SecretRemarks = NO_REMARKS
    action: ClassVar[Literal["none"]] = "none"


ActiveChange: TypeAlias = Create | Update | Delete
"""A change that calls the API."""

Change: TypeAlias = Create | Update | Delete | Unchanged


def secret_of(operations: tuple[Operation, ...]) -> SecretOperation | None:
    """The one operation about the identity secret."""
    return next((operation for operation in operations if isinstance(operation, MakeSecret | RevokeSecret)), None)


def sent_fields(change: ActiveChange) -> dict[str, Json]:
    """The fields that the calls of a change carry."""
    return {name: value for operation in change.operations for name, value in (operation.body or {}).items()}
