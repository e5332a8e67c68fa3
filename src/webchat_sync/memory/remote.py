"""The refs of a Git remote, through plumbing commands in a temporary repository: the user's clone is never touched.

The token is only in Git's environment.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory
from typing import Final

from webchat_sync.environment import Environment
from webchat_sync.errors import WebchatSyncError
from webchat_sync.git import run_git
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.memory.git_process import LONGEST_TEXT, git_environment, reason, refusals
from webchat_sync.memory.place import Remote
from webchat_sync.memory.ports import Swap
from webchat_sync.memory.purpose import MEMORY, Purpose
from webchat_sync.model import read_moment
from webchat_sync.tree import MOST_BYTES

TRIES: Final = 5
"""How often a push is attempted that the remote neither accepted nor rejected."""

PAUSE: Final = 0.5
"""The longest wait in seconds before the second attempt; doubled before every further one."""

TIMEOUT: Final = 20.0
"""The time limit, in seconds, of one exchange with the remote."""

_NO_DATE: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""For a commit with an invalid date."""

_LOCAL: Final = 30.0
_ABSENT: Final = ""
_HOOK: Final = lazy_pattern(r"hook declined|protected|not allowed|denied|prohibited|unpack", re.IGNORECASE)
_NO_SUCH_REF: Final = lazy_pattern(rb"not our ref|couldn't find remote ref|no such ref")
_FETCH: Final = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-recurse-submodules", "--force")


class RemoteRefs:
    """The refs of ``remote``; their objects are in the temporary bare repository ``store``, after :meth:`init`.

    Threads can share it. Raises the errors of ``purpose``.
    """

    def __init__(
        self,
        remote: Remote,
        store: Path,
        environment: Environment,
        *,
        timeout: float = TIMEOUT,
        purpose: Purpose = MEMORY,
    ) -> None:
        self._remote = remote
        self._purpose = purpose
        self._store = store
        self._environment = environment
        self._environ = git_environment(remote, environment.environ)
        self._timeout = timeout
        self._secrets = (remote.credentials, *remote.headers)
        self._made = threading.Lock()
        self._atomic = True
        self._known: set[str] = set()

    def init(self) -> None:
        """Create the temporary repository, in which everything else happens."""
        self._locally("init", "--quiet", "--bare", "--template=", f"--object-format={self._remote.object_format}", ".")

    def tips(self, *refs: str) -> Mapping[str, str]:
        """See :class:`Refs`. The commits are then available locally."""
        before: Mapping[str, str] = {}
        for attempt in range(TRIES):
            if attempt:
                self._pause(attempt)
            listed = self._talk("ls-remote", "--quiet", self._remote.url, *refs)
            if listed.returncode != 0:
                raise self._unavailable(listed)
            lines = (line.partition("\t") for line in listed.stdout.decode("utf-8", "replace").splitlines())
            tips = {ref: commit for commit, _, ref in lines if ref in refs}
            # Several refs can be at the same commit.
            missing = [
                ref for commit, ref in {commit: ref for ref, commit in tips.items()}.items() if not self._has(commit)
            ]
            if not missing:
                return tips
            # A ref that's swapped meanwhile may be gone or at another commit, so list again.
            fetched = self._talk("fetch", *_FETCH, "--depth=1", self._remote.url, *map(_fetched, missing))
            if fetched.returncode == 0 and all(self._has(tips[ref]) for ref in missing):
                return tips
            if fetched.returncode != 0 and b"couldn't find remote ref" not in fetched.stderr:
                raise self._unavailable(fetched)
            if fetched.returncode == 0 and tips == before:
                raise self._error(f"can't be used: {missing[0]} isn't a commit")
            before = tips
        raise self._error("changes too fast to be read", hint="Run it again.")

    def fetch(self, commit: str) -> bool:
        """Fetch the commit without its history; False if the remote has no such commit."""
        fetched = self._talk("fetch", *_FETCH, "--depth=1", self._remote.url, commit)
        if fetched.returncode != 0 and not _NO_SUCH_REF.search(fetched.stderr):
            raise self._unavailable(fetched)
        return self._has(commit)

    def files(self, commit: str) -> Mapping[str, bytes]:
        """See :class:`Refs`. Raises ValueError if they're too large or in folders, or if a name can't be decoded."""
        blobs = self._blobs(commit)
        if not blobs:
            return {}
        request = "".join(f"{blob}\n" for blob in blobs.values())
        response = self._locally("cat-file", "--batch", stdin=request.encode())
        contents: dict[str, bytes] = {}
        position = 0
        for name in blobs:
            end = response.index(b"\n", position)
            size = int(response[position:end].rsplit(b" ", 1)[1])
            contents[name] = response[end + 1 : end + 1 + size]
            position = end + size + 2
        return contents

    def commit(self, files: Mapping[str, bytes], message: str, parent: str | None) -> str:
        """See :class:`Refs`. The author is the program, unless the environment names one."""
        blobs = self._blobs(parent) if parent else {}
        blobs |= {name: self._made_object("hash-object", "-w", "--stdin", stdin=files[name]) for name in files}
        tree = "".join(f"100644 blob {blob}\t{name}\0" for name, blob in blobs.items())
        root = self._made_object("mktree", "-z", stdin=tree.encode())
        parents = ["-p", parent] if parent else []
        return self._made_object("commit-tree", root, *parents, stdin=message.encode("utf-8", "replace"))

    def _blobs(self, commit: str) -> dict[str, str]:
        """The files of a commit, and the ids of their contents.

        Raises ValueError like :meth:`files`, since gigabytes of zeros compress well.
        """
        lines = self._locally("ls-tree", "-z", "-l", commit).decode().split("\0")
        entries = [(line.partition("\t")[0].split(), line.partition("\t")[2]) for line in lines if line]
        if any(kind != "blob" for (_, kind, *_), _ in entries):
            raise ValueError("it contains folders")
        blobs = {name: (blob, int(size)) for (_, _, blob, size), name in entries}
        if sum(size for _, size in blobs.values()) > MOST_BYTES:
            raise ValueError(f"it's larger than {MOST_BYTES // 2**20} MiB")
        return {name: blob for name, (blob, _) in blobs.items()}

    def swap(self, *swaps: Swap) -> bool:
        """See :class:`Refs`. Raises an error if the remote rejects it, or if the outcome is unknown.

        The response isn't relied on: unless it's a success, the refs are read again.
        """
        for attempt in range(TRIES):
            if attempt:
                self._pause(attempt)
            if len(swaps) > 1 and not self._atomic:
                return all(self.swap(swap) for swap in swaps)
            pushed = self._push(swaps)
            if pushed.returncode == 0:
                return True
            if b"does not support --atomic" in pushed.stderr:
                self._atomic = False
                continue
            tips = self.tips(*(swap.ref for swap in swaps))
            if all(tips.get(swap.ref) == swap.new for swap in swaps):
                return True
            if any(tips.get(swap.ref) != swap.old for swap in swaps):
                return False
            if _HOOK.search(refusals(pushed.stdout)):
                raise self._unavailable(pushed)
        raise self._unavailable(pushed)

    def text(self, commit: str) -> bytes:
        """The raw commit: tree, parents, author and message."""
        return self._locally("cat-file", "commit", commit)

    def commit_over(self, parent: str, files: Mapping[str, bytes], message: str) -> str:
        """A commit on top of ``parent`` in which the files at these paths, old or new, have these bytes."""
        with TemporaryDirectory(prefix="webchat-sync-index-", ignore_cleanup_errors=True) as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._locally("read-tree", parent, more=index)
            listed = os.fsdecode(self._locally("ls-tree", "-z", parent, "--", *files)).split("\0")
            modes = {name: kind[:6] for kind, _, name in (entry.partition("\t") for entry in listed)}
            lines = "".join(
                f"{modes.get(name, '100644')} {self._made_object('hash-object', '-w', '--stdin', stdin=data)}\t{name}\0"
                for name, data in files.items()
            )
            self._locally("update-index", "-z", "--index-info", stdin=os.fsencode(lines), more=index)
            tree = self._locally("write-tree", more=index).decode("ascii").strip()
        return self._made_object("commit-tree", tree, "-p", parent, stdin=message.encode("utf-8", "replace"))

    def messages(self, ref: str) -> Sequence[tuple[datetime, str]]:
        """See :class:`Refs`."""
        if ref not in self.tips(ref):
            return ()
        shallow = ["--unshallow"] if (self._store / "shallow").exists() else []
        fetched = self._talk("fetch", *_FETCH, *shallow, self._remote.url, _fetched(ref))
        if fetched.returncode != 0:
            raise self._unavailable(fetched)
        log = self._locally("log", "-z", "--format=%cI%n%B", "--no-show-signature", _local_ref(ref))
        parts = [entry.partition("\n") for entry in log.decode("utf-8", "replace").split("\0") if entry]
        return [(read_moment(at) or _NO_DATE, message.strip("\n")[:LONGEST_TEXT]) for at, _, message in parts]

    def _push(self, swaps: Sequence[Swap]) -> CompletedProcess[bytes]:
        leases = [f"--force-with-lease={swap.ref}:{swap.old or _ABSENT}" for swap in swaps]
        atomic = ["--atomic"] if self._atomic and len(swaps) > 1 else []
        changes = [f"{swap.new or ''}:{swap.ref}" for swap in swaps]
        arguments = ("push", "--porcelain", "--no-verify", "--no-signed", "--no-thin", *atomic, *leases)
        try:
            return self._talk(*arguments, self._remote.url, *changes)
        except self._purpose.error as error:
            # The response is lost, and the push may have arrived.
            return CompletedProcess(arguments, -1, b"", error.message.encode())

    def _has(self, commit: str) -> bool:
        # Nothing is ever removed from the temporary repository.
        if commit not in self._known and self._git("cat-file", "-e", f"{commit}^{{tree}}", timeout=_LOCAL).returncode:
            return False
        self._known.add(commit)
        return True

    def _made_object(self, *arguments: str, stdin: bytes) -> str:
        return self._locally(*arguments, stdin=stdin).decode("ascii").strip()

    def _locally(self, *arguments: str, stdin: bytes = b"", more: Mapping[str, str] | None = None) -> bytes:
        """The output of Git in the temporary repository, with ``more`` environment variables."""
        result = self._git(*arguments, stdin=stdin, timeout=_LOCAL, more=more)
        if result.returncode != 0:
            raise self._unavailable(result)
        return result.stdout

    def _talk(self, *arguments: str) -> CompletedProcess[bytes]:
        """The result of an exchange with the remote."""
        try:
            return self._git(*arguments, timeout=self._timeout)
        except TimeoutError:
            raise self._error(f"didn't respond within {self._timeout:g} s{self._purpose.limit}") from None

    def _git(
        self, *arguments: str, stdin: bytes = b"", timeout: float, more: Mapping[str, str] | None = None
    ) -> CompletedProcess[bytes]:
        # Git's own files, such as `shallow` and fetched refs, don't support two processes at once.
        with self._made:
            seconds = f"{int(self._environment.now().timestamp())} +0000"
            environ = {**self._environ, "GIT_AUTHOR_DATE": seconds, "GIT_COMMITTER_DATE": seconds, **(more or {})}
            return run_git(self._store, environ, f"--git-dir={self._store}", *arguments, stdin=stdin, timeout=timeout)

    def _pause(self, attempt: int) -> None:
        self._environment.pause(PAUSE * 2.0 ** (attempt - 1) * (0.5 + self._environment.random() / 2))

    def _unavailable(self, result: CompletedProcess[bytes]) -> WebchatSyncError:
        return self._error(f"can't be used: {reason(result, self._secrets)}")

    def _error(self, what: str, *, hint: str = "") -> WebchatSyncError:
        message = f"{self._purpose.subject} at {self._remote.url} {what}"
        return self._purpose.error(message, hint=hint or self._purpose.hint_for(self._remote.url))


@contextmanager
def open_refs(
    remote: Remote, environment: Environment, *, timeout: float = TIMEOUT, purpose: Purpose = MEMORY
) -> Iterator[RemoteRefs]:
    """The refs of the remote; the arguments are those of RemoteRefs. Its repository is removed at the end."""
    with TemporaryDirectory(prefix="webchat-sync-git-", ignore_cleanup_errors=True) as folder:
        refs = RemoteRefs(remote, Path(folder), environment, timeout=timeout, purpose=purpose)
        refs.init()
        yield refs


def _local_ref(ref: str) -> str:
    """The local ref for what was fetched of ``ref``."""
    return f"refs/fetched/{ref.removeprefix('refs/')}"


def _fetched(ref: str) -> str:
    return f"+{ref}:{_local_ref(ref)}"
