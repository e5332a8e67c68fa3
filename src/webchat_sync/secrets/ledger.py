"""What the ledger tells of a secret without having it, and of which channels it tells."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress

from webchat_sync.model import ChannelKey, Ledger, Secret


def secret_hash(secret: Secret, salt: str) -> str:
    """What tells whether a secret is this one, and nothing else about it."""
    return hmac.digest(bytes.fromhex(salt), secret.reveal().encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


def remembers(ledger: Ledger, text: str) -> bool:
    """Whether ``text`` is the identity secret that an entry of ``ledger`` tells of."""
    if text.split() != [text]:  # no secret has blanks in it, and most texts have
        return False
    marked = [entry for entry in ledger.values() if entry.salt and entry.secret_hash]
    with suppress(ValueError):  # a salt that is none
        return any(hmac.compare_digest(secret_hash(Secret(text), entry.salt), entry.secret_hash) for entry in marked)
    return False


def matching(ledger: Ledger, name_or_id: str, organization: str | None) -> list[ChannelKey]:
    """The channels of that name or id that the ledger remembers."""
    return [
        key
        for key, entry in ledger.items()
        if name_or_id in {entry.name, key.channel_id} and organization in {None, key.organization}
    ]
