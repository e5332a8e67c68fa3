"""The end of an apply as a page: what it came to, above the plan that it carried out."""

from __future__ import annotations

from webchat_sync.model import ApplyReport, Plan
from webchat_sync.render.html.page import Account, render_parts
from webchat_sync.render.report import render_report
from webchat_sync.render.text import last_line


def render_apply(plan: Plan, report: ApplyReport, *, sources: str = "") -> str:
    """The plan as one HTML file, with the account of ``report`` above it; ``sources`` is as for a plan."""
    verdict, *lines = render_report(plan, report).splitlines()
    account = Account(report.outcome == "converged", verdict, tuple(line.strip() for line in lines))
    return render_parts(plan, [("", plan)], verdict=last_line(plan), title="Apply", sources=sources, account=account)
