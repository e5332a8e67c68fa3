"""Validates the organisation, the address and the key before anything is sent."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import quote

import httpx

from webchat_sync.domain.ids import is_id, no_id
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.flat import flat
from webchat_sync.jsonvalue import is_unicode, show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Secret

API_KEY_PREFIXES: Final = ("mk_live_", "mk_test_")
_QUOTES: Final = "\"'`"
HEADER_TEXT: Final = lazy_pattern(r"[!-~]+")
"""Visible ASCII, which a header transmits unchanged."""


def base_url_problems(base_url: str) -> list[Diagnostic]:
    """Everything that's wrong with the API's address, without quoting it: it may contain a password."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError) as error:
        has_port = str(error).startswith("Invalid port")
        return [_base_url_problem("has a port that isn't a number" if has_port else "isn't a valid URL")]
    if url.scheme not in {"http", "https"}:
        return [_base_url_problem("must begin with http:// or https://")]
    flaws = {
        "has no host": not url.host,
        "has a port above 65535": (url.port or 0) > 65535,
        "must not contain a user name or password": bool(url.userinfo),
        "must not contain a query or fragment": bool(set(base_url) & {"?", "#"}),
    }
    return [_base_url_problem(flaw) for flaw, wrong in flaws.items() if wrong]


def plain_http_problems(base_url: str) -> list[Diagnostic]:
    """The problem with an address over http, where anyone on the way can read the key, except on this machine."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError):
        return []
    if url.scheme != "http" or not url.host or _is_loopback(url.host):
        return []
    return [_base_url_problem("must begin with https:// because over http:// the API key could be read in transit")]


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def key_problems(key: Secret) -> list[Diagnostic]:
    """Why the key can't be in a header. The key isn't quoted."""
    if not key:
        return [Diagnostic("the API key is empty", hint="Set MOSEND_API_KEY or use --api-key-file FILE.")]
    if not HEADER_TEXT.fullmatch(key.reveal()):
        return [
            Diagnostic(
                "the API key contains a character that no key has, such as a space, a line break or an accented letter",
                hint="Check where it comes from: `settings.apiKeyEnv`, MOSEND_API_KEY or --api-key-file.",
            )
        ]
    if key.reveal()[0] in _QUOTES or key.reveal()[-1] in _QUOTES:
        return [
            Diagnostic(
                "the API key begins or ends with a quote, which would be sent as part of it",
                hint="Remove the quotes: `docker --env-file` and some CI variables treat them as part of the value.",
            )
        ]
    return []


def key_header(key: Secret) -> dict[str, str]:
    """The header for the key: ``X-Api-Key`` for an API key, ``Authorization: Bearer`` for any other token."""
    text = key.reveal()
    return {"X-Api-Key": text} if text.startswith(API_KEY_PREFIXES) else {"Authorization": f"Bearer {text}"}


def organization_problems(organization: str) -> list[Diagnostic]:
    """Why ``organization`` isn't a valid id, which is part of every path."""
    if is_id(organization):
        return []
    return [Diagnostic(f'"{flat(organization)}" isn\'t a valid organisation id: {no_id(organization)}')]


def segment(name: str, text: str) -> str:
    """``text`` percent-encoded as a single segment of a path.

    Raises InputError for an empty text, for one that isn't Unicode, and for ``.`` and ``..``, which servers resolve
    even if they're encoded.
    """
    if text in {"", ".", ".."} or not is_unicode(text):
        raise InputError([Diagnostic(f"{show(text)} can't be used as {name}")])
    return quote(text, safe="")


def _base_url_problem(flaw: str) -> Diagnostic:
    return Diagnostic(
        f"the base URL {flaw}", hint="Set MOSEND_BASE_URL or use --base-url URL, for example https://api.mosend.dev."
    )
