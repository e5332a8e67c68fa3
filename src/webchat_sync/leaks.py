"""Recognises API keys and other secrets by their form, and keeps them out of output."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Item, Json, Key, Order, Position, Step, Steps, path_text

KEY_MARK: Final = "mk_"
"""The start of every API key of the vendor: a cheap test before :func:`holds_key`."""

_KEY: Final = lazy_pattern(r"mk_(?:live|test)_(?:[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|[A-Za-z0-9_-]{8,})")

_SIGNS: Final = (
    *("eyJ", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-"),
    *("glcbt-", "glptt-", "glft-", "glsoat-", "xox", "xapp-", "sk_live_", "rk_live_", "sk_test_", "rk_test_"),
    *("whsec_", "npm_", "hvs.", "hvb.", "AIza", "ya29.", "pypi-AgE", "SG.", "dop_v1_", "sk-ant-", "sk-proj-"),
    "PRIVATE KEY-",
)
"""Substrings of the tokens below: a cheap test before :data:`_TOKEN`."""

_SHORTEST: Final = 15
"""The characters of the shortest token, one of Slack's; most texts have fewer."""

_TOKEN: Final = lazy_pattern(
    r"""
      # A JSON Web Token, which the API accepts too. No step goes past the next `eyJ`: many would take long.
      eyJ(?:(?!eyJ)[\w-]){8,}+\.eyJ[\w-]{8,}+\.[\w-]{8,}
    | (?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])  # Amazon's
    | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_\w{30,}    # GitHub's
    | gl(?:pat|dt|rt|cbt|ptt|ft|soat)-[\w-]{20,}         # GitLab's
    | xox[abeprs]-[A-Za-z0-9-]{10,} | xapp-[A-Za-z0-9-]{10,}  # Slack's
    | [rs]k_(?:live|test)_[A-Za-z0-9]{16,} | whsec_[\w+/=]{24,}  # Stripe's
    | npm_[A-Za-z0-9]{36,} | pypi-AgE[\w-]{16,}          # those of package registries
    | hv[bs]\.[\w-]{24,}                                # Vault's
    | AIza[\w-]{35} | ya29\.[\w-]{20,}                  # Google's
    | SG\.[\w-]{16,64}\.[\w-]{16,64}                   # SendGrid's
    | dop_v1_[0-9a-f]{64}                                # DigitalOcean's
    | sk-(?:ant|proj)-[\w-]{20,}                         # those of AI services
    | -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY-----[^-]*
    """,
    re.VERBOSE | re.ASCII,
)
_SECRET_NAME: Final = lazy_pattern(r"secret|passw|token|credential|api[_-]?key|private[_-]?key", re.IGNORECASE)
_RANDOM: Final = lazy_pattern(r"(?=[^\d\s]*\d)(?=\S*[A-Za-z])[\w+/=.~-]{16,}", re.ASCII)
_COMMON: Final = lazy_pattern(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[A-Z0-9]+(?:_[A-Z0-9]+)+|[a-z]+(?:[-_.][a-z0-9]{1,12})+"
)
"""Ids (UUIDs), names of environment variables, and lower-case names such as ``support-prod.env2``."""

_BITS: Final = 3.0
"""The minimum Shannon entropy, in bits per character, of random text; words and numbers have less."""

_NAMES: Final = _SECRET_NAME.pattern
_ASSIGNED: Final = lazy_pattern(rf"(?:{_NAMES})(?:(?!{_NAMES})[\w-])*+[\"']?\s*+[:=]", re.IGNORECASE)
"""No step goes past the next name, since many in a row would take long."""


def holds_own_key(text: str) -> bool:
    """Whether ``text`` contains an API key of the vendor."""
    return KEY_MARK in text and _KEY.search(text) is not None


def holds_key(text: str) -> bool:
    """Whether ``text`` contains an API key, ``mk_live_<prefix>.<secret>``, or a known kind of token."""
    return holds_own_key(text) or (may_hold_token(text) and _TOKEN.search(text) is not None)


def may_hold_token(text: str) -> bool:
    """Whether ``text`` is worth searching for tokens; fast."""
    return len(text) >= _SHORTEST and any(sign in text for sign in _SIGNS)


def names_secret(key: str) -> bool:
    """Whether ``key`` is a name that people give to secrets, such as ``webhookSecret`` or ``api_key``."""
    return _SECRET_NAME.search(key) is not None


def looks_random(text: str) -> bool:
    """Whether ``text`` looks randomly generated: letters and digits without spaces, and not a common form."""
    if _RANDOM.fullmatch(text) is None or _COMMON.fullmatch(text):
        return False
    return _entropy(text) >= _BITS


def redact_text(text: str) -> str:
    """``text`` with ``***`` instead of every API key and known kind of token."""
    if KEY_MARK in text:
        text = _KEY.sub("***", text)
    return _TOKEN.sub("***", text) if may_hold_token(text) else text


def redact_value(value: Json, name: str = "") -> Json:
    """A copy of ``value`` with ``***`` for everything in its texts and keys that looks like a secret.

    ``name`` is the key of the value: random text counts as a secret if the key is a name for one.
    """
    if isinstance(value, str):
        return "***" if names_secret(name) and looks_random(value) else redact_text(value)
    if isinstance(value, list):
        return [redact_value(item, name) for item in value]
    if isinstance(value, dict):
        return {redact_text(key): redact_value(inner, key) for key, inner in value.items()}
    return value


def redact_value_at(steps: Steps, value: Json) -> Json:
    """Like :func:`redact_value`, for a value at ``steps``, any of which may name a secret."""
    return redact_value(value, path_text(steps))


def redact_steps(steps: Steps) -> Steps:
    """The place with ``***`` for everything in its keys and items that looks like a secret."""
    return tuple(_redacted_step(step) for step in steps)


def _redacted_step(step: Step) -> Step:
    match step:
        case Key(name):
            return Key(redact_text(name))
        case Item():
            return (
                step
                if redact_text(step.text) == step.text
                else Item.of(redact_value(step.value), step.by, step.position)
            )
        case Position() | Order():
            return step


def printable_line(line: str) -> str:
    """``line`` of a file, or an empty text if it may contain a secret."""
    return "" if _ASSIGNED.search(line) or redact_text(line) != line else line


def _entropy(text: str) -> float:
    """The Shannon entropy in bits per character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
