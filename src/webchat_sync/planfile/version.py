"""The version of the saved plan's format."""

from typing import Final

FORMAT_VERSION: Final = "1.8"
"""The minor one rises with every addition, the major one with a breaking change."""
