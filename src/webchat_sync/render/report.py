"""The end of an apply as text: one line when all went well, else the full account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.model import UNKNOWN, ApplyReport, NotConverged, OperationResult, OperationStatus, Plan
from webchat_sync.plan.make import summarize
from webchat_sync.render.values import inline, visible

_DONE: Final = {"POST": "created", "PATCH": "updated", "DELETE": "destroyed"}
_STATUSES: Final[Mapping[OperationStatus, str]] = {
    "done": "done",
    "failed": "failed",
    "not_started": "not started",
    "in_doubt": "in doubt",
}


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
        return f"{inline(result.address)}: {_DONE[result.operation.method]}"
    return visible(f"{inline(result.address)}: {_STATUSES[result.status]}: {result.error.message}")


def _account(report: ApplyReport) -> Iterator[str]:
    counts = Counter(result.status for result in report.results)
    if report.outcome == "not_converged":
        yield "Apply did not converge: every call succeeded, but these values are not what was sent."
        yield from (_mismatch(each) for each in report.not_converged)
        yield from _unlisted(report)
    elif report.unverified is not None:
        yield "Apply did not finish: every call succeeded, but the channels could not be read again to verify them."
        yield f"  {visible(report.unverified.message)}"
    else:
        yield "Apply did not finish. Run it again to go on from where it stands."
        yield from (f"  {_operation(result)}" for result in report.results)
    yield "Operations: " + ", ".join(f"{counts[status]} {words}" for status, words in _STATUSES.items()) + "."


def _operation(result: OperationResult) -> str:
    call = f"{result.operation.method} {visible(result.operation.path)}"
    line = f"{_STATUSES[result.status]}: {inline(result.address)}: {call}"
    return line if result.error is None else f"{line}\n    {visible(result.error.message)}"


def _mismatch(each: NotConverged) -> str:
    if not each.path:
        return f"  {inline(each.address)}: the channel is {'missing' if each.stored is UNKNOWN else 'still there'}"
    return f"  {inline(each.address)}: {visible(each.path)}: sent {inline(each.sent)}, stored {inline(each.stored)}"


def _unlisted(report: ApplyReport) -> Iterator[str]:
    for address, path in report.unlisted:
        yield f"{inline(address)}: {visible(path)} was sent; the server's list leaves it out, so it cannot be compared."
