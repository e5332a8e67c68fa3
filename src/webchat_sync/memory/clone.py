"""Facts about the clone of the manifests: the owner, and the commit that's checked out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from webchat_sync.errors import InputError
from webchat_sync.git import run_git
from webchat_sync.memory.place import ORIGIN

NO_REPOSITORY: Final = "local"
"""The owner of manifests that aren't in a repository with a remote."""

_SCP: Final = re.compile(r"(?:[^/@:]+@)?(?P<host>[^/:@]+):(?!//)(?P<path>.+)")
_TIMEOUT: Final = 10.0


def owner_of(folder: Path, environ: Mapping[str, str]) -> str:
    """``host/path`` of the repository around ``folder``: the same for every clone, however it was made."""
    try:
        result = run_git(folder, environ, "remote", "get-url", ORIGIN, timeout=_TIMEOUT)
    except (InputError, TimeoutError, OSError):
        return NO_REPOSITORY
    return (
        repository_name(result.stdout.decode("utf-8", "replace").strip()) if result.returncode == 0 else NO_REPOSITORY
    )


def commit_of(folder: Path, environ: Mapping[str, str]) -> str:
    """The commit that's checked out around ``folder``; empty if there is none."""
    with suppress(InputError, TimeoutError, OSError):
        result = run_git(folder, environ, "rev-parse", "--verify", "--quiet", "HEAD", timeout=_TIMEOUT)
        return result.stdout.decode("ascii", "replace").strip()
    return ""


def repository_name(url: str) -> str:
    """``host/path`` in the URL of a remote, without protocol, user and port."""
    if "://" in url:
        parts = urlsplit(url)
        host, path = parts.netloc.rpartition("@")[2].partition(":")[0], parts.path
    elif scp := _SCP.fullmatch(url):
        host, path = scp["host"], scp["path"]
    else:
        host, path = "", url
    path = path.strip("/").removesuffix(".git")
    return f"{host.lower()}/{path}" if host else path or NO_REPOSITORY
