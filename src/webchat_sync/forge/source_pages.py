"""The web pages on a pipeline's host that show the files of its commit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from webchat_sync.forge.environment import read_event

_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~%/-]*)?")
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")


def source_pages(environ: Mapping[str, str], folder: Path) -> str:
    """The address below which the host shows the files in ``folder``, without a trailing slash.

    Empty outside a pipeline or its checkout, and if its variables are incomplete.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        page = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        checkout, commit, blob = environ.get("GITHUB_WORKSPACE", ""), _head(environ), "blob"
    elif environ.get("GITLAB_CI") == "true":
        page, checkout = environ.get("CI_PROJECT_URL", ""), environ.get("CI_PROJECT_DIR", "")
        commit, blob = environ.get("CI_COMMIT_SHA", ""), "-/blob"
    else:
        return ""
    if not (checkout and _ADDRESS.fullmatch(page) and _COMMIT.fullmatch(commit)):
        return ""
    here, root = folder.resolve(), Path(checkout).resolve()
    if not here.is_relative_to(root):
        return ""
    below = "".join(f"/{quote(part)}" for part in here.relative_to(root).parts)
    return f"{page}/{blob}/{commit}{below}"


def _head(environ: Mapping[str, str]) -> str:
    """The proposed commit; GITHUB_SHA is a temporary merge."""
    event: Mapping[str, Any] = read_event(environ.get("GITHUB_EVENT_PATH"))
    match event:
        case {"pull_request": {"head": {"sha": str(commit)}}}:
            return commit
    return environ.get("GITHUB_SHA", "")
