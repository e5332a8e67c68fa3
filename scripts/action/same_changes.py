"""Says whether two saved plans change the same: ``python same_changes.py REVIEWED PLAN``, exit code 0 or 4.

A reviewed plan comes from another run, and what another run left behind proves nothing. So the merge plans again, from
the manifests that were merged, and the reviewed plan is applied only when it asks for nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from webchat_sync.errors import Diagnostic, StalePlanError, WebchatSyncError
from webchat_sync.model import Create, Plan, Unchanged
from webchat_sync.planfile.reader import read_plan
from webchat_sync.render.problems.text import render_error


def wanted(plan: Plan) -> Iterator[tuple[object, ...]]:
    """All that applying ``plan`` would send, where to, and what it was decided on."""
    for planned in plan.organizations:
        yield planned.base_url, planned.organization, planned.api_key_env, planned.ledger
        for change in planned.changes:
            if not isinstance(change, Unchanged):
                decided_on = {} if isinstance(change, Create) else change.reviewed
                yield change.address, change.action, change.channel_id, change.operations, decided_on, change.remarks
            elif change.remarks.adoption:
                yield change.address, change.channel_id, change.remarks


def main(reviewed: str, planned: str) -> int:
    """Compare them; what differs is told on stderr."""
    try:
        plans = [read_plan(Path(each).read_text(encoding="utf-8"), file=each) for each in (reviewed, planned)]
        before, after = (list(wanted(plan)) for plan in plans)
        if before != after:
            what = "what the merged manifests ask for now is not what was reviewed"
            raise StalePlanError([Diagnostic(what, hint="Run this workflow by hand to plan anew and apply that.")])
    except WebchatSyncError as error:
        print(render_error(error), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
