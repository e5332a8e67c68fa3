"""What the refs of a remote are used for: the memory, or the branch of a pull request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webchat_sync.errors import MemoryUnavailableError, WebchatSyncError


@dataclass(frozen=True, slots=True)
class Purpose:
    """A use of refs: its name in errors, the type of those errors, and their hint."""

    subject: str
    error: type[WebchatSyncError]
    hint: str


MEMORY: Final = Purpose(
    "the memory",
    MemoryUnavailableError,
    "Nothing was done without being recorded. Check the remote and the token, which needs read and write access "
    "(GitHub: `contents: write`).",
)
