"""A small GitHub over real HTTP: pull requests, comments on them, and issues, as docs.github.com describes them.

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
from repositories import git
from webchat_sync.emulator import Call, Faults, serve
from webchat_sync.emulator.front import with_front

TOKEN = "ghs_c4n4ryWriteTokenOfTheJob0123456789"
READ_TOKEN = "ghs_c4n4ryReadTokenOfAFork9876543210"
ME = "github-actions[bot]"
REPOSITORY = "acme/web"
REPOSITORY_PATH = f"/repos/{REPOSITORY}"
MOST_CHARACTERS = 65_536
ONE_PULL: Mapping[str, Any] = {
    **dict.fromkeys(("additions", "changed_files", "comments", "commits", "deletions", "review_comments"), 1),
    **dict.fromkeys(("mergeable", "merged_by")),
    **dict.fromkeys(("merged", "maintainer_can_modify"), False),
    "mergeable_state": "unknown",
}
"""What GitHub says of a pull request by itself, beside what it says of each in a list."""


@dataclass
class FakeGitHub:
    """What it holds; ``comments`` are those of every pull request and issue, each with its ``number``.

    ``viewer`` is how GraphQL calls the token's user, and ``query_errors`` are what it answers instead, one list each
    time. ``drops_labels``: the token may not set any. ``issues_off``: the repository has none. ``locked`` are the
    numbers of locked conversations. ``pulls_off``: the settings keep jobs from opening pull requests. ``remote`` is the
    repository that holds the branches, where a test has one.
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
    pulls_off: bool = False
    remote: Path | None = None
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

    def request(self, title: str, body: str, branch: str, base: str, author: str = ME) -> dict[str, Any]:
        """Somebody opens a pull request."""
        number = next(self.ids)
        made = {"number": number, "title": title, "body": body, "user": {"login": author}, "state": "open"}
        made |= {"html_url": f"https://github.com/{REPOSITORY}/pull/{number}", "merged_at": None}
        owner = filled("simple-user", {"login": "acme"})
        made |= {"head": {"label": f"acme:{branch}", "ref": branch, "user": owner}}
        made |= {"base": {"label": f"acme:{base}", "ref": base, "user": owner}}
        self.pulls.append(made)
        return made

    def close(self, request: dict[str, Any], *, merged: bool) -> None:
        """Somebody closes or merges a pull request."""
        request |= {"state": "closed", "merged_at": "2026-01-01T00:00:00Z" if merged else None}
        if self.remote is not None:
            request["head"]["sha"] = git(self.remote, "rev-parse", request["head"]["ref"])

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Number, title, body, URL and whether it is open, of each pull request, the oldest first."""
        return [
            {"title": pull["title"], "body": pull["body"], "url": pull["html_url"], "open": pull["state"] == "open"}
            for pull in self.pulls
        ]

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
        routes=[
            Route("/graphql", viewer, methods=["POST"]),
            *_comment_routes(github),
            *_issue_routes(github),
            *_pull_routes(github),
        ],
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

    return [
        Route(f"{REPOSITORY_PATH}/issues/{{number:int}}", issue, methods=["PATCH"]),
        Route(f"{REPOSITORY_PATH}/issues", issues, methods=["GET", "POST"]),
    ]


def _pull_routes(github: FakeGitHub) -> list[Route]:
    async def pulls(request: Request) -> Response:
        if request.method == "GET":
            query = request.query_params
            state = query.get("state", "open")
            listed = [
                pull
                for pull in github.pulls
                if query.get("head", pull["head"]["label"]) == pull["head"]["label"]
                and ("base" not in query or query["base"] == pull["base"]["ref"])
                and state in ("all", pull.get("state", "open"))
            ]
            return _page(request, listed[::-1], "pull-request-simple")
        fields = await _written(request)
        if github.pulls_off:
            raise HTTPException(403, "GitHub Actions is not permitted to create or approve pull requests.")
        branch, base = fields["head"], fields["base"]
        _check_branch(github, branch, base)
        same = [pull for pull in github.pulls if (pull["head"]["ref"], pull["state"]) == (branch, "open")]
        if same:
            raise HTTPException(422, f"A pull request already exists for acme:{branch}.")
        made = github.request(fields["title"], fields["body"], branch, base)
        return JSONResponse(filled("pull-request-simple", {**made, **ONE_PULL}), status_code=201)

    async def pull(request: Request) -> Response:
        found = _found(github.pulls, "number", request)
        found |= await _written(request)
        return JSONResponse(filled("pull-request-simple", {**found, **ONE_PULL}))

    return [
        Route(f"{REPOSITORY_PATH}/pulls/{{number:int}}", pull, methods=["PATCH"]),
        Route(f"{REPOSITORY_PATH}/pulls", pulls, methods=["GET", "POST"]),
    ]


def _check_branch(github: FakeGitHub, branch: str, base: str) -> None:
    if github.remote is not None and git(github.remote, "rev-list", "--count", f"{base}..{branch}") == "0":
        raise HTTPException(422, f"No commits between {base} and {branch}")


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
