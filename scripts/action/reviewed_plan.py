"""Finds the plan that was reviewed in the pull request of this commit: ``python reviewed_plan.py ARTIFACT [FOLDER]``.

Prints ``run-id`` and ``artifact-id`` for GITHUB_OUTPUT. The plan must come from a successful run for the pull request
event, on the head of the pull request that became this commit, from a branch of this repository. If one push merged
several pull requests, like a merge queue does, and on GitHub Enterprise Server, nothing is printed, and the plans are
written to FOLDER.

Exit code 4 if there is no such plan, 6 if GitHub doesn't respond. Reads the variables of a GitHub runner.
"""

from __future__ import annotations

import io
import os
import sys
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import anyio
import httpx

from webchat_sync.environment import Environment
from webchat_sync.errors import ApiError, InputError
from webchat_sync.forge.environment import PipelineRun, read_run
from webchat_sync.forge.github import access
from webchat_sync.forge.github_runs import READ_PERMISSION, Document, GitHubRuns
from webchat_sync.forge.session import Session

STALE: Final = 4
NOT_ASKED: Final = 6

LARGEST: Final = 64 * 1024 * 1024
"""The limit, in bytes, of a plan and of its archive."""

Sleep: TypeAlias = Callable[[float], None]


class NotFoundError(Exception):
    """There is no reviewed plan, and why."""


class NotAskedError(Exception):
    """GitHub's response doesn't say whether there is one, and why."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An artifact and its run."""

    run: int
    artifact: int


async def find(github: GitHubRuns, repository_id: int, run: PipelineRun, artifact: str) -> list[Kept]:
    """The plan of each pull request that the push merged; one, unless a queue merged several at once."""
    commits = await _pushed(github, run)
    merged = await _merged(github, repository_id, commits)
    return [await _kept(github, repository_id, pull, artifact, len(merged)) for pull in merged]


async def _pushed(github: GitHubRuns, run: PipelineRun) -> list[str]:
    """The commits that the branch went through, newest first: the first parents of each."""
    if not run.before:
        return [run.commit]
    parents = {entry["sha"]: entry["parents"] for entry in await github.commits_between(run.before, run.commit)}
    line = [run.commit]
    while (before := parents.get(line[-1])) and before[0]["sha"] in parents:
        line.append(before[0]["sha"])
    return line


async def _merged(github: GitHubRuns, repository_id: int, commits: Sequence[str]) -> list[Document]:
    """The pull requests whose merges these commits are."""
    merged: dict[int, Document] = {}
    for commit in commits:
        pull = next(
            (
                pull
                for pull in await github.pulls_of(commit)
                if pull["merged_at"]
                and pull["merge_commit_sha"] in commits
                and pull["base"]["repo"]["id"] == repository_id
            ),
            None,
        )
        if pull is None:
            raise NotFoundError(f"{commit} isn't the merge of a pull request")
        merged.setdefault(pull["number"], pull)
    return list(merged.values())


async def _kept(github: GitHubRuns, repository_id: int, pull: Document, artifact: str, together: int) -> Kept:
    """The newest plan for the pull request's head."""
    also = f" (this push merged {together} requests at once, and each of them needs one)" if together > 1 else ""
    repository, head = pull["head"]["repo"], str(pull["head"]["sha"])
    if not repository or repository["id"] != repository_id:
        raise NotFoundError(f"pull request {pull['number']} came from a fork, so its plan isn't trusted{also}")
    kept = [
        (found["created_at"], found["id"], run["id"])
        for run in await github.runs_of(head)
        if run["head_sha"] == head and run["head_repository"] and run["head_repository"]["id"] == repository_id
        for found in await github.artifacts_of(run["id"], artifact)
        if found["name"] == artifact and not found["expired"]
    ]
    if not kept:
        of = f"{head}, the last commit of pull request {pull['number']}"
        raise NotFoundError(f"no successful run for {of}, has the artifact {artifact}{also}")
    _, identity, run = max(kept)
    return Kept(run, identity)


async def _download(github: GitHubRuns, kept: Kept, file: Path) -> None:
    """Write the only file of an artifact to ``file``. GitHub's storage gets no token, since the URL is enough."""
    address = await github.archive_url(kept.artifact)
    content = b""
    async with httpx.AsyncClient(timeout=30) as client, client.stream("GET", address) as answer:
        answer.raise_for_status()
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > LARGEST:
                raise NotAskedError(f"artifact {kept.artifact} is larger than {LARGEST // 2**20} MiB")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (member,) = archive.infolist()
        if member.file_size > LARGEST:
            raise NotAskedError(f"artifact {kept.artifact} is larger than {LARGEST // 2**20} MiB")
        file.write_bytes(archive.read(member))


def _has_artifact_actions(environ: Mapping[str, str]) -> bool:
    """Whether `actions/download-artifact` supports other runs: not on GitHub Enterprise Server."""
    host = httpx.URL(environ.get("GITHUB_SERVER_URL") or "https://github.com").host
    return host == "github.com" or host.endswith(".ghe.com")


async def search(artifact: str, folder: str, environ: Mapping[str, str], sleep: Sleep) -> dict[str, int]:
    """The outputs; raises NotAskedError for invalid variables of the runner or responses of GitHub."""
    repository_id = environ.get("GITHUB_REPOSITORY_ID", "")
    missing = [name for name in ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_SHA") if not environ.get(name)]
    if missing or not repository_id.isdecimal():
        raise NotAskedError(f"the runner didn't set {(missing or ['GITHUB_REPOSITORY_ID'])[0]}")
    if not environ.get("GITHUB_TOKEN"):
        raise NotAskedError("the input github-token is empty")

    async def pause(seconds: float) -> None:
        sleep(seconds)

    run = read_run({**environ, "GITHUB_ACTIONS": "true"})
    environment = Environment(sleep=pause, random=lambda: 1.0)
    try:
        async with Session(access(run, READ_PERMISSION), environment) as session:
            github = GitHubRuns(session, run)
            plans = await find(github, int(repository_id), run, artifact)
            if len(plans) == 1 and _has_artifact_actions(environ):
                return {"run-id": plans[0].run, "artifact-id": plans[0].artifact}
            for number, kept in enumerate(plans, start=1):
                await _download(github, kept, Path(folder) / f"plan-{number}.json")
            return {}
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise NotAskedError(f"unexpected response ({error})") from error
    except httpx.HTTPError as error:
        raise NotAskedError(f"can't download an artifact ({error})") from error


def main(artifact: str, environ: Mapping[str, str], *, folder: str = "", sleep: Sleep = time.sleep) -> int:
    """Print the outputs, or to stderr why there are none."""
    try:
        outputs = anyio.run(search, artifact, folder, environ, sleep)
    except NotFoundError as error:
        print(f"No reviewed plan was found: {error}. Nothing was applied.", file=sys.stderr)
        print("  To make a new plan and apply it, run this workflow by hand.", file=sys.stderr)
        return STALE
    except (NotAskedError, ApiError, InputError) as error:
        print(
            f"Can't get the reviewed plan from GitHub: {error}. Nothing was applied. If the problem was "
            "temporary, run this job again.",
            file=sys.stderr,
        )
        if isinstance(error, ApiError) and error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return NOT_ASKED
    for name, value in outputs.items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ, folder="".join(sys.argv[2:3])))
