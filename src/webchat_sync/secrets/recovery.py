"""Secrets that no sink has accepted yet, in files that only their owner can read, until it's delivered."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from webchat_sync.domain.names import same
from webchat_sync.errors import ApplyError, Diagnostic, InputError
from webchat_sync.files import private_folder, sweep, write_private
from webchat_sync.frozen import frozen
from webchat_sync.model import ChannelKey, Ledger, Secret, Sink, moment_text
from webchat_sync.strict_json import load_json, texts
from webchat_sync.tree import read_regular

_TEXTS: Final = (*ChannelKey._fields, "name", "attempt", "secret")


@frozen
class WaitingSecret:
    """A secret that waits for delivery, and its sinks. ``attempt`` is the rotation that created it."""

    key: ChannelKey
    name: str
    attempt: str
    rotation: str | None
    sinks: tuple[Sink, ...]
    secret: Secret


def keep(folder: Path, waiting: WaitingSecret) -> Path:
    """Write the secret to its file, replacing an earlier one of the channel; returns the path. Raises OSError."""
    path = _path(folder, waiting.key)
    try:
        private_folder(folder)
        write_private(path, _as_json(waiting))
    except OSError:
        # The disk may have become full since it was written.
        with suppress(InputError):
            if _read(path) == waiting:
                return path
        raise
    return path


def drop(folder: Path, key: ChannelKey) -> None:
    """Remove the channel's waiting secret, if any, and what a killed run left half-written.

    Raises ApplyError if it can't be removed.
    """
    path = _path(folder, key)
    try:
        sweep(path)
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise ApplyError(
            f"can't remove the copy of a secret that's no longer needed: {error.strerror}", hint=f"Remove {path}."
        ) from None


def waiting(folder: Path) -> list[WaitingSecret]:
    """All waiting secrets. Raises InputError if a file is damaged."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def held(folder: Path) -> list[Secret]:
    """The waiting secrets in all readable files."""
    secrets: list[Secret] = []
    for path in sorted(folder.glob("*.json")):
        with suppress(InputError):
            secrets.append(_read(path).secret)
    return secrets


def waiting_for(folder: Path, name: str) -> WaitingSecret | None:
    """The only waiting secret of a channel with that name or id; None if there are none or several."""
    matching = [secret for secret in waiting(folder) if _is_of(secret, name)]
    return matching[0] if len(matching) == 1 else None


def _is_of(secret: WaitingSecret, name_or_id: str) -> bool:
    return name_or_id == secret.key.channel_id or same(name_or_id, secret.name)


def find_waiting(folder: Path, ledger: Ledger, name: str) -> WaitingSecret:
    """The waiting secret of the channel with that name or id, provided that it's still the current one.

    Raises InputError if none or several are waiting, and if the ledger has a later rotation.
    """
    secrets = waiting(folder)
    matching = [secret for secret in secrets if _is_of(secret, name)]
    if len(matching) != 1:
        owners = ", ".join(
            f'"{secret.name}" of {secret.key.organization} ({secret.key.channel_id})' for secret in secrets
        )
        what = "several secrets are waiting" if matching else "no secret is waiting"
        message = (
            f'{what} for a channel with the name or id "{name}"' if owners else "no secret is waiting for delivery"
        )
        where = (
            "`webchat-sync secret status` shows whether the secret was delivered. If it wasn't, run this in the folder "
            f"where it was created: its copy is kept there, in {folder}/. If that machine is gone, "
            "`webchat-sync apply --rotate NAME` creates and delivers another secret."
        )
        hint = f"Use {'an id' if matching else 'the right name'}. Waiting: {owners}." if owners else where
        raise InputError([Diagnostic(message, hint=hint)])
    entry = ledger.get(matching[0].key)
    if entry is not None and entry.attempt != matching[0].attempt:
        message = f'the waiting secret of "{name}" was replaced by another rotation at {moment_text(entry.at)}'
        raise InputError([Diagnostic(message, hint="It's probably no longer valid. Rotate the secret again.")])
    return matching[0]


def way_out(waiting: WaitingSecret, copy: Path | None, rotate: str, *, refused: bool) -> str:
    """How the secret, or a new one, gets delivered; ``copy`` is its file, and the command ``rotate`` creates a new one.

    ``refused``: the server rejects it.
    """
    rotate_again = f"`{rotate}` creates and delivers a new secret."
    deliver = f'`webchat-sync secret deliver "{waiting.name}"`'
    if refused:
        otherwise = f" If the server accepts this one after all, {deliver} delivers it again."
        return f"{rotate_again}{otherwise if copy else ''}"
    if copy:
        return (
            f"Fix the sink. As long as that file exists, {deliver} delivers it. If it's gone, for example because the "
            f"runner was temporary, {rotate_again}"
        )
    return f"Fix the sink. Then {rotate_again}"


def _path(folder: Path, key: ChannelKey) -> Path:
    return folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.json"


def _as_json(waiting: WaitingSecret) -> str:
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


def _read(path: Path) -> WaitingSecret:
    try:
        document: dict[str, Any] = load_json(read_regular(path), unique_keys=True)
        *key, name, attempt, secret = texts(document, _TEXTS)
        rotation = document["rotation"]
        if not isinstance(rotation, str | None):
            raise TypeError
        return WaitingSecret(
            key=ChannelKey(*key),
            name=name,
            attempt=attempt,
            rotation=rotation,
            sinks=tuple(Sink.from_json(sink) for sink in document["sinks"]),
            secret=Secret(secret),
        )
    except OSError as error:
        problem = Diagnostic(f"can't read {path}: {error.strerror}", hint="Check the path and the permissions.")
    except (ValueError, KeyError, TypeError, AttributeError):
        # Without the reason, which may quote the secret.
        hint = "It's a copy of a secret that wasn't delivered. Remove it, and rotate that secret again."
        problem = Diagnostic(f"{path} is damaged", hint=hint)
    raise InputError([problem])
