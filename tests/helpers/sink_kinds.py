"""The kinds of sinks, for tests that go through all of them."""

from __future__ import annotations

from typing import Final

from webchat_sync.model import Sink
from webchat_sync.secrets.sinks.registry import KINDS

FILE_KINDS: Final = [name for name, kind in KINDS.items() if kind.addresses(Sink(name, "x", "KEY"))]
"""Those that write to a path."""
