"""Advice about host names that no browser sends, or that match more than intended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webchat_sync.check.schema import warning
from webchat_sync.domain.hosts import as_sent, is_address, is_decodable, is_possible
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json
from webchat_sync.sentences import in_a_row

_SCHEME: Final = lazy_pattern(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORT: Final = lazy_pattern(r"(?<!:):[0-9]*$")
_PLAIN: Final = lazy_pattern(r"(?:\*\.)?(?:(?!xn--)[a-z0-9](?:-?[a-z0-9]){0,30}\.){1,4}[a-z]{2,20}")
"""Hosts that need no advice, as most."""

_CODE: Final = "domain"
_SUCH: Final = "Write one such as `www.example.com`. An empty list lets any site load the widget."

_LIMITS: Final = (
    "Each label has 1 to 63 letters, digits and hyphens, and doesn't begin or end with a hyphen. The whole name has at "
    "most 253 characters."
)
_AS_ADDRESS: Final = (
    "A name that ends in a number is read as an IPv4 address, which has four numbers from 0 to 255, and no `*.`."
)


def hosts(value: Json) -> Iterator[Diagnostic]:
    """Advice about the items of a list of host names."""
    for index, host in enumerate(value if isinstance(value, list) else ()):
        if isinstance(host, str) and not _PLAIN.fullmatch(host):
            yield from _host((index,), host)


def _host(path: Path, text: str) -> Iterator[Diagnostic]:
    """What surrounds the host name in ``text``; or else, the form that browsers send; or else, its flaws."""
    bare, extra = _bare(text)
    sent = as_sent(bare)
    if extra:
        message = f"{show(text)} contains {in_a_row(extra)}, but sites are matched by host name only"
        hint = f"Write {show(sent)}." if sent else "Write a host name, for example `www.example.com`."
        yield warning(path, message, hint, _CODE)
    elif is_address(bare) and not bare.startswith("["):
        message = f"{show(text)} isn't written the way browsers send this address"
        yield warning(path, message, f"Write {show(f'[{sent}]')}.", _CODE)
    elif sent and sent != bare.lower():
        message = f"browsers send {show(bare)} as {show(sent)}, so this spelling may never match"
        yield warning(path, message, f"Write {show(sent)}.", _CODE)
    else:
        for message, hint in _flaws(bare, sent):
            yield warning(path, f"{show(text)} {message}", hint, _CODE)


def _bare(text: str) -> tuple[str, list[str]]:
    """The host in ``text``, and what surrounds it."""
    bare = text.strip()
    extra = ["a space"] if re.search(r"\s", text) else []
    if scheme := _SCHEME.match(bare):
        extra.append("a scheme")
        bare = bare[scheme.end() :]
    bare, *rest = re.split(r"[/?#\\]", bare, maxsplit=1)
    _, at, bare = bare.rpartition("@")
    if at:
        extra.append("a user name")
    if _PORT.search(bare) and ("]" in bare or bare.count(":") == 1):
        extra.append("a port")
        bare = _PORT.sub("", bare)
    if rest:
        extra.append("a path")
    return bare, extra


def _flaws(host: str, sent: str) -> Iterator[tuple[str, str]]:
    """Why ``host`` doesn't match, or matches too much, and what to do; one reason is enough."""
    below = host.removeprefix("*.")
    labels = below.removesuffix(".").split(".")
    undecodable = [label for label in labels if label.lower().startswith("xn--") and not is_decodable(label)]
    if "*" in below and below != "*":
        yield "contains a `*` that isn't its first label", "Use `*.` once, at the beginning: `*.example.com`."
    elif not sent:
        yield "isn't a host name", _SUCH
    elif undecodable:
        yield (
            f"contains {show(undecodable[0])}, which doesn't decode to a name",
            "Write the name itself, in its own script.",
        )
    elif not is_address(host) and not is_possible(host):
        yield "can't be the name of a site", _AS_ADDRESS if labels[-1].isdigit() else _LIMITS
    elif host.startswith("*.") and len(labels) == 1 and labels[0].lower() != "localhost":
        yield f"matches every site under `{labels[0]}`", "Name a domain that you own: `*.example.com`."
    elif host.endswith("."):
        yield (
            "ends in a dot, and browsers treat that as a different site from the name without it",
            f"Write {show(host.removesuffix('.'))}.",
        )
