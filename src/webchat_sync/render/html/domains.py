"""The sites that may load the widget: added, removed and unchanged ones."""

from __future__ import annotations

from typing import Final

from webchat_sync.domain.hosts import same_host_key
from webchat_sync.frozen import frozen
from webchat_sync.model import Json
from webchat_sync.render.sides import Sides
from webchat_sync.render.values import inline

FIELD: Final = "allowedDomains"
"""The field of a channel with its sites."""

_ANY_SITE: Final = "any site"
_ANY_OTHER: Final = "any other site"


@frozen
class Sites:
    """Hosts as they're written. ``remark`` says what isn't a list of hosts."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    kept: tuple[str, ...]
    remark: str = ""


def sites_of(sides: Sides) -> Sites | None:
    """How the sites change; None if they don't, or if that isn't known."""
    if sides.before is not None and sides.after is not None and FIELD not in sides.changed:
        return None
    before, after = (None if side is None else hosts_of(side.get(FIELD)) for side in (sides.before, sides.after))
    if before is None and after is None:
        return None
    old, new = before or {}, after or {}
    if before == {} and new:  # any site could load it; the listed ones still can
        return Sites((), (_ANY_OTHER,), tuple(new.values()))
    if after == {} and old:
        return Sites((_ANY_OTHER,), (), tuple(old.values()))
    remark = ""
    if before is None and sides.before is not None:
        remark = "It isn't known which sites could load it before."
    if after is None and sides.after is not None:
        remark = "The value isn't a list of hosts."
    return Sites(
        gained=(_ANY_SITE,) if after == {} else tuple(host for key, host in new.items() if key not in old),
        lost=(_ANY_SITE,) if before == {} else tuple(host for key, host in old.items() if key not in new),
        kept=tuple(host for key, host in new.items() if key in old),
        remark=remark,
    )


def hosts_of(value: Json) -> dict[str, str] | None:
    """The hosts by their canonical form; an empty list means any site. None for anything but a list."""
    if not isinstance(value, list):
        return None
    texts = [host if isinstance(host, str) else inline(host) for host in value]
    return {same_host_key(host): host for host in texts}
