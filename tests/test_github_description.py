"""The witness itself: it knows what GitHub would refuse, and what GitHub would never answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from github_description import Witness, filled, needs_description
from webchat_sync.emulator import serve

COMMENTS = "/repos/acme/web/issues/7/comments"
COMMENT = filled("issue-comment", {"id": 1, "user": {"login": "ana"}})


class Answering:
    """Answers every call with what it is told to."""

    def __init__(self) -> None:
        self.answer = Response()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.answer(scope, receive, send)


@pytest.fixture
def said() -> Iterator[tuple[Answering, Witness, str]]:
    needs_description()
    app = Answering()
    witness = Witness(app)
    with serve(witness) as url:
        yield app, witness, url


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "answer", "problem"),
    [
        ("POST", COMMENTS, {"body": "Hi"}, 201, COMMENT, ""),
        ("GET", f"{COMMENTS}?per_page=100&page=2", None, 200, [COMMENT], ""),
        ("DELETE", "/repos/acme/web/issues/comments/1", None, 204, None, ""),
        ("GET", "/repos/acme/web/git/ref/heads/release/1", None, 404, {"message": "Not Found"}, ""),
        ("POST", COMMENTS, {"body": "Hi"}, 403, {"message": "Resource not accessible by integration"}, ""),
        ("POST", COMMENTS, {"text": "Hi"}, 201, COMMENT, "'body' is a required property"),
        ("POST", COMMENTS, {"body": "Hi", "text": "Hi"}, 201, COMMENT, "GitHub ignores text"),
        ("POST", COMMENTS, {"body": 7}, 201, COMMENT, "7 is not of type 'string'"),
        ("POST", COMMENTS, None, 201, COMMENT, "request: no body"),
        ("GET", f"{COMMENTS}?per_page=many", None, 200, [], "parameter per_page"),
        ("GET", f"{COMMENTS}?state=open", None, 200, [], "it has no parameter state"),
        ("GET", "/repos/acme/web/notes", None, 200, [], "GitHub has no such call"),
        ("PUT", COMMENTS, {"body": "Hi"}, 200, COMMENT, "GitHub has no such call"),
        ("POST", COMMENTS, {"body": "Hi"}, 200, COMMENT, "GitHub does not answer 200 to that"),
        ("POST", COMMENTS, {"body": "Hi"}, 201, {"id": 1}, "is a required property"),
        ("GET", COMMENTS, None, 200, {"data": []}, "is not of type 'array'"),
        ("POST", COMMENTS, {"body": "Hi"}, 422, {"errors": []}, "answer 422"),
        ("POST", COMMENTS, {"body": "Hi"}, 403, {"error": "no"}, "no message"),
    ],
)
def test_the_witness_knows_what_is_wrong(
    said: tuple[Answering, Witness, str], method: str, target: str, body: Any, status: int, answer: Any, problem: str
) -> None:
    app, witness, url = said
    app.answer = Response(status_code=204) if status == 204 else JSONResponse(answer, status_code=status)
    httpx.request(method, f"{url}{target}", json=body)
    assert problem in "\n".join(witness.problems)
    assert bool(witness.problems) == bool(problem), witness.problems
