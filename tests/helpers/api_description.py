"""Checks requests to our fakes and their responses against the descriptions that hosts publish for their APIs.

GitHub's description of its REST API is npm's `@octokit/openapi`; ``WEBCHAT_SYNC_GITHUB_OPENAPI`` is its file
``api.github.com.json``, which ``.ci/run`` fetches if npm is installed. Without it, nothing is checked. Other hosts'
descriptions aren't in a package index: ``tests/data/apis`` restates the relevant parts, with their sources.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

VARIABLE: Final = "WEBCHAT_SYNC_GITHUB_OPENAPI"
DATA: Final = Path(__file__).parents[1] / "data"

_WHOLE_PATH: Final = {"ref", "basehead"}
"""Path parameters that can contain slashes."""


@dataclass(frozen=True)
class Description:
    """An API in OpenAPI's terms, below ``prefix``.

    ``anywhere`` are error statuses of any call, even if the description doesn't list them for each, and ``refusal`` is
    the schema of all of them.
    """

    host: str
    document: Mapping[str, Any]
    prefix: str
    anywhere: frozenset[int]
    refusal: Mapping[str, Any]
    page: frozenset[str] = frozenset()
    """Parameters in the addresses of next pages, which are used as they are."""

    def flaws(self, request: Request, status: int, answer: bytes) -> list[str]:
        """What violates the description in that exchange."""
        call = f"{request.method} {request.path}"
        operation = self._operation(request.method, request.path)
        if operation is None:
            return [f"{call}: {self.host} has no such call"]
        flaws = (
            *self._query_flaws(operation, request.query),
            *self._request_flaws(operation, request),
            *self._answer_flaws(operation, status, answer),
        )
        return [f"{call}: {flaw}" for flaw in flaws]

    def _query_flaws(self, operation: Mapping[str, Any], query: str) -> Iterator[str]:
        parameters = [self._whole(parameter) for parameter in operation.get("parameters", [])]
        known = {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"}
        given = parse_qsl(query, keep_blank_values=True)
        for name, value in given:
            if name in known:
                number = int(value) if value.isdecimal() else value
                yield from self._wrong(number, known[name]["schema"], f"parameter {name}", text=value)
            elif name not in self.page:
                yield f"it has no parameter {name}"
        for name, parameter in known.items():
            if parameter.get("required") and name not in dict(given):
                yield f"it needs the parameter {name}"

    def _request_flaws(self, operation: Mapping[str, Any], request: Request) -> Iterator[str]:
        body = operation.get("requestBody")
        if body is None:
            yield from ["request: no body is taken"] if request.body else []
        elif request.body:
            kind = request.content_type.partition(";")[0]
            if kind not in body["content"]:
                yield f"request: {kind} is not taken"
                return
            schema = self._whole(body["content"][kind]["schema"])
            document = json.loads(request.body) if "json" in kind else request.parts()
            yield from self._wrong(document, schema, "request")
            unknown = document.keys() - schema.get("properties", {}).keys()
            yield from (f"request: {self.host} ignores {name}" for name in unknown)
        elif body.get("required"):
            yield "request: no body"

    def _answer_flaws(self, operation: Mapping[str, Any], status: int, answer: bytes) -> Iterator[str]:
        answers = operation["responses"]
        document = json.loads(answer) if answer[:1] in {b"{", b"["} else None
        if str(status) in answers:
            content = self._whole(answers[str(status)]).get("content", {})
            schemas = [media["schema"] for kind, media in content.items() if "json" in kind]
            wrong = [list(self._wrong(document, schema, f"answer {status}")) for schema in schemas]
            yield from min(wrong, key=len, default=[])
        elif status in self.anywhere:
            yield from self._wrong(document, self.refusal, f"answer {status}")
        else:
            yield f"{self.host} does not answer {status} to that"
        if status >= 400 and "message" in self.refusal.get("required", ()) and "message" not in (document or {}):
            yield f"answer {status}: no message"

    def _wrong(self, document: Any, schema: Mapping[str, Any], what: str, *, text: str | None = None) -> Iterator[str]:
        """What's wrong with a document; a parameter is a number or its ``text``."""
        validator = Draft202012Validator({**schema, "components": self.document["components"]})
        flaw = best_match(validator.iter_errors(document))
        if flaw is not None and text is not None:
            flaw = best_match(validator.iter_errors(text))
        if flaw is not None:
            yield f"{what}: {flaw.json_path}: {flaw.message[:200]}"

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        """The matching call of the description; if there are several, the one with the fewest path parameters."""
        fitting = [
            (template.count("{"), methods[method.lower()])
            for template, pattern, methods in _patterns(self.host)
            if method.lower() in methods and pattern.fullmatch(path)
        ]
        return min(fitting, key=lambda operation: operation[0])[1] if fitting else None

    def _whole(self, part: dict[str, Any]) -> dict[str, Any]:
        """Resolves a reference."""
        while "$ref" in part:
            names = part["$ref"].removeprefix("#/").split("/")
            part = dict(self.document)
            for name in names:
                part = part[name]
        return part


@dataclass(frozen=True)
class Request:
    """A request to a fake."""

    method: str
    path: str
    query: str
    content_type: str
    body: bytes

    def parts(self) -> dict[str, str]:
        """The fields and files of a form, as text."""
        head = f"Content-Type: {self.content_type}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        return {
            str(part.get_param("name", header="content-disposition")): str(part.get_payload())
            for part in message.iter_parts()
        }


@dataclass
class Witness:
    """Passes calls on to ``app``, and notes in ``problems`` what violates the host's description.

    Statuses of 500 and above, and aborted responses, aren't covered by descriptions.
    """

    app: ASGIApp
    host: str
    problems: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        description = describe(self.host)
        if scope["type"] != "http" or description is None or not scope["path"].startswith(description.prefix):
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

        try:
            await self.app(scope, heard, told)
            if 0 < status < 500:
                kind = Headers(scope=scope).get("content-type", "")
                path = scope.get("raw_path", scope["path"].encode()).partition(b"?")[0].decode()
                request = Request(scope["method"], path, scope["query_string"].decode(), kind, asked)
                self.problems += description.flaws(request, status, bytes(said))
        finally:
            for message in answer:  # after the check, so that the problems are noted once the client has the response
                await send(message)

    def testify(self) -> None:
        """Fail if there were any problems."""
        assert not self.problems, "\n".join(self.problems)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


@cache
def describe(host: str) -> Description | None:
    """The description of that host's API; None if it isn't available."""
    match host:
        case "GitHub":
            if VARIABLE not in os.environ:
                return None
            text = Path(os.environ[VARIABLE]).read_text(encoding="utf-8")
            return Description(
                host,
                json.loads(text, object_hook=_nullable),
                prefix="/repos/",
                anywhere=frozenset({401, 403, 404, 410, 422, 429}),
                refusal={"$ref": "#/components/schemas/basic-error", "required": ["message"]},
                page=frozenset({"page"}),
            )
        case _:
            document = yaml.safe_load((DATA / "apis" / f"{host.lower()}.yaml").read_text(encoding="utf-8"))
            return Description(
                host,
                document,
                prefix=document["servers"][0]["url"],
                anywhere=frozenset(document["x-refusals"]["statuses"]),
                refusal=document["x-refusals"]["schema"],
            )


@cache
def _patterns(host: str) -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    description = describe(host)
    assert description is not None
    prefix = "" if host == "GitHub" else description.prefix

    def pattern(template: str) -> re.Pattern[str]:
        parts = re.split(r"\{(\w+)\}", template)
        texts = (
            re.escape(part) if number % 2 == 0 else ".+" if part in _WHOLE_PATH else "[^/]+"
            for number, part in enumerate(parts)
        )
        return re.compile("".join(texts))

    named = ((prefix + template, methods) for template, methods in description.document["paths"].items())
    return [
        (template, pattern(template), methods) for template, methods in named if template.startswith(description.prefix)
    ]


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Translates ``nullable`` of OpenAPI 3.0 to JSON Schema."""
    if schema.get("nullable") is not True:
        return schema
    return {"anyOf": [{name: value for name, value in schema.items() if name != "nullable"}, {"type": "null"}]}


def needs_github() -> None:
    """Skip the test if GitHub's description isn't available."""
    if VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} names no description of GitHub's API; .ci/run fetches it where npm is there")


def filled(kind: str, document: Mapping[str, Any], host: str = "github") -> dict[str, Any]:
    """``document`` with everything else that the host's documents of that kind contain."""
    merged: dict[str, Any] = _merged(_documents(host)[kind], document)
    for name in ("user", "author"):
        if isinstance(merged.get(name), dict):
            merged[name] = _merged(_documents(host)["simple-user"], merged[name])
    return merged


@cache
def _documents(host: str) -> dict[str, Any]:
    """The smallest documents of each kind that the host's description allows."""
    documents: dict[str, Any] = json.loads((DATA / f"{host}.json").read_text(encoding="utf-8"))
    return documents


def _merged(before: Any, after: Any) -> Any:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    return {**before, **{name: _merged(before.get(name), value) for name, value in after.items()}}
