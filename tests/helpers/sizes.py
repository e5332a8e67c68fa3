"""How much a test tries: enough to find faults in every run, and more with ``pytest --thorough``."""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "WEBCHAT_SYNC_TEST_THOROUGH"
"""Set by ``--thorough``, for the tests' own processes, too."""

THOROUGH: Final = bool(os.environ.get(VARIABLE))


def size(usual: int, *, thorough: int) -> int:
    """How many examples, rounds or the like to try in this run."""
    return thorough if THOROUGH else usual
