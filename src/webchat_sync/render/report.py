"""The end of an apply as text: one line when all went well, else the full account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.errors import CombinedApiError, UndeliveredError
from webchat_sync.flat import flat
from webchat_sync.model import UNKNOWN, ApplyReport, NotConverged, OperationResult, OperationStatus, Outcome, Plan
from webchat_sync.plan.make import summarize
from webchat_sync.render.values import inline

_SECRET_DONE: Final = {"POST": "identity secret made and delivered", "DELETE": "identity secret revoked"}
_DONE: Final = {"POST": "created", "PATCH": "updated", "DELETE": "destroyed"}
_STATUSES: Final[Mapping[OperationStatus, str]] = {
    "done": "done",
    "failed": "failed",
    "not_started": "not started",
    "in_doubt": "in doubt",
}
_HEADINGS: Final[Mapping[Outcome, str]] = {
    "incomplete": "Apply did not finish. Run it again to go on from where it stands.",
    "interrupted": "Apply was interrupted. Run it again to go on from where it stands.",
    "not_converged": "Apply did not converge: every call succeeded, but the server stored something else.",
    "refused": "Nothing was started.",
    "stale": "Nothing was started.",
}
_UNVERIFIED: Final = (
    "Apply did not finish: every call succeeded, but the channels could not be read again to verify them."
)
_UNDELIVERED: Final = (
    "Apply did not finish: a new identity secret is not where it should be. What to do stands with it."
)
_LOOK: Final = "It was sent and no answer can be trusted: look at the channel, or run the plan again."


def render_report(plan: Plan, report: ApplyReport) -> str:
    """What an apply of ``plan`` came to; every operation is accounted for unless all of them converged."""
    if report.outcome == "converged":
        summary = summarize(plan)
        counts = f"{summary.create} added, {summary.update} changed, {summary.delete} destroyed"
        return "\n".join([*_unlisted(report), f"Apply complete! Channels: {counts}."])
    return "\n".join(_account(report))


def render_result(result: OperationResult) -> str:
    """One finished operation on one line: ``"Support": updated``."""
    if result.error is None:
        done = _SECRET_DONE if result.operation.about_secret else _DONE
        return f"{inline(result.address)}: {done[result.operation.method]}"
    return flat(f"{inline(result.address)}: {_STATUSES[result.status]}: {result.error.message}")


def _account(report: ApplyReport) -> Iterator[str]:
    counts = Counter(result.status for result in report.results)
    undelivered = any(isinstance(result.error, UndeliveredError) for result in report.results)
    heading = _UNDELIVERED if undelivered and report.outcome == "incomplete" else _HEADINGS[report.outcome]
    yield _UNVERIFIED if report.unverified else heading
    if report.unverified is not None:
        # One line for each of several failures; nothing in a failure begins another.
        failures = report.unverified.errors if isinstance(report.unverified, CombinedApiError) else (report.unverified,)
        yield from (f"  {flat(failure.message)}" for failure in failures)
    for each in report.not_converged:
        yield from _mismatch(each)
    yield from _unlisted(report)
    for result in report.results:
        yield from _operation(result)
    yield "Operations: " + ", ".join(f"{counts[status]} {words}" for status, words in _STATUSES.items()) + "."


def _operation(result: OperationResult) -> Iterator[str]:
    call = f"{result.operation.method} {flat(result.operation.path)}"
    yield f"  {_STATUSES[result.status]}: {inline(result.address)}: {call}"
    if result.error is not None:
        yield f"    {flat(result.error.message)}"
    if isinstance(result.error, UndeliveredError):
        yield f"    {flat(result.error.hint)}"
    if result.status == "in_doubt":
        yield f"    {flat(result.error.hint) if result.error and result.error.hint else _LOOK}"


def _mismatch(each: NotConverged) -> Iterator[str]:
    name = inline(each.address)
    if not each.path:
        yield f"  {name}: the channel is {'missing' if each.stored is UNKNOWN else 'still there'}"
        return
    yield f"  {name}: {flat(each.path)}: the server stored {inline(each.stored)}, sent {inline(each.sent)}"
    place = f" at {flat(each.place.file)}:{each.place.line}" if each.place else ""
    yield f"    To settle it, declare {inline(each.stored)} there{place}, or leave the field out."


def _unlisted(report: ApplyReport) -> Iterator[str]:
    for address, path in report.unlisted:
        yield f"{inline(address)}: {flat(path)} was sent; the server's list leaves it out, so it cannot be compared."
