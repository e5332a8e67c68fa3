"""API keys and secrets do not belong in a manifest: how one is recognised, and how it is kept out of messages."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final, NamedTuple


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

KEY_MARK: Final = "mk_"
"""Every key of the vendor's begins with it: a cheap test before :func:`holds_key`."""

_KEY: Final = re.compile(r"mk_(?:live|test)_(?:[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|[A-Za-z0-9_-]{8,})")

_SIGNS: Final = ("eyJ", "AKIA", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xox", "sk_live_", "PRIVATE KEY-")
"""What the tokens below hold: a cheap test before :data:`_TOKEN`."""

_TOKEN: Final = re.compile(
    r"""
      eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}        # a JSON Web Token, which the vendor's API takes too
    | (?<![A-Za-z0-9])AKIA[A-Z0-9]{16}(?![A-Za-z0-9])    # Amazon's
    | gh[pos]_[A-Za-z0-9]{30,} | github_pat_\w{30,}      # GitHub's
    | glpat-[\w-]{20,}                                   # GitLab's
    | xox[abprs]-[A-Za-z0-9-]{10,}                       # Slack's
    | sk_live_[A-Za-z0-9]{16,}                           # Stripe's
    | -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY-----[^-]*
    """,
    re.VERBOSE | re.ASCII,
)
_SECRET_NAME: Final = re.compile(r"secret|passw|token|credential|api[_-]?key|private[_-]?key", re.IGNORECASE)
_RANDOM: Final = re.compile(r"(?=[^\d\s]*\d)(?=\S*[A-Za-z])[\w+/=.~-]{16,}", re.ASCII)
_COMMON: Final = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[A-Z0-9]+(?:_[A-Z0-9]+)+|[a-z]+(?:[-_.][a-z0-9]{1,12})+"
)
"""Ids (UUIDs), names of environment variables, and names in lower case such as ``support-prod.env2``."""

_BITS: Final = 3.0
"""How many bits a character of a random text carries at least, by Shannon; words and numbers carry fewer."""

_ASSIGNED: Final = re.compile(r"(?:secret|passw|token|credential|api[_-]?key|private[_-]?key)[\w-]*[\"']?\s*[:=]", re.I)


def holds_key(text: str) -> bool:
    """Whether ``text`` holds an API key, ``mk_live_<prefix>.<secret>``, or another service's token of a known form."""
    own = KEY_MARK in text and _KEY.search(text) is not None
    return own or (any(sign in text for sign in _SIGNS) and _TOKEN.search(text) is not None)


def leak(text: str) -> Words | None:
    """What to say of ``text`` when it holds a key or a token; None when it holds none."""
    if KEY_MARK in text and _KEY.search(text):
        return API_KEY
    return SECRET if holds_key(text) else None


def may_hold_token(data: bytes) -> bool:
    """Whether it is worth while to look for tokens in a file of these bytes; quick."""
    return any(sign.encode() in data for sign in _SIGNS)


def names_secret(key: str) -> bool:
    """Whether ``key`` is a name that people give to secrets, such as ``webhookSecret`` or ``api_key``."""
    return _SECRET_NAME.search(key) is not None


def looks_random(text: str) -> bool:
    """Whether ``text`` looks made by a random generator: letters and digits without spaces, and no common form."""
    if _RANDOM.fullmatch(text) is None or _COMMON.fullmatch(text):
        return False
    return _entropy(text) >= _BITS


def redact(text: str) -> str:
    """``text`` with ``***`` in the place of every API key and every token of a known form."""
    return _TOKEN.sub("***", _KEY.sub("***", text))


def printable_line(line: str) -> str:
    """``line`` of a file, or an empty text when it holds anything that may be a secret."""
    return "" if _ASSIGNED.search(line) or redact(line) != line else line


def _entropy(text: str) -> float:
    """Shannon's, in bits for each character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
