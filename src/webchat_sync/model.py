"""The values that pass between the rooms: frozen, without I/O, without behaviour of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from webchat_sync.errors import Place, WebchatSyncError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Missing(Enum):
    """The type of :data:`UNKNOWN`, so that type checkers can tell it from any JSON value."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Missing.UNKNOWN
"""The value of a field that the live answer does not carry. It is not ``None``: null is a value."""


class Secret:
    """An API key or an identity secret: a text that cannot be printed by accident.

    Every way of turning it into text gives ``***``; only :meth:`reveal` gives the text itself.
    """

    __slots__ = ("_read",)

    def __init__(self, text: str) -> None:
        # In a closure, since debuggers and `rich.inspect` print attributes.
        self._read: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """The secret text, for the one place that sends or stores it."""
        return self._read()

    def __repr__(self) -> str:
        return "***"

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        from hmac import compare_digest  # it loads OpenSSL, which most commands do without

        return isinstance(other, Secret) and compare_digest(self.reveal().encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash((Secret, self.reveal()))

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return (Secret, ("***",))


SinkKind: TypeAlias = Literal["file", "dotenv", "command", "show"]


@dataclass(frozen=True, slots=True)
class Sink:
    """A place where a new identity secret goes.

    ``path`` is for ``file`` and ``dotenv``, ``key`` for ``dotenv``, ``argv`` for ``command``; ``probe`` is a command
    that tells beforehand whether the sink will take it. ``show`` is what ``secret rotate --show`` asks for.
    ``folder`` is where relative paths start and commands run.
    """

    kind: SinkKind
    path: str = ""
    key: str = ""
    argv: tuple[str, ...] = ()
    probe: tuple[str, ...] = ()
    folder: str = field(default="", repr=False)

    @property
    def label(self) -> str:
        """The sink in words: ``dotenv .env KEY``."""
        return " ".join(filter(None, (self.kind, self.path, self.key, *self.argv)))

    def as_json(self) -> dict[str, Json]:
        """The sink as a plan, the ledger and a recovery file have it."""
        document: dict[str, Json] = {self.kind: list(self.argv) if self.kind == "command" else self.path}
        optional: dict[str, Json] = {"key": self.key, "probe": list(self.probe)}
        return {**document, **{name: value for name, value in optional.items() if value}, "folder": self.folder}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Sink:
        """The sink that :meth:`as_json` wrote. Raises KeyError and ValueError for anything else."""
        kinds: tuple[SinkKind, ...] = get_args(SinkKind)
        (kind,) = (each for each in kinds if each in document)
        return Sink(
            kind,
            path="" if kind == "command" else str(document[kind]),
            key=str(document.get("key", "")),
            argv=tuple(map(str, document["command"])) if kind == "command" else (),
            probe=tuple(map(str, document.get("probe", ()))),
            folder=str(document["folder"]),
        )


@dataclass(frozen=True, slots=True)
class IdentitySecretDeclaration:
    """The ``sync.identitySecret`` of a channel.

    A ``rotation`` that is not the one of the last rotation, and a secret older than ``max_age``, ask for a rotation;
    ``age_text`` is the limit as it was written. ``verify``: prove a new secret by opening sessions with it.
    """

    absent: bool = False
    rotation: str | None = None
    max_age: timedelta | None = None
    age_text: str = ""
    deliver: tuple[Sink, ...] = ()
    verify: bool = False
    place: Place | None = field(default=None, repr=False)


class ChannelKey(NamedTuple):
    """Which channel of which organisation of which server."""

    base_url: str
    organization: str
    channel_id: str


SecretState: TypeAlias = Literal["intended", "delivered", "undelivered", "adopted", "revoked"]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What is remembered of a channel's identity secret; never the secret itself.

    ``state``: ``intended`` is written before the call that rotates, ``delivered`` when every sink has the secret,
    ``undelivered`` when one has not, ``adopted`` for a secret that somebody else made. ``attempt`` names one rotation.
    ``rotation`` is the declared token it was made for; ``declared`` is false when no manifest had a say. ``at`` is
    the time here, ``server_at`` the server's, both ISO 8601. ``fresh``: the channel was created for it and waits
    for its last PATCH. ``fingerprint`` is salted with ``salt``.
    """

    name: str
    state: SecretState
    attempt: str
    at: str
    rotation: str | None = None
    declared: bool = True
    server_at: str = ""
    fresh: bool = False
    salt: str = ""
    fingerprint: str = ""
    sinks: tuple[Sink, ...] = ()


Ledger: TypeAlias = Mapping[ChannelKey, LedgerEntry]


@dataclass(frozen=True, slots=True)
class Declaration:
    """One channel as a manifest declares it.

    ``fields`` holds the managed fields by the API's own names, ``name`` included and ``defaults`` merged in;
    ``field_places`` says where each was written. The rest is the ``sync:`` block.
    """

    name: str
    fields: Mapping[str, Json]
    place: Place
    field_places: Mapping[str, Place] = field(default_factory=dict)
    id: str | None = None
    renamed_from: str | None = None
    absent: bool = False
    protect: bool = False
    ignore: frozenset[str] = frozenset()
    identity_secret: IdentitySecretDeclaration | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that the files declare for one organisation. ``prune`` deletes channels that no file declares.

    ``api_key_env`` names the environment variable with the organisation's own API key, where it has one;
    ``api_key_place`` is where that name was written.
    ``ledger`` is where its rotations are remembered, None for the usual place.
    """

    organization: str
    declarations: tuple[Declaration, ...]
    prune: bool = False
    api_key_env: str | None = None
    api_key_place: Place | None = None
    ledger: str | None = None


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """One channel as the API answers it; ``fields`` is the whole answer, read-only fields included."""

    id: str
    name: str
    fields: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a write took effect: HTTP status and request id of the last answer, number of attempts.

    ``status`` is None when no answer came and the effect was found by looking for it. ``channel`` is what the server
    answered; None where it answers no channel, as to a delete.
    """

    status: int | None
    request_id: str | None = None
    attempts: int = 1
    channel: LiveChannel | None = None


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


@dataclass(frozen=True, slots=True)
class SecretChange:
    """What a plan does to a channel's identity secret, and why.

    ``stops`` is what will stop working. ``rotation`` is the declared token that is then up to date; ``known`` is the
    attempt in the ledger that this was decided on, empty when there was none.
    """

    action: Literal["generate", "rotate", "revoke"]
    reason: str
    stops: str = ""
    sinks: tuple[Sink, ...] = ()
    rotation: str | None = None
    verify: bool = False
    known: str = ""


@dataclass(frozen=True, slots=True)
class Adoption:
    """A secret that somebody else made is taken for the one that ``rotation`` asks for, without a rotation."""

    rotation: str | None


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


OperationStatus: TypeAlias = Literal["done", "failed", "not_started", "in_doubt"]


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What is known of one operation of a plan.

    ``error`` says why it failed or is in doubt; an operation in doubt without one was in flight when the run was
    ended. ``attempts`` is how often it was sent; ``http_status`` and ``request_id`` are those of the last answer.
    """

    organization: str
    address: str
    operation: Operation
    status: OperationStatus = "not_started"
    attempts: int = 0
    http_status: int | None = None
    request_id: str | None = None
    error: WebchatSyncError | None = None


@dataclass(frozen=True, slots=True)
class NotConverged:
    """A place that is still different after an apply: what was sent and what the server stored.

    ``path`` is empty when the whole channel is missing or still there. ``place`` is the channel's declaration.
    """

    organization: str
    address: str
    path: str
    sent: Json
    stored: Json | Missing
    place: Place | None = None


Outcome: TypeAlias = Literal["converged", "incomplete", "not_converged", "interrupted", "stale", "refused"]


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """The account of an apply: every operation of the plan, and what the channels are after it.

    ``outcome`` is ``converged``; ``incomplete`` when an operation is not done or the channels could not be read
    again (``unverified`` says why); ``not_converged``; ``interrupted``; or ``stale`` or ``refused`` when nothing was
    started. ``unlisted`` names the fields that were sent and cannot be compared, since the server's list leaves
    them out, as (address, field).
    """

    outcome: Outcome
    results: tuple[OperationResult, ...]
    not_converged: tuple[NotConverged, ...] = ()
    unlisted: tuple[tuple[str, str], ...] = ()
    unverified: WebchatSyncError | None = None
