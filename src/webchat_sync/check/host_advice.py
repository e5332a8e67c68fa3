"""Advice about host names that no browser sends, or that stand for more than is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webchat_sync.check.schema import warning
from webchat_sync.check.suggest import in_a_row
from webchat_sync.domain.hosts import as_sent, is_address, is_decodable, is_possible
from webchat_sync.errors import Diagnostic, Path
from webchat_sync.jsonvalue import show
from webchat_sync.model import Json

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORT: Final = re.compile(r"(?<!:):[0-9]*$")
_CODE: Final = "domain"
_SUCH: Final = "Write one such as `www.example.com`. An empty list lets every site load the widget."


def hosts(value: Json) -> Iterator[Diagnostic]:
    """What is to be said of the items of a list of host names."""
    for index, host in enumerate(value if isinstance(value, list) else ()):
        if isinstance(host, str):
            yield from _host((index,), host)


def _host(path: Path, text: str) -> Iterator[Diagnostic]:
    """What is more than a host name in ``text``, or else the form of the name that browsers send, or else its flaws."""
    bare, extra = _bare(text)
    sent = as_sent(bare)
    if extra:
        message = f"{show(text)} holds {in_a_row(extra)}; the widget is allowed by host name alone"
        hint = f"Write {show(sent)}." if sent else "Write a host name such as `www.example.com`."
        yield warning(path, message, hint, _CODE)
    elif is_address(bare) and not bare.startswith("["):
        message = f"{show(text)} is an address as browsers do not send it"
        yield warning(path, message, f"Write {show(f'[{sent}]')}.", _CODE)
    elif sent and sent != bare.lower():
        message = f"browsers send {show(bare)} as {show(sent)}, so the name as it is here may never match"
        yield warning(path, message, f"Write {show(sent)}.", _CODE)
    else:
        for message, hint in _flaws(bare, sent):
            yield warning(path, f"{show(text)} {message}", hint, _CODE)


def _bare(text: str) -> tuple[str, list[str]]:
    """The host in ``text``, and what stands around it."""
    bare = text.strip()
    extra = ["a blank"] if re.search(r"\s", text) else []
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
    """What keeps ``host`` from matching, or lets it match too much, and what to do; one of them is enough."""
    below = host.removeprefix("*.")
    labels = below.removesuffix(".").split(".")
    undecodable = [label for label in labels if label.lower().startswith("xn--") and not is_decodable(label)]
    if "*" in below and below != "*":
        yield "holds a `*` that is not its first label", "A `*.` stands at the beginning, once: `*.example.com`."
    elif not sent:
        yield "is no host name", _SUCH
    elif undecodable:
        yield f"holds {show(undecodable[0])}, which stands for no name", "Write the name itself, in its own letters."
    elif not is_address(host) and not is_possible(host):
        limits = "A label has 1 to 63 letters, digits and hyphens, none of these at its ends; a name, 253 characters."
        yield "can be no site's name", limits
    elif host.startswith("*.") and len(labels) == 1 and labels[0].lower() != "localhost":
        yield f"stands for every site below `{labels[0]}`", "Name a domain of your own: `*.example.com`."
    elif host.endswith("."):
        yield (
            "ends in a dot, and browsers take that for another site than the one without",
            f"Write {show(host.removesuffix('.'))}.",
        )
