"""Finds the plan that was reviewed in the pull request of this commit: ``python reviewed_plan.py ARTIFACT``.

Prints ``run-id`` and ``artifact-id`` for GITHUB_OUTPUT; exit code 4 when there is no such plan. It must come from a run
that succeeded, for the pull request event, on the last commit of the pull request that became this commit, from a
branch of this repository. Reads GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_REPOSITORY_ID, GITHUB_SHA and GITHUB_TOKEN.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import httpx

STALE: Final = 4

Document: TypeAlias = Any
"""A JSON document of GitHub's."""


class NotFoundError(Exception):
    """There is no reviewed plan; says why."""


def find(github: httpx.Client, repository_id: int, commit: str, artifact: str) -> dict[str, int]:
    """The run and the artifact; paths are relative to the repository's address in GitHub's REST API."""
    head = _merged_head(github, repository_id, commit)
    runs = [
        run["id"]
        for run in _get(github, "actions/runs", head_sha=head, event="pull_request", status="success")["workflow_runs"]
        if run["head_sha"] == head and run["head_repository"] and run["head_repository"]["id"] == repository_id
    ]
    kept = [
        (found["created_at"], found["id"], run)
        for run in runs
        for found in _get(github, f"actions/runs/{run}/artifacts", name=artifact)["artifacts"]
        if found["name"] == artifact and not found["expired"]
    ]
    if not kept:
        raise NotFoundError(f"no run that succeeded on {head}, the pull request's last commit, keeps {artifact}")
    _, identity, run = max(kept)
    return {"run-id": run, "artifact-id": identity}


def _merged_head(github: httpx.Client, repository_id: int, commit: str) -> str:
    """The last commit of the pull request whose merge is ``commit``."""
    for each in _get(github, f"commits/{commit}/pulls"):
        if each["merged_at"] and each["merge_commit_sha"] == commit and each["base"]["repo"]["id"] == repository_id:
            head = each["head"]
            if not head["repo"] or head["repo"]["id"] != repository_id:
                raise NotFoundError(f"pull request {each['number']} came from a fork, whose plan nobody vouches for")
            return str(head["sha"])
    raise NotFoundError(f"{commit} is not the merge of a pull request")


def _get(github: httpx.Client, path: str, **query: str) -> Document:
    return github.get(path, params={**query, "per_page": "100"}).raise_for_status().json()


def main(artifact: str, environ: Mapping[str, str]) -> int:
    """Print the outputs, or tell on stderr why there are none."""
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {environ['GITHUB_TOKEN']}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    address = f"{environ['GITHUB_API_URL']}/repos/{environ['GITHUB_REPOSITORY']}/"
    try:
        with httpx.Client(base_url=address, headers=headers, timeout=30) as github:
            outputs = find(github, int(environ["GITHUB_REPOSITORY_ID"]), environ["GITHUB_SHA"], artifact)
    except (NotFoundError, httpx.HTTPError) as error:
        print(f"No reviewed plan was found: {error}. Nothing was applied.", file=sys.stderr)
        print("  Run this workflow by hand to plan anew and apply that.", file=sys.stderr)
        return STALE
    for name, value in outputs.items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ))
