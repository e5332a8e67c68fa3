"""Recognises a channel that an earlier run created switched off but couldn't switch on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.model import Declaration, KnownChannel, LedgerEntry, LiveChannel, read_moment

CUT_OFF: Final = "its creation was interrupted before it was switched on"
"""The note of the change that continues an unfinished create."""

SAME_MOMENT: Final = timedelta(milliseconds=5)
"""How far apart a server may stamp the creation and the last update of an unmodified channel."""


SAME_SECOND: Final = timedelta(seconds=1)
"""How far apart a server may stamp a new secret and its channel, perhaps with whole seconds in one of the two."""


def is_unfinished_create(
    declaration: Declaration,
    live: LiveChannel,
    changed: Collection[str],
    catalogue: Catalogue,
    entry: LedgerEntry | None = None,
    known: KnownChannel | None = None,
) -> bool:
    """Whether ``live`` looks like the result of this declaration's POST: off, waiting for its PATCH.

    The declaration may have been edited since. It must leave ``enabled`` alone: then the run that sends the PATCH must
    switch the channel on, or it would stay off for good. A channel that was modified after its creation, or that the
    declaration pins by id, was left that way on purpose, unless it's ``known`` to be unfinished. Creating its identity
    secret, which ``entry`` or else the channel itself shows, isn't such a modification.

    Two cases can't be distinguished from an unfinished create: a channel created from a declaration with ``enabled:
    false`` that needed no PATCH, if the declaration then drops that and gains a field for a PATCH; and one with a
    secret that no ledger knows, that was switched off by hand, matches everything in the POST, and has default values
    in the other declared fields. The plan shows the switch, so that a reviewer can decide.
    """
    # Checked first, since it's what nearly all channels fail.
    if live.fields.get("enabled") is not False or "enabled" in declaration.fields or declaration.id is not None:
        return False
    # Nothing is known about a field that the list omits.
    differing = {name for name in changed if name in live.fields}
    in_patch = {
        name for name in declaration.fields if name not in catalogue.fields or not catalogue.fields[name].create
    }
    if not in_patch:
        return False
    if _never_changed(live) or (known is not None and known.unfinished):
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
    # No PATCH is sent before the secret is delivered.
    return entry.state != "delivered" or (made is not None and updated is not None and updated - made < SAME_SECOND)


def _has_declared_secret(declaration: Declaration, live: LiveChannel) -> bool:
    declared = declaration.identity_secret
    return declared is not None and not declared.absent and live.has_secret is True


def _brought_nothing(names: Collection[str], live: LiveChannel, catalogue: Catalogue) -> bool:
    """Whether the live values of these fields are defaults, so no PATCH can have set them."""
    defaults = {name: field.emulated_default for name, field in catalogue.fields.items()}
    return all(live.fields[name] in (None, [], defaults.get(name)) for name in names)
