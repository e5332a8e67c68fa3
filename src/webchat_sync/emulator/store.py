"""The data of the emulated server: channels and identity secrets of all organisations."""

from __future__ import annotations

import copy
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.emulator.contents import Channel, Contents, read_contents, write_contents
from webchat_sync.model import Json

_Value = TypeVar("_Value")


class UnknownChannelError(LookupError):
    """There is no such channel."""


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """``moment`` as the API writes it: ISO 8601 in UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """Channels and identity secrets; safe to use from several threads.

    ``catalogue`` says which fields a channel has and what a new one starts with. With ``path`` everything is read
    from that file at the start and written to it with every change; without, it lives as long as the store.
    ``now``, ``new_id`` and ``new_secret`` make the timestamps, the ids and the identity secrets.
    What comes out is a copy, but for :meth:`listing`. Raises InputError for a damaged file.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        path: Path | None = None,
        now: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self.catalogue = catalogue
        self.now = now
        self.new_id = new_id
        self._new_secret = new_secret
        self._path = path
        self._lock = threading.RLock()
        self._contents = Contents({}, {}) if path is None else read_contents(path)
        self._first_answers: dict[tuple[str, str], Channel] = {}

    def listing(self, organization: str) -> Sequence[Channel]:
        """The organisation's channels in the order of their creation, themselves: only to be looked at, and at once."""
        return list(self._contents.organizations.get(organization, {}).values())

    def channels(self, organization: str) -> list[Channel]:
        """The organisation's channels in the order of their creation."""
        return copy.deepcopy([*self.listing(organization)])

    def channel(self, organization: str, channel_id: str) -> Channel:
        """The channel of that id. Raises UnknownChannelError."""
        try:
            return copy.deepcopy(self._contents.organizations[organization][channel_id])
        except KeyError:
            raise UnknownChannelError(channel_id) from None

    def channel_of_token(self, token: str) -> Channel:
        """The channel whose widget carries that token, of whatever organisation. Raises UnknownChannelError."""
        for channels in self._contents.organizations.values():
            for channel in channels.values():
                if channel["token"] == token:
                    return copy.deepcopy(channel)
        raise UnknownChannelError(token)

    def seed(self, organization: str, channels: Iterable[Mapping[str, Json]]) -> list[Channel]:
        """Put channels in as they are, valid or not; what they lack, ids included, is generated."""
        seeded = [{**self._blank(organization), **copy.deepcopy(dict(channel))} for channel in channels]
        with self._lock:
            self._put(organization, *seeded)
        return copy.deepcopy(seeded)

    def create(self, organization: str, fields: Mapping[str, Json], *, idempotency_key: str | None = None) -> Channel:
        """A new channel of those fields. A key seen before answers that first channel and creates nothing."""
        with self._lock:
            first = self._first_answers.get((organization, idempotency_key or ""))
            if first is not None:
                return copy.deepcopy(first)
            channel = {**self._blank(organization), **copy.deepcopy(dict(fields))}
            self._put(organization, channel)
            if idempotency_key:
                self._first_answers[organization, idempotency_key] = channel
        return copy.deepcopy(channel)

    def update(self, organization: str, channel_id: str, fields: Mapping[str, Json]) -> Channel:
        """The channel with those fields replaced whole and the others left alone. Raises UnknownChannelError."""
        with self._lock:
            channel = self._updated(organization, channel_id, fields)
            self._put(organization, channel)
        return copy.deepcopy(channel)

    def delete(self, organization: str, channel_id: str) -> None:
        """Forget the channel and its identity secret. Raises UnknownChannelError."""
        with self._lock:
            self.channel(organization, channel_id)
            contents = self._contents
            rest = _without(contents.organizations[organization], channel_id)
            identity_secrets = _without(contents.identity_secrets, channel_id)
            self._commit(Contents({**contents.organizations, organization: rest}, identity_secrets))

    def identity_secret(self, channel_id: str) -> str | None:
        """The identity secret of the channel, None when it has none."""
        return self._contents.identity_secrets.get(channel_id)

    def rotate_identity_secret(self, organization: str, channel_id: str) -> tuple[str, str]:
        """A new identity secret for the channel, and when it was made; the old one is gone at once.

        Raises UnknownChannelError.
        """
        secret = self._new_secret()
        with self._lock:
            channel = self._updated(organization, channel_id, {"hasIdentitySecret": True})
            self._put(organization, channel, identity_secrets={**self._contents.identity_secrets, channel_id: secret})
        return secret, str(channel["updatedAt"])

    def revoke_identity_secret(self, organization: str, channel_id: str) -> None:
        """Take the channel's identity secret away, if it has one. Raises UnknownChannelError."""
        with self._lock:
            channel = self._updated(organization, channel_id, {"hasIdentitySecret": False})
            self._put(organization, channel, identity_secrets=_without(self._contents.identity_secrets, channel_id))

    def _blank(self, organization: str) -> Channel:
        moment = timestamp(self.now())
        return {
            **{name: copy.deepcopy(field.emulated_default) for name, field in self.catalogue.fields.items()},
            "id": self.new_id(),
            "token": f"wct_{self.new_id().replace('-', '')}",
            "phoneNumberId": self.new_id(),
            "organizationId": organization,
            "avatarUrl": None,
            "hasIdentitySecret": False,
            "createdAt": moment,
            "updatedAt": moment,
        }

    def _updated(self, organization: str, channel_id: str, fields: Mapping[str, Json]) -> Channel:
        channel = self.channel(organization, channel_id)
        return {**channel, **copy.deepcopy(dict(fields)), "updatedAt": timestamp(self.now())}

    def _put(self, organization: str, *channels: Channel, identity_secrets: Mapping[str, str] | None = None) -> None:
        contents = self._contents
        known = contents.organizations.get(organization, {})
        changed = {**known, **{str(channel["id"]): channel for channel in channels}}
        self._commit(
            Contents(
                organizations={**contents.organizations, organization: changed},
                identity_secrets=contents.identity_secrets if identity_secrets is None else identity_secrets,
            )
        )

    def _commit(self, contents: Contents) -> None:
        if self._path is not None:
            write_contents(self._path, contents)
        self._contents = contents


def _without(mapping: Mapping[str, _Value], unwanted: str) -> dict[str, _Value]:
    return {key: value for key, value in mapping.items() if key != unwanted}
