"""Prints the outputs of a saved plan as lines for GITHUB_OUTPUT: ``python plan_outputs.py PLAN``."""

from __future__ import annotations

import sys
from pathlib import Path

from webchat_sync.plan.summary import has_changes, summarize
from webchat_sync.planfile.reader import read_plan


def main(path: str) -> None:
    """Print ``plan``, ``has-changes``, ``add``, ``change`` and ``destroy``."""
    plan = read_plan(Path(path).read_text(encoding="utf-8"), file=path)
    summary = summarize(plan)
    print(f"plan={path}")
    print(f"has-changes={str(has_changes(plan)).lower()}")
    print(f"add={summary.create}", f"change={summary.update}", f"destroy={summary.delete}", sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
