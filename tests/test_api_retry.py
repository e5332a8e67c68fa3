from __future__ import annotations

import socket
from collections.abc import Iterator

import anyio
import httpx
import pytest

from api_calls import CHANNELS_PATH, Call, create, delete, failure_of, list_channels, mosend, update
from fake_time import NOON, FakeTime
from scripted_server import Behaviour, Connection, Request, ScriptedServer, answer, cut, data, drop, failure, reset
from webchat_sync.api.retry import ATTEMPTS, BUDGET, retry_after_seconds
from webchat_sync.errors import ApiConnectionError, ApiStatusError
from webchat_sync.model import Json, LiveChannel, WriteResult

pytestmark = pytest.mark.anyio

CHANNEL: dict[str, Json] = {"id": "c1", "name": "Support"}
LIVE = LiveChannel("c1", "Support", CHANNEL)
EVERY_METHOD = [list_channels, create, update, delete]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


PASSING = {"425": answer(425), "429": answer(429)}
DOUBTFUL = {
    "drop": drop(),
    "reset": reset(),
    "cut": cut(200, '{"data": []}', 3),
    "empty 200": answer(200),
    "HTML 200": answer(200, "<html>Hello</html>", {"Content-Type": "text/html"}),
    **{str(status): answer(status) for status in (408, 500, 501, 502, 503, 504)},
}
FINAL = {str(status): answer(status) for status in (302, 400, 401, 402, 403, 404, 409, 413, 422)}


@pytest.mark.parametrize("behaviour", PASSING.values(), ids=PASSING.keys())
@pytest.mark.parametrize("call", EVERY_METHOD)
async def test_what_the_server_did_not_take_up_is_sent_again_by_every_method(call: Call, behaviour: Behaviour) -> None:
    error, requests = await failure_of(call, otherwise=behaviour)
    assert (requests, error.attempts, error.in_doubt) == (ATTEMPTS, ATTEMPTS, False)
    assert f"({ATTEMPTS} attempts" in str(error)


@pytest.mark.parametrize("behaviour", DOUBTFUL.values(), ids=DOUBTFUL.keys())
@pytest.mark.parametrize("call", EVERY_METHOD)
async def test_what_may_have_had_an_effect_is_sent_again_by_every_method_but_post(
    call: Call, behaviour: Behaviour
) -> None:
    error, requests = await failure_of(call, otherwise=behaviour)
    attempts = 1 if call is create else ATTEMPTS
    assert (requests, error.attempts, error.in_doubt) == (attempts, attempts, call is not list_channels)
    assert (" attempts" in str(error)) == (attempts > 1)


@pytest.mark.parametrize("behaviour", FINAL.values(), ids=FINAL.keys())
@pytest.mark.parametrize("call", EVERY_METHOD)
async def test_what_the_server_will_not_do_is_sent_by_no_method_again(call: Call, behaviour: Behaviour) -> None:
    error, requests = await failure_of(call, otherwise=behaviour)
    assert (requests, error.attempts, error.in_doubt) == (1, 1, False)


@pytest.mark.parametrize("call", EVERY_METHOD)
async def test_a_port_where_nobody_listens_is_tried_again_by_every_method(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    time = FakeTime()
    async with mosend(f"http://127.0.0.1:{port}", time=time) as api:
        with pytest.raises(ApiConnectionError, match=r"no response from .*: .*5 attempts") as raised:
            await call(api)
    assert (raised.value.attempts, raised.value.in_doubt) == (5, False)
    assert time.waits == [0.25, 0.5, 1.0, 2.0]


async def test_a_call_is_repeated_after_growing_waits_or_as_the_server_asks() -> None:
    script = [answer(503), failure(429, "Slow.", {"Retry-After": "7"}), drop(), reset(), data([])]
    time = FakeTime()
    with ScriptedServer(*script) as server:
        async with mosend(server.url, time=time) as api:
            assert await api.list_channels() == ()
    assert time.waits == [0.25, 7.0, 1.0, 2.0]
    assert [(each.method, each.target) for each in server.requests] == [("GET", CHANNELS_PATH)] * 5


@pytest.mark.parametrize(("dice", "waits"), [(0.0, [0.0, 0.0, 0.0, 0.0]), (0.999, [0.4995, 0.999, 1.998, 3.996])])
async def test_a_wait_is_any_part_of_a_span_that_doubles(dice: float, waits: list[float]) -> None:
    time = FakeTime()
    with ScriptedServer(otherwise=answer(502)) as server:
        async with mosend(server.url, time=time, random=lambda: dice) as api:
            with pytest.raises(ApiStatusError):
                await update(api)
    assert time.waits == pytest.approx(waits)


async def test_each_wait_throws_the_dice_anew_and_is_never_shorter_than_the_server_asks() -> None:
    throws: Iterator[float] = iter([0.9, 0.2, 0.9, 0.1])
    asked = [
        answer(503),
        answer(503),
        answer(503, headers={"Retry-After": "1"}),
        answer(503, headers={"Retry-After": "1"}),
    ]
    time = FakeTime()
    with ScriptedServer(*asked, data(CHANNEL)) as server:
        async with mosend(server.url, time=time, random=lambda: next(throws)) as api:
            await update(api)
    assert time.waits == pytest.approx([0.45, 0.2, 1.8, 1.0])


@pytest.mark.parametrize(
    ("took", "asked", "attempts"),
    [
        (BUDGET + 1, "0", 1),
        (100.0, "0", 2),
        (70.0, "0", 3),
        (30.0, "60", 3),
        (31.0, "60", 2),
        (0.0, "60", 4),
        (0.0, "20", ATTEMPTS),
    ],
)
async def test_no_attempt_begins_after_the_time_budget_is_spent(took: float, asked: str, attempts: int) -> None:
    time = FakeTime()

    def slow(request: Request, connection: Connection) -> None:
        time.seconds += took
        answer(503, headers={"Retry-After": asked})(request, connection)

    with ScriptedServer(otherwise=slow) as server:
        async with mosend(server.url, time=time) as api:
            with pytest.raises(ApiStatusError) as raised:
                await update(api)
    assert len(server.requests) == raised.value.attempts == attempts
    assert len(time.waits) == attempts - 1
    assert time.seconds - took <= BUDGET


async def test_a_receipt_tells_the_last_answer_and_how_often_the_call_was_sent() -> None:
    script = [
        *[drop(), failure(503, "Later.", {"X-Request-Id": "r-1"}), data(CHANNEL, headers={"X-Request-Id": "r-2"})],
        *[answer(200), data(None, headers={"X-Request-Id": "r-3"})],
        *[failure(429, "Slow."), answer(425), data(CHANNEL, 201, {"X-Request-Id": "r-4"})],
    ]
    with ScriptedServer(*script) as server:
        async with mosend(server.url) as api:
            assert await update(api) == WriteResult(200, "r-2", 3, LIVE)
            assert await delete(api) == WriteResult(200, "r-3", 2)
            assert await create(api) == WriteResult(201, "r-4", 3, LIVE)
    creates = [each for each in server.requests if each.method == "POST"]
    assert [(each.headers["idempotency-key"], each.json()) for each in creates] == [("once", {"name": "Support"})] * 3


@pytest.mark.parametrize(
    "wrong", [data({"id": "c2", "name": "Support"}), data(None), answer(200, "[]")], ids=["another", "null", "a list"]
)
async def test_a_write_whose_answer_is_not_to_be_trusted_is_sent_until_one_is(wrong: Behaviour) -> None:
    with ScriptedServer(wrong, wrong, data(CHANNEL)) as server:
        async with mosend(server.url) as api:
            assert await update(api) == WriteResult(200, None, 3, LIVE)
    assert [each.json() for each in server.requests] == [{"name": "Support"}] * 3


async def test_an_error_that_no_repetition_cures_ends_the_attempts() -> None:
    time = FakeTime()
    with ScriptedServer(answer(503), failure(401, "Who?")) as server:
        async with mosend(server.url, time=time) as api:
            with pytest.raises(ApiStatusError, match=r"HTTP 401 Unauthorized: Who\? \(2 attempts"):
                await api.list_channels()
    assert time.waits == [0.25]


@pytest.mark.parametrize(
    ("call", "first", "status", "in_doubt"),
    [
        (update, drop(), 401, True),
        (update, answer(504), 400, True),
        (update, answer(429), 401, False),
        (delete, answer(502), 404, True),
        (delete, answer(425), 404, False),
        (list_channels, drop(), 401, False),
    ],
)
async def test_a_doubt_outlives_a_later_attempt_that_failed_for_certain(
    call: Call, first: Behaviour, status: int, in_doubt: bool
) -> None:
    error, requests = await failure_of(call, first, failure(status, "No."))
    assert (requests, error.attempts, error.status, error.in_doubt) == (2, 2, status, in_doubt)
    assert ("check the live channels" in error.hint) == in_doubt


@pytest.mark.parametrize(
    ("retry_after", "waited"),
    [("60", [60.0]), ("Wed, 01 Jul 2026 12:00:30 GMT", [30.0]), ("61", []), ("Wed, 01 Jul 2026 13:00:00 GMT", [])],
)
async def test_a_server_that_asks_for_a_long_wait_is_not_waited_for(retry_after: str, waited: list[float]) -> None:
    time = FakeTime()
    with ScriptedServer(answer(503, headers={"Retry-After": retry_after}), answer(400)) as server:
        async with mosend(server.url, time=time) as api:
            with pytest.raises(ApiStatusError) as raised:
                await api.list_channels()
    assert time.waits == waited
    asked = 61 if retry_after == "61" else 3600
    assert raised.value.retry_after == (None if waited else asked)
    assert (f"the server asks you to wait {asked:,} s" in str(raised.value)) == (not waited)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        ("9" * 400, 366 * 86_400.0),
        ("Wed, 01 Jul 2026 12:01:00 GMT", 60.0),
        ("Wed, 01 Jul 2026 12:01:00 -0000", 60.0),
        ("Wed, 01 Jul 2026 11:00:00 GMT", 0.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, now=NOON) == seconds


async def test_a_cancelled_call_is_cancelled_and_not_repeated() -> None:
    started = anyio.Event()
    requests: list[httpx.Request] = []

    class Endless(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            requests.append(request)
            started.set()
            await anyio.sleep_forever()
            raise AssertionError

    async with mosend("https://api.example", transport=Endless()) as api, anyio.create_task_group() as tasks:
        tasks.start_soon(update, api)
        await started.wait()
        tasks.cancel_scope.cancel()
    assert tasks.cancel_scope.cancelled_caught
    assert len(requests) == 1
