"""The report of an apply as a page, above the plan that it carried out."""

from __future__ import annotations

from typing import Final

from webchat_sync.model import ApplyReport, Plan
from webchat_sync.render.html.page import ApplyVerdict, render_parts
from webchat_sync.render.report import render_report
from webchat_sync.render.text import last_line
from webchat_sync.render.walk import walk

_DEEPER: Final = " " * 4
"""The indentation of a line of the report that adds to the one above it."""


def render_apply(plan: Plan, report: ApplyReport, *, sources: str = "") -> str:
    """The plan as one HTML file, with ``report`` above it; ``sources`` is as for a plan."""
    verdict, *lines = render_report(plan, report).splitlines()
    more = frozenset(number for number, line in enumerate(lines) if line.startswith(_DEEPER))
    applied = ApplyVerdict(report.outcome == "converged", verdict, tuple(line.strip() for line in lines), more)
    return render_parts(
        plan, [("", walk(plan))], verdict=last_line(plan), title="Apply", sources=sources, applied=applied
    )
