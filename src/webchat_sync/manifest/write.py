"""From live channels to the text of a manifest whose plan is empty."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from webchat_sync.check.manifest_schema import ANYTHING, manifest_schema
from webchat_sync.check.schema import Check
from webchat_sync.check.secrets import holds_secret
from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.jsonvalue import brief, show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.leaks import holds_key, printable_line, redact_text
from webchat_sync.model import UNKNOWN, Json, LiveChannel, Missing

_ITEM: Final = "  - "
_LINES: Final = lazy_pattern(r"^(?=.)", re.MULTILINE)


def write_manifest(
    organization: str,
    channels: Sequence[LiveChannel],
    *,
    catalogue: Catalogue,
    skip_defaults: bool = False,
    extra_fields: bool = False,
) -> str:
    """A YAML manifest that declares ``channels`` as they are, each pinned to its id.

    Fields are in the order of ``catalogue``; with ``skip_defaults``, those with the default of a new channel in the
    emulator are omitted. What a manifest can't declare (a value that the field's schema rejects, a field that the
    channel or the catalogue lacks, an API key) stays unmanaged, with a comment that gives the reason. If it's the name,
    that applies to the whole channel. With ``extra_fields``, fields that the catalogue lacks are listed in the settings
    and declared, too.
    """
    from webchat_sync.yaml12.emit import emit

    extra = _unknown(channels, catalogue) if extra_fields else []
    known = manifest_schema(catalogue, {name: {} for name in extra}).channel.known
    checks = {name: known[name] for name in (*catalogue.declarable, *extra)}
    defaults = {
        name: json.dumps(entry.emulated_default)
        for name, entry in catalogue.declarable.items()
        if skip_defaults and name != "name"
    }
    blocks = [_channel(channel, checks, {*catalogue.fields, *extra}, defaults) for channel in channels]
    head = emit("version", 1) + organization_line(organization)
    settings = emit("settings", {"extraFields": [*extra]}) if extra else ""
    key = "channels:\n" if any(block.startswith(_ITEM) for block in blocks) else "channels: []\n"
    return head + settings + key + "\n".join(blocks)


def organization_line(organization: str) -> str:
    """The line of a manifest that names its organisation."""
    from webchat_sync.yaml12.emit import emit

    return emit("organization", organization)


def _unknown(channels: Sequence[LiveChannel], catalogue: Catalogue) -> list[str]:
    """The fields of ``channels`` that the catalogue lacks and a manifest can declare."""
    unknown = [
        name
        for channel in channels
        for name, value in channel.fields.items()
        if name not in catalogue.fields and name != "sync" and not lines_or_reason(name, value, None)[1]
    ]
    return sorted(set(unknown))


def _channel(
    channel: LiveChannel, checks: Mapping[str, Check], known: Collection[str], defaults: Mapping[str, str]
) -> str:
    from webchat_sync.yaml12.emit import Inline, emit

    live = {**channel.fields, "name": channel.name}
    lines: dict[str, str] = {}
    notes: dict[str, str] = {}
    for name, check in checks.items():
        if check.schema is ANYTHING and name not in live:
            continue  # a field that this release doesn't know may be missing
        if name not in defaults or not _is(live.get(name, UNKNOWN), defaults[name]):
            lines[name], notes[name] = _field(name, live.get(name, UNKNOWN), check)
    for name, value in live.items():
        if name not in known:
            notes[name] = _note(
                name, value, "this release doesn't know the field; list it in settings.extraFields to manage it"
            )
    if not lines["name"]:
        pruned = f"  # The channel {show(channel.id)} is left out. With `prune: true`, it would be deleted.\n"
        return f"{pruned}  {notes['name']}"
    text = "".join((*lines.values(), emit("sync", Inline(id=channel.id)), *notes.values()))
    return _ITEM + _LINES.sub(" " * len(_ITEM), text).removeprefix(" " * len(_ITEM))


def _is(value: Json | Missing, default: str) -> bool:
    """Whether ``value`` equals ``default``, which is JSON."""
    try:
        return not isinstance(value, Missing) and json.dumps(value) == default
    except (RecursionError, ValueError):
        return False


def _field(name: str, value: Json | Missing, check: Check) -> tuple[str, str]:
    """The lines that declare a field, or else the comment that says why it isn't managed."""
    if isinstance(value, Missing):
        return "", f"# {name} (not managed: the server doesn't return it)\n"
    lines, reason = lines_or_reason(name, value, check)
    return lines, _note(name, value, reason) if reason else ""


def lines_or_reason(name: str, value: Json, check: Check | None) -> tuple[str, str]:
    """The lines that declare ``value`` for the field ``name``, or the reason why that's impossible; one is empty."""
    from webchat_sync.yaml12.emit import emit_faithfully

    try:
        text = json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return "", "it is too deeply nested or too large"
    if holds_key(text):
        return "", "it looks like an API key, which doesn't belong in a manifest"
    problem = next(check.problems(value), None) if check else None
    if problem is not None:
        return "", problem.message
    lines = emit_faithfully(name, value)
    if lines is not None and not holds_secret(name, value):
        return lines, ""
    return "", "YAML can't represent it" if printable_line(f"{name}: {text}") else "it may contain a secret"


def _note(name: str, value: Json, reason: str) -> str:
    """The comment about an unmanaged field, without its value if that may contain a key or a secret."""
    try:
        line = f"{name}: {json.dumps(value, ensure_ascii=False)}"
        shown = f": {show(value)}" if printable_line(line) else ""
    except (RecursionError, ValueError):
        shown = ""
    about_value = shown and reason.startswith(f"{shown[2:]} ")
    why = f"it {reason.removeprefix(shown[2:]).lstrip()}" if about_value else reason
    return f"# {redact_text(brief(name))}{shown} (not managed: {why})\n"
