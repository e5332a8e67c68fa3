"""Changes: what a plan does to one channel, and what that means for visitors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from webchat_sync.errors import Place
from webchat_sync.frozen import frozen
from webchat_sync.model.identity_secret import SecretAdoption
from webchat_sync.model.operations import Operation, SecretOperation, fields_in
from webchat_sync.model.steps import Key, Steps, path_text
from webchat_sync.model.values import Json, Missing


@frozen
class FieldChange:
    """One difference inside a channel, at ``steps``: ``before`` is live, ``after`` is declared.

    ``before`` is UNKNOWN if the live channel lacks the field, and None for the action ``add``; ``after`` is None for
    the action ``remove``. ``place`` is where the field is declared, if that isn't the file of the channel.
    """

    steps: Steps
    action: Literal["add", "change", "remove"]
    before: Json | Missing
    after: Json
    place: Place | None = None

    @property
    def path(self) -> str:
        """The place as text for people; code uses ``steps``."""
        return path_text(self.steps)

    @property
    def field(self) -> str:
        """The name of the channel's field that contains the place."""
        first = self.steps[0]
        return first.name if isinstance(first, Key) else ""


ImpactLevel: TypeAlias = Literal["danger", "warning", "info"]


@frozen
class Impact:
    """What a change means for visitors. ``text`` is a phrase; values in it are quoted as JSON strings.

    ``code`` identifies the kind of impact; ``field`` is the affected one, empty for the whole channel.
    """

    level: ImpactLevel
    code: str
    text: str
    field: str = ""


@frozen
class SecretRemarks:
    """What a reader should know about a channel's identity secret, apart from the operation on it.

    ``note`` explains why nothing is done, if that's worth saying. ``adoption`` is what the ledger will remember, and
    ``danger`` what visitors would suffer. ``lockout``: a signature would be required, with a secret that the site may
    not have. ``known`` is the attempt in the ledger that the decision was based on: empty for none, None if it's
    irrelevant.
    """

    note: str = ""
    adoption: SecretAdoption | None = None
    danger: str = ""
    lockout: bool = False
    known: str | None = None


NO_REMARKS = SecretRemarks()


class Lookalike(NamedTuple):
    """A live channel whose name is easily confused with another one."""

    channel_id: str
    name: str


@frozen(kw_only=True)
class Create:
    """A channel to create. ``address`` is its name; ``impact`` has dangers first.

    ``note`` adds what the fields don't show. ``lookalikes`` are live channels that are easily
    confused with it; ``renamed`` is a former name that no live channel has. ``place`` is its declaration, and
    ``field_places`` are the places of its fields. ``protected``: declared with ``sync.protect: true``.
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
    lookalikes: tuple[Lookalike, ...] = ()
    action: ClassVar[Literal["create"]] = "create"
    channel_id: ClassVar[None] = None
    renamed_from: ClassVar[None] = None

    @property
    def secret(self) -> SecretOperation | None:
        """The operation on the identity secret, if any."""
        return secret_of(self.operations)


@frozen(kw_only=True)
class Update:
    """A live channel to change, in its fields or its identity secret; otherwise like :class:`Create`.

    ``renamed_from`` is the live name if it differs. ``reviewed`` holds the live values that the change is based on,
    which are the managed fields and the name; ``digest`` is their digest.
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
        """The operation on the identity secret, if any."""
        return secret_of(self.operations)


@frozen(kw_only=True)
class Delete:
    """A live channel to delete; ``note`` gives the reason. ``address`` is its live name.

    ``reviewed`` holds the id and every settable field; otherwise like :class:`Update`.
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
        """Empty: no field is declared."""
        return {}


@frozen(kw_only=True)
class Unchanged:
    """A declared channel that needs no call; without a ``channel_id``, it's declared absent and doesn't exist."""

    address: str
    channel_id: str | None
    place: Place | None = None
    protected: bool = False
    remarks: SecretRemarks = NO_REMARKS
    action: ClassVar[Literal["none"]] = "none"


ActiveChange: TypeAlias = Create | Update | Delete
"""A change that needs calls to the API."""

Change: TypeAlias = Create | Update | Delete | Unchanged


def secret_of(operations: tuple[Operation, ...]) -> SecretOperation | None:
    """The operation on the identity secret, of which there is at most one."""
    return next((operation for operation in operations if isinstance(operation, SecretOperation)), None)


def sent_fields(change: ActiveChange) -> dict[str, Json]:
    """The fields that the calls of a change send."""
    return fields_in(change.operations)
