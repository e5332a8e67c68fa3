"""The ledger: a small file that remembers rotations, without any secret in it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from webchat_sync.errors import ApplyError, Diagnostic, InputError
from webchat_sync.files import write_private
from webchat_sync.flat import visible
from webchat_sync.leaks import looks_random
from webchat_sync.model import ChannelKey, Ledger, LedgerEntry, Secret
from webchat_sync.redact import readings
from webchat_sync.strict_json import load_json
from webchat_sync.tree import escape, read_regular

VERSION: Final = 1

_WAY_OUT: Final = (
    "Restore it from a copy. Without one, move it away: the channels' secrets are then adopted as they are, and none "
    "is rotated for that."
)


def read_ledger(path: Path) -> dict[ChannelKey, LedgerEntry]:
    """What the file remembers; nothing when there is no file. Raises InputError when it is damaged or unreadable."""
    try:
        if link := escape(path, path.parent):
            raise InputError([_out_of_tree(path, link)])
        document = load_json(read_regular(path).decode(), unique_keys=True)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError([Diagnostic(f"the ledger {path} cannot be read: {error.strerror}")]) from None
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSION:
        raise _damaged(path, f"its version is {version!r}, and this webchat-sync knows {VERSION} only")
    try:
        return dict(map(_entry, document["entries"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, f"an entry is not whole ({type(error).__name__})") from None


def record(path: Path, key: ChannelKey, entry: LedgerEntry | None) -> None:
    """Remember ``entry`` of the channel, or forget it; on return the disk has it. Raises ApplyError when it cannot."""
    entries = read_ledger(path)
    if entry is None:
        entries.pop(key, None)
    else:
        entries[key] = entry
    document = {"version": VERSION, "entries": [{**key._asdict(), **entries[key].as_json()} for key in sorted(entries)]}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, visible(json.dumps(document, ensure_ascii=False, indent=2)) + "\n")
    except OSError as error:
        raise ApplyError(f"the ledger {path} cannot be written: {error.strerror}") from None


def secret_hash(secret: Secret, salt: str) -> str:
    """What tells whether a secret is this one, and nothing else about it."""
    return hmac.digest(bytes.fromhex(salt), secret.reveal().encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


def recognizer(ledger: Ledger) -> Callable[[str], bool]:
    """Tells whether a text is, or holds, an identity secret that an entry of ``ledger`` tells of, encoded or not."""
    marked = {(entry.salt, entry.secret_hash) for entry in ledger.values() if entry.salt and entry.secret_hash}

    @cache
    def is_secret(word: str) -> bool:
        with suppress(ValueError):  # a salt that is none
            return any(hmac.compare_digest(secret_hash(Secret(word), salt), known) for salt, known in marked)
        return False

    def holds_secret(text: str) -> bool:
        # No secret has blanks in it. What is not the whole text is looked at only where it looks like a secret.
        whole = [text] if text.split() == [text] else []
        return bool(marked) and any(map(is_secret, (*whole, *filter(looks_random, readings(text)))))

    return holds_secret


def _entry(document: Mapping[str, Any]) -> tuple[ChannelKey, LedgerEntry]:
    return ChannelKey(*(document[name] for name in ChannelKey._fields)), LedgerEntry.from_json(document)


def matching(ledger: Ledger, name_or_id: str, organization: str | None) -> list[ChannelKey]:
    """The channels of that name or id that the ledger remembers."""
    return [
        key
        for key, entry in ledger.items()
        if name_or_id in {entry.name, key.channel_id} and organization in {None, key.organization}
    ]


def _out_of_tree(path: Path, link: Path) -> Diagnostic:
    hint = "Name the file itself in `settings.ledger`."
    return Diagnostic(f"the ledger {path} is not used: the link {link} leads out of the repository", hint=hint)


def _damaged(path: Path, why: str) -> InputError:
    return InputError([Diagnostic(f"the ledger {path} is damaged: {why}", hint=_WAY_OUT)])
