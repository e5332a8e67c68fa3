"""A small Bitbucket Cloud over real HTTP: comments on pull requests, held against what Atlassian publishes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api_description import Witness
from webchat_sync.emulator import Call, Faults, serve
from webchat_sync.emulator.front import with_front

TOKEN = "ATCTT-c4n4ryRepositoryToken0123456789"
READ_TOKEN = "ATCTT-c4n4ryReadOnlyToken9876543210"
ME = "{11111111-1111-4111-8111-111111111111}"
STRANGER = "{22222222-2222-4222-8222-222222222222}"
PAGE = "https://bitbucket.org/acme/web"


@dataclass
class FakeBitbucket:
    """What it holds. ``knows_users``: whether the token may ask who it is, which one of a repository may not."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    knows_users: bool = True
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(301))

    def say(self, body: str, *, stranger: bool = False) -> dict[str, Any]:
        """We, or a stranger, comment on the pull request 7."""
        number = next(self.ids)
        made = {
            "type": "pullrequest_comment",
            "id": number,
            "content": {"raw": body, "markup": "markdown", "html": ""},
            "user": {"type": "user", "uuid": STRANGER if stranger else ME},
            "deleted": False,
            "links": {"html": {"href": f"{PAGE}/pull-requests/7/_/diff#comment-{number}"}},
        }
        self.comments.append(made)
        return made

    @property
    def bodies(self) -> list[str]:
        """Those of all comments that are there, the oldest first."""
        return [comment["content"]["raw"] for comment in self.comments if not comment["deleted"]]

    @property
    def methods(self) -> list[str]:
        """The methods of the calls that may write."""
        return [call.method for call in self.calls if call.method != "GET"]

    def environ(self, _: Path, *, number: int | None = 7, token: str = TOKEN) -> dict[str, str]:
        """The variables of a step of Bitbucket Pipelines, for the pull request ``number``."""
        variables = {
            "CI": "true",
            "BITBUCKET_BUILD_NUMBER": "12",
            "BITBUCKET_WORKSPACE": "acme",
            "BITBUCKET_REPO_SLUG": "web",
            "BITBUCKET_GIT_HTTP_ORIGIN": PAGE,
            "BITBUCKET_API_URL": f"{self.url}/2.0",
            "BITBUCKET_TOKEN": token,
        }
        return {**variables, "BITBUCKET_PR_ID": str(number)} if number else variables


@contextmanager
def fake_bitbucket(faults: Faults | None = None, *, proxy: Faults | None = None) -> Iterator[FakeBitbucket]:
    """Bitbucket on a free port of the loopback interface; faults are as those of the other fakes."""
    bitbucket = FakeBitbucket()
    witness = Witness((faults or Faults([])).around(_app(bitbucket)), "Bitbucket")
    with serve(with_front((proxy or Faults([])).around(witness), bitbucket.calls.append)) as url:
        bitbucket.url = url
        yield bitbucket
    witness.testify()


def _app(bitbucket: FakeBitbucket) -> Starlette:
    async def user(request: Request) -> Response:
        _token(request)
        if not bitbucket.knows_users:
            raise HTTPException(403, "Your credentials lack one or more required privilege scopes.")
        return JSONResponse({"type": "user", "uuid": ME, "display_name": "webchat-sync"})

    async def comments(request: Request) -> Response:
        if request.method == "POST":
            return JSONResponse(bitbucket.say(await _written(request)), 201)
        _token(request)
        size, page = int(request.query_params.get("pagelen", 10)), int(request.query_params.get("page", 1))
        answer = {"values": bitbucket.comments[(page - 1) * size : page * size], "page": page, "pagelen": size}
        if page * size < len(bitbucket.comments):
            answer["next"] = str(request.url.include_query_params(page=page + 1))
        return JSONResponse(answer)

    async def comment(request: Request) -> Response:
        there = [entry for entry in bitbucket.comments if entry["id"] == request.path_params["id"]]
        if not there or there[0]["deleted"]:
            raise HTTPException(404, "Resource not found")
        if request.method == "DELETE":
            _may_write(request)
            there[0] |= {"deleted": True, "content": {"raw": "", "markup": "markdown", "html": ""}}
            return Response(status_code=204)
        there[0]["content"] = {"raw": await _written(request), "markup": "markdown", "html": ""}
        return JSONResponse(there[0])

    path = "/2.0/repositories/acme/web/pullrequests/7/comments"
    return Starlette(
        routes=[
            Route("/2.0/user", user),
            Route(path, comments, methods=["GET", "POST"]),
            Route(f"{path}/{{id:int}}", comment, methods=["PUT", "DELETE"]),
        ],
        exception_handlers={HTTPException: _refused},
    )


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"type": "error", "error": {"message": error.detail}}, error.status_code)


def _token(request: Request) -> str:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token not in {TOKEN, READ_TOKEN}:
        raise HTTPException(401, "Token is invalid or not supported for this endpoint.")
    return token


def _may_write(request: Request) -> None:
    if _token(request) != TOKEN:
        raise HTTPException(403, "Your credentials lack one or more required privilege scopes.")


async def _written(request: Request) -> str:
    _may_write(request)
    raw: str = (await request.json())["content"]["raw"]
    return raw
