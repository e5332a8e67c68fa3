"""Hosts that may embed the widget: which are valid, how browsers send them, and when two are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json

_NAME: Final = lazy_pattern(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_LABEL: Final = lazy_pattern(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST: Final = 253
_PORT: Final = lazy_pattern(r":[0-9]+$")
_AROUND: Final = lazy_pattern(r"^[A-Za-z][A-Za-z0-9+.-]*://|[/?#].*$")
"""What people write around a host: the scheme of a URL, and its path."""

_DOTS: Final = str.maketrans("\u3002\uff0e\uff61", "...")
"""The characters that UTS 46 maps to the dot between labels."""

_BLANKS: Final = " \t\n\r\f\v"


def is_address(text: str) -> bool:
    """Whether ``text`` is an IPv6 address, in brackets or bare."""
    return bool(_address(text))


def is_possible(host: str) -> bool:
    """Whether ``host``, a host name in ASCII, has lengths and characters that DNS allows, or is an IPv4 address.

    An address can't have a wildcard.
    """
    name = host.removeprefix("*.").removesuffix(".")
    labels = name.split(".")
    if labels[-1].isdigit():
        return name == host.removesuffix(".") and _is_ipv4(name)
    return len(name) <= _LONGEST and all(map(_LABEL.fullmatch, labels))


def as_sent(host: str) -> str:
    """``host`` as browsers send it, in ASCII and lower case; empty if it isn't a host name.

    Browsers map by UTS 46 without its transitional rules, and encode: ``straße.de`` isn't ``strasse.de``.
    """
    wildcard, name = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    sent = name if name.isascii() else _in_ascii(name)
    if _NAME.fullmatch(sent):
        return wildcard + sent.lower()
    return "" if wildcard else _address(sent)


def same_host_key(text: str) -> str:
    """A text that's the same for all spellings of one host, and different for other hosts.

    A port is kept, and so is a trailing dot: a page of ``example.com.`` has another origin. What can't be encoded is
    compared as text, with ASCII letters in lower case.
    """
    host, port = _split_port(text.strip(_BLANKS))
    return (as_sent(host) or _lower_ascii(host)) + port


def _split_port(text: str) -> tuple[str, str]:
    """The host in ``text``, and its port with the colon; a bare IPv6 address has none."""
    written = _PORT.search(text)
    port = written[0] if written and (text.count(":") == 1 or "]:" in text) else ""
    return text[: len(text) - len(port)], port


def first_origin(domains: Json) -> str:
    """The ``Origin`` of a page on the first of ``domains`` that names one host; empty if there is none.

    If all are wildcards, it's ``www`` below the first. Anything but a list of hosts has no origin.
    """
    texts = [text for text in domains if isinstance(text, str)] if isinstance(domains, list) else []
    hosts = [_AROUND.sub("", text.strip(_BLANKS)) for text in texts]
    below = [f"www.{host[2:]}" for host in hosts if host.startswith("*.")]
    return next(_origins([*(host for host in hosts if "*" not in host), *below]), "")


def _origins(hosts: Iterable[str]) -> Iterator[str]:
    for host in hosts:
        address = host if host.startswith("[") or not is_address(host) else f"[{host}]"
        name, port = _split_port(address)
        if sent := as_sent(name):
            yield f"https://{sent}{'' if port == ':443' else port}"


def is_decodable(label: str) -> bool:
    """Whether ``label``, which starts with ``xn--``, decodes to Unicode that encodes to it again."""
    coded = label.lower().removeprefix("xn--")
    try:
        decoded = coded.encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return False
    return not decoded.isascii() and _in_ascii(decoded) == f"xn--{coded}"


def _address(text: str) -> str:
    """The IPv6 address ``text`` as browsers write it, with any brackets; empty if it isn't one."""
    if ":" not in text:
        return ""
    from ipaddress import AddressValueError, IPv6Address

    inside = text.removeprefix("[").removesuffix("]") if text.startswith("[") and text.endswith("]") else text
    try:
        shown = IPv6Address(inside).compressed if "%" not in inside else ""
    except AddressValueError:
        return ""
    return text.replace(inside, shown)


def _is_ipv4(text: str) -> bool:
    from ipaddress import AddressValueError, IPv4Address

    try:
        return bool(IPv4Address(text))
    except AddressValueError:
        return False


def _in_ascii(name: str) -> str:
    import idna

    try:
        # Browsers are more lenient than IDNA 2008, which excludes emoji: they only map (UTS 46) and encode.
        labels = idna.uts46_remap(name, std3_rules=False, transitional=False).translate(_DOTS).split(".")
        return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)
    except (idna.IDNAError, UnicodeError):
        return ""


def _lower_ascii(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
