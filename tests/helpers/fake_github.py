"""A small GitHub over real HTTP: comments on pull requests, and issues, as docs.github.com describes them.

It pages, refuses what is too long, and knows two tokens: one that may write, and one that only reads, as the runs for
pull requests from forks have it. It misbehaves on order, by the faults of the emulator.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api_description import Witness, filled
from webchat_sync.emulator import Call, Faults, serve
from webchat_sync.emulator.front import with_front

TOKEN = "ghs_c4n4ryWriteTokenOfTheJob0123456789"
READ_TOKEN = "ghs_c4n4ryReadTokenOfAFork9876543210"
ME = "github-actions[bot]"
REPOSITORY = "acme/web"
REPOSITORY_PATH = f"/repos/{REPOSITORY}"
MOST_CHARACTERS = 65_536


@dataclass
class FakeGitHub:
    """What it holds; ``comments`` are those of every pull request and issue, each with its ``number``.

    ``viewer`` is how GraphQL calls the token's user, and ``query_errors`` are what it answers instead, one list each
    time. ``drops_labels``: the token may not set any. ``issues_off``: the repository has none. ``locked`` are the
    numbers of locked conversations.
    """

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    viewer: str = ME
    query_errors: list[list[dict[str, Any]]] = field(default_factory=list)
    query_headers: dict[str, str] = field(default_factory=dict)
    drops_labels: bool = False
    issues_off: bool = False
    locked: set[int] = field(default_factory=set)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def comment(self, number: int, body: str, author: str = ME) -> dict[str, Any]:
        """Somebody comments."""
        identifier = next(self.ids)
        page = f"https://github.com/{REPOSITORY}/pull/{number}#issuecomment-{identifier}"
        made = {"id": identifier, "number": number, "body": body, "user": {"login": author}, "html_url": page}
        self.comments.append(made)
        return made

    def issue(self, title: str, body: str, labels: Sequence[str], author: str = ME, **more: Any) -> dict[str, Any]:
        """Somebody opens an issue."""
        number = next(self.ids)
        page = f"https://github.com/{REPOSITORY}/issues/{number}"
        made = {"number": number, "title": title, "body": body, "user": {"login": author}, "html_url": page}
        made |= {"state": "open", "labels": [{"name": each} for each in labels], **more}
        self.issues.append(made)
        return made

    def say(self, body: str, *, stranger: bool = False) -> dict[str, Any]:
        """We, or a stranger, comment on the pull request 7."""
        return self.comment(7, body, "mallory" if stranger else ME)

    def report(self, title: str, body: str, *, stranger: bool = False) -> dict[str, Any]:
        """We, or a stranger, open an issue about drift."""
        return self.issue(title, body, ["webchat-sync-drift"], "mallory" if stranger else ME)

    @property
    def bodies(self) -> list[str]:
        """Those of all comments, the oldest first."""
        return [each["body"] for each in self.comments]

    @property
    def states(self) -> list[tuple[bool, str]]:
        """Of each issue, the oldest first: whether it is open, and its body."""
        return [(each["state"] == "open", each["body"]) for each in self.issues]

    @property
    def methods(self) -> list[str]:
        """The methods of the calls that may write."""
        return [each.method for each in self.calls if each.method != "GET" and each.path != "/graphql"]

    def environ(self, folder: Path, *, number: int | None = 7, token: str = TOKEN) -> dict[str, str]:
        """The variables of a step of GitHub Actions, for the pull request ``number``."""
        event = folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": number}} if number else {"ref": "refs/heads/main"}))
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_TOKEN": token,
            "GITHUB_API_URL": self.url,
            "GITHUB_GRAPHQL_URL": f"{self.url}/graphql",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": "4242",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REF": f"refs/pull/{number}/merge" if number else "refs/heads/main",
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        }


@contextmanager
def fake_github(faults: Faults | None = None, *, proxy: Faults | None = None) -> Iterator[FakeGitHub]:
    """GitHub on a free port of the loopback interface, until the block ends.

    ``faults`` are the host's own and must be what it may answer; those of a ``proxy`` in front of it may be anything.
    """
    github = FakeGitHub()
    witness = Witness((faults or Faults([])).around(_app(github)), "GitHub")
    with serve(with_front((proxy or Faults([])).around(witness), github.calls.append)) as url:
        github.url = url
        yield github
    witness.testify()


def _app(github: FakeGitHub) -> Starlette:
    async def viewer(request: Request) -> Response:
        _token(request)
        assert "viewer" in (await request.json())["query"]
        if github.query_errors:
            return JSONResponse({"data": None, "errors": github.query_errors.pop(0)}, headers=github.query_headers)
        return JSONResponse({"data": {"viewer": {"login": github.viewer}}})

    return Starlette(
        routes=[Route("/graphql", viewer, methods=["POST"]), *_comment_routes(github), *_issue_routes(github)],
        exception_handlers={HTTPException: _refused},
    )


def _comment_routes(github: FakeGitHub) -> list[Route]:
    async def comments(request: Request) -> Response:
        number = int(request.path_params["number"])
        if request.method == "GET":
            return _page(request, [each for each in github.comments if each["number"] == number], "issue-comment")
        fields = await _written(request)
        if number in github.locked:
            raise HTTPException(403, "Unable to create comment because issue is locked.")
        return JSONResponse(filled("issue-comment", github.comment(number, fields["body"])), status_code=201)

    async def comment(request: Request) -> Response:
        found = _found(github.comments, "id", request)
        if request.method == "DELETE":
            _may_write(request)
            github.comments.remove(found)
            return Response(status_code=204)
        found |= await _written(request)
        return JSONResponse(filled("issue-comment", found))

    return [
        Route(f"{REPOSITORY_PATH}/issues/comments/{{id:int}}", comment, methods=["PATCH", "DELETE"]),
        Route(f"{REPOSITORY_PATH}/issues/{{number:int}}/comments", comments, methods=["GET", "POST"]),
    ]


def _issue_routes(github: FakeGitHub) -> list[Route]:
    async def issues(request: Request) -> Response:
        if github.issues_off:
            raise HTTPException(410, "Issues are disabled for this repo")
        if request.method == "GET":
            wanted = request.query_params.get("labels")
            listed = [each for each in github.issues if wanted in [None, *(name["name"] for name in each["labels"])]]
            if request.query_params.get("state", "open") == "open":
                listed = [each for each in listed if each["state"] == "open"]
            return _page(request, listed[::-1], "issue")
        fields = await _written(request)
        made = github.issue(fields["title"], fields["body"], [] if github.drops_labels else fields["labels"])
        return JSONResponse(filled("issue", made), status_code=201)

    async def issue(request: Request) -> Response:
        found = _found(github.issues, "number", request)
        found |= await _written(request)
        return JSONResponse(filled("issue", found))

    async def pulls(request: Request) -> Response:
        head = request.query_params["head"]
        found = [each for each in github.pulls if each["head"]["label"] == head]
        return _page(request, found, "pull-request-simple")

    return [
        Route(f"{REPOSITORY_PATH}/issues/{{number:int}}", issue, methods=["PATCH"]),
        Route(f"{REPOSITORY_PATH}/issues", issues, methods=["GET", "POST"]),
        Route(f"{REPOSITORY_PATH}/pulls", pulls),
    ]


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    document: dict[str, Any] = {"message": error.detail, "documentation_url": "https://docs.github.com/rest"}
    document["status"] = str(error.status_code)
    if error.status_code == 422:  # the reasons stand in a list of their own
        document |= {"message": "Validation Failed", "errors": [_reason(error.detail)]}
    return JSONResponse(document, status_code=error.status_code)


def _reason(text: str) -> dict[str, str]:
    return {"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": text}


def _token(request: Request) -> str:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token not in {TOKEN, READ_TOKEN}:
        raise HTTPException(401, "Bad credentials")
    return token


def _may_write(request: Request) -> None:
    if _token(request) != TOKEN:
        raise HTTPException(403, "Resource not accessible by integration")


async def _written(request: Request) -> dict[str, Any]:
    """The body of a request that writes."""
    _may_write(request)
    fields: dict[str, Any] = await request.json()
    if len(fields["body"]) > MOST_CHARACTERS:
        raise HTTPException(422, "Body is too long (maximum is 65536 characters)")
    return fields


def _found(entries: Sequence[dict[str, Any]], key: str, request: Request) -> dict[str, Any]:
    found = [each for each in entries if each[key] == request.path_params[key]]
    if not found:
        raise HTTPException(404, "Not Found")
    return found[0]


def _page(request: Request, entries: Sequence[Mapping[str, Any]], kind: str) -> Response:
    """One page, and in ``Link`` where the next one is; GitHub names a repository by its number there."""
    _token(request)
    size, page = int(request.query_params.get("per_page", 30)), int(request.query_params.get("page", 1))
    assert size <= 100
    answer = JSONResponse([filled(kind, entry) for entry in entries[(page - 1) * size : page * size]])
    if page * size < len(entries):
        query = request.url.include_query_params(page=page + 1).query
        answer.headers["link"] = (
            f'<https://api.github.com/repositories/1/elsewhere?{query}>; rel="next", '
            f'<https://api.github.com/repositories/1/elsewhere?{query}>; rel="last"'
        )
    return answer
