"""Carries out a plan: order, concurrency, and the results of all operations."""

from typing import Final

DEFAULT_PARALLELISM: Final = 8
"""How many channels are written concurrently by default."""
