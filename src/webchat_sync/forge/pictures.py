"""Pictures in a comment: uploaded once, if the host stores them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from webchat_sync.errors import ApiError
from webchat_sync.forge.ports import Comments, first_line

_PLACED: Final = re.compile(r"/uploads/[0-9a-f]{32}/(webchat-sync-[0-9a-f]{20}\.svg)")
"""The address of one of our pictures; its name says what it shows."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The addresses of pictures by name; ``failure`` is why some have none."""

    addresses: Mapping[str, str]
    failure: ApiError | None = None


async def place_pictures(
    forge: Comments, number: int, pictures: Iterable[tuple[str, str]], *, is_marker: Callable[[str], bool]
) -> Placed:
    """Upload every picture, given as name and SVG, for the comment on the request.

    One that our comment already shows isn't uploaded again, since hosts keep uploads. A failure isn't an error, because
    a comment without pictures is better than none.
    """
    addresses: dict[str, str] = {}
    try:
        if not forge.takes_pictures:
            return Placed({})
        me = await forge.me()
        ours = (comment for comment in await forge.list_comments(number) if comment.author == me)
        for comment in ours:
            if is_marker(first_line(comment.body)):
                addresses |= {placed[1]: placed[0] for placed in _PLACED.finditer(comment.body)}
        for name, svg in pictures:
            if name not in addresses:
                addresses[name] = await forge.keep_picture(name, svg)
    except ApiError as error:
        return Placed(addresses, error)
    return Placed(addresses)
