"""Cases that resemble others; they only run with ``--variations`` and ``--thorough``, as in CI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest


def variation(*values: Any, id: str | None = None) -> Any:  # noqa: A002 - the name that `pytest.param` has
    """A case of ``pytest.mark.parametrize`` that's a variation; see the mark in ``pyproject.toml``."""
    return pytest.param(*values, id=id, marks=pytest.mark.variation)


def thinned(cases: Mapping[str, Any], *, every: int) -> list[Any]:
    """Cases of one argument, by name: the first and every nth after it, and the others as variations."""
    return [
        variation(value, id=name) if index % every else pytest.param(value, id=name)
        for index, (name, value) in enumerate(cases.items())
    ]
