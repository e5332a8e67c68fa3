"""Identity secrets as they're declared, remembered and planned; never a secret itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from webchat_sync.errors import Place
from webchat_sync.frozen import frozen
from webchat_sync.model.values import Json, moment_text, read_moment

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""How far a moment may be in the future because two machines' clocks differ a little."""


def _all(kind: type, values: Iterable[object]) -> bool:
    return all(isinstance(value, kind) for value in values)


@frozen
class Sink:
    """A place that receives a new identity secret.

    ``kind`` is its name in ``secrets/sinks``, which defines ``path``, ``key`` and ``argv``. ``probe`` is a command that
    checks in advance whether the sink will accept a secret; relative paths and commands start in ``folder``.
    """

    kind: str
    path: str = ""
    key: str = ""
    argv: tuple[str, ...] = ()
    probe: tuple[str, ...] = ()
    folder: str = field(default="", repr=False)

    @property
    def label(self) -> str:
        """The sink in words: ``dotenv .env KEY``, ``command gh secret set KEY`` with shell quoting."""
        if self.kind == "show":
            return "standard output"
        return " ".join(filter(None, (self.kind, self.path, self.key, shlex.join(self.argv))))

    def as_json(self) -> dict[str, Json]:
        """The sink in a plan, a ledger or a recovery file."""
        document: dict[str, Json] = {self.kind: list(self.argv) if self.argv else self.path}
        optional: dict[str, Json] = {"key": self.key, "probe": list(self.probe)}
        return {**document, **{name: value for name, value in optional.items() if value}, "folder": self.folder}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Sink:
        """The inverse of :meth:`as_json`. Raises KeyError, TypeError, ValueError and AttributeError."""
        (kind,) = document.keys() - {"key", "probe", "folder"}
        target = document[kind]
        return Sink(
            str(kind),
            path="" if isinstance(target, list) else str(target),
            key=str(document.get("key", "")),
            argv=tuple(map(str, target)) if isinstance(target, list) else (),
            probe=tuple(map(str, document.get("probe", ()))),
            folder=str(document["folder"]),
        )


@frozen
class IdentitySecretDeclaration:
    """The ``sync.identitySecret`` of a channel.

    A ``rotation`` that differs from the last one requests a rotation, and so does a secret older than ``max_age``,
    which was written as ``age_text``. ``verify``: test a new secret by opening sessions with it.
    """

    absent: bool = False
    rotation: str | None = None
    max_age: timedelta | None = None
    age_text: str = ""
    deliver: tuple[Sink, ...] = ()
    verify: bool = False
    place: Place | None = field(default=None, repr=False)


class OrganizationKey(NamedTuple):
    """Identifies an organisation across servers."""

    base_url: str
    organization: str


class ChannelKey(NamedTuple):
    """Identifies a channel across servers and organisations."""

    base_url: str
    organization: str
    channel_id: str

    @property
    def of_organization(self) -> OrganizationKey:
        """The key of its organisation."""
        return OrganizationKey(self.base_url, self.organization)


SecretState: TypeAlias = Literal["intended", "delivered", "undelivered", "adopted", "vouched", "revoked"]


@frozen
class LedgerEntry:
    """What is remembered about a channel's identity secret; never the secret itself.

    ``state``: ``intended`` is written before the call that rotates, ``delivered`` once every sink has the secret,
    ``undelivered`` if one doesn't, ``adopted`` for a secret that someone else created, ``vouched`` once someone
    confirmed that the site has it. ``attempt`` identifies one rotation.

    ``rotation`` is the declared token it was made for; ``declared`` is false if it was requested by hand. ``at`` is the
    local time, ``server_at`` the server's, both aware; None if the server gave none. ``fresh``: the channel is off
    until the PATCH that switches it on. ``secret_hash`` is salted with ``salt``; ``secret_length``, 0 if unknown, makes
    the secret recognisable in the middle of a word.
    """

    name: str
    state: SecretState
    attempt: str
    at: datetime
    rotation: str | None = None
    declared: bool = True
    server_at: datetime | None = None
    fresh: bool = False
    salt: str = ""
    secret_hash: str = ""
    secret_length: int = 0
    sinks: tuple[Sink, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """The entry in a ledger."""
        return {
            "name": self.name,
            "state": self.state,
            "attempt": self.attempt,
            "at": moment_text(self.at),
            "rotation": self.rotation,
            "declared": self.declared,
            # In full, since it's compared with the times in the list.
            "server_at": self.server_at.isoformat() if self.server_at else "",
            "fresh": self.fresh,
            "salt": self.salt,
            "fingerprint": self.secret_hash,
            "length": self.secret_length,
            "sinks": [sink.as_json() for sink in self.sinks],
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> LedgerEntry:
        """The inverse of :meth:`as_json`. Raises KeyError, TypeError, ValueError and AttributeError."""
        at = read_moment(document["at"])
        if document["state"] not in get_args(SecretState) or at is None:
            raise ValueError(document["state"], document["at"])
        entry = LedgerEntry(
            name=document["name"],
            state=document["state"],
            attempt=document["attempt"],
            at=at,
            rotation=document.get("rotation"),
            declared=document.get("declared", True),
            server_at=read_moment(document.get("server_at", "")),
            fresh=document.get("fresh", False),
            salt=document.get("salt", ""),
            secret_hash=document.get("fingerprint", ""),
            secret_length=document.get("length", 0),
            sinks=tuple(map(Sink.from_json, document.get("sinks", ()))),
        )
        texts = (entry.name, entry.attempt, entry.rotation or "", entry.salt, entry.secret_hash)
        flags = (entry.declared, entry.fresh)
        if not (_all(str, texts) and _all(bool, flags) and type(entry.secret_length) is int):
            raise TypeError(document)
        bytes.fromhex(entry.salt + entry.secret_hash)
        return entry

    @property
    def known(self) -> bool:
        """Whether the site has the secret, as far as we know."""
        return self.state in {"delivered", "vouched"}

    def made_at(self, now: datetime) -> datetime | None:
        """The moment from which the secret's age counts; None if it isn't known.

        That's the local time, unless the clock that it's from was clearly wrong: then it's the server's.
        """
        certain = (moment for moment in (self.at, self.server_at) if moment and moment <= now + CLOCKS_DIFFER)
        return next(certain, None)


Ledger: TypeAlias = Mapping[ChannelKey, LedgerEntry]


@frozen
class SecretAdoption:
    """A secret that someone else created is accepted as the one that ``rotation`` requests, without rotating.

    ``vouched``: the site has it, according to the operator or the ledger.
    """

    rotation: str | None
    vouched: bool = False


@frozen
class SecretStatus:
    """What is known about one channel's secret: ``has`` is None if the server doesn't say.

    ``entry`` is the one in the ledger; ``waits``: a copy of a secret is waiting to be delivered.
    """

    name: str
    channel_id: str
    has: bool | None
    entry: LedgerEntry | None
    waits: bool
