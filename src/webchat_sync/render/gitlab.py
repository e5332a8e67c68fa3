"""A plan as the report that GitLab shows in a merge request (``artifacts:reports:terraform``)."""

from __future__ import annotations

import json

from webchat_sync.model import Plan
from webchat_sync.plan.summary import summarize


def render_plan(plan: Plan) -> str:
    """``{"create": N, "update": N, "delete": N}``: GitLab's format only has counts."""
    summary = summarize(plan)
    return json.dumps({"create": summary.create, "update": summary.update, "delete": summary.delete})
