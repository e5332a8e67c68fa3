"""The part of GitHub's REST API that finds the plan of a pull request: pulls of a commit, runs, artifacts.

According to GitHub's REST API reference: "List pull requests associated with a commit", "List workflow runs for a
repository" and "List workflow run artifacts".
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from api_description import Witness, filled
from fake_github import REPOSITORY as NAME
from fake_github import TOKEN
from webchat_sync.emulator import Faults, serve
from webchat_sync.emulator.front import with_front

DOCS = "https://docs.github.com/rest"
REPOSITORY = {"id": 41, "full_name": NAME}
FORK = {"id": 666, "full_name": "mallory/chat"}


@dataclass
class FakeActions:
    """One repository. Its data is GitHub's JSON, reduced to what is read."""

    url: str = ""
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    commits: list[dict[str, Any]] = field(default_factory=list)
    heads: dict[str, str] = field(default_factory=dict)
    files: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    variables: ClassVar = {"GITHUB_REPOSITORY": NAME, "GITHUB_REPOSITORY_ID": "41"}
    token: ClassVar = TOKEN
    raw: bool = False
    """Whether to return the data as it is, even if GitHub wouldn't."""

    def start(self, run: int, head: str, **more: Any) -> dict[str, str]:
        """A run for a pull request; returns the variables of its runner."""
        conclusion = {"event": "pull_request", "conclusion": "success", "head_repository": REPOSITORY, **more}
        self.runs.append({"id": run, "head_sha": head, **conclusion})
        return {"GITHUB_RUN_ID": str(run), "GITHUB_SHA": "merge-of-" + head, "GITHUB_EVENT_NAME": "pull_request"}

    def merge(self, commit: str, head: str, /, **more: Any) -> dict[str, str]:
        """The merge of a pull request with the head ``head``; returns the variables of the push's runner."""
        pull = {
            "number": 7,
            "merged_at": "2026-11-02T12:00:00Z",
            "merge_commit_sha": commit,
            "base": {"repo": REPOSITORY},
            "head": {"sha": head, "repo": REPOSITORY},
        }
        self.pulls[commit] = [{**pull, **more}]
        return {"GITHUB_RUN_ID": "900", "GITHUB_SHA": commit, "GITHUB_EVENT_NAME": "push"}

    def push(self, file: Path, *merges: tuple[str, str], before: str = "") -> dict[str, str]:
        """One push that merges several pull requests, each ``(commit, head)``; the event is written to ``file``."""
        before = before or "0a" * 20
        self.commits = [{"sha": before, "parents": []}]
        for number, (commit, head) in enumerate(merges, start=7):
            parents = [{"sha": each, "url": DOCS} for each in (self.commits[-1]["sha"], head)]
            self.commits.append({"sha": commit, "parents": parents})
            variables = self.merge(commit, head, number=number)
        file.write_text(json.dumps({"before": before, "ref": "refs/heads/main"}), encoding="utf-8")
        return {**variables, "GITHUB_EVENT_PATH": str(file), "GITHUB_REF": "refs/heads/main"}

    def keep(self, name: str, file: str, content: bytes, *, run: int, **more: Any) -> None:
        """Add an artifact with one file, newer than all others."""
        number = 5000 + len(self.artifacts)
        created = f"2026-11-02T12:00:{len(self.artifacts):02}Z"
        found = {"id": number, "name": name, "expired": False, "created_at": created, "run": run}
        self.artifacts.append({**found, **more})
        self.files[number] = (file, content)

    def content(self, artifact: str, *, run: int) -> tuple[str, bytes]:
        """The name and the content of the file in that run's artifact, by number or name."""
        of_run = [each for each in self.artifacts if each["run"] == run and not each["expired"]]
        (found,) = (each["id"] for each in of_run if artifact in {str(each["id"]), each["name"]})
        return self.files[found]

    @contextmanager
    def served(self, faults: Faults | None = None, proxy: Faults | None = None) -> Iterator[FakeActions]:
        """Serve it on loopback at ``url``, with faults on order, also of a ``proxy`` in front of it."""
        base = f"/repos/{NAME}"
        app = Starlette(
            routes=[
                Route(base + "/commits/{commit}/pulls", self._pulls),
                Route(base + "/compare/{between}", self._compare),
                Route(base + "/git/ref/heads/{branch:path}", self._ref),
                Route(base + "/actions/runs", self._runs),
                Route(base + "/actions/artifacts/{artifact:int}/zip", self._archive),
                Route("/storage/{artifact:int}", self._stored),
                Route(base + "/actions/runs/{run:int}/artifacts", self._artifacts),
            ]
        )
        witness = Witness((faults or Faults([])).around(app), "GitHub")
        with serve(with_front((proxy or Faults([])).around(witness), lambda _: None)) as self.url:
            yield self
        if not self.raw:
            witness.testify()

    def _pulls(self, request: Request) -> JSONResponse:
        self._note(request)
        found = self.pulls.get(request.path_params["commit"], [])
        return JSONResponse(found if self.raw else [filled("pull-request-simple", each) for each in found])

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
        return paged(request, [filled("workflow-run", each) for each in found], "workflow_runs")

    def _artifacts(self, request: Request) -> JSONResponse:
        self._note(request)
        of_run = [each for each in self.artifacts if each["run"] == request.path_params["run"]]
        wanted = request.query_params.get("name")
        found = [artifact for artifact in of_run if wanted in {None, artifact["name"]}]
        return paged(request, [filled("artifact", each) for each in found], "artifacts")

    def _compare(self, request: Request) -> JSONResponse:
        """The commits after the first one, oldest first, up to the second."""
        self._note(request)
        before, after = request.path_params["between"].split("...")
        line = [each["sha"] for each in self.commits]
        found = self.commits[line.index(before) + 1 : line.index(after) + 1]
        return paged(request, [filled("commit", each) for each in found], "commits", **filled("commit-comparison", {}))

    def _ref(self, request: Request) -> JSONResponse:
        self._note(request)
        branch = request.path_params["branch"]
        if branch not in self.heads:
            return JSONResponse({"message": "Not Found", "documentation_url": DOCS, "status": "404"}, 404)
        target = {"type": "commit", "sha": self.heads[branch], "url": f"{self.url}/commit"}
        return JSONResponse({"ref": f"refs/heads/{branch}", "node_id": "R", "url": f"{self.url}/ref", "object": target})

    def _archive(self, request: Request) -> Response:
        self._note(request)
        return RedirectResponse(f"{self.url}/storage/{request.path_params['artifact']}", 302)

    def _stored(self, request: Request) -> Response:
        assert "Authorization" not in request.headers, "the storage must not get the token"
        name, content = self.files[request.path_params["artifact"]]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name, content)
        return Response(packed.getvalue(), media_type="application/zip")

    def _note(self, request: Request) -> None:
        scheme, _, token = request.headers["Authorization"].partition(" ")
        assert (scheme.lower() in {"bearer", "token"}, token) == (True, TOKEN)
        self.requests.append(request.url.path)


def paged(request: Request, entries: Sequence[dict[str, Any]], name: str, **more: Any) -> JSONResponse:
    """One page of the entries, with the next page in ``Link``."""
    size, page = int(request.query_params.get("per_page", 30)), int(request.query_params.get("page", 1))
    assert size <= 100
    answer = JSONResponse({**more, "total_count": len(entries), name: entries[(page - 1) * size : page * size]})
    if page * size < len(entries):
        answer.headers["link"] = f'<{request.url.include_query_params(page=page + 1)}>; rel="next"'
    return answer
