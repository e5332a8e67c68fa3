"""The witness itself: it knows what a host would refuse, and what it would never answer."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

import loopback
from api_description import Witness, filled, needs_github
from webchat_sync.emulator import serve

Call: TypeAlias = tuple[str, str, Any]
"""Method, path and query, and what is sent as JSON."""

COMMENTS = "/repos/acme/web/issues/7/comments"
COMMENT = filled("issue-comment", {"id": 1, "user": {"login": "ana"}})


class Answering:
    """Answers every call with what it is told to."""

    def __init__(self) -> None:
        self.answer = Response()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.answer(scope, receive, send)


def held_against(host: str, call: Call, status: int, answer: Any) -> list[str]:
    """What the witness has to say about such a call and such an answer."""
    app = Answering()
    app.answer = Response(status_code=204) if status == 204 else JSONResponse(answer, status_code=status)
    witness = Witness(app, host)
    with serve(witness) as url:
        loopback.request(call[0], f"{url}{call[1]}", json=call[2])
    return witness.problems


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
def test_the_witness_knows_what_is_wrong_for_github(
    method: str, target: str, body: Any, status: int, answer: Any, problem: str
) -> None:
    needs_github()
    problems = held_against("GitHub", (method, target, body), status, answer)
    assert problem in "\n".join(problems)
    assert bool(problems) == bool(problem), problems


NOTES = "/api/v4/projects/42/merge_requests/7/notes"
ISSUES = "/api/v4/projects/acme%2Fweb/issues"
NOTE = filled("note", {"id": 1}, host="gitlab")
ISSUE = filled("issue", {"iid": 1}, host="gitlab")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "target", "body", "status", "answer", "problem"),
    [
        ("POST", NOTES, {"body": "Hi"}, 201, NOTE, ""),
        ("GET", f"{NOTES}?per_page=100&page=2", None, 200, [NOTE], ""),
        ("DELETE", f"{NOTES}/1", None, 204, None, ""),
        ("PUT", f"{ISSUES}/1", {"state_event": "close"}, 200, ISSUE, ""),
        ("POST", NOTES, {"body": "Hi"}, 403, {"error": "insufficient_scope", "scope": "api"}, ""),
        ("POST", NOTES, {"body": "Hi"}, 400, {"message": {"note": ["is too long"]}}, ""),
        ("POST", NOTES, {}, 201, NOTE, "'body' is a required property"),
        ("POST", NOTES, {"body": "x" * 1_000_001}, 201, NOTE, "request: $.body: 'xxx"),
        ("POST", NOTES, {"note": "Hi", "body": "Hi"}, 201, NOTE, "GitLab ignores note"),
        ("POST", NOTES, None, 201, NOTE, "request: no body"),
        ("GET", f"{NOTES}?per_page=200", None, 200, [], "parameter per_page"),
        ("GET", f"{NOTES}?labels=a", None, 200, [], "it has no parameter labels"),
        ("PATCH", f"{ISSUES}/1", {"title": "T"}, 200, ISSUE, "GitLab has no such call"),
        ("PUT", f"{ISSUES}/1", {"state_event": "closed"}, 200, ISSUE, "'closed' is not one of"),
        ("POST", NOTES, {"body": "Hi"}, 200, NOTE, "GitLab does not answer 200 to that"),
        ("POST", NOTES, {"body": "Hi"}, 201, {**NOTE, "id": "1"}, "'1' is not of type 'integer'"),
        ("POST", NOTES, {"body": "Hi"}, 410, {"message": "Gone"}, "GitLab does not answer 410 to that"),
        ("POST", NOTES, {"body": "Hi"}, 403, {"reason": "no"}, "is not valid under any of the given schemas"),
    ],
)
def test_the_witness_knows_what_is_wrong_for_gitlab(
    method: str, target: str, body: Any, status: int, answer: Any, problem: str
) -> None:
    problems = held_against("GitLab", (method, target, body), status, answer)
    assert problem in "\n".join(problems)
    assert bool(problems) == bool(problem), problems
