"""Recognises a channel that an earlier run created switched off and did not live to switch on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.model import Declaration, LedgerEntry, LiveChannel, read_moment

SAME_MOMENT: Final = timedelta(milliseconds=5)
"""How far apart a server may stamp the creation and the last update of a channel that nobody has changed."""


def is_unfinished_create(
    declaration: Declaration,
    live: LiveChannel,
    changed: Collection[str],
    catalogue: Catalogue,
    entry: LedgerEntry | None = None,
) -> bool:
    """Whether ``live`` looks as the POST of this declaration leaves a channel: off and waiting for its PATCH.

    What the POST takes may have been edited since, together with what the server refused in the PATCH. Only where the
    declaration leaves ``enabled`` alone: the run that sends the PATCH must then switch the channel on, or it would
    stay off for good. A channel that was ever changed after its creation, or that the declaration pins by id, is
    somebody's decision and not a leftover; the making of its identity secret, which ``entry`` tells of or else the
    channel itself, is no such change. Two cases cannot be told from a leftover: a channel that was created from a
    declaration with ``enabled: false`` and nothing for a PATCH, whose declaration then drops the one and gains the
    other; and one that has a secret of which no ledger knows, was switched off by hand, is as declared in all that
    the POST takes, and has in none of the other declared fields what a PATCH would have brought. The plan shows the
    switch, so that a reviewer can decide.
    """
    # Of a field that the list leaves out nothing can be said.
    differing = {name for name in changed if name in live.fields}
    in_patch = {
        name for name in declaration.fields if name not in catalogue.fields or not catalogue.fields[name].create
    }
    if (
        live.fields.get("enabled") is not False
        or "enabled" in declaration.fields
        or declaration.id is not None
        or not in_patch
    ):
        return False
    if _never_changed(live):
        return True
    if entry is not None:
        return _changed_by_its_secret_only(live, entry)
    equal = (in_patch & live.fields.keys()) - differing
    waits = bool(differing) and in_patch.issuperset(differing)
    return waits and _has_declared_secret(declaration, live) and _brought_nothing(equal, live, catalogue)


def _never_changed(live: LiveChannel) -> bool:
    created, updated = (read_moment(live.fields.get(name)) for name in ("createdAt", "updatedAt"))
    return created is not None and updated is not None and abs(updated - created) < SAME_MOMENT


def _changed_by_its_secret_only(live: LiveChannel, entry: LedgerEntry) -> bool:
    if not entry.fresh:
        return False
    made, updated = entry.server_at, read_moment(live.fields.get("updatedAt"))
    # Until its secret is delivered, no PATCH follows.
    return entry.state != "delivered" or (made is not None and updated is not None and updated - made < SAME_MOMENT)


def _has_declared_secret(declaration: Declaration, live: LiveChannel) -> bool:
    declared = declaration.identity_secret
    return declared is not None and not declared.absent and live.fields.get("hasIdentitySecret") is True


def _brought_nothing(names: Collection[str], live: LiveChannel, catalogue: Catalogue) -> bool:
    """Whether the values of those fields, which are as they are declared, need no PATCH to have brought them."""
    defaults = {name: field.emulated_default for name, field in catalogue.fields.items()}
    return all(live.fields[name] in (None, [], defaults.get(name)) for name in names)
