"""API keys and secrets do not belong in a manifest: what is said of one."""

from __future__ import annotations

from typing import Final, NamedTuple

from webchat_sync.leaks import holds_key, holds_own_key


class Words(NamedTuple):
    """What is said of a leak, and what to do about it."""

    message: str
    hint: str


API_KEY: Final = Words(
    "this looks like an API key, which does not belong in a manifest",
    "Revoke the key if the file was shared. The program reads its key from MOSEND_API_KEY or a file.",
)
SECRET: Final = Words(
    "this looks like a secret, which does not belong in a manifest",
    "Replace it if the file was shared, and keep it out of the manifest, variables included.",
)

IN_USE: Final = Words(
    "this holds a key, a token or a secret that is in use here, as it is or encoded",
    "Take it out of the manifest and out of the variables that the manifest reads.",
)


def leak(text: str) -> Words | None:
    """What to say of ``text`` when it holds a key or a token; None when it holds none."""
    if holds_own_key(text):
        return API_KEY
    return SECRET if holds_key(text) else None
