"""Whether a channel is open, on one line."""

from __future__ import annotations

from datetime import datetime

from webchat_sync.domain.hours import show_minutes
from webchat_sync.flat import flat
from webchat_sync.render.values import inline


def render_hours(name: str, timezone: str, moment: datetime, *, open_now: bool, until: datetime | None) -> str:
    """``"Support" is open on Mon 02 Nov 2026 at 10:00 (America/Bogota); it closes at 13:00, in 3 h.``

    ``moment`` and ``until``, the next change, are in the channel's time zone; None: it never changes.
    """
    state = "open" if open_now else "closed"
    told = f"{inline(name)} is {state} on {moment:%a %d %b %Y} at {moment:%H:%M} ({flat(timezone)})"
    if until is None:
        return f"{told}, and always."
    day = "" if until.date() == moment.date() else f"on {until:%a %d %b %Y} "
    # Whole minutes of local time; the difference of aware times accounts for daylight saving time.
    left = int((until.timestamp() - moment.replace(second=0, microsecond=0).timestamp()) // 60)
    return f"{told}; it {'closes' if open_now else 'opens'} {day}at {until:%H:%M}, in {show_minutes(left)}."
