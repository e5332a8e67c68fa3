"""What the refs of a remote are used for: the memory, or the branch of a pull request."""

from __future__ import annotations

from typing import Final

from webchat_sync.environment import MEMORY_TOKEN_VARIABLE
from webchat_sync.errors import MemoryUnavailableError, WebchatSyncError
from webchat_sync.frozen import frozen


@frozen
class Purpose:
    """A use of refs: its name in errors, the type of those errors, and their hint.

    ``limit`` says where the time limit of an exchange comes from. ``path_hint`` is the hint if the remote is a path.
    """

    subject: str
    error: type[WebchatSyncError]
    hint: str
    limit: str = ""
    path_hint: str = ""


MEMORY: Final = Purpose(
    "the memory",
    MemoryUnavailableError,
    f"Check the remote and the token ({MEMORY_TOKEN_VARIABLE}, or the pipeline's own). The token needs read access; "
    "commands that record something, such as apply, also need write access (GitHub: `contents: write`; GitLab: "
    "`GITLAB_TOKEN` with the scope `write_repository`).",
    limit=" (a quarter of WEBCHAT_SYNC_LOCK_EXPIRY, at most 20 s)",
    path_hint="Check the path and the permissions. The path must lead to a Git repository that you can read; commands "
    "that record something, such as apply, also need write access.",
)
