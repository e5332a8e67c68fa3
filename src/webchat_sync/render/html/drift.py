"""Drift as a page: grouped by what moved, with what an apply would do."""

from __future__ import annotations

from webchat_sync.plan.drift import Drift
from webchat_sync.render.drift import heading, last_line
from webchat_sync.render.html.page import render_parts
from webchat_sync.render.walk import walk


def render_drift(drift: Drift, *, sources: str = "") -> str:
    """The drift as one HTML file; ``sources`` is as for a plan. Before is what is live, after what Git declares."""
    parts = [
        (
            f"{heading(group, drift)}. Apply would change",
            [section for section in walk(group.plan) if section.channels],
        )
        for group in drift.groups
    ]
    return render_parts(drift.plan, parts, verdict=last_line(drift), title="Drift", sources=sources)
