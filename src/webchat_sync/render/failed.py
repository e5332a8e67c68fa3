"""The organisations that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from webchat_sync.flat import flat
from webchat_sync.model import FailedOrganization, Plan
from webchat_sync.render.values import inline
from webchat_sync.sentences import counted

MOST_LISTED: Final = 20
"""How many are named with reasons if there is little room."""


def render_failed(failed: Sequence[FailedOrganization], count: int) -> str:
    """For logs: a line for every problem, no hint twice, and how many of ``count`` failed."""
    lines = [f"Error: {line}" for failure in failed for line in reasons(failure)]
    hints = dict.fromkeys(problem.hint for failure in failed for problem in failure.problems if problem.hint)
    lines += [f"  {flat(hint)}" for hint in hints]
    others = count - len(failed)
    rest = f" The other {'one wasn' if others == 1 else f'{others:,} weren'}'t affected." if others else ""
    who = "The only organisation" if count == 1 else f"{len(failed):,} of {count:,} organisations"
    return "\n".join([*lines, f"{who} failed.{rest}"])


def reasons(failure: FailedOrganization) -> Iterator[str]:
    """Every problem on one line."""
    for problem in failure.problems:
        place = f" ({problem.place})" if problem.place else ""
        yield flat(f"organisation {inline(failure.organization)}: {problem.message}{place}")


def failed_line(plan: Plan) -> str:
    """How many organisations aren't in the plan; empty if all are."""
    if not plan.failed:
        return ""
    failed = len(plan.failed)
    return f" {counted(failed, 'organisation failed and is', 'organisations failed and are')} left out."


def none_reached(plan: Plan) -> str:
    """What to say about a plan without organisations, since all failed or its shard has none; empty for any other."""
    if not plan.organizations and not plan.failed and plan.shard:
        return f"Nothing was compared: none of the run's organisations is in shard {plan.shard}."
    if plan.organizations or not plan.failed:
        return ""
    few = {1: "the only organisation", 2: "both organisations"}
    who = few.get(len(plan.failed), f"all {len(plan.failed):,} organisations")
    return f"Nothing was compared: {who} failed."


def notices(plan: Plan) -> Iterator[str]:
    """What a reader of the plan must know about failures; if there are many, only the first ones."""
    for failure in plan.failed[:MOST_LISTED]:
        yield from (f"Failed: {reason}" for reason in reasons(failure))
    if len(plan.failed) > MOST_LISTED:
        more = counted(len(plan.failed) - MOST_LISTED, "more organisation")
        yield f"{more} failed. The log of the run lists all of them."
