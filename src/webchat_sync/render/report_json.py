"""The report of an apply as JSON, according to ``schemas/report.schema.json``."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final, get_args

from webchat_sync import __version__
from webchat_sync.flat import json_text
from webchat_sync.model import (
    UNKNOWN,
    ApplyReport,
    NotConverged,
    OperationResult,
    OperationStatus,
    Outcome,
    moment_text,
)
from webchat_sync.planfile.failed import failed_document

FORMAT_VERSION: Final = "1.1"
"""The version of the format: additions raise the minor number, breaking changes the major one."""


def render_report(report: ApplyReport, *, created_at: datetime) -> str:
    """The report as indented JSON; ``created_at`` is when the run ended."""
    counts = Counter(result.status for result in report.results)
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "tool_version": __version__,
        "created_at": moment_text(created_at),
        "outcome": outcome_of(report),
        "operations": [operation_document(result) for result in report.results],
        "summary": {status: counts[status] for status in get_args(OperationStatus)},
        "failed": failed_document(report.failed),
        "not_converged": [mismatch_document(mismatch) for mismatch in report.not_converged],
    }
    if report.unverified is not None:
        document["unverified"] = report.unverified.message
    return json_text(document)


def outcome_of(report: ApplyReport) -> Outcome:
    """The outcome for programs: a run that left out organisations that failed isn't ``converged``."""
    return "incomplete" if report.failed and report.outcome == "converged" else report.outcome


def operation_document(result: OperationResult) -> dict[str, Any]:
    """One call of the report."""
    return {
        "organization": result.organization,
        "address": result.address,
        "method": result.operation.method,
        "path": result.operation.path,
        "status": result.status,
        "attempts": result.attempts,
        "http_status": result.http_status,
        "request_id": result.request_id,
        "error": None if result.error is None else result.error.message,
    }


def mismatch_document(mismatch: NotConverged) -> dict[str, Any]:
    """One place that still differs."""
    return {
        "organization": mismatch.organization,
        "address": mismatch.address,
        "path": mismatch.path,
        "sent": mismatch.sent,
        "stored": None if mismatch.stored is UNKNOWN else mismatch.stored,
    }
