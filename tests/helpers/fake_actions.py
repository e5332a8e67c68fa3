"""The part of GitHub's REST API that finds the plan of a pull request: pulls of a commit, runs, artifacts.

Written from GitHub's REST API reference: "List pull requests associated with a commit", "List workflow runs for a
repository" and "List workflow run artifacts".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fake_github import REPOSITORY as NAME
from fake_github import TOKEN
from webchat_sync.emulator import Faults, serve
from webchat_sync.emulator.front import with_front

REPOSITORY = {"id": 41, "full_name": NAME}
FORK = {"id": 666, "full_name": "mallory/chat"}


@dataclass
class FakeActions:
    """One repository. What it holds is GitHub's JSON, cut down to what documents of these kinds are read for."""

    url: str = ""
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    files: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    variables: ClassVar = {"GITHUB_REPOSITORY": NAME, "GITHUB_REPOSITORY_ID": "41"}
    token: ClassVar = TOKEN

    def start(self, run: int, head: str, **more: Any) -> dict[str, str]:
        """A run for a pull request; gives the variables of its runner."""
        conclusion = {"event": "pull_request", "conclusion": "success", "head_repository": REPOSITORY, **more}
        self.runs.append({"id": run, "head_sha": head, **conclusion})
        return {"GITHUB_RUN_ID": str(run), "GITHUB_SHA": "merge-of-" + head, "GITHUB_EVENT_NAME": "pull_request"}

    def merge(self, commit: str, head: str, /, **more: Any) -> dict[str, str]:
        """The merge of a pull request whose last commit is ``head``; gives the variables of the push's runner."""
        pull = {
            "number": 7,
            "merged_at": "2026-11-02T12:00:00Z",
            "merge_commit_sha": commit,
            "base": {"repo": REPOSITORY},
            "head": {"sha": head, "repo": REPOSITORY},
        }
        self.pulls[commit] = [{**pull, **more}]
        return {"GITHUB_RUN_ID": "900", "GITHUB_SHA": commit, "GITHUB_EVENT_NAME": "push"}

    def keep(self, name: str, file: str, content: bytes, *, run: int, **more: Any) -> None:
        """An artifact of one file, newer than all others."""
        number = 5000 + len(self.artifacts)
        created = f"2026-11-02T12:00:{len(self.artifacts):02}Z"
        found = {"id": number, "name": name, "expired": False, "created_at": created, "run": run}
        self.artifacts.append({**found, **more})
        self.files[number] = (file, content)

    def content(self, artifact: str, *, run: int) -> tuple[str, bytes]:
        """The name and the content of the file in an artifact of that run, by the artifact's number or name."""
        of_run = [each for each in self.artifacts if each["run"] == run and not each["expired"]]
        (found,) = (each["id"] for each in of_run if artifact in {str(each["id"]), each["name"]})
        return self.files[found]

    @contextmanager
    def served(self, faults: Faults | None = None) -> Iterator[FakeActions]:
        """Serve it on loopback; ``url`` says where. It misbehaves on order, by the faults of the emulator."""
        base = f"/repos/{NAME}"
        app = Starlette(
            routes=[
                Route(base + "/commits/{commit}/pulls", self._pulls),
                Route(base + "/actions/runs", self._runs),
                Route(base + "/actions/runs/{run:int}/artifacts", self._artifacts),
            ]
        )
        with serve(with_front((faults or Faults([])).around(app), lambda _: None)) as self.url:
            yield self

    def _pulls(self, request: Request) -> JSONResponse:
        self._note(request)
        return JSONResponse(self.pulls.get(request.path_params["commit"], []))

    def _runs(self, request: Request) -> JSONResponse:
        self._note(request)
        asked = request.query_params
        found = [
            run
            for run in self.runs
            if run["head_sha"] == asked["head_sha"]
            and run["event"] == asked["event"]
            and run["conclusion"] == asked["status"]
        ]
        return JSONResponse({"total_count": len(found), "workflow_runs": found})

    def _artifacts(self, request: Request) -> JSONResponse:
        self._note(request)
        of_run = [each for each in self.artifacts if each["run"] == request.path_params["run"]]
        found = [each for each in of_run if each["name"] == request.query_params["name"]]
        return JSONResponse({"total_count": len(found), "artifacts": found})

    def _note(self, request: Request) -> None:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        self.requests.append(request.url.path)
