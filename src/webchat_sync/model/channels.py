"""Channels, as manifests declare them and as the API lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal, TypeAlias

from webchat_sync.errors import Place
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import is_unicode
from webchat_sync.model.identity_secret import IdentitySecretDeclaration
from webchat_sync.model.memory import GitMemory
from webchat_sync.model.values import Json

HAS_SECRET: Final = "hasIdentitySecret"  # noqa: S105 - a field's name
"""The read-only field that says whether a channel has an identity secret."""

SANDBOX: Final = "sandbox"
"""Replaces the base URL, and the id of an unnamed organisation, if the embedded emulator answers."""


def server_in_words(base_url: str) -> str:
    """The server at ``base_url``, in words."""
    return "the sandbox" if base_url == SANDBOX else base_url


Prune: TypeAlias = "bool | Literal['owned']"
"""What happens to undeclared live channels: they stay, they're deleted, or only those that an apply declared are."""


@frozen
class Declaration:
    """One channel as a manifest declares it.

    ``fields`` holds the managed fields under the API's names, including ``name`` and the merged ``defaults``;
    ``field_places`` says where they were written. The rest is the ``sync:`` block.
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


@frozen
class Manifest:
    """Everything that the files declare for one organisation.

    ``api_key_env`` is the environment variable with the organisation's own API key, if it has one; ``api_key_place`` is
    where that was written. ``organization_place`` is where the organisation is named, if it is, and
    ``organization_variables`` are the variables in there. ``ledger`` is the path of the ledger, None for the default;
    ``memory`` puts it on a ref of a Git remote instead. ``field_entries`` extend or correct the field catalogue.
    ``learn``: warn about values that no live channel resembles.
    """

    organization: str
    declarations: tuple[Declaration, ...]
    prune: Prune = False
    api_key_env: str | None = None
    api_key_place: Place | None = None
    organization_place: Place | None = None
    organization_variables: tuple[str, ...] = ()
    ledger: str | None = None
    memory: GitMemory | None = None
    field_entries: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    learn: bool = True


@frozen
class LiveChannel:
    """One channel as the API returns it; ``fields`` is the whole response, including read-only fields."""

    id: str
    name: str
    fields: Mapping[str, Json]

    @property
    def has_secret(self) -> bool | None:
        """Whether it has an identity secret; None if the server doesn't say."""
        has = self.fields.get(HAS_SECRET)
        return has if isinstance(has, bool) else None

    @staticmethod
    def from_json(item: Json) -> LiveChannel:
        """The channel in a record of a response. Raises ValueError if it isn't one; the reason follows its place."""
        if not isinstance(item, dict):
            raise ValueError("isn't a channel")
        identifier, name = item.get("id"), item.get("name")
        if not isinstance(identifier, str) or not identifier:
            raise ValueError("is a channel without an id")
        if not is_unicode(identifier):
            raise ValueError("is a channel whose id isn't valid Unicode, so it can't be part of a URL")
        if not isinstance(name, str):
            raise ValueError("is a channel without a name")
        return LiveChannel(identifier, name, item)


@frozen
class Listing:
    """All live channels of one organisation, and the server that listed them."""

    base_url: str
    channels: tuple[LiveChannel, ...]


@frozen
class WriteResult:
    """A write that took effect: status and request id of the last response, and the number of attempts.

    ``status`` is None if no response came and the effect was found by looking. ``channel`` is the channel in the
    response; None for a delete.
    """

    status: int | None
    request_id: str | None = None
    attempts: int = 1
    channel: LiveChannel | None = None
