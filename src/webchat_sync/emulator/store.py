"""The data of the emulated server: channels and identity secrets of all organisations."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.emulator.database import Database
from webchat_sync.model import HAS_SECRET, Json
from webchat_sync.strict_json import JsonError, load_json

Channel: TypeAlias = dict[str, Json]


class UnknownChannelError(LookupError):
    """There is no such channel."""


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """``moment`` as the API writes it: ISO 8601 in UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """Channels and identity secrets; safe to use from several threads.

    ``catalogue`` defines the fields of a channel and their defaults. With ``path``, everything is stored in that file,
    which several processes can share; otherwise, it's in memory. A new store contains the channels in ``start``, by
    organisation. ``now``, ``new_id`` and ``new_secret`` return timestamps, ids and identity secrets. ``patience`` is
    how many seconds a call waits while another process writes. Results are copies. Raises InputError for a file that
    isn't a store or is damaged.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        path: Path | None = None,
        start: Mapping[str, Sequence[Channel]] | None = None,
        now: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32),
        patience: float = 10.0,
    ) -> None:
        self.catalogue = catalogue
        self.now = now
        self.new_id = new_id
        self._new_secret = new_secret
        self._database = Database(path, partial(self._fill, start) if start else None, patience=patience)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def channels(self, organization: str, *, start: int = 0, most: int = -1) -> list[Channel]:
        """The organisation's channels in the order of their creation, at most ``most`` from index ``start``."""
        query = "SELECT body FROM channels WHERE organization = ? ORDER BY position LIMIT ? OFFSET ?"
        return [self._read(body) for (body,) in self._database.rows(query, (organization, most, start))]

    def channel(self, organization: str, channel_id: str) -> Channel:
        """The channel with that id. Raises UnknownChannelError."""
        query = "SELECT body FROM channels WHERE organization = ? AND id = ?"
        return self._only(self._database.rows(query, (organization, channel_id)), channel_id)

    def channel_of_token(self, token: str) -> Channel:
        """The channel whose widget has that token, in any organisation. Raises UnknownChannelError."""
        query = "SELECT body FROM channels WHERE token = ? ORDER BY position LIMIT 1"
        return self._only(self._database.rows(query, (token,)), token)

    def seed(self, organization: str, channels: Iterable[Mapping[str, Json]]) -> list[Channel]:
        """Store channels as they are, valid or not; missing values, including ids, are generated."""
        seeded = [{**self._blank(organization), **channel} for channel in channels]
        with self._database.change() as connection:
            return [_put(connection, organization, channel) for channel in seeded]

    def create(self, organization: str, fields: Mapping[str, Json], *, idempotency_key: str | None = None) -> Channel:
        """A new channel with those fields. A known key returns its first channel and creates nothing."""
        channel = {**self._blank(organization), **fields}
        with self._database.change() as connection:
            if idempotency_key:
                query = "SELECT body FROM first_answers WHERE organization = ? AND key = ?"
                if first := connection.execute(query, (organization, idempotency_key)).fetchall():
                    return self._only(first, idempotency_key)
                statement = "INSERT INTO first_answers VALUES (?, ?, ?)"
                connection.execute(statement, (organization, idempotency_key, json.dumps(channel)))
            return _put(connection, organization, channel)

    def update(self, organization: str, channel_id: str, fields: Mapping[str, Json]) -> Channel:
        """The channel with those fields replaced. Raises UnknownChannelError."""
        with self._database.change() as connection:
            return self._update(connection, organization, channel_id, fields)

    def delete(self, organization: str, channel_id: str) -> None:
        """Delete the channel and its identity secret. Raises UnknownChannelError."""
        with self._database.change() as connection:
            statement = "DELETE FROM channels WHERE organization = ? AND id = ?"
            if not connection.execute(statement, (organization, channel_id)).rowcount:
                raise UnknownChannelError(channel_id)
            connection.execute("DELETE FROM identity_secrets WHERE channel = ?", (channel_id,))

    def identity_secret(self, channel_id: str) -> str | None:
        """The identity secret of the channel, None if it has none."""
        rows = self._database.rows("SELECT secret FROM identity_secrets WHERE channel = ?", (channel_id,))
        return str(rows[0][0]) if rows else None

    def rotate_identity_secret(self, organization: str, channel_id: str) -> tuple[str, str]:
        """A new identity secret for the channel, and its creation time; it replaces the old one.

        Raises UnknownChannelError.
        """
        secret = self._new_secret()
        with self._database.change() as connection:
            channel = self._update(connection, organization, channel_id, {HAS_SECRET: True})
            connection.execute("INSERT OR REPLACE INTO identity_secrets VALUES (?, ?)", (channel_id, secret))
        return secret, str(channel["updatedAt"])

    def revoke_identity_secret(self, organization: str, channel_id: str) -> None:
        """Delete the channel's identity secret, if it has one. Raises UnknownChannelError."""
        with self._database.change() as connection:
            self._update(connection, organization, channel_id, {HAS_SECRET: False})
            connection.execute("DELETE FROM identity_secrets WHERE channel = ?", (channel_id,))

    def _blank(self, organization: str) -> Channel:
        moment = timestamp(self.now())
        return {
            **{name: field.emulated_default for name, field in self.catalogue.fields.items()},
            "id": self.new_id(),
            "token": f"wct_{self.new_id().replace('-', '')}",
            "phoneNumberId": self.new_id(),
            "organizationId": organization,
            "avatarUrl": None,
            HAS_SECRET: False,
            "createdAt": moment,
            "updatedAt": moment,
        }

    def _fill(self, start: Mapping[str, Iterable[Channel]], connection: sqlite3.Connection) -> None:
        for organization, channels in start.items():
            for channel in channels:
                _put(connection, organization, {**self._blank(organization), **channel})

    def _update(
        self, connection: sqlite3.Connection, organization: str, channel_id: str, fields: Mapping[str, Json]
    ) -> Channel:
        query = "SELECT body FROM channels WHERE organization = ? AND id = ?"
        channel = self._only(connection.execute(query, (organization, channel_id)).fetchall(), channel_id)
        return _put(connection, organization, {**channel, **fields, "updatedAt": timestamp(self.now())})

    def _only(self, rows: Sequence[tuple[str]], name: str) -> Channel:
        if not rows:
            raise UnknownChannelError(name)
        return self._read(rows[0][0])

    def _read(self, body: str) -> Channel:
        """The channel in a row. Raises InputError if something else is there."""
        try:
            channel: Json = load_json(body)
        except JsonError as error:
            raise self._database.unusable(f"a channel in it is damaged: {error}") from error
        if not isinstance(channel, dict) or not isinstance(channel.get("id"), str):
            raise self._database.unusable("a channel in it is damaged: it isn't an object with an id")
        return channel


def _put(connection: sqlite3.Connection, organization: str, channel: Channel) -> Channel:
    """Store the channel, replacing one with the same id; returns a copy."""
    body, token = json.dumps(channel), channel.get("token")
    statement = (
        "INSERT INTO channels (organization, id, token, body) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (organization, id) DO UPDATE SET token = excluded.token, body = excluded.body"
    )
    connection.execute(statement, (organization, str(channel["id"]), None if token is None else str(token), body))
    stored: Channel = load_json(body)
    return stored
