"""Signs a user id like a site does, with a secret from a sink."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import ChannelKey, Ledger, Secret, Sink
from webchat_sync.secrets.ledger import matching, secret_hash
from webchat_sync.secrets.sinks import addresses, read_sink
from webchat_sync.secrets.sinks.path import target
from webchat_sync.sentences import candidates
from webchat_sync.tree import exists

_FROM: Final = "Use --from FILE, --from FILE:KEY, or --from - to read the secret from standard input."
_ELSEWHERE: Final = "To sign with a secret that isn't in the ledger, use --from."


def signature(secret: Secret, user_id: str) -> str:
    """The hexadecimal HMAC-SHA256 of ``user_id``, as in the vendor's OpenAPI document."""
    return hmac.digest(secret.reveal().encode(), user_id.encode("utf-8", "surrogatepass"), "sha256").hex()


def piped_secret(text: str) -> Secret:
    """The secret in ``text`` from standard input. Raises InputError if there's nothing in it."""
    if not text.strip():
        hint = "Pipe the secret to this command, or use --from FILE or --from FILE:KEY."
        raise InputError([Diagnostic("standard input is empty", hint=hint)])
    return Secret(text.strip())


def stored_secret(name: str, source: str | None, ledger: Ledger) -> Secret:
    """The secret in ``source``, or else in the channel's first readable sink in the ledger.

    Raises InputError if there is none, or if the sink no longer contains the secret that was delivered to it.
    """
    if source is not None:
        return _held(_sink(source))
    entry = ledger[_only_key(name, ledger)]
    if entry.state == "revoked":
        hint = f"`secret rotate` creates a new one. {_ELSEWHERE}"
        raise InputError([Diagnostic(f'the identity secret of "{name}" was revoked', hint=hint)])
    readable = [sink for sink in entry.sinks if addresses(sink)]
    if not readable:
        hint = "Use --from to say where the secret is."
        raise InputError([Diagnostic(f'none of the sinks of "{name}" can be read', hint=hint)])
    secret = _held(readable[0])
    if entry.salt and secret_hash(secret, entry.salt) != entry.secret_hash:
        hint = "Find out who changed it; `secret status` shows when the secret was rotated."
        raise InputError(
            [Diagnostic(f"{readable[0].label} doesn't contain the secret that was delivered to it", hint=hint)]
        )
    return secret


def _only_key(name: str, ledger: Ledger) -> ChannelKey:
    """The channel in the ledger with that name or id. Raises InputError if there is none or several."""
    keys = matching(ledger, name, None)
    if len(keys) == 1:
        return keys[0]
    if keys:
        what, owners = "several channels", ", ".join(f"{key.channel_id} of {key.organization}" for key in keys)
        hint = f"Use an id: {owners}."
    else:
        what, names = "no channel", [entry.name for entry in ledger.values()]
        hint = f"It has: {candidates(name, names)}. {_ELSEWHERE}" if names else _FROM
    raise InputError([Diagnostic(f'the ledger has {what} with the name or id "{name}"', hint=hint)])


def _sink(source: str) -> Sink:
    path, colon, key = source.rpartition(":")
    if colon and not exists(Path(source)):
        return Sink("dotenv", path, key)
    return Sink("file", source)


def _held(sink: Sink) -> Secret:
    try:
        secret = read_sink(sink)
    except OSError as error:
        raise _unread(sink, error.strerror or type(error).__name__) from None
    except ValueError:
        # It may quote the content.
        raise _unread(sink, "its content can't be a secret") from None
    if secret is None:
        missing = not exists(target(sink))
        raise _unread(sink, "it doesn't exist" if missing else "it contains no secret")
    return secret


def _unread(sink: Sink, why: str) -> InputError:
    return InputError([Diagnostic(f"can't read the secret from {sink.label}: {why}", hint=_FROM)])
