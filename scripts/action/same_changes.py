"""Checks that the new plan is what was reviewed: ``python same_changes.py REVIEWED… PLAN``, exit code 0 or 4.

A reviewed plan comes from another run, whose files prove nothing. So the merge plans again, from the merged manifests,
and that plan is applied, with its own guards, only if the reviewed one is the same. Of several that were merged in one
push, all together must have the same calls.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from webchat_sync.errors import Diagnostic, InputError, StalePlanError, WebchatSyncError
from webchat_sync.planfile.reader import read_plan
from webchat_sync.render.problems.text import render_error

OF_THE_RUN: Final = frozenset({"created_at", "digest", "fleet_digest"})
"""What differs between any two plans: the creation time, and the digest of everything else. And what the manifests of
other shards declare, which have plans of their own."""

JUDGED: Final = "refused"
"""What the guards said of an organisation: the plan that is applied has its own say, by the options of the apply."""

PLACES: Final = frozenset({"place", "field_places"})
"""Where something is declared: another request in the same file may have moved it."""

SETTINGS: Final = ("base_url", "organization", "prune", "api_key_env", "ledger", "memory")
"""What must be the same for an organisation in each plan of a push."""

MOST_SHOWN: Final = 5
"""How many differences to print."""

_Key: TypeAlias = tuple[str, str, str, str]
"""Identifies a channel: server, organisation, name and id."""

_MISSING: Final = object()
_IN_NONE: Final = "none of the requests had this change in its plan"
_NOT_TOGETHER: Final = "one of the requests changes it, but together they don't"
_NOT_REVIEWED: Final = "the reviewed plan didn't have this change"
_NO_LONGER: Final = "the reviewed plan changes it, but the new one doesn't"
_HINT: Final = "Check what changed. To make a new plan and apply it, run this workflow by hand."


def differences(before: object, after: object, where: str = "$") -> Iterator[str]:
    """The JSON paths at which two documents differ; types count, so that 1 isn't true."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            yield from differences(before.get(name, _MISSING), after.get(name, _MISSING), f"{where}.{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{where}[{number}]")
    elif type(before) is not type(after) or before != after:
        yield where


def apart(reviewed: Sequence[Mapping[str, Any]], planned: Mapping[str, Any]) -> Iterator[str]:
    """The differences between the reviewed plans and the new plan, in words."""
    if len(reviewed) == 1:
        before, after = (
            {name: plan[name] for name in plan.keys() - OF_THE_RUN} | {"organizations": _unjudged(plan)}
            for plan in (*reviewed, planned)
        )
        yield from differences(before, after)
    else:
        yield from _apart_together(reviewed, planned, added=_IN_NONE, missing=_NOT_TOGETHER)


def described(found: list[str], reviewed: Sequence[Mapping[str, Any]], planned: Mapping[str, Any]) -> list[str]:
    """The differences that :func:`apart` found between valid plans, by channel instead of by path if possible."""
    if not found or len(reviewed) > 1:
        return found
    return list(_apart_together(reviewed, planned, added=_NOT_REVIEWED, missing=_NO_LONGER)) or found


def _apart_together(
    reviewed: Sequence[Mapping[str, Any]], planned: Mapping[str, Any], *, added: str, missing: str
) -> Iterator[str]:
    """The organisations and all changes together must equal the new plan's.

    ``added`` and ``missing`` describe a channel that only the new plan or none but a reviewed one changes.
    """
    for plan in reviewed:
        yield from differences(_settings(plan), _settings(planned), "$.organizations")
    together: dict[_Key, Mapping[str, Any]] = {}
    for plan in reviewed:
        for key, change in _asking(plan).items():
            if key in together and together[key] != change:
                yield f"{_channel(key)}: two of the requests change it in different ways"
            together[key] = change
    now = _asking(planned)
    for key in sorted({*together, *now}):
        if key not in together:
            yield f"{_channel(key)}: {added}"
        elif key not in now:
            yield f"{_channel(key)}: {missing}"
        else:
            for where in differences(together[key], now[key]):
                yield f"{_channel(key)}: {where.removeprefix('$.')}"


def _unjudged(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in organization.items() if name != JUDGED}
        for organization in plan["organizations"]
    ]


def _settings(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{name: organization.get(name) for name in SETTINGS} for organization in plan["organizations"]]


def _asking(plan: Mapping[str, Any]) -> dict[_Key, Mapping[str, Any]]:
    """Every change with calls to the API or something to remember, without its places."""
    return {
        (organization["base_url"], organization["organization"], change["address"], change["channel_id"] or ""): {
            name: value for name, value in change.items() if name not in PLACES
        }
        for organization in plan["organizations"]
        for change in organization["changes"]
        if change["action"] != "none" or change.get("adoption") or change.get("lockout")
    }


def _channel(key: _Key) -> str:
    return f'channel "{key[2]}" of {key[1]}'


def _read(file: str) -> dict[str, Any]:
    """The document of a valid plan."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError([Diagnostic(f"can't read {file}: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise InputError([Diagnostic(f"can't read {file}: it isn't UTF-8")]) from None
    read_plan(text, file=file)
    document: dict[str, Any] = json.loads(text)
    return document


def main(*files: str) -> int:
    """Compare them; differences are printed to stderr."""
    try:
        *reviewed, planned = [_read(file) for file in files]
        if found := described(list(apart(reviewed, planned)), reviewed, planned):
            more = f"; and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
            what = (
                "the merged manifests no longer match the reviewed plan"
                if len(reviewed) == 1
                else f"the plans of the {len(reviewed)} requests merged in one push, taken together, don't match "
                "the merged manifests"
            )
            raise StalePlanError([Diagnostic(f"{what} ({'; '.join(found[:MOST_SHOWN])}{more})", hint=_HINT)])
    except WebchatSyncError as error:
        print(render_error(error), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
