"""Channels: as manifests declare them and as the API lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from webchat_sync.errors import Place
from webchat_sync.model.identity_secret import IdentitySecretDeclaration
from webchat_sync.model.memory import GitMemory
from webchat_sync.model.values import Json

Prune: TypeAlias = "bool | Literal['owned']"
"""What becomes of live channels that no file declares: they stay, they go, or those go that an apply declared."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One channel as a manifest declares it.

    ``fields`` holds the managed fields by the API's own names, ``name`` included and ``defaults`` merged in;
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


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that the files declare for one organisation.

    ``api_key_env`` names the environment variable with the organisation's own API key, where it has one;
    ``api_key_place`` is where that name was written.
    ``ledger`` is the file where it is remembered what was done, None for the usual one; with ``memory`` that is on a
    ref of a Git remote instead. ``field_entries`` are entries of the field catalogue, by name, that the files add to
    it or correct. ``learn``: say what is unlike all that is live.
    """

    organization: str
    declarations: tuple[Declaration, ...]
    prune: Prune = False
    api_key_env: str | None = None
    api_key_place: Place | None = None
    ledger: str | None = None
    memory: GitMemory | None = None
    field_entries: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    learn: bool = True


@dataclass(frozen=True, slots=True)
class LiveChannel:
    """One channel as the API answers it; ``fields`` is the whole answer, read-only fields included."""

    id: str
    name: str
    fields: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Listing:
    """All live channels of one organisation and where they were read."""

    base_url: str
    channels: tuple[LiveChannel, ...]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """That a write took effect: HTTP status and request id of the last answer, number of attempts.

    ``status`` is None when no answer came and the effect was found by looking for it. ``channel`` is what the server
    answered; None where it answers no channel, as to a delete.
    """

    status: int | None
    request_id: str | None = None
    attempts: int = 1
    channel: LiveChannel | None = None
