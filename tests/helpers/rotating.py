"""Rotations in tests: over real HTTP, with fake time and sinks in a folder."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from applying import NOW
from fake_time import FakeTime
from ledgers import book, read_ledger
from webchat_sync.api.types import HostIdentity
from webchat_sync.emulator import Store
from webchat_sync.environment import Environment
from webchat_sync.model import ChannelKey, Declaration, IdentitySecretDeclaration, LedgerEntry, Secret, Sink
from webchat_sync.secrets.ports import SecretApi
from webchat_sync.secrets.rotate import Rotations
from webchat_sync.secrets.sinks import Sinks


def with_secret(declaration: Declaration, *sinks: Sink, **block: Any) -> Declaration:
    return replace(declaration, identity_secret=IdentitySecretDeclaration(deliver=sinks, **block))


def rotations(
    url: str, folder: Path, apis: Mapping[str, SecretApi], time: FakeTime | None = None, **options: Any
) -> Rotations:
    """The engine with its files in ``folder`` and the fake time; ``on_record`` is called after each record."""
    time, numbers = time or FakeTime(), itertools.count()
    return Rotations(
        apis=apis,
        book=book(folder / "ledger.json", url, apis or ["acme"], on_write=options.pop("on_record", lambda: None)),
        recovery=folder / "recovery",
        sinks=Sinks({"PATH": os.environ["PATH"]}),
        environment=Environment(
            sleep=time.sleep,
            now=lambda: NOW + timedelta(seconds=time.clock()),
            new_id=lambda: f"visitor-{next(numbers)}",
        ),
        **options,
    )


def entry_of(folder: Path, url: str, channel_id: str = "c-1", organization: str = "acme") -> LedgerEntry | None:
    return read_ledger(folder / "ledger.json").get(ChannelKey(url, organization, channel_id))


def signs(store: Store, channel_id: str, secret: Secret) -> bool:
    """Whether the server verifies a signature made with this secret."""
    held = store.identity_secret(channel_id)
    body = HostIdentity("user-1", None, secret).as_json()
    return held is not None and body["hash"] == HostIdentity("user-1", None, Secret(held)).as_json()["hash"]
