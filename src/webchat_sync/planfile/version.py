"""The version of the saved plan's format."""

from typing import Final

FORMAT_VERSION: Final = "1.10"
"""Additions raise the minor number, breaking changes the major one."""
