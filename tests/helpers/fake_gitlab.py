"""A small GitLab over real HTTP: notes on merge requests, and issues, as docs.gitlab.com describes them.

Every exchange is held against what GitLab publishes (see ``api_description``). It pages by ``X-Next-Page``, mixes notes
of its own among those that people wrote, and knows three tokens: a project access token, one that only reads, and that
of a job, which may not use these parts of the API.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api_description import Witness, filled
from webchat_sync.emulator import Call, Faults, serve
from webchat_sync.emulator.front import with_front

TOKEN = "glpat-c4n4ryProjectAccessToken01234"
READ_TOKEN = "glpat-c4n4ryReadOnlyToken987654321"
ME = 77
PROJECT = "42"
PAGE = "https://gitlab.example/acme/web"
PATH = f"/api/v4/projects/{PROJECT}"
MOST_CHARACTERS = 1_000_000


@dataclass
class FakeGitLab:
    """What it holds; ``notes`` are those of every merge request (``merge_requests/7``) and issue (``issues/3``)."""

    url: str = ""
    notes: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(501))

    def note(self, on: str, body: str, author: int = ME, *, system: bool = False) -> dict[str, Any]:
        """Somebody writes a note, or GitLab itself does."""
        made = {"id": next(self.ids), "on": on, "body": body, "author": {"id": author}, "system": system}
        self.notes.append(made)
        return made

    def issue(self, title: str, description: str, labels: str, author: int = ME) -> dict[str, Any]:
        """Somebody opens an issue."""
        iid = next(self.ids)
        made = {"iid": iid, "title": title, "description": description, "labels": labels.split(",")}
        made |= {"author": {"id": author}, "state": "opened", "web_url": f"{PAGE}/-/issues/{iid}"}
        self.issues.append(made)
        return made

    def say(self, body: str, *, stranger: bool = False) -> dict[str, Any]:
        """We, or a stranger, write a note on the merge request 7."""
        return self.note("merge_requests/7", body, 5 if stranger else ME)

    def report(self, title: str, body: str, *, stranger: bool = False) -> dict[str, Any]:
        """We, or a stranger, open an issue about drift."""
        return self.issue(title, body, "webchat-sync-drift", 5 if stranger else ME)

    @property
    def bodies(self) -> list[str]:
        """Those of all notes, the oldest first."""
        return [each["body"] for each in self.notes]

    @property
    def states(self) -> list[tuple[bool, str]]:
        """Of each issue, the oldest first: whether it is open, and its description."""
        return [(each["state"] == "opened", each["description"]) for each in self.issues]

    @property
    def methods(self) -> list[str]:
        """The methods of the calls that may write comments and issues."""
        return [call.method for call in self.calls if call.method != "GET" and not call.path.endswith("/uploads")]

    def environ(self, _: Path, *, number: int | None = 7, token: str = TOKEN) -> dict[str, str]:
        """The variables of a job of GitLab CI, for the merge request ``number``."""
        variables = {
            "GITLAB_CI": "true",
            "GITLAB_TOKEN": token,
            "CI_API_V4_URL": f"{self.url}/api/v4",
            "CI_PROJECT_ID": PROJECT,
            "CI_PROJECT_URL": PAGE,
            "CI_JOB_URL": f"{PAGE}/-/jobs/99",
        }
        return {**variables, "CI_MERGE_REQUEST_IID": str(number)} if number else variables


@contextmanager
def fake_gitlab(faults: Faults | None = None, *, proxy: Faults | None = None) -> Iterator[FakeGitLab]:
    """GitLab on a free port of the loopback interface, until the block ends.

    ``faults`` are the host's own and must be what it may answer; those of a ``proxy`` in front of it may be anything.
    """
    gitlab = FakeGitLab()
    witness = Witness((faults or Faults([])).around(_app(gitlab)), "GitLab")
    with serve(with_front((proxy or Faults([])).around(witness), gitlab.calls.append)) as url:
        gitlab.url = url
        yield gitlab
    witness.testify()


def _app(gitlab: FakeGitLab) -> Starlette:
    return Starlette(
        routes=[*_note_routes(gitlab), *_issue_routes(gitlab)], exception_handlers={HTTPException: _refused}
    )


def _note_routes(gitlab: FakeGitLab) -> list[Route]:
    async def user(request: Request) -> Response:
        _token(request)
        return JSONResponse(filled("user", {"id": ME}, host="gitlab"))

    async def notes(request: Request) -> Response:
        on = f"{request.path_params['kind']}/{request.path_params['iid']}"
        if request.method == "GET":
            return _page(request, [_note(note) for note in gitlab.notes if note["on"] == on][::-1])
        fields = await _written(request, "body")
        return JSONResponse(_note(gitlab.note(on, fields["body"].strip())), status_code=201)

    async def note(request: Request) -> Response:
        found = [each for each in gitlab.notes if each["id"] == request.path_params["id"]]
        if not found:
            raise HTTPException(404, "404 Not found")
        if request.method == "DELETE":
            _may_write(request)
            gitlab.notes.remove(found[0])
            return Response(status_code=204)
        found[0] |= await _written(request, "body")
        return JSONResponse(_note(found[0]))

    async def upload(request: Request) -> Response:
        _may_write(request)
        async with request.form() as form:
            file = form["file"]
            assert isinstance(file, UploadFile)
            url = f"/uploads/{next(gitlab.ids):032x}/{file.filename}"
            gitlab.uploads[url] = await file.read()
        name = str(file.filename).rpartition(".")[0]
        made = {
            "id": 1,
            "alt": name,
            "url": url,
            "full_path": f"/-/project/{PROJECT}{url}",
            "markdown": f"![{name}]({url})",
        }
        return JSONResponse(made, status_code=201)

    return [
        Route("/api/v4/user", user),
        Route(f"{PATH}/{{kind}}/{{iid:int}}/notes/{{id:int}}", note, methods=["PUT", "DELETE"]),
        Route(f"{PATH}/{{kind}}/{{iid:int}}/notes", notes, methods=["GET", "POST"]),
        Route(f"{PATH}/uploads", upload, methods=["POST"]),
    ]


def _issue_routes(gitlab: FakeGitLab) -> list[Route]:
    async def issues(request: Request) -> Response:
        if request.method == "GET":
            wanted = request.query_params["labels"]
            return _page(request, [_issue(issue) for issue in gitlab.issues if wanted in issue["labels"]][::-1])
        fields = await _written(request, "description")
        made = gitlab.issue(fields["title"], fields["description"], fields["labels"])
        return JSONResponse(_issue(made), status_code=201)

    async def issue(request: Request) -> Response:
        (found,) = [each for each in gitlab.issues if each["iid"] == request.path_params["iid"]]
        fields = await _written(request, "description")
        event = fields.pop("state_event", None)
        found |= fields | ({"state": {"close": "closed", "reopen": "opened"}[event]} if event else {})
        return JSONResponse(_issue(found))

    return [
        Route(f"{PATH}/issues/{{iid:int}}", issue, methods=["PUT"]),
        Route(f"{PATH}/issues", issues, methods=["GET", "POST"]),
    ]


def _note(note: Mapping[str, Any]) -> dict[str, Any]:
    kind, iid = note["on"].split("/")
    about = {"noteable_type": {"issues": "Issue"}.get(kind, "MergeRequest"), "noteable_iid": int(iid)}
    return filled("note", {**about, **{name: value for name, value in note.items() if name != "on"}}, host="gitlab")


def _issue(issue: Mapping[str, Any]) -> dict[str, Any]:
    closed = "2026-11-02T12:00:00.000Z" if issue["state"] == "closed" else None
    return filled("issue", {"closed_at": closed, **issue}, host="gitlab")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 403:
        reason = "The request requires higher privileges than provided by the access token."
        refused = {"error": "insufficient_scope", "error_description": reason, "scope": "api"}
        return JSONResponse(refused, status_code=403)
    return JSONResponse({"message": error.detail}, status_code=error.status_code)


def _token(request: Request) -> str:
    token = request.headers.get("private-token", "")
    if token not in {TOKEN, READ_TOKEN}:
        raise HTTPException(401, "401 Unauthorized")
    return token


def _may_write(request: Request) -> None:
    if _token(request) != TOKEN:
        raise HTTPException(403, "403 Forbidden")


async def _written(request: Request, long: str) -> dict[str, Any]:
    """The body of a request that writes, whose field ``long`` may be long."""
    _may_write(request)
    fields: dict[str, Any] = await request.json()
    if len(fields[long]) > MOST_CHARACTERS:
        raise HTTPException(400, "400 Bad request - Note {:note=>['is too long (maximum is 1000000 characters)']}")
    return fields


def _page(request: Request, entries: Sequence[Mapping[str, Any]]) -> Response:
    _token(request)
    size, page = int(request.query_params.get("per_page", 20)), int(request.query_params.get("page", 1))
    assert size <= 100
    more = str(page + 1) if page * size < len(entries) else ""
    return JSONResponse(entries[(page - 1) * size : page * size], headers={"x-next-page": more})
