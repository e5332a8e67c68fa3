"""What each format of a plan shows, for tests that compare formats."""

from __future__ import annotations

from typing import Final

IN_FULL: Final = ("text", "json", "markdown", "github", "html")
"""Those that show every change with its values, and everything that's to be known about the plan."""

IN_SHORT: Final = ("gitlab",)
"""Those that leave something out."""
