"""The branch of a request: one commit of ours on top of the commit that was read, never pushed over other commits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, InputError, PushError
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.memory.place import NoRemoteError, Remote, declared_remote, split_url
from webchat_sync.memory.ports import Swap
from webchat_sync.memory.purpose import Purpose
from webchat_sync.memory.remote import RemoteRefs, open_refs
from webchat_sync.model import GitMemory, Secret

PREFIX: Final = "webchat-sync/adopt"
"""The name of the branch, or its prefix if the request has a label."""

_TRAILER: Final = lazy_pattern(rb"\nWebchat-Sync-Adopt: ([0-9a-f]{64})\n*\Z")
_IN_NAMES: Final = lazy_pattern(r"[^A-Za-z0-9_]+")
_LONGEST: Final = 100
"""The most characters of a label in a branch name; servers with a file for each branch can store about 200."""

_TIMEOUT: Final = 120.0
"""Seconds for one exchange, which fetches the whole tree."""

_PURPOSE: Final = {
    "github": Purpose(
        "the branch",
        PushError,
        "Check the token: it needs `permissions: contents: write`. A ruleset may also block this "
        "branch, or commits without a signature.",
    ),
    "gitlab": Purpose(
        "the branch",
        PushError,
        "Check GITLAB_TOKEN: it needs the scope `write_repository` and the role Developer or above. Push rules and "
        "protected branches may also block pushes to this branch.",
    ),
}


@frozen
class Tip:
    """The head of the branch; ``ours``: only this program committed to it."""

    commit: str
    ours: bool


def branch_name(label: str) -> str:
    """The branch of the requests with ``label``."""
    name = _IN_NAMES.sub("-", label)[:_LONGEST].strip("-")
    if not label:
        return PREFIX
    # Labels that only differ in what branch names can't have must not share one.
    same = name == label
    return f"{PREFIX}-{name}" if same else f"{PREFIX}-{name}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


class Branch:
    """The branch ``name`` on the remote. ``parent`` is the commit that the files were read from."""

    def __init__(self, refs: RemoteRefs, name: str, parent: str) -> None:
        self._refs = refs
        self._ref = f"refs/heads/{name}"
        self._parent = parent

    def tip(self) -> Tip | None:
        """The head of the branch; None if it doesn't exist. Raises PushError."""
        commit = self._refs.tips(self._ref).get(self._ref)
        return None if commit is None else Tip(commit, _is_ours(self._refs.text(commit)))

    def put(self, files: Mapping[str, bytes], message: str, over: Tip | None) -> bool:
        """Replace ``over`` by one commit with ``files`` on top of the parent; returns whether it changed.

        Raises PushError, also if someone pushed to it meanwhile, and InputError if the remote doesn't have the parent.
        """
        if not self._refs.fetch(self._parent):
            hint = "Push the commit first, or check out the latest commit of the remote branch."
            raise InputError([Diagnostic(f"the remote doesn't have the commit {self._parent[:12]}", hint=hint)])
        plain = self._refs.text(self._refs.commit_over(self._parent, files, message))
        seal = hashlib.sha256(_sealed(plain)).hexdigest()
        commit = self._refs.commit_over(self._parent, files, f"{message}\n\nWebchat-Sync-Adopt: {seal}\n")
        if over is not None and _sealed(self._refs.text(over.commit)) == _sealed(plain):
            return False
        self._swap(over, commit)
        return True

    def remove(self, tip: Tip) -> None:
        """Remove it, unless someone pushed to it meanwhile. Raises PushError."""
        self._swap(tip, None)

    def _swap(self, old: Tip | None, new: str | None) -> None:
        if not self._refs.swap(Swap(self._ref, old.commit if old else None, new)):
            name = self._ref.removeprefix("refs/heads/")
            raise PushError(f"someone pushed to the branch {name} in the meantime", hint="Run this again.")


@contextmanager
def open_branch(run: PipelineRun, clone: Path, parent: str, name: str, environment: Environment) -> Iterator[Branch]:
    """The branch ``name`` of the remote that ``clone`` came from, closed after the block; for worker threads."""
    from anyio import from_thread

    async def wait(seconds: float) -> None:
        await environment.sleep(seconds)

    remote = _remote(run, clone, environment.environ)
    in_thread = replace(environment, pause=lambda seconds: from_thread.run(wait, seconds))
    with open_refs(remote, in_thread, timeout=_TIMEOUT, purpose=_PURPOSE[run.host]) as refs:
        yield Branch(refs, name, parent)


def _remote(run: PipelineRun, clone: Path, environ: Mapping[str, str]) -> Remote:
    """The remote of the clone, and the run's token for it, which is only sent to the pipeline's own host."""
    try:
        remote = declared_remote(GitMemory(), clone, environ)
    except NoRemoteError:
        hint = "Check out with actions/checkout, or let GitLab's runner clone the repository."
        raise InputError([Diagnostic("this clone has no remote `origin` to push to", hint=hint)]) from None
    except InputError:
        hint = "Set `origin` to an https:// or ssh:// URL of the project."
        raise InputError([Diagnostic("can't push to the URL of the remote `origin`", hint=hint)]) from None
    parts, host = split_url(remote.url), split_url(run.page)
    if parts.scheme not in {"http", "https"}:
        return remote
    if (parts.scheme, parts.netloc) != (host.scheme, host.netloc):
        here, there = (f"{address.scheme}://{address.netloc}" for address in (host, parts))
        hint = f"Set `origin` to the project's own URL, under {here}/."
        raise InputError([Diagnostic(f"`origin` is on {there}, but this pipeline runs on {here}", hint=hint)])
    user = "x-access-token" if run.host == "github" else "oauth2"
    return replace(remote, credentials=Secret(f"{user}:{run.token.reveal()}"), headers=())


def _is_ours(text: bytes) -> bool:
    """Whether the commit was created by this program and not modified: neither amended nor rebased."""
    trailer = _TRAILER.search(text)
    return trailer is not None and hashlib.sha256(_sealed(text)).hexdigest().encode() == trailer[1]


def _sealed(text: bytes) -> bytes:
    """What the seal covers: the tree, the parents and the message, but neither times nor names."""
    head, _, message = text.partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if line.startswith((b"tree ", b"parent "))]
    return b"\n".join([*lines, b"", _TRAILER.sub(b"", message).strip()])
