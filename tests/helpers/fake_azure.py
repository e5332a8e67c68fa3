"""A small Azure DevOps over real HTTP: threads on pull requests, checked against Microsoft's documentation."""

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
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from api_description import Witness
from webchat_sync.emulator import Call, Faults, serve
from webchat_sync.emulator.front import with_front

TOKEN = "eyJ0.c4n4ryJobAccessToken0123456789.sig"
READ_TOKEN = "eyJ0.c4n4ryReaderAccessToken9876543210.sig"
ME = "33333333-3333-4333-8333-333333333333"
STRANGER = "44444444-4444-4444-8444-444444444444"
REPOSITORY = "55555555-5555-4555-8555-555555555555"
PROJECT = "Web site"


@dataclass
class FakeAzure:
    """Its data. ``knows_users``: whether the token may read its user."""

    url: str = ""
    threads: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    knows_users: bool = True
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(141))

    def say(self, body: str, *, stranger: bool = False, kind: str = "text", status: str = "closed") -> dict[str, Any]:
        """We, or a stranger, start a thread on the pull request 7."""
        first = {
            "id": 1,
            "parentCommentId": 0,
            "author": {"id": STRANGER if stranger else ME, "displayName": "Build Service"},
            "content": body,
            "commentType": kind,
            "publishedDate": "2026-11-02T12:00:00Z",
        }
        made = {"id": next(self.ids), "comments": [first], "status": status, "isDeleted": False}
        self.threads.append(made)
        return made

    @property
    def bodies(self) -> list[str]:
        """The first comment of each existing thread, oldest first."""
        return [thread["comments"][0]["content"] for thread in self.threads if not thread["isDeleted"]]

    @property
    def methods(self) -> list[str]:
        """The methods of calls that may write."""
        return [call.method for call in self.calls if call.method != "GET"]

    def environ(self, _: Path, *, number: int | None = 7, token: str = TOKEN) -> dict[str, str]:
        """The variables of a job of Azure Pipelines, for the pull request ``number``."""
        variables = {
            "TF_BUILD": "True",
            "SYSTEM_COLLECTIONURI": f"{self.url}/acme/",
            "SYSTEM_TEAMPROJECT": PROJECT,
            "BUILD_REPOSITORY_ID": REPOSITORY,
            "BUILD_REPOSITORY_NAME": "web",
            "BUILD_BUILDID": "99",
            "SYSTEM_ACCESSTOKEN": token,
        }
        return {**variables, "SYSTEM_PULLREQUEST_PULLREQUESTID": str(number)} if number else variables


@contextmanager
def fake_azure(faults: Faults | None = None, *, proxy: Faults | None = None) -> Iterator[FakeAzure]:
    """Azure DevOps on a free loopback port, with faults like those of the other fakes."""
    azure = FakeAzure()
    witness = Witness((faults or Faults([])).around(_app(azure)), "Azure")
    with serve(with_front((proxy or Faults([])).around(witness), azure.calls.append)) as url:
        azure.url = url
        yield azure
    witness.testify()


def _app(azure: FakeAzure) -> Starlette:
    async def connection(request: Request) -> Response:
        if _token(request) is None:
            return SIGN_IN
        if not azure.knows_users:
            raise HTTPException(401, "TF400813: The user is not authorized to access this resource.")
        return JSONResponse({"authenticatedUser": {"id": ME}})

    async def threads(request: Request) -> Response:
        if request.method == "POST":
            _may_write(request)
            document = await request.json()
            return JSONResponse(azure.say(document["comments"][0]["content"], status=document["status"]))
        if _token(request) is None:
            return SIGN_IN
        return JSONResponse({"value": azure.threads, "count": len(azure.threads)})

    async def comment(request: Request) -> Response:
        _may_write(request)
        there = [thread for thread in azure.threads if thread["id"] == request.path_params["thread"]]
        if not there or there[0]["isDeleted"]:
            raise HTTPException(404, "VS403404: The pull request thread was not found.")
        first: dict[str, Any] = there[0]["comments"][0]
        if request.method == "DELETE":
            first |= {"isDeleted": True}
            del first["content"]
            there[0]["isDeleted"] = True
            return Response()
        first["content"] = (await request.json())["content"]
        return JSONResponse(first)

    path = f"/acme/{PROJECT}/_apis/git/repositories/{REPOSITORY}/pullRequests/7/threads"
    return Starlette(
        routes=[
            Route("/acme/_apis/connectionData", connection),
            Route(path, threads, methods=["GET", "POST"]),
            Route(f"{path}/{{thread:int}}/comments/1", comment, methods=["PATCH", "DELETE"]),
        ],
        exception_handlers={HTTPException: _refused},
    )


SIGN_IN = HTMLResponse("<html><title>Azure DevOps Services | Sign In</title></html>", status_code=203)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    document = {"$id": "1", "innerException": None, "message": error.detail, "typeName": "…", "errorCode": 0}
    return JSONResponse(document, error.status_code)


def _token(request: Request) -> str | None:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    return token if token in {TOKEN, READ_TOKEN} else None


def _may_write(request: Request) -> None:
    if _token(request) != TOKEN:
        raise HTTPException(
            403, "TF401027: You need the Git 'PullRequestContribute' permission to perform this action."
        )
