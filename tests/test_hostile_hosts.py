"""A host of code, or who answers for it, neither stalls nor floods a run, nor makes it speak in another voice."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any, Final

import httpx
import pytest

from fake_time import FakeTime
from scripted_server import CHUNKED, ENDLESS, Behaviour, Connection, Request, ScriptedServer, answer, trickling
from variations import variation
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiAnswerError, ApiConnectionError, ApiError, ApiStatusError
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.github import GitHub
from webchat_sync.forge.github import access as github_access
from webchat_sync.forge.gitlab import GitLab
from webchat_sync.forge.gitlab import access as gitlab_access
from webchat_sync.forge.ports import Forge
from webchat_sync.forge.session import Session
from webchat_sync.model import Secret

pytestmark = pytest.mark.anyio

TOKEN: Final = "a-token-of-no-known-form"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def opened(url: str, host: str, *, deadline: float = 120.0) -> AsyncIterator[tuple[Session, Forge]]:
    time = FakeTime()
    environment = Environment(
        transport=httpx.AsyncHTTPTransport(verify=False), sleep=time.sleep, now=time.now, clock=time.clock
    )
    run = PipelineRun(
        host="github" if host == "github" else "gitlab",
        api_url=url,
        graphql_url=f"{url}/graphql",
        project="acme/site",
        number=1,
        run_url="",
        page=f"{url}/acme/site",
        token=Secret(TOKEN),
    )
    access = github_access(run, "permission") if host == "github" else gitlab_access(run)
    async with Session(access, environment, deadline=deadline) as session:
        yield session, GitHub(session, run) if host == "github" else GitLab(session, run)


both = pytest.mark.parametrize("host", ["github", "gitlab"])
Ask = Callable[[Forge], Awaitable[object]]


async def listing(forge: Forge) -> object:
    return await forge.list_comments(1)


async def writing(forge: Forge) -> object:
    return await forge.add_comment(1, "text")


async def failure(behaviour: Behaviour, host: str, ask: Ask, *, deadline: float = 120.0) -> tuple[ApiError, int]:
    with ScriptedServer(otherwise=behaviour) as server:
        async with opened(server.url, host, deadline=deadline) as (_, forge):
            with pytest.raises(ApiError) as raised:
                await ask(forge)
    assert TOKEN not in str(raised.value)
    return raised.value, len(server.requests)


@both
@pytest.mark.parametrize(("behaviour", "reason"), ENDLESS.values(), ids=ENDLESS.keys())
@pytest.mark.parametrize("ask", [listing, writing])
async def test_no_answer_outlives_its_deadline_or_is_asked_for_again(
    host: str, behaviour: Behaviour, reason: str, ask: Ask
) -> None:
    error, requests = await failure(behaviour, host, ask, deadline=0.3)
    assert type(error) in {ApiConnectionError, ApiAnswerError}
    assert re.search(reason, str(error))
    assert requests < 2  # on a busy machine, none may have been read before the deadline
    assert error.in_doubt == (ask is writing)


@both
async def test_a_refusal_that_never_ends_is_told_by_its_status(host: str) -> None:
    behaviour = trickling(CHUNKED.replace(b"200", b"403"), b"1\r\n[\r\n")
    error, _ = await failure(behaviour, host, listing, deadline=0.3)
    assert (type(error), error.status) == (ApiStatusError, 403)


@cache
def bomb() -> bytes:
    return gzip.compress(b" " * (65 * 2**20))


@pytest.mark.alike
@pytest.mark.slow
@both
@pytest.mark.parametrize("ask", [listing, writing])
@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br"])
async def test_a_bomb_is_not_unpacked(host: str, ask: Ask, encoding: str) -> None:
    error, requests = await failure(answer(200, bomb(), {"Content-Encoding": encoding}), host, ask)
    assert re.search(r"larger than 64 MiB|wasn't requested", str(error))
    assert requests == 1


OVERFLOWING: Final = {
    "a status line": (b"HTTP/1.1 200 ", b"x" * 4096, "the headers of the response"),
    "a header": (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 4096, "the headers of the response"),
    "many headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 600, "the headers of the response"),
    "the extension of a chunk": (CHUNKED + b"1;a=", b"y" * 4096, "between the chunks"),
    "trailers": (CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: y\r\n" * 600, "between the chunks"),
}


@both
@pytest.mark.parametrize(("head", "piece", "reason"), OVERFLOWING.values(), ids=OVERFLOWING.keys())
async def test_what_is_not_the_body_has_a_limit_too_and_is_not_asked_for_again(
    host: str, head: bytes, piece: bytes, reason: str
) -> None:
    error, requests = await failure(trickling(head, piece), host, listing)
    assert (reason in str(error), "larger than 100 KiB" in str(error), requests) == (True, True, 1), error


def paged(host: str, number: int, body: Any, link: str | None = None) -> Behaviour:
    url = f"http://other.example/x?per_page=100&page={number}"
    header = {"Link": link or f'<{url}>; rel="next"'} if host == "github" else {"X-Next-Page": link or str(number)}
    return answer(200, json.dumps(body), header)


@pytest.mark.alike
@pytest.mark.slow
@both
async def test_a_listing_without_an_end_is_given_up(host: str) -> None:
    def endless(request: Request, connection: Connection) -> None:
        paged(host, len(server.requests) + 1, [])(request, connection)

    with ScriptedServer(otherwise=endless) as server:
        async with opened(server.url, host) as (_, forge):
            with pytest.raises(ApiAnswerError, match="more than 1,000 pages"):
                await forge.list_comments(1)
    assert len(server.requests) == 1000


@both
async def test_a_listing_that_leads_back_is_given_up_at_once(host: str) -> None:
    with ScriptedServer(otherwise=paged(host, 7, [])) as server:
        async with opened(server.url, host) as (_, forge):
            with pytest.raises(ApiAnswerError, match="a page that was already read"):
                await forge.list_comments(1)
    assert len(server.requests) == 2


@pytest.mark.slow
@pytest.mark.parametrize("host", ["github", variation("gitlab")])
async def test_pages_that_are_too_large_together_are_given_up(host: str) -> None:
    body = json.dumps([{"id": 1, "body": "a" * (60 * 2**20), "author": {"id": 1}}]).encode()
    packed = gzip.compress(body, compresslevel=1)

    def large(request: Request, connection: Connection) -> None:
        number = len(server.requests)
        headers = {"Link": f'<http://a/?page={number}>; rel="next"', "X-Next-Page": str(number)}
        more = headers if number < 6 else {}  # so that it ends if nobody gives it up
        answer(200, packed, {"Content-Encoding": "gzip", **more})(request, connection)

    with ScriptedServer(otherwise=large) as server:
        async with opened(server.url, host) as (_, forge):
            with pytest.raises(ApiAnswerError, match="the pages of the list exceed 256 MiB"):
                await forge.list_comments(1)
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    "link",
    [
        '<http://[broken>; rel="next"',
        '<http://a.example:99999999/?x>; rel="next"',
        '<http://a.example/?\x7f>; rel="next"',
        f'<http://a.example/?{"x" * 70_000}>; rel="next"',
        '<>; rel="next"',
        'rel="next"',
        "<<<<<;;;;,,,,",
    ],
)
async def test_a_next_page_that_is_none_is_an_error_or_the_end(link: str) -> None:
    with ScriptedServer(paged("github", 1, [], link), otherwise=answer(200, "[]")) as server:
        async with opened(server.url, "github") as (_, forge):
            with suppress(ApiError):
                assert await forge.list_comments(1) == []


@pytest.mark.parametrize("page", ["²", "٣", "1e9", "-1", "1&labels=x", "9" * 5000])
async def test_a_number_of_the_next_page_is_one_or_the_end(page: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Next-Page: {page}\r\n\r\n[]".encode()

    def first(_: Request, connection: Connection) -> None:
        connection.send(head)

    with ScriptedServer(first, otherwise=answer(200, "[]")) as server:
        async with opened(server.url, "gitlab") as (_, forge):
            assert await forge.list_comments(1) == []
    assert all("labels" not in request.target for request in server.requests)


NONE_OF_THE_KIND: Final = [
    *("null", "1", '"x"', "{}", "[1]", "[null]", "[[]]", "[{}]", '[{"id": null}]', '[{"id": "x"}]', '[{"id": [1]}]'),
    *('[{"id": 1, "user": 1, "author": 1}]', '[{"id": 1, "user": [1], "author": [1]}]', '[{"id": 1e400}]'),
    *('[{"id": ' + "9" * 301 + "}]", "[" * 900 + "]" * 900, '{"errors": 1}', '{"errors": [1]}', '{"errors": [[]]}'),
    *('{"errors": {"a": 1}}', '{"data": null}', '{"data": {"viewer": null}}', "[{}" + ",{}" * 100_000 + "]"),
]


@pytest.mark.alike
@pytest.mark.slow
@both
@pytest.mark.parametrize("body", NONE_OF_THE_KIND)
async def test_what_has_not_the_shape_of_the_api_is_an_error_in_words(host: str, body: str) -> None:
    for ask in (listing, writing, lambda forge: forge.me(), lambda forge: forge.list_issues("label")):
        with ScriptedServer(otherwise=answer(200, body)) as server:
            async with opened(server.url, host) as (_, forge):
                with suppress(ApiError):
                    await ask(forge)
