"""GitHub's own description of its REST API (npm's `@octokit/openapi`), as a witness of what is sent to our fakes and of
what they answer.

``WEBCHAT_SYNC_GITHUB_OPENAPI`` names the file ``api.github.com.json`` of that package; ``.ci/run`` fetches it where npm
is there. Without it the fakes work all the same, and nobody watches.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

VARIABLE: Final = "WEBCHAT_SYNC_GITHUB_OPENAPI"
DOCUMENTS: Final = Path(__file__).parents[1] / "data" / "github.json"
"""The smallest documents of each kind that GitHub's description allows."""

ANYWHERE: Final = {401, 403, 404, 410, 422, 429}
"""Refusals that GitHub gives to whatever call, though its description does not list them with each."""

_WHOLE_PATH: Final = {"ref", "basehead"}
"""Parameters of a path that may have slashes in them."""


def filled(kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` with all else that GitHub's documents of that kind have."""
    merged: dict[str, Any] = _merged(_documents()[kind], document)
    for name in ("user", "author"):
        if isinstance(merged.get(name), dict):
            merged[name] = _merged(_documents()["simple-user"], merged[name])
    return merged


def needs_description() -> None:
    """Skip the test where the description is not at hand."""
    if VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} names no description of GitHub's API; .ci/run fetches it where npm is there")


@dataclass
class Witness:
    """Passes calls on to ``app``, and notes in ``problems`` what the description does not allow."""

    app: ASGIApp
    problems: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or VARIABLE not in os.environ or not scope["path"].startswith("/repos/"):
            await self.app(scope, receive, send)
            return
        asked, said, status = await _body(receive), bytearray(), 0
        sent, answer = iter([asked]), list[Message]()

        async def heard() -> Message:
            return {"type": "http.request", "body": next(sent, b""), "more_body": False}

        async def told(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            said.extend(message.get("body", b""))
            answer.append(message)

        await self.app(scope, heard, told)
        self.problems += self._flaws(scope, asked, status, bytes(said))
        for message in answer:  # only now, so that whoever has the answer finds the problems noted
            await send(message)

    @staticmethod
    def _flaws(scope: Scope, asked: bytes, status: int, said: bytes) -> list[str]:
        call = f"{scope['method']} {scope['path']}"
        operation = _operation(scope["method"], scope["path"])
        if operation is None:
            return [f"{call}: GitHub has no such call"]
        flaws = (
            *_query_flaws(operation, scope["query_string"].decode()),
            *_request_flaws(operation, asked),
            *_answer_flaws(operation, status, said),
        )
        return [f"{call}: {flaw}" for flaw in flaws]

    def testify(self) -> None:
        """Fail when there was anything."""
        assert not self.problems, "\n".join(self.problems)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _query_flaws(operation: Mapping[str, Any], query: str) -> Iterator[str]:
    parameters = [_whole(each) for each in operation.get("parameters", [])]
    known = {each["name"]: each["schema"] for each in parameters if each["in"] == "query"}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in known:
            yield from _wrong(int(value) if value.isdecimal() else value, known[name], f"parameter {name}", text=value)
        elif name != "page":  # which is in each Link that GitHub sends
            yield f"it has no parameter {name}"


def _request_flaws(operation: Mapping[str, Any], asked: bytes) -> Iterator[str]:
    body = operation.get("requestBody")
    if body is None:
        yield from ["request: no body is taken"] if asked else []
    elif asked:
        schema = _whole(body["content"]["application/json"]["schema"])
        document = json.loads(asked)
        yield from _wrong(document, schema, "request")
        yield from (f"request: GitHub ignores {name}" for name in document.keys() - schema.get("properties", {}).keys())
    elif body.get("required"):
        yield "request: no body"


def _answer_flaws(operation: Mapping[str, Any], status: int, said: bytes) -> Iterator[str]:
    answers = operation["responses"]
    document = json.loads(said) if said[:1] in {b"{", b"["} else None
    if str(status) in answers:
        content = _whole(answers[str(status)]).get("content", {})
        schemas = [each["schema"] for kind, each in content.items() if "json" in kind]
        wrong = [list(_wrong(document, schema, f"answer {status}")) for schema in schemas]
        yield from min(wrong, key=len, default=[])
    elif status in ANYWHERE:
        yield from _wrong(document, {"$ref": "#/components/schemas/basic-error"}, f"answer {status}")
    else:
        yield f"GitHub does not answer {status} to that"
    if status >= 400 and "message" not in (document or {}):
        yield f"answer {status}: no message"


def _wrong(document: Any, schema: Mapping[str, Any], what: str, *, text: str | None = None) -> Iterator[str]:
    """What is wrong with a document; a parameter is a number or its ``text``."""
    components = _description()["components"]
    validator = Draft202012Validator({**schema, "components": components})
    found = best_match(validator.iter_errors(document))
    if found is not None and text is not None:
        found = best_match(validator.iter_errors(text))
    if found is not None:
        yield f"{what}: {found.json_path}: {found.message[:200]}"


def _operation(method: str, path: str) -> dict[str, Any] | None:
    """The call of the description; of several, the one with the fewest parameters in its path."""
    fitting = [
        (template.count("{"), methods[method.lower()])
        for template, pattern, methods in _paths()
        if method.lower() in methods and pattern.fullmatch(path)
    ]
    return min(fitting, key=lambda each: each[0])[1] if fitting else None


@cache
def _paths() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    def pattern(template: str) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", template)
        texts = (
            re.escape(part) if number % 2 == 0 else ".+" if part in _WHOLE_PATH else "[^/]+"
            for number, part in enumerate(parts)
        )
        return re.compile("".join(texts))

    paths = _description()["paths"]
    return [
        (name, pattern(name), methods) for name, methods in paths.items() if name.startswith("/repos/{owner}/{repo}")
    ]


def _whole(part: dict[str, Any]) -> dict[str, Any]:
    """The part that a reference names."""
    while "$ref" in part:
        names = part["$ref"].removeprefix("#/").split("/")
        part = _description()
        for name in names:
            part = part[name]
    return part


@cache
def _description() -> dict[str, Any]:
    """The description, whose ``nullable`` of OpenAPI 3.0 is said in JSON Schema's words."""
    text = Path(os.environ[VARIABLE]).read_text(encoding="utf-8")
    description: dict[str, Any] = json.loads(text, object_hook=_nullable)
    return description


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("nullable") is not True:
        return schema
    return {"anyOf": [{name: value for name, value in schema.items() if name != "nullable"}, {"type": "null"}]}


@cache
def _documents() -> dict[str, Any]:
    documents: dict[str, Any] = json.loads(DOCUMENTS.read_text(encoding="utf-8"))
    return documents


def _merged(before: Any, after: Any) -> Any:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    return {**before, **{name: _merged(before.get(name), value) for name, value in after.items()}}
