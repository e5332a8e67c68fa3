"""Identity secrets as they are declared, remembered and planned; never one itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from webchat_sync.errors import Place
from webchat_sync.model.values import Json

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


SecretState: TypeAlias = Literal["intended", "delivered", "undelivered", "adopted", "vouched", "revoked"]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What is remembered of a channel's identity secret; never the secret itself.

    ``state``: ``intended`` is written before the call that rotates, ``delivered`` when every sink has the secret,
    ``undelivered`` when one has not, ``adopted`` for a secret that somebody else made, ``vouched`` when somebody said
    that the site has it. ``attempt`` names one rotation.
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

    @property
    def moment(self) -> datetime:
        """``at`` as a time; one without a time zone is of UTC."""
        moment = datetime.fromisoformat(self.at)
        return moment.replace(tzinfo=moment.tzinfo or UTC)

    @property
    def known(self) -> bool:
        """Whether the site has the secret, as far as anybody can tell."""
        return self.state in {"delivered", "vouched"}


Ledger: TypeAlias = Mapping[ChannelKey, LedgerEntry]


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
    """A secret that somebody else made is taken for the one that ``rotation`` asks for, without a rotation.

    ``vouched``: the site has it, as somebody says or as the ledger knows.
    """

    rotation: str | None
    vouched: bool = False
