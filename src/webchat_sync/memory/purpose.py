"""What the refs of a remote are used for: the memory, or the branch of a pull request."""

from __future__ import annotations

from typing import Final

from webchat_sync.environment import MEMORY_TOKEN_VARIABLE
from webchat_sync.errors import MemoryUnavailableError, WebchatSyncError
from webchat_sync.frozen import frozen
from webchat_sync.memory.place import server_and_path, split_url


@frozen
class Purpose:
    """A use of refs: its name in errors, the type of those errors, and their hint.

    ``limit`` says where the time limit of an exchange comes from. ``path_hint`` is the hint if the remote is a path,
    and ``ssh_hint`` if it's reached with SSH.
    """

    subject: str
    error: type[WebchatSyncError]
    hint: str
    limit: str = ""
    path_hint: str = ""
    ssh_hint: str = ""

    def hint_for(self, url: str) -> str:
        """What to do if the remote at ``url`` can't be used."""
        host, _ = server_and_path(url)
        is_http = split_url(url).scheme in {"http", "https"}
        return (self.path_hint if not host else self.ssh_hint if not is_http else "") or self.hint


MEMORY: Final = Purpose(
    "the memory",
    MemoryUnavailableError,
    f"Check the remote and the token ({MEMORY_TOKEN_VARIABLE}, or the pipeline's own). The token needs read access; "
    "commands that record something, such as apply, also need write access (GitHub: `contents: write`; GitLab: "
    "`GITLAB_TOKEN` with the scope `write_repository`).",
    limit=" (a quarter of WEBCHAT_SYNC_LOCK_EXPIRY, at most 20 s)",
    path_hint="Check the path and the permissions. The path must lead to a Git repository that you can read; commands "
    "that record something, such as apply, also need write access.",
    ssh_hint="Check the remote and the SSH key. The key needs read access; commands that record something, such as "
    "apply, also need write access.",
)
