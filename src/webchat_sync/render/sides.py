"""The known fields of a channel before and after a change; all pictures get them from here."""

from __future__ import annotations

from collections.abc import Mapping

from webchat_sync.frozen import frozen
from webchat_sync.model import ActiveChange, Create, Delete, Json, Update, sent_fields


@frozen
class Sides:
    """The known fields before and after; None without a channel.

    A field in neither isn't managed, so the plan doesn't contain its value.
    """

    before: Mapping[str, Json] | None
    after: Mapping[str, Json] | None

    @property
    def changed(self) -> frozenset[str]:
        """The fields that differ, or aren't known to be the same."""
        if self.before is None or self.after is None:
            return frozenset()
        missing = object()
        names = self.before.keys() | self.after.keys()
        return frozenset(name for name in names if self.before.get(name, missing) != self.after.get(name, missing))


def sides_of(change: ActiveChange) -> Sides:
    """Both sides of ``change``, which has been redacted."""
    match change:
        case Create():
            return Sides(None, sent_fields(change))
        case Delete():
            return Sides(change.reviewed, None)
        case Update():
            return Sides(change.reviewed, {**change.reviewed, **sent_fields(change)})
