"""Fingerprints of problems, which tell a problem that moved from one that is new."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from webchat_sync.errors import Problem

_INDEX: Final = re.compile(r"\[\d+\]")


def fingerprints(problems: Sequence[Problem]) -> list[str]:
    """One for each problem, all different (SHA-256, hex).

    They stay as they are when lines move and channels change places: they cover the file, the kind of problem, where
    in a channel it is, and what its line says; and which one it is of several that are the same in all of that.
    """
    seen: Counter[str] = Counter()
    found: list[str] = []
    for problem in problems:
        file = problem.place.file if problem.place else problem.message
        text = json.dumps([file, problem.code, _INDEX.sub("", problem.path), problem.line.strip()])
        found.append(hashlib.sha256(f"{text}#{seen[text]}".encode()).hexdigest())
        seen[text] += 1
    return found
