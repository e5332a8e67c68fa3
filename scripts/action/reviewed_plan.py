"""Finds the plan that was reviewed in the pull request of this commit: ``python reviewed_plan.py ARTIFACT``.

Prints ``run-id`` and ``artifact-id`` for GITHUB_OUTPUT. It must come from a run that succeeded, for the pull request
event, on the last commit of the pull request that became this commit, from a branch of this repository. Exit code 4
when there is no such plan, 6 when GitHub could not be asked. Reads GITHUB_API_URL, GITHUB_REPOSITORY,
GITHUB_REPOSITORY_ID, GITHUB_SHA and GITHUB_TOKEN.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import httpx

STALE: Final = 4
NOT_ASKED: Final = 6

PAUSES: Final = (1.0, 4.0, 16.0, 64.0)
"""Seconds before each further try."""

Document: TypeAlias = Any
"""A JSON document of GitHub's."""

Sleep: TypeAlias = Callable[[float], None]


class NotFoundError(Exception):
    """There is no reviewed plan; says why."""


class NotAskedError(Exception):
    """GitHub gave no answer that says whether there is one; says why."""


@dataclass(frozen=True, slots=True)
class GitHub:
    """Reads documents of a repository; paths are relative to its address in GitHub's REST API."""

    client: httpx.Client
    sleep: Sleep

    def get(self, path: str, **query: str) -> Document:
        """The document. What may pass (no answer, 5xx, a rate limit) is tried again after growing pauses."""
        for pause in (*PAUSES, None):
            try:
                answer = self.client.get(path, params={**query, "per_page": "100"})
            except httpx.RequestError as error:
                fault = f"{path}: {error or type(error).__name__}"
            else:
                if answer.is_success:
                    return _document(path, answer)
                fault = f"{path}: HTTP {answer.status_code} {answer.reason_phrase}"
                if not _may_pass(answer):
                    raise NotAskedError(f"{fault}; the token needs `actions: read` and `pull-requests: read`")
            if pause is not None:
                self.sleep(pause)
        raise NotAskedError(fault)


def _may_pass(answer: httpx.Response) -> bool:
    """Whether another try may do; a rate limit is a 429, or a 403 that says so ("Rate limits for the REST API")."""
    limited = "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    return answer.status_code >= 500 or answer.status_code == 429 or (answer.status_code == 403 and limited)


def _document(path: str, answer: httpx.Response) -> Document:
    try:
        return answer.json()
    except ValueError:
        raise NotAskedError(f"{path}: the answer is no JSON") from None


def find(github: GitHub, repository_id: int, commit: str, artifact: str) -> dict[str, int]:
    """The run and the artifact."""
    head = _merged_head(github, repository_id, commit)
    runs = [
        run["id"]
        for run in github.get("actions/runs", head_sha=head, event="pull_request", status="success")["workflow_runs"]
        if run["head_sha"] == head and run["head_repository"] and run["head_repository"]["id"] == repository_id
    ]
    kept = [
        (found["created_at"], found["id"], run)
        for run in runs
        for found in github.get(f"actions/runs/{run}/artifacts", name=artifact)["artifacts"]
        if found["name"] == artifact and not found["expired"]
    ]
    if not kept:
        raise NotFoundError(f"no run that succeeded on {head}, the pull request's last commit, keeps {artifact}")
    _, identity, run = max(kept)
    return {"run-id": run, "artifact-id": identity}


def _merged_head(github: GitHub, repository_id: int, commit: str) -> str:
    """The last commit of the pull request whose merge is ``commit``."""
    for each in github.get(f"commits/{commit}/pulls"):
        if each["merged_at"] and each["merge_commit_sha"] == commit and each["base"]["repo"]["id"] == repository_id:
            head = each["head"]
            if not head["repo"] or head["repo"]["id"] != repository_id:
                raise NotFoundError(f"pull request {each['number']} came from a fork, whose plan nobody vouches for")
            return str(head["sha"])
    raise NotFoundError(f"{commit} is not the merge of a pull request")


def search(artifact: str, environ: Mapping[str, str], sleep: Sleep) -> dict[str, int]:
    """The outputs, with what is wrong with the runner's variables or with GitHub's documents as NotAskedError."""
    repository_id = environ.get("GITHUB_REPOSITORY_ID", "")
    missing = [name for name in ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_SHA") if not environ.get(name)]
    if missing or not repository_id.isdecimal():
        raise NotAskedError(f"the runner did not set {(missing or ['GITHUB_REPOSITORY_ID'])[0]}")
    if not environ.get("GITHUB_TOKEN"):
        raise NotAskedError("the input github-token is empty")
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {environ['GITHUB_TOKEN']}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    address = f"{environ['GITHUB_API_URL']}/repos/{environ['GITHUB_REPOSITORY']}/"
    with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
        try:
            return find(GitHub(client, sleep), int(repository_id), environ["GITHUB_SHA"], artifact)
        except (KeyError, TypeError) as error:
            raise NotAskedError(f"its answer is not what its reference describes ({error})") from error


def main(artifact: str, environ: Mapping[str, str], *, sleep: Sleep = time.sleep) -> int:
    """Print the outputs, or tell on stderr why there are none."""
    try:
        outputs = search(artifact, environ, sleep)
    except NotFoundError as error:
        print(f"No reviewed plan was found: {error}. Nothing was applied.", file=sys.stderr)
        print("  Run this workflow by hand to plan anew and apply that.", file=sys.stderr)
        return STALE
    except NotAskedError as error:
        print(f"GitHub could not be asked: {error}; run this job again. Nothing was applied.", file=sys.stderr)
        return NOT_ASKED
    for name, value in outputs.items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ))
