"""Recognises secrets by the salted hashes in the ledger, and finds channels in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache

from webchat_sync.domain.names import same
from webchat_sync.leaks import looks_random
from webchat_sync.model import ChannelKey, Ledger, LedgerEntry, Secret
from webchat_sync.readings import readings
from webchat_sync.redact import PIECE


def secret_hash(secret: Secret, salt: str) -> str:
    """The salted hash that identifies a secret without revealing it."""
    import hmac

    return hmac.digest(bytes.fromhex(salt), secret.reveal().encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


def marked(entry: LedgerEntry, secret: Secret) -> LedgerEntry:
    """``entry`` with the salted hash and the length of ``secret``."""
    from secrets import token_hex

    salt, plain = token_hex(16), secret.reveal()
    return replace(entry, salt=salt, secret_hash=secret_hash(secret, salt), secret_length=len(plain))


def marked_as(entry: LedgerEntry, before: LedgerEntry | None) -> LedgerEntry:
    """The entry about the secret that ``before`` is about, which stays recognisable."""
    if before is None or before.state == "revoked":
        return entry
    return replace(entry, salt=before.salt, secret_hash=before.secret_hash, secret_length=before.secret_length)


def recognizer(ledger: Ledger) -> Callable[[str], bool]:
    """A function that tells whether a text is or contains a secret that ``ledger`` has a hash of, encoded or not."""
    entries = [entry for entry in ledger.values() if entry.salt and entry.secret_hash]
    marks = {(entry.salt, entry.secret_hash) for entry in entries}
    lengths = {entry.secret_length for entry in entries if entry.secret_length >= PIECE}

    @cache
    def is_secret(word: str) -> bool:
        return any(_is_of(Secret(word), salt, known) for salt, known in marks)

    def holds_secret(text: str) -> bool:
        # A secret contains no white space. Parts of the text only count if they look random.
        if not marks:
            return False
        whole = [text] if text.split() == [text] else []
        return any(map(is_secret, (*whole, *filter(looks_random, readings(text, lengths)))))

    return holds_secret


def _is_of(secret: Secret, salt: str, known: str) -> bool:
    import hmac

    with suppress(ValueError):  # an invalid salt, which mustn't hide the other entries
        return hmac.compare_digest(secret_hash(secret, salt), known)
    return False


def matching(ledger: Ledger, name_or_id: str, organization: str | None) -> list[ChannelKey]:
    """The channels in the ledger with that name or id."""
    return [
        key
        for key, entry in ledger.items()
        if (name_or_id == key.channel_id or same(name_or_id, entry.name)) and organization in {None, key.organization}
    ]
