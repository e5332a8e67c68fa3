"""The version of the saved plan's format."""

from typing import Final

FORMAT_VERSION: Final = "1.9"
"""Additions raise the minor number, breaking changes the major one."""
