"""How much a test tries: enough to find faults in every run, and more in CI and with ``pytest --thorough``."""

from __future__ import annotations

import os
from typing import Final

THOROUGH: Final = "WEBCHAT_SYNC_TEST_THOROUGH"
"""Set by ``--thorough``, for the tests' own processes, too."""

VARIATIONS: Final = "WEBCHAT_SYNC_TEST_VARIATIONS"
"""``no`` in a run of all tests without ``--variations``, and otherwise ``yes``."""


def is_thorough() -> bool:
    """Whether this is a run with ``--thorough``."""
    return bool(os.environ.get(THOROUGH))


def with_variations() -> bool:
    """Whether this run has variations: one in CI, and one of some tests."""
    return os.environ.get(VARIATIONS) != "no"


def size(usual: int, *, thorough: int) -> int:
    """How many rounds or the like to try in this run."""
    return thorough if is_thorough() else usual


def examples(usual: int, *, thorough: int) -> int:
    """How many examples of a property or random rounds to try: half as many as usual in a run without variations."""
    return size(usual if with_variations() else usual // 2, thorough=thorough)
