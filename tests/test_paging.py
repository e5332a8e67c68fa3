"""A listing in pages is read to its end or not at all: a page that is taken for the whole makes duplicates."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api_calls import mosend
from commands import emulated
from scripted_server import Behaviour, Connection, Request, ScriptedServer, answer
from webchat_sync.errors import ApiAnswerError
from webchat_sync.model import Json

pytestmark = pytest.mark.anyio

Listing = list[dict[str, Json]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def channels(*names: str) -> Listing:
    return [{"id": f"id-{name}", "name": name} for name in names]


def page(items: Listing, more: bool, cursor: Json, *, inside: bool = False, **beside: Json) -> Behaviour:
    body: dict[str, Any] = {"data": items, "pageInfo": {"endCursor": cursor, "hasNextPage": more}, **beside}
    return answer(200, json.dumps({"data": body} if inside else body))


async def listed(server: ScriptedServer) -> list[str]:
    async with mosend(server.url) as api:
        return [channel.name for channel in await api.list_channels()]


async def refused(server: ScriptedServer) -> ApiAnswerError:
    async with mosend(server.url) as api:
        with pytest.raises(ApiAnswerError, match=r"incomplete|changing") as raised:
            await api.list_channels()
    return raised.value


@pytest.mark.parametrize("inside", [False, True], ids=["beside data", "inside data"])
async def test_pages_are_followed_to_the_last_and_read_twice(inside: bool) -> None:
    pages = [
        page(channels("a", "b"), True, "c/1 +", inside=inside),
        page(channels("c"), True, "c2", inside=inside, total=4),
        page(channels("d"), False, "c3", inside=inside, total=4, totalPages=3),
    ]
    with ScriptedServer(*pages, *pages) as server:
        assert await listed(server) == ["a", "b", "c", "d"]
    queries = [parse_qs(urlsplit(request.target).query) for request in server.requests]
    assert queries == [{}, {"cursor": ["c/1 +"]}, {"cursor": ["c2"]}] * 2


@pytest.mark.parametrize("inside", [False, True])
async def test_one_page_is_one_call(inside: bool) -> None:
    with ScriptedServer(page(channels("a"), False, "c1", inside=inside)) as server:
        assert await listed(server) == ["a"]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "pages",
    [
        [page(channels("a"), True, "c1"), page(channels("b"), True, "c1")],
        [page(channels("a"), True, "c1"), page(channels("b"), True, "c2"), page(channels("c"), True, "c1")],
        [page(channels("a"), True, "c1"), page([], True, "c2")],
        [page(channels("a"), True, "c1"), page(channels("b"), True, None)],
        [page(channels("a"), True, "c1"), page(channels("b"), True, "c\ud800")],
        [page(channels("a"), True, "c1"), page(channels("b"), False, "c2", total=3)],
        [page(channels("a"), True, "c1"), page(channels("b"), False, "c2", totalPages=3)],
        [page(channels("a"), True, "c1"), page(channels("b"), False, "c2", nextCursor="c3")],
    ],
    ids=[
        "a cursor again",
        "an older cursor",
        "no progress",
        "no cursor",
        "a cursor that a URL can't contain",
        "a total",
        "a number of pages",
        "two schemes",
    ],
)
async def test_pages_that_do_not_lead_to_an_end_are_an_incomplete_listing(pages: list[Behaviour]) -> None:
    with ScriptedServer(*pages) as server:
        error = await refused(server)
    assert (error.exit_code, error.hint) == (6, "Run this again, and report it if that doesn't help.")
    assert len(server.requests) == len(pages)


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (page(channels("a"), False, "c1", total=3), "`total` is greater than that"),
        (page(channels("a"), False, "c1", totalPages=2), "`totalPages` is greater than the number of pages read"),
    ],
    ids=["channels", "pages"],
)
async def test_a_count_is_compared_with_what_it_counts(last: Behaviour, said: str) -> None:
    with ScriptedServer(last) as server:
        assert f"the list of 1 channel is incomplete: {said}" in (await refused(server)).message


@pytest.mark.slow
async def test_a_list_without_an_end_is_given_up() -> None:
    def endless(request: Request, connection: Connection) -> None:
        number = len(server.requests)
        page(channels(f"n{number}"), True, f"c{number}")(request, connection)

    with ScriptedServer(otherwise=endless) as server:
        assert "more than 1,000 pages" in (await refused(server)).message
    assert len(server.requests) == 1000


@pytest.mark.slow
async def test_pages_that_are_too_large_together_are_given_up() -> None:
    gzip = zlib.compressobj(level=1, wbits=31)
    start = gzip.compress(b'{"data": [{"name": "a", "x": "' + b"a" * (60 * 2**20)) + gzip.flush(zlib.Z_SYNC_FLUSH)

    def large(request: Request, connection: Connection) -> None:
        number, rest = len(server.requests), gzip.copy()
        more = json.dumps(number < 6)  # so that it ends if nobody gives it up
        end = f'", "id": "id-{number}"}}], "pageInfo": {{"endCursor": "c{number}", "hasNextPage": {more}}}}}'
        packed = start + rest.compress(end.encode()) + rest.flush()
        answer(200, packed, {"Content-Encoding": "gzip"})(request, connection)

    with ScriptedServer(otherwise=large) as server:
        assert "its pages exceed 256 MiB" in (await refused(server)).message
    assert len(server.requests) == 5


async def test_a_list_that_moves_while_it_is_read_is_read_again() -> None:
    moved = [page(channels("a", "b"), True, "c1"), page(channels("b", "c"), False, "c2")]
    after = [page(channels("new", "a"), True, "c1"), page(channels("b", "c"), False, "c2")]
    with ScriptedServer(*moved, *after, *after) as server:
        assert await listed(server) == ["new", "a", "b", "c"]


async def test_a_channel_that_was_missed_between_two_pages_is_found_by_the_second_reading() -> None:
    missed = [page(channels("a", "b"), True, "c1"), page(channels("d"), False, "c2")]
    whole = [page(channels("b", "c"), True, "c1"), page(channels("d"), False, "c2")]
    with ScriptedServer(*missed, *whole, *whole) as server:
        assert await listed(server) == ["b", "c", "d"]


async def test_a_list_is_read_until_it_is_what_was_wanted() -> None:
    missed = [page(channels("a", "b"), True, "c1"), page(channels("d"), False, "c2")]
    whole = [page(channels("b", "c"), True, "c1"), page(channels("d"), False, "c2")]
    with ScriptedServer(*missed, *whole) as server:
        async with mosend(server.url) as api:
            listing = await api.list_channels(lambda channels: "c" in {channel.name for channel in channels})
    assert [channel.name for channel in listing] == ["b", "c", "d"]
    assert len(server.requests) == 4


async def test_a_list_that_never_stands_still_is_an_incomplete_listing() -> None:
    readings = [[page(channels("a", str(number)), True, "c1"), page(channels("z"), False, "c2")] for number in range(4)]
    with ScriptedServer(*(each for reading in readings for each in reading)) as server:
        error = await refused(server)
    assert "the list kept changing while its pages were read 4 times" in error.message
    assert error.hint == "Run this again when no one is creating or deleting channels."
    assert len(server.requests) == 8


FAILURES: dict[str, dict[str, Json]] = {
    "statusCode": {"statusCode": 500, "data": []},
    "errors": {"data": [], "errors": [{"message": "too complex"}]},
    "error": {"data": [], "error": "Internal Server Error"},
    "success": {"data": [], "success": False},
    "ok": {"data": [], "ok": "false"},
    "statusCode as text": {"statusCode": "503", "data": []},
    "status": {"status": 500, "data": []},
    "status in words": {"status": "Error", "data": [{"id": "c1", "name": "a"}]},
    "code": {"code": 404, "data": []},
    "fault": {"fault": "timeout", "data": []},
    "errors by field": {"errors": {"list": "timeout"}, "data": []},
    "inside data": {"data": {"data": [], "errors": ["timeout"]}},
    "statusCode inside data": {"data": {"data": [], "statusCode": 500}},
    "a total further inside": {"data": [], "meta": {"pagination": {"total": 3}}},
    "a total inside data": {"data": {"data": [], "meta": {"recordsTotal": "3"}}},
    "of another organisation": {"data": [{"id": "c1", "name": "a", "organizationId": "another"}]},
    "of another organisation, by number": {"data": [{"id": "c1", "name": "a", "organizationId": 42}]},
    "of another organisation, inside": {"data": [{"id": "c1", "name": "a", "organization": {"id": "another"}}]},
    "of another organisation, in short": {"data": [{"id": "c1", "name": "a", "orgId": "another"}]},
}
WELL: dict[str, dict[str, Json]] = {
    "said twice": {"data": [{"id": "c1", "name": "a"}], "status": "success", "statusCode": 200, "ok": True, "code": 0},
    "without errors": {"data": [{"id": "c1", "name": "a"}], "errors": [], "error": None, "count": 1, "total": "1"},
    "with an owner": {"data": [{"id": "c1", "name": "a", "organizationId": "ORG", "organization": {"id": "x"}}]},
    "with states of its own": {"data": [{"id": "c1", "name": "a", "status": "failed", "error": "x", "total": 9}]},
}


@pytest.mark.parametrize("body", FAILURES.values(), ids=FAILURES.keys())
async def test_an_answer_that_says_it_failed_is_no_listing(body: dict[str, Json]) -> None:
    with ScriptedServer(answer(200, json.dumps(body))) as server:
        async with mosend(server.url) as api:
            with pytest.raises(ApiAnswerError) as raised:
                await api.list_channels()
    assert raised.value.exit_code == 6


@pytest.mark.parametrize("body", WELL.values(), ids=WELL.keys())
async def test_an_answer_that_says_it_worked_is_a_listing(body: dict[str, Json]) -> None:
    with ScriptedServer(answer(200, json.dumps(body))) as server:
        assert await listed(server) == ["a"]


MANIFEST = """\
version: 1
organization: acme
settings: {prune: true}
channels:
  - {name: One, theme: dark}
  - {name: Two}
  - {name: Three}
  - {name: Four}
"""


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_server_that_pages_gets_each_channel_once(tmp_path: Path, size: int) -> None:
    manifest = tmp_path / "channels.yaml"
    manifest.write_text(MANIFEST, encoding="utf-8")
    with emulated({"name": "Two"}, {"name": "Four", "color": "#000000"}, {"name": "Gone"}, page_size=size) as api:
        assert api.invoke("apply", manifest, "--auto-approve").code == 0
        assert sorted(str(channel["name"]) for channel in api.store.channels("acme")) == ["Four", "One", "Three", "Two"]
        again = api.invoke("plan", manifest, "--detailed-exitcode")
        assert (again.code, again.last_line) == (0, "No changes. The live channels match the manifest.")


@pytest.mark.parametrize("answered", [lambda body: {**body, "total": 9}, lambda body: {**body, "statusCode": 500}])
def test_nothing_is_written_after_a_listing_that_is_not_whole(
    tmp_path: Path, answered: Callable[[dict[str, Json]], Json]
) -> None:
    manifest = tmp_path / "channels.yaml"
    manifest.write_text(MANIFEST, encoding="utf-8")
    with emulated() as api, ScriptedServer(otherwise=answer(200, json.dumps(answered({"data": []})))) as server:
        ended = api.invoke("apply", manifest, "--auto-approve", "--base-url", server.url)
        assert ended.code == 6
        assert {request.method for request in server.requests} == {"GET"}
