"""Secrets that no sink has yet: every one in a file that only its owner can read, until it is delivered."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webchat_sync.domain.names import same
from webchat_sync.errors import ApplyError, Diagnostic, InputError
from webchat_sync.files import private_folder, sweep, write_private
from webchat_sync.model import ChannelKey, Ledger, Secret, Sink, moment_text
from webchat_sync.strict_json import load_json
from webchat_sync.tree import read_regular


@dataclass(frozen=True, slots=True)
class Recovered:
    """A secret that waits, and where it was to go. ``attempt`` is the rotation that made it."""

    key: ChannelKey
    name: str
    attempt: str
    rotation: str | None
    sinks: tuple[Sink, ...]
    secret: Secret


def keep(folder: Path, waiting: Recovered) -> Path:
    """Write it down, in place of what the channel had there before, and return where. Raises OSError."""
    private_folder(folder)
    path = _path(folder, waiting.key)
    write_private(path, _as_json(waiting))
    return path


def drop(folder: Path, key: ChannelKey) -> None:
    """Remove what the channel has there, if anything, and what a killed run left half written.

    Raises ApplyError when it cannot be removed.
    """
    path = _path(folder, key)
    try:
        sweep(path)
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ApplyError(
            f"can't remove the copy of a delivered secret: {error.strerror}", hint=f"Remove {_path(folder, key)}."
        ) from None


def waiting(folder: Path) -> list[Recovered]:
    """All secrets that wait. Raises InputError when a file is damaged."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def held(folder: Path) -> list[Secret]:
    """The secrets that wait, of all files that can be read."""
    secrets: list[Secret] = []
    for path in sorted(folder.glob("*.json")):
        with suppress(InputError):
            secrets.append(_read(path).secret)
    return secrets


def find_waiting(folder: Path, ledger: Ledger, name: str) -> Recovered:
    """The secret of the channel of that name or id that waits, if it is the one that the server has.

    Raises InputError when none waits, when several do, and when the ledger tells of a later rotation.
    """
    found = [kept for kept in waiting(folder) if name == kept.key.channel_id or same(name, kept.name)]
    if len(found) != 1:
        names = [f'"{kept.name}" of {kept.key.organization} ({kept.key.channel_id})' for kept in waiting(folder)]
        hint = f"Waiting: {', '.join(names)}." if names else "No secret is waiting for any channel."
        what = "several secrets are waiting" if found else "no secret is waiting"
        raise InputError([Diagnostic(f'{what} for a channel with the name or id "{name}"', hint=hint)])
    entry = ledger.get(found[0].key)
    if entry is not None and entry.attempt != found[0].attempt:
        message = f'the waiting secret of "{name}" was replaced by another rotation at {moment_text(entry.at)}'
        raise InputError([Diagnostic(message, hint="It's probably no longer valid. Rotate the secret again.")])
    return found[0]


def _path(folder: Path, key: ChannelKey) -> Path:
    return folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.json"


def _as_json(waiting: Recovered) -> str:
    return json.dumps(
        {
            **waiting.key._asdict(),
            "name": waiting.name,
            "attempt": waiting.attempt,
            "rotation": waiting.rotation,
            "sinks": [sink.as_json() for sink in waiting.sinks],
            "secret": waiting.secret.reveal(),
        },
        indent=2,
    )


def _read(path: Path) -> Recovered:
    try:
        document: dict[str, Any] = load_json(read_regular(path), unique_keys=True)
        return Recovered(
            key=ChannelKey(*(document[name] for name in ChannelKey._fields)),
            name=document["name"],
            attempt=document["attempt"],
            rotation=document["rotation"],
            sinks=tuple(Sink.from_json(sink) for sink in document["sinks"]),
            secret=Secret(document["secret"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = Diagnostic(f"can't read {path} ({type(error).__name__})", hint="Rotate the secret again.")
    raise InputError([problem])
