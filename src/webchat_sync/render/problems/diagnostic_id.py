"""Ids of problems, which tell a problem that moved from one that is new."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from webchat_sync.errors import Diagnostic, dotted


def diagnostic_ids(problems: Sequence[Diagnostic]) -> list[str]:
    """One per problem, all different (SHA-256, hex).

    They stay as they are when lines move and channels change places: they cover the file, the kind of problem, where
    in a channel it is, and what its line says; and which one it is of several that are the same in all of that.
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
