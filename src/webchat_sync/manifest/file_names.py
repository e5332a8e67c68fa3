"""Names of files for channels: readable, safe on every system, and unique."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.leaks import redact_text

_LONGEST: Final = 50
"""Characters, which are up to 200 bytes; file systems allow names of 255."""

_BETWEEN: Final = lazy_pattern(r"[\W_]+")
_TAKEN_BY_WINDOWS: Final = lazy_pattern(r"con|prn|aux|nul|com\d|lpt\d")
_NAMELESS: Final = "channel"


def file_names(channel_names: Iterable[str], *, taken: Iterable[str] = ()) -> list[str]:
    """The file name of every channel, such as ``ventas-espana.yaml`` for ``Ventas España``.

    Names that would be equal, ignoring case, are numbered. A name without a letter or a digit, or with an API key in
    it, becomes ``channel.yaml``. ``taken`` are the names of existing files, in lower case.
    """
    used = {name.removesuffix(".yaml") for name in taken if name.endswith(".yaml")}
    names: list[str] = []
    last_number: defaultdict[str, int] = defaultdict(int)
    for channel_name in channel_names:
        slug = _slug(channel_name)
        name = slug
        while name in used:
            last_number[slug] += 1
            name = f"{slug}-{last_number[slug] + 1}"
        used.add(name)
        names.append(f"{name}.yaml")
    return names


def _slug(channel_name: str) -> str:
    if redact_text(channel_name) != channel_name:
        return _NAMELESS
    apart = unicodedata.normalize("NFKD", channel_name.casefold())
    bare = "".join(char for char in apart if not unicodedata.combining(char)).casefold()
    text = unicodedata.normalize("NFC", bare.encode(errors="ignore").decode())
    slug = _BETWEEN.sub("-", text).strip("-")[:_LONGEST].strip("-")
    return f"{slug or _NAMELESS}-{_NAMELESS}" if _TAKEN_BY_WINDOWS.fullmatch(slug) else slug or _NAMELESS
