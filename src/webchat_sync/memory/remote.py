"""The refs of a git remote, through plumbing in a repository of our own: no clone of the user's is touched.

Its objects lie in a folder that is gone after the run. The token travels in the environment of git alone.
"""

from __future__ import annotations

import os
import re
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory
from typing import Final

from webchat_sync.errors import MemoryUnavailableError
from webchat_sync.git import run_git
from webchat_sync.memory.place import Remote
from webchat_sync.memory.ports import Swap
from webchat_sync.redact import redact

TRIES: Final = 5
"""How often a push is tried that the remote neither took nor refused."""

PAUSE: Final = 0.5
"""Seconds before the second try, at most; twice as many before every further one."""

TIMEOUT: Final = 20.0
"""Seconds that one exchange with the remote may take."""

_LOCAL: Final = 30.0
_ABSENT: Final = ""
_HOOK: Final = re.compile(r"hook declined|protected|not allowed|denied|prohibited|unpack", re.IGNORECASE)
_CONTROL: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_SETTINGS: Final = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("protocol.ext.allow", "never"),
    ("http.followRedirects", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("push.gpgSign", "false"),
    ("push.followTags", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.useForceIfIncludes", "false"),
    ("fetch.recurseSubmodules", "no"),
    ("log.showSignature", "false"),
)
"""What holds whatever the operator's own configuration says: nothing of a repository's runs, nothing goes elsewhere."""


class RemoteRefs:
    """The refs of ``remote``, with the objects in the bare repository ``store`` that is ours alone.

    ``sleep`` takes seconds; ``random`` gives numbers from 0 to 1. It may be used by several threads.
    """

    def __init__(
        self,
        remote: Remote,
        store: Path,
        environ: Mapping[str, str],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        random: Callable[[], float],
        timeout: float = TIMEOUT,
    ) -> None:
        self._remote = remote
        self._store = store
        self._environ = _environment(remote, environ)
        self._now, self._sleep, self._random, self._timeout = now, sleep, random, timeout
        self._secrets = (remote.credentials, *remote.headers)
        self._made = threading.Lock()
        self._atomic = True

    def tips(self, *refs: str) -> Mapping[str, str]:
        """As the Protocol says; the commits are here then, too."""
        for attempt in range(TRIES):
            if attempt:
                self._pause(attempt)
            listed = self._asked("ls-remote", "--quiet", self._remote.url, *refs)
            lines = (line.partition("\t") for line in listed.splitlines())
            tips = {ref: commit for commit, _, ref in lines if ref in refs}
            missing = [ref for ref, commit in tips.items() if not self._has(commit)]
            if not missing:
                return tips
            # A ref that is swapped in between may not be there any more, or is at another commit: look again.
            got = self._talk("fetch", *_FETCH, "--depth=1", self._remote.url, *map(_fetched, missing))
            if got.returncode == 0 and all(self._has(tips[ref]) for ref in missing):
                return tips
            if got.returncode != 0 and b"couldn't find remote ref" not in got.stderr:
                raise self._unavailable(got)
        raise MemoryUnavailableError(f"the memory at {self._remote.url} changes faster than it can be read")

    def files(self, commit: str) -> Mapping[str, bytes]:
        """As the Protocol says."""
        blobs = self._blobs(commit)
        if not blobs:
            return {}
        asked = "".join(f"{blob}\n" for blob in blobs.values())
        answered = self._locally("cat-file", "--batch", given=asked.encode())
        contents: dict[str, bytes] = {}
        at = 0
        for name in blobs:
            end = answered.index(b"\n", at)
            size = int(answered[at:end].rsplit(b" ", 1)[1])
            contents[name] = answered[end + 1 : end + 1 + size]
            at = end + size + 2
        return contents

    def commit(self, files: Mapping[str, bytes], message: str, parent: str | None) -> str:
        """As the Protocol says; the identity is the program's own, unless the environment names one."""
        blobs = self._blobs(parent) if parent else {}
        blobs |= {name: self._made_object("hash-object", "-w", "--stdin", given=files[name]) for name in files}
        tree = "".join(f"100644 blob {blob}\t{name}\0" for name, blob in blobs.items())
        made = self._made_object("mktree", "-z", given=tree.encode())
        parents = ["-p", parent] if parent else []
        return self._made_object("commit-tree", made, *parents, given=message.encode("utf-8", "replace"))

    def _blobs(self, commit: str) -> dict[str, str]:
        """The files of a commit, and the ids of what is in them."""
        lines = self._locally("ls-tree", "-z", commit).decode().split("\0")
        entries = [line.partition("\t") for line in lines if line]
        return {name: kind.split()[2] for kind, _, name in entries if kind.split()[1] == "blob"}

    def swap(self, *swaps: Swap) -> bool:
        """As the Protocol says. Raises MemoryUnavailableError when the remote refuses, or nothing is known of the end.

        What the answer says is not relied on: where it was not yes, the refs are read again.
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
            if _HOOK.search(_refusals(pushed.stdout)):
                raise self._unavailable(pushed)
        raise self._unavailable(pushed)

    def messages(self, ref: str) -> Sequence[tuple[datetime, str]]:
        """As the Protocol says."""
        if ref not in self.tips(ref):
            return ()
        shallow = ["--unshallow"] if (self._store / "shallow").exists() else []
        got = self._talk("fetch", *_FETCH, *shallow, self._remote.url, _fetched(ref))
        if got.returncode != 0:
            raise self._unavailable(got)
        log = self._locally("log", "-z", "--format=%cI%n%B", "--no-show-signature", _kept(ref)).decode(
            "utf-8", "replace"
        )
        parts = [entry.partition("\n") for entry in log.split("\0") if entry]
        return [(datetime.fromisoformat(at), message.strip("\n")) for at, _, message in parts]

    def _push(self, swaps: Sequence[Swap]) -> CompletedProcess[bytes]:
        leases = [f"--force-with-lease={swap.ref}:{swap.old or _ABSENT}" for swap in swaps]
        atomic = ["--atomic"] if self._atomic and len(swaps) > 1 else []
        changes = [f"{swap.new or ''}:{swap.ref}" for swap in swaps]
        arguments = ("push", "--porcelain", "--no-verify", "--no-signed", "--no-thin", *atomic, *leases)
        try:
            return self._talk(*arguments, self._remote.url, *changes)
        except MemoryUnavailableError as error:
            # The answer is lost, and what was pushed may have arrived.
            return CompletedProcess(arguments, -1, b"", error.message.encode())

    def _has(self, commit: str) -> bool:
        return self._git("cat-file", "-e", f"{commit}^{{tree}}", timeout=_LOCAL).returncode == 0

    def _made_object(self, *arguments: str, given: bytes) -> str:
        return self._locally(*arguments, given=given).decode("ascii").strip()

    def _locally(self, *arguments: str, given: bytes = b"") -> bytes:
        """What git says about our own repository."""
        done = self._git(*arguments, given=given, timeout=_LOCAL)
        if done.returncode != 0:
            raise self._unavailable(done)
        return done.stdout

    def _asked(self, *arguments: str) -> str:
        done = self._talk(*arguments)
        if done.returncode != 0:
            raise self._unavailable(done)
        return done.stdout.decode("utf-8", "replace")

    def _talk(self, *arguments: str) -> CompletedProcess[bytes]:
        """What comes of an exchange with the remote."""
        try:
            return self._git(*arguments, timeout=self._timeout)
        except TimeoutError:
            raise MemoryUnavailableError(
                f"the memory at {self._remote.url} did not answer within {self._timeout:g} s", hint=_HINT
            ) from None

    def _git(self, *arguments: str, given: bytes = b"", timeout: float) -> CompletedProcess[bytes]:
        # git's own files (shallow, the refs that were fetched) are not made for two processes at a time.
        with self._made:
            seconds = f"{int(self._now().timestamp())} +0000"
            environ = {**self._environ, "GIT_AUTHOR_DATE": seconds, "GIT_COMMITTER_DATE": seconds}
            return run_git(self._store, environ, f"--git-dir={self._store}", *arguments, given=given, timeout=timeout)

    def _pause(self, attempt: int) -> None:
        self._sleep(PAUSE * 2.0 ** (attempt - 1) * (0.5 + self._random() / 2))

    def _unavailable(self, done: CompletedProcess[bytes]) -> MemoryUnavailableError:
        said = _CONTROL.sub("", redact(done.stderr.decode("utf-8", "replace"), self._secrets))
        lines = [line.strip() for line in (*said.splitlines(), *_refusals(done.stdout).splitlines())]
        reason = "; ".join(dict.fromkeys(filter(None, lines))) or f"git ended with {done.returncode}"
        return MemoryUnavailableError(f"the memory at {self._remote.url} cannot be used: {reason}", hint=_HINT)


_HINT: Final = (
    "Nothing is done that has to be remembered. Check the remote and the token: it needs to read and to write "
    "(GitHub: `contents: write`)."
)
_FETCH: Final = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-recurse-submodules", "--force")


@contextmanager
def open_refs(
    remote: Remote,
    environ: Mapping[str, str],
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
    random: Callable[[], float],
    timeout: float = TIMEOUT,
) -> Iterator[RemoteRefs]:
    """The refs of the remote, as RemoteRefs takes the arguments; its own repository is there until the block ends."""
    with TemporaryDirectory(prefix="webchat-sync-memory-", ignore_cleanup_errors=True) as folder:
        store = Path(folder)
        made = run_git(
            *(store, _environment(remote, environ)),
            *("init", "--quiet", "--bare", "--template=", f"--object-format={remote.object_format}", "."),
            timeout=_LOCAL,
        )
        refs = RemoteRefs(remote, store, environ, now=now, sleep=sleep, random=random, timeout=timeout)
        if made.returncode != 0:
            raise refs._unavailable(made)  # noqa: SLF001 - it is of this module
        yield refs


def _kept(ref: str) -> str:
    """Where our own repository has what was fetched of the ref."""
    return f"refs/fetched/{ref.removeprefix('refs/')}"


def _fetched(ref: str) -> str:
    return f"+{ref}:{_kept(ref)}"


def _refusals(porcelain: bytes) -> str:
    """What a push says of the refs that it did not change, with the remote's reasons."""
    lines = porcelain.decode("utf-8", "replace").splitlines()
    return "\n".join(line.split("\t")[-1] for line in lines if line.startswith("!"))


def _environment(remote: Remote, environ: Mapping[str, str]) -> dict[str, str]:
    """The operator's environment, without the API's keys and without what would print or store a token."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("GIT_TRACE", "MOSEND_")) and name != "GIT_CURL_VERBOSE"
    }
    settings = [*_SETTINGS]
    headers = [header.reveal() for header in remote.headers]
    if remote.credentials:
        headers = [f"Authorization: Basic {b64encode(remote.credentials.reveal().encode()).decode()}"]
    if headers:
        # An empty one forgets those of the operator's configuration: a server refuses two of them.
        settings += [(f"http.{remote.url}.extraHeader", header) for header in ("", *headers)]
    first = int(kept["GIT_CONFIG_COUNT"]) if kept.get("GIT_CONFIG_COUNT", "").isdecimal() else 0
    for number, (key, value) in enumerate(settings, first):
        kept |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    names = {"GIT_AUTHOR_NAME": "webchat-sync", "GIT_AUTHOR_EMAIL": "webchat-sync@localhost"}
    names |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in names.items()}
    return {
        **names,
        **kept,
        "GIT_CONFIG_COUNT": str(first + len(settings)),
        "GIT_ALLOW_PROTOCOL": remote.protocols,
        "SSH_ASKPASS_REQUIRE": "never",
    }
