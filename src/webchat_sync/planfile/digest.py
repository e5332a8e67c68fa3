"""The digest of a saved plan, which shows whether someone edited it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from webchat_sync.plan.digest import digest_text, json_digest


def document_digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON document without its own ``digest``, regardless of layout and key order."""
    return json_digest({name: value for name, value in document.items() if name != "digest"})


class GrowingDigest:
    """:func:`document_digest` of a document with a list ``name`` too long to be held, which is added entry by entry.

    ``document`` is all the rest.
    """

    def __init__(self, document: Mapping[str, Any], name: str) -> None:
        rest = json.dumps({**document, name: []}, sort_keys=True)
        # The list in it begins where the names before its own end, and none of their values has a part in that.
        before = {other: value for other, value in document.items() if other < name}
        opened = len(json.dumps({**before, name: []}, sort_keys=True)) - len("]}")
        self._hash = hashlib.sha256(rest[:opened].encode())
        self._closed, self._between = rest[opened:], ""

    def add(self, entry: object) -> None:
        """Take the next entry in."""
        self._hash.update(f"{self._between}{json.dumps(entry, sort_keys=True)}".encode())
        self._between = ", "

    def end(self) -> str:
        """The digest, once all entries are in."""
        self._hash.update(self._closed.encode())
        return digest_text(self._hash.hexdigest())
