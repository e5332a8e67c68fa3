"""The report of an apply as text: one line if everything went well, otherwise all details."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.errors import ApiError, CombinedApiError, Place, UndeliveredError
from webchat_sync.flat import flat
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import (
    ActiveChange,
    ApplyReport,
    Create,
    CreateChannel,
    DeleteChannel,
    Item,
    Key,
    MakeSecret,
    NotConverged,
    Operation,
    OperationResult,
    OperationStatus,
    Outcome,
    PatchChannel,
    Plan,
    Position,
    RevokeSecret,
    path_text,
)
from webchat_sync.plan.summary import summarize
from webchat_sync.render.failed import failed_line, reasons
from webchat_sync.render.values import inline, named
from webchat_sync.render.walk import SECRETS
from webchat_sync.sentences import in_a_row

_STATUSES: Final[Mapping[OperationStatus, str]] = {
    "done": "done",
    "failed": "failed",
    "not_started": "not started",
    "in_doubt": "in doubt",
}
_HEADINGS: Final[Mapping[Outcome, str]] = {
    "incomplete": "Apply didn't finish.",
    "interrupted": "Apply was interrupted.",
    "not_converged": "Apply didn't converge: every call succeeded, but the server stored something else.",
    "refused": "Nothing was started.",
    "stale": "Nothing was started.",
}
_SECOND_CHANNEL: Final = "Apply didn't converge: every call succeeded, but there's a second channel for a declaration."
_UNVERIFIED: Final = (
    "Apply didn't finish: every call succeeded, but the channels couldn't be read again to verify them. "
    "Run apply again to check them."
)
_UNDELIVERED: Final = (
    "Apply didn't finish: a new identity secret couldn't be delivered or verified. See below for what to do."
)
_INVALID: Final = {400, 422}
"""The statuses of calls whose values the server rejects."""

_ONE_FIELD: Final = 2
"""The number of fields in a PATCH with one field apart from ``enabled``."""

_WORD: Final = lazy_pattern(r"\w+")
_LOOK: Final = "The call was sent, but no reliable response arrived: check the channel."
_IN_DOUBT: Final = "Check what is in doubt, then run apply again to continue."
_REFUSED: Final = "Fix what failed, then run apply again to continue."
_AGAIN: Final = "Run apply again to continue."


def render_report(plan: Plan, report: ApplyReport) -> str:
    """The outcome of an apply of ``plan``; unless it converged, every operation is listed."""
    if report.outcome == "converged" and not report.failed:
        summary = summarize(plan)
        counts = f"{summary.create:,} added, {summary.update:,} changed, {summary.delete:,} destroyed"
        return "\n".join([*_unlisted(plan, report), f"Apply complete! Channels: {counts}."])
    if report.outcome == "converged":
        lines = [f"Apply didn't reach every organisation.{failed_line(plan)}", *_failures(plan)]
        lines += _unlisted(plan, report)
        lines += [line for result in report.results if result.status != "done" for line in _operation(plan, result)]
        return "\n".join([*lines, *_in_the_others(plan.reached)])
    return "\n".join(_account(plan, report))


def _in_the_others(reached: Plan) -> Iterator[str]:
    """What was done in the organisations that didn't fail; nothing if all did."""
    if reached.organizations:
        summary, others = summarize(reached), "the others" if len(reached.organizations) > 1 else "the other one"
        yield f"In {others}: {summary.create:,} added, {summary.update:,} changed, {summary.delete:,} destroyed."


def _failures(plan: Plan) -> Iterator[str]:
    return (f"  {reason}" for failure in plan.failed for reason in reasons(failure))


def render_result(result: OperationResult, *, several: bool = False) -> str:
    """One finished operation on one line: ``"Support": updated``; ``several``: there are other organisations."""
    name = named(result.address, result.organization if several else "")
    if result.error is None:
        return f"{name}: {done(result.operation)}"
    return flat(f"{name}: {_STATUSES[result.status]}: {result.error.message}")


def done(operation: Operation) -> str:
    """What a finished operation did."""
    match operation:
        case CreateChannel():
            return "created"
        case PatchChannel():
            return "updated"
        case DeleteChannel():
            return "destroyed"
        case MakeSecret():
            return f"identity secret {SECRETS[operation.action][1]} and delivered"
        case RevokeSecret():
            return "identity secret revoked"


def _account(plan: Plan, report: ApplyReport) -> Iterator[str]:
    counts = Counter(result.status for result in report.results)
    undelivered = any(isinstance(result.error, UndeliveredError) for result in report.results)
    heading = _UNDELIVERED if undelivered and report.outcome == "incomplete" else _heading(report)
    yield _UNVERIFIED if report.unverified and counts.keys() <= {"done"} else heading
    if report.unverified is not None:
        # One line per failure, since line breaks in an error would look like another one.
        failures = report.unverified.errors if isinstance(report.unverified, CombinedApiError) else (report.unverified,)
        yield from (f"  {flat(failure.message)}" for failure in failures)
    for mismatch in report.not_converged:
        yield from _mismatch(plan, mismatch)
    yield from _unlisted(plan, report)
    yield from _failures(plan)
    changes: dict[tuple[str, str], ActiveChange] = {}
    for planned in plan.organizations:
        for change in planned.active_changes:
            changes.setdefault((planned.organization, change.address), change)
    for result in report.results:
        yield from _operation(plan, result)
        yield from _left_off(changes, result)
    yield "Operations: " + ", ".join(f"{counts[status]:,} {words}" for status, words in _STATUSES.items()) + "."


def _heading(report: ApplyReport) -> str:
    """How the run ended, and if another run must continue it, what to do first."""
    heading = _HEADINGS[report.outcome]
    if report.outcome == "not_converged" and all(mismatch.is_second for mismatch in report.not_converged):
        return _SECOND_CHANNEL
    if report.outcome not in {"incomplete", "interrupted"}:
        return heading
    if any(result.status == "in_doubt" for result in report.results):
        return f"{heading} {_IN_DOUBT}"
    return f"{heading} {_REFUSED if any(map(_is_refused, report.results)) else _AGAIN}"


def _is_refused(result: OperationResult) -> bool:
    """Whether the server refused the call for good; another run wouldn't follow a redirect either."""
    passing = isinstance(result.error, ApiError) and result.error.transient
    return result.status == "failed" and 300 <= (result.http_status or 0) < 500 and not passing


def _named(plan: Plan, organization: str, address: str) -> str:
    return named(address, organization if plan.several else "")


def _operation(plan: Plan, result: OperationResult) -> Iterator[str]:
    # The path of an operation on a new channel doesn't have its id yet.
    path = result.error.path if isinstance(result.error, ApiError) else result.operation.path
    call = f"{result.operation.method} {flat(path)}"
    yield f"  {_STATUSES[result.status]}: {_named(plan, result.organization, result.address)}: {call}"
    if result.error is not None:
        yield f"    {flat(result.error.message).removeprefix(f'{call}: ')}"
    if result.error is not None and result.error.hint:
        yield f"    {flat(result.error.hint)}"
    elif result.status == "in_doubt":
        yield f"    {_LOOK}"


def _left_off(changes: Mapping[tuple[str, str], ActiveChange], result: OperationResult) -> Iterator[str]:
    """What to do about a channel that was created switched off and whose PATCH was rejected."""
    operation, error = result.operation, result.error
    if result.status != "failed" or not isinstance(operation, PatchChannel) or not isinstance(error, ApiError):
        return
    change = changes[result.organization, result.address]
    if operation.body.get("enabled") is not True or not (isinstance(change, Create) or change.note):
        return
    words = set(_WORD.findall(" ".join(error.messages)))
    named = [f"`{name}`{_at(change.field_places.get(name))}" for name in operation.body if name in words]
    if named:
        correct = f"Fix {in_a_row(named)}, then apply"
    else:
        correct = "Fix what the server refuses, then apply" if error.status in _INVALID else "Apply"
    yield f"    The channel was created, but it's switched off. {flat(correct)} again:"
    yield "    the next run continues with this channel and switches it on."
    if (words | {"enabled"}).issuperset(operation.body) or len(operation.body) <= _ONE_FIELD:
        # Without a field that needs a PATCH, the next run wouldn't know that the channel is unfinished.
        yield "    If you remove the field instead, declare `enabled: true`."


def _at(place: Place | None) -> str:
    return f" ({place.file}:{place.line})" if place else ""


def _mismatch(plan: Plan, mismatch: NotConverged) -> Iterator[str]:
    name = _named(plan, mismatch.organization, mismatch.address)
    if mismatch.is_second:
        yield f"  {name}: another channel with that name was created in the meantime: {inline(mismatch.stored)}"
        yield f"    The run created {inline(mismatch.sent)}. Delete one of them, or pin the one to keep with `sync.id`."
        return
    if not mismatch.steps:
        yield f"  {name}: the channel is {'missing' if mismatch.is_missing else 'still there'}"
        if mismatch.is_missing and mismatch.sent is not None:
            yield f"    It was created with the id {inline(mismatch.sent)}, but the list of channels doesn't have it."
            yield "    Until it does, apply refuses to create the channel again."
        return
    if mismatch.steps == (Key("name"),):
        place = f" at {mismatch.place.file}:{mismatch.place.line}" if mismatch.place else ""
        yield f"  {name}: the server stored the name as {inline(mismatch.stored)}; declare that name{place}"
        return
    place = f" at {mismatch.place.file}:{mismatch.place.line}" if mismatch.place else ""
    if isinstance(mismatch.steps[-1], Item | Position) and (mismatch.stored is None or mismatch.sent is None):
        what = "left this item out" if mismatch.stored is None else "added this item"
        yield f"  {name}: {flat(mismatch.path)}: the server {what}"
        yield f"    To resolve this, declare the list{place} as the server stores it, or remove the field."
        return
    stored, sent = inline(mismatch.stored), inline(mismatch.sent)
    if len(mismatch.steps) > 1 and mismatch.sent is None:
        in_an_item = isinstance(mismatch.steps[-2], Item | Position)
        yield f"  {name}: {flat(mismatch.path)}: the server added {stored}"
        yield (
            f"    To resolve this, declare it{place}, or name the key in the field's `serverKeys`."
            if in_an_item
            else f"    To resolve this, declare it{place}, or remove the field."
        )
        return
    yield f"  {name}: {flat(mismatch.path)}: the server stored {stored} instead of {sent}"
    if _is_of_another_type(mismatch):
        # A value of another type isn't valid in a manifest.
        yield f"    To resolve this, remove the field{place}."
    else:
        yield f"    To resolve this, declare {stored}{place}, or remove the field."


def _is_of_another_type(mismatch: NotConverged) -> bool:
    """Whether the server stored text instead of a number, or the like, in a field that isn't a list or an object."""
    values = (mismatch.sent, mismatch.stored)
    if len(mismatch.steps) > 1 or not all(isinstance(value, str | int | float) for value in values):
        return False
    return len({"text" if isinstance(value, str) else isinstance(value, bool) for value in values}) > 1


def _unlisted(plan: Plan, report: ApplyReport) -> Iterator[str]:
    for organization, address, steps in report.unlisted:
        name = _named(plan, organization, address)
        yield f"{name}: {flat(path_text(steps))} was sent, but the server doesn't list it, so it can't be compared."
        yield "  Every apply sends it again, unless you remove it, or name it in `sync.ignore`."
