"""Where the memory is kept: in a file, or on a ref of a Git remote; and who may choose that.

A manifest may choose ``git``, or a remote that the clone already has. Only the operator may choose a URL: otherwise,
the author of a manifest could choose where the token is sent.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from webchat_sync.environment import MEMORY_TOKEN_VARIABLE
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.git import run_git
from webchat_sync.git_messages import why_failed
from webchat_sync.jsonvalue import show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import GitMemory, Secret
from webchat_sync.tree import is_folder

ORIGIN: Final = GitMemory().remote

REF: Final = GitMemory().ref
"""The default ref of the memory."""

_FORMS: Final = (
    f"Use file, git, git#REF, or the URL or path of a repository, with #REF for a ref other than {REF}. A path needs a "
    "slash, as in ./NAME. For another remote of the clone, set `settings.memory` in the manifest."
)
_KINDS: Final = "Use https://, ssh:// (or user@host:path), file:// or a path."
_PROTOCOLS: Final = ("https", "ssh", "file")
_RESERVED: Final = ("heads", "tags", "remotes", "notes", "replace", "stash", "pull", "merge-requests", "changes")
_HELPER: Final = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_SCP_PASSWORD: Final = lazy_pattern(r"[^/@:]+:[^/@]+@[^/:]+:")
_SCP: Final = lazy_pattern(r"(?:[^/@:]+@)?(?P<host>\[[^\]]+\]|[^/:]+):(?P<path>.+)")
_LOCAL: Final = 10.0
"""The time limit, in seconds, of a Git command that only uses the clone."""


@frozen
class Remote:
    """A ref of a remote. ``url`` has no password; ``credentials`` are its ``user:password``, or empty.

    ``headers`` are HTTP headers that the clone sends to it; ``object_format`` is the clone's.
    """

    url: str
    ref: str
    credentials: Secret = field(default_factory=lambda: Secret(""))
    headers: tuple[Secret, ...] = ()
    object_format: str = "sha1"

    @property
    def protocols(self) -> str:
        """The protocols that Git may use, for GIT_ALLOW_PROTOCOL."""
        # Plain HTTP to this machine never leaves it.
        return ":".join((*_PROTOCOLS, "http") if _loopback(split_url(self.url)) else _PROTOCOLS)


def split_url(url: str) -> SplitResult:
    """The parts of a URL; all are empty if it isn't one, such as ``https://[x``."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def server_and_path(url: str) -> tuple[str, str]:
    """The host and the path in the URL of a remote, without protocol, user and port; the host of a path is empty."""
    if "://" in url:
        parts = split_url(url)
        return parts.hostname or "", parts.path
    scp = _SCP.fullmatch(url)
    return (scp["host"].lower(), scp["path"]) if scp else ("", url)


class NoRemoteError(InputError):
    """The clone has no remote of that name."""


def declared_remote(setting: GitMemory, clone: Path, environ: Mapping[str, str]) -> Remote:
    """The remote that a manifest declares, which the clone around ``clone`` must have.

    Raises NoRemoteError if it doesn't, and InputError if its URL can't be used.
    """
    name, ref = setting.remote, _checked_ref(setting.ref, clone, environ)
    remotes = _ask(clone, environ, "remote").split("\n")
    if name not in remotes or name.startswith("-"):
        known = ", ".join(filter(None, remotes))
        hint = (
            f"Its remotes: {known}. A manifest must use one of them; use --memory or WEBCHAT_SYNC_MEMORY for a URL."
            if known
            else "Add it with `git remote add`, run this in the clone of the manifests, or use --memory or "
            "WEBCHAT_SYNC_MEMORY with a URL."
        )
        raise NoRemoteError([Diagnostic(f"this clone has no remote {show(name)} for the memory", hint=hint)])
    url = _ask(clone, environ, "remote", "get-url", "--push", name)
    # The folder comes last, since its name can contain line breaks.
    facts = _ask(clone, environ, "rev-parse", "--is-bare-repository", "--show-object-format", "--absolute-git-dir")
    is_bare, object_format, folder = facts.split("\n", 2)
    root = Path(folder if is_bare == "true" else _ask(clone, environ, "rev-parse", "--show-toplevel"))
    remote = _remote(url, ref, root, environ)
    headers = ""
    if split_url(remote.url).scheme in {"http", "https"} and not remote.credentials:
        # The header that actions/checkout configures.
        headers = _ask(clone, environ, "config", "--get-urlmatch", "http.extraheader", remote.url, missing="")
    return Remote(
        remote.url,
        ref,
        remote.credentials,
        tuple(Secret(header) for header in headers.split("\n") if header),
        object_format,
    )


def named_remote(url: str, environ: Mapping[str, str]) -> Remote:
    """The remote that the operator gives as a URL or path, optionally followed by ``#REF``.

    Raises InputError.
    """
    address, _, ref = url.partition("#")
    if not address or not (is_folder(Path(address)) or any(mark in address for mark in ("/", ":", os.sep))):
        raise _wrong(f"the memory can't be kept in {show(url)}", _FORMS)
    return _remote(address, _checked_ref(ref or REF, Path(), environ), Path.cwd(), environ)


def _remote(url: str, ref: str, folder: Path, environ: Mapping[str, str]) -> Remote:
    """The remote, validated; a relative path starts in ``folder``."""
    address, credentials = _without_credentials(url)
    parts = split_url(address)
    is_url = "://" in address
    if is_url and not parts.scheme:
        # Not shown, since it may have a password.
        raise _wrong("the URL of the memory isn't valid", _KINDS)
    if (is_url and parts.scheme != "file" and (parts.password or parts.query)) or _SCP_PASSWORD.match(address):
        # Git would get it as an argument, and messages would show it.
        raise _wrong(
            "the URL of the memory has a password or a query, which others could see",
            f"Remove it. For https://, set {MEMORY_TOKEN_VARIABLE}; for ssh, use a key.",
        )
    if address.startswith("-") or _HELPER.match(address) or (parts.hostname or "").startswith("-"):
        raise _refused(address)
    if is_url:
        allowed = parts.scheme in _PROTOCOLS or (parts.scheme == "http" and _loopback(parts))
        if not allowed or not (parts.hostname or parts.scheme == "file"):
            raise _refused(address)
    elif host := server_and_path(address)[0]:
        if host.startswith("-"):
            raise _refused(address)
    else:
        address = os.path.normpath(folder / address)  # with `..` as git reads it
    # The operator's come first, since the token in a pipeline's clone URL may be read-only.
    return Remote(address, ref, _credentials(parts, environ) or credentials)


def _without_credentials(url: str) -> tuple[str, Secret]:
    """The URL without credentials, and its ``user:password``."""
    parts = split_url(url)
    if parts.scheme not in {"http", "https"} or "@" not in parts.netloc:
        return url, Secret("")
    userinfo, _, host = parts.netloc.rpartition("@")
    user, colon, password = userinfo.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}" if colon else f"{unquote(user)}:"
    return urlunsplit(parts._replace(netloc=host)), Secret(pair)


def _credentials(parts: SplitResult, environ: Mapping[str, str]) -> Secret:
    """``user:password`` for an HTTP remote: the operator's, or else the token of the pipeline's own host."""
    if parts.scheme not in {"http", "https"}:
        return Secret("")
    if given := environ.get(MEMORY_TOKEN_VARIABLE, "").strip():
        return Secret(given if ":" in given else f"x-access-token:{given}")
    host = (parts.scheme, parts.netloc)
    github = split_url(environ.get("GITHUB_SERVER_URL", ""))
    if host == (github.scheme, github.netloc) and (token := environ.get("GITHUB_TOKEN", "").strip()):
        return Secret(f"x-access-token:{token}")
    gitlab = split_url(environ.get("CI_SERVER_URL", ""))
    if host == (gitlab.scheme, gitlab.netloc):
        for name, user in (("GITLAB_TOKEN", "oauth2"), ("CI_JOB_TOKEN", "gitlab-ci-token")):
            if token := environ.get(name, "").strip():
                return Secret(f"{user}:{token}")
    return Secret("")


def _checked_ref(ref: str, folder: Path, environ: Mapping[str, str]) -> str:
    whole = ref.startswith("refs/") and ref.count("/") > 1
    if not whole or run_git(folder, environ, "check-ref-format", ref, timeout=_LOCAL).returncode != 0:
        raise _wrong(
            f"{show(ref)} isn't a ref that can contain the memory", f"Use a name under refs/, for example `{REF}`."
        )
    if ref.split("/")[1] in _RESERVED:
        raise _wrong(
            f"{show(ref)} can't contain the memory: Git and Git hosts use refs/{ref.split('/')[1]}/ for other purposes",
            f"Use another ref, for example `{REF}`.",
        )
    return ref


def _ask(clone: Path, environ: Mapping[str, str], *arguments: str, missing: str | None = None) -> str:
    """The output of Git in the clone; ``missing`` is returned for exit code 1."""
    result = run_git(clone, environ, *arguments, timeout=_LOCAL)
    if result.returncode == 1 and missing is not None:
        return missing
    if result.returncode != 0:
        raise _wrong(
            f"can't find a Git remote here for the memory: {why_failed(result)}",
            "Run this in a clone, or use --memory with the URL of a remote.",
        )
    return os.fsdecode(result.stdout.removesuffix(b"\n"))


def _loopback(parts: SplitResult) -> bool:
    """Whether the URL leads to this machine."""
    host = parts.hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(address: str) -> InputError:
    return _wrong(f"the memory can't be kept in {show(address)}", _KINDS)


def _wrong(message: str, hint: str) -> InputError:
    return InputError([Diagnostic(message, hint=hint)])
