"""GitHub's event that triggered a run: the pull request that it's about, and its commits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.strict_json import load_json
from webchat_sync.tree import read_regular

_COMMIT: Final = lazy_pattern(r"(?=.*[1-9a-f])[0-9a-f]{40,64}")
"""The id of a commit, but not the zeros that mean none."""
_PULL_REQUEST_REF: Final = lazy_pattern(r"refs/pull/([0-9]+)/")


def read_event(path: str | None) -> Mapping[str, Any]:
    """GitHub's event that triggered the run; empty if it can't be read."""
    try:
        event = load_json(read_regular(Path(path))) if path else {}
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def proposed_commit(environ: Mapping[str, str]) -> str:
    """The proposed commit; GITHUB_SHA is a temporary merge."""
    event: Mapping[str, Any] = read_event(environ.get("GITHUB_EVENT_PATH"))
    match event:
        case {"pull_request": {"head": {"sha": str(commit)}}}:
            return commit
        case _:
            return environ.get("GITHUB_SHA", "")


def commit_before(event: Mapping[str, Any]) -> str:
    """The head of the branch before a push; empty for another event, and for a new branch."""
    before = event.get("before")
    return before if isinstance(before, str) and _COMMIT.fullmatch(before) else ""


def number_of(event: Mapping[str, Any], ref: str) -> int | None:
    """The number of the pull request, from an event about it, a comment on it, or a workflow that it triggered."""
    pull_request: Any = event.get("pull_request")
    if pull_request is None and "pull_request" in (event.get("issue") or {}):
        pull_request = event["issue"]
    if pull_request is not None:
        return int(pull_request["number"])
    if (number := _of_workflow(event)) is not None:
        return number
    merge_ref = _PULL_REQUEST_REF.match(ref)
    return int(merge_ref[1]) if merge_ref else None


def _of_workflow(event: Mapping[str, Any]) -> int | None:
    """The number of the pull request that triggered the workflow that this run follows.

    GitHub lists every pull request with that branch or commit, even of other repositories, whose plans differ.
    """
    run: Any = event.get("workflow_run") or {}
    for pull_request in run.get("pull_requests") or () if run.get("event") == "pull_request" else ():
        base, head = pull_request["base"]["repo"]["id"], pull_request["head"]["repo"]["id"]
        if (base, head) == (event["repository"]["id"], run["head_repository"]["id"]) and (
            pull_request["head"]["sha"] == run["head_sha"]
        ):
            return int(pull_request["number"])
    return None


def head_of(event: Mapping[str, Any]) -> str:
    """The head of the pull request from a fork that triggered the preceding workflow, where GitHub gives no number."""
    run: Any = event.get("workflow_run") or {}
    if run.get("event") != "pull_request" or not run.get("head_repository"):
        return ""
    return f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
