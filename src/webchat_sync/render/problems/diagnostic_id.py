"""Ids of problems, which distinguish a problem that moved from a new one."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from webchat_sync.errors import Diagnostic, dotted


def diagnostic_ids(problems: Sequence[Diagnostic]) -> list[str]:
    """One per problem, all different (SHA-256, hex).

    They don't change when lines move or channels change places: they cover the file, the kind of problem, its place
    within the channel, the text of its line, and a number if all of these are equal.
    """
    seen: Counter[str] = Counter()
    ids: list[str] = []
    for problem in problems:
        file = problem.place.file if problem.place else problem.message
        text = json.dumps([file, problem.code, _without_positions(problem), (problem.line or "").strip()])
        ids.append(hashlib.sha256(f"{text}#{seen[text]}".encode()).hexdigest())
        seen[text] += 1
    return ids


def _without_positions(problem: Diagnostic) -> str:
    return dotted(step for step in problem.steps if isinstance(step, str))
