"""The events of an apply as objects according to ``schemas/events.schema.json``, one per line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final, get_args

from webchat_sync.model import ApplyReport, Operation, OperationResult, OperationStatus, Plan
from webchat_sync.plan.summary import summarize
from webchat_sync.planfile.failed import failed_document
from webchat_sync.render.report_json import mismatch_document, operation_document, outcome_of

FORMAT_VERSION: Final = "1.1"
"""The version of the format: additions raise the minor number, breaking changes the major one."""


def planned(plan: Plan) -> dict[str, Any]:
    """The plan that is about to be carried out."""
    return {
        "event": "planned",
        "format_version": FORMAT_VERSION,
        "organizations": [planned.organization for planned in plan.organizations],
        "failed": failed_document(plan.failed),
        "channels": asdict(summarize(plan)),
        "operations": sum(
            len(change.operations) for planned in plan.organizations for change in planned.active_changes
        ),
    }


def waiting(seconds: float) -> dict[str, Any]:
    """The rate limit holds calls back."""
    return {"event": "waiting", "seconds": round(seconds, 3)}


def waiting_for_lock(holder: str) -> dict[str, Any]:
    """Another run holds the lock: who, where and since when, in words."""
    return {"event": "waiting", "holder": holder}


def started(address: str, operation: Operation) -> dict[str, Any]:
    """A call is about to be sent."""
    return {
        "event": "started",
        "organization": operation.organization,
        "address": address,
        "method": operation.method,
        "path": operation.path,
    }


def finished(result: OperationResult) -> dict[str, Any]:
    """A call has ended, or its outcome is unknown."""
    event = "in_doubt" if result.status == "in_doubt" else "finished"
    return {"event": event, **operation_document(result)}


def ended(report: ApplyReport) -> Iterator[dict[str, Any]]:
    """The result of the verification, if there was one, and how the run ended."""
    if report.outcome in {"converged", "not_converged"} or report.unverified is not None:
        yield {
            "event": "verified",
            "not_converged": [mismatch_document(mismatch) for mismatch in report.not_converged],
            "unverified": None if report.unverified is None else report.unverified.message,
        }
    counts = Counter(result.status for result in report.results)
    operations = {status: counts[status] for status in get_args(OperationStatus)}
    yield {"event": "summary", "outcome": outcome_of(report), "operations": operations}
