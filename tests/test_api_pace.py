from __future__ import annotations

import math
import threading
from collections.abc import Mapping

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint

from api_calls import Call, create, list_channels, mosend
from fake_time import NOON, FakeTime
from scripted_server import Behaviour, Connection, Request, ScriptedServer, answer, data, drop, failure, held
from webchat_sync.api import Mosend
from webchat_sync.errors import ApiError

pytestmark = pytest.mark.anyio

WORKERS = 8
CALLS = 15 * WORKERS
WINDOW = 10.0
PATIENCE = 60.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Standstill(FakeTime):
    """Time that passes only when the test says so."""

    async def sleep(self, seconds: float) -> None:
        awake = self.seconds + seconds
        self.waits.append(seconds)
        while self.seconds < awake:
            await checkpoint()

    async def sleepers(self, count: int) -> None:
        """Returns when ``count`` sleeps have begun."""
        with anyio.fail_after(PATIENCE):
            while len(self.waits) < count:
                await checkpoint()


def rate(limit: object, remaining: object, reset: object) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(reset),
    }


def channels(headers: Mapping[str, str] | None = None) -> Behaviour:
    return data([], headers=headers)


async def together(api: Mosend, *calls: Call) -> None:
    async with anyio.create_task_group() as tasks:
        for call in calls:
            tasks.start_soon(call, api)


async def waits_after(headers: Mapping[str, str], *, calls: int = 1) -> FakeTime:
    """The time after a call that was answered with ``headers``, and ``calls`` more at once."""
    time = FakeTime()
    with ScriptedServer(channels(headers), otherwise=channels()) as server:
        async with mosend(server.url, time=time) as api:
            await api.list_channels()
            await together(api, *[list_channels] * calls)
    assert len(server.requests) == 1 + calls
    return time


async def test_calls_go_out_at_full_speed_while_more_than_a_tenth_of_the_limit_is_left() -> None:
    assert (await waits_after(rate(100, 11, 50))).waits == []
    assert (await waits_after(rate(100, 10, 55))).waits == [5.0]


async def test_the_last_tenth_of_the_limit_is_spread_evenly_until_the_reset() -> None:
    time, told = FakeTime(), list[float]()
    script = [channels(rate(100, left, 5 * left + 5)) for left in reversed(range(10))]
    with ScriptedServer(*script, otherwise=channels(rate(100, 99, 60))) as server:
        async with mosend(server.url, time=time, on_wait=told.append) as api:
            for _ in range(12):
                await api.list_channels()
    assert time.waits == told == pytest.approx([5.0] * 10)


@pytest.mark.parametrize("reset", ["30", f"{NOON.timestamp() + 30:.0f}", "30.0"])
async def test_all_workers_wait_together_and_once_for_the_reset(reset: str) -> None:
    time, told = FakeTime(), list[float]()
    with ScriptedServer(channels(rate(10, 0, reset)), otherwise=channels()) as server:
        async with mosend(server.url, time=time, on_wait=told.append) as api:
            await api.list_channels()
            await together(api, *[list_channels] * WORKERS)
    assert time.waits == told == [30.0]
    assert len(server.requests) == 1 + WORKERS


async def test_after_the_reset_nothing_is_left_of_the_waiting() -> None:
    time = FakeTime()
    with ScriptedServer(channels(rate(100, 1, 10)), otherwise=channels()) as server:
        async with mosend(server.url, time=time) as api:
            await api.list_channels()
            await together(api, *[list_channels] * 4)
            assert time.waits == [5.0, 5.0]
            assert time.seconds == 10
            await together(api, *[list_channels] * WORKERS)
    assert time.waits == [5.0, 5.0]


@pytest.mark.slow
@pytest.mark.parametrize("reset", [61, 86_400, f"{NOON.timestamp() + 86_400:.0f}", f"{NOON.timestamp() * 1000:.0f}"])
@pytest.mark.parametrize("remaining", [0, 1, -1])
async def test_no_call_is_held_back_longer_than_a_minute(reset: object, remaining: int) -> None:
    time = await waits_after(rate(100, remaining, reset), calls=2 * WORKERS)
    assert time.waits == ([30.0, 30.0] if remaining == 1 else [60.0])


GARBAGE = {
    "words": rate("many", "none", "soon"),
    "nothing": rate("", "", ""),
    "no numbers": rate("nan", "nan", "nan"),
    "no end": rate("inf", "-inf", "inf"),
    "a policy": rate("10, 10;w=60", "0", "60"),
    "no reset": {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0"},
    "a reset before now": rate(10, 0, -5),
    "a reset long ago": rate(10, 0, f"{NOON.timestamp() - 5:.0f}"),
    "no limit": rate(-1, -1, 60),
    "more left than there is": rate(10, 10_000, 60),
    "a wait that nobody was refused for": {"Retry-After": "30"},
}


@pytest.mark.parametrize("headers", GARBAGE.values(), ids=GARBAGE.keys())
async def test_headers_that_make_no_sense_hold_nobody_back(headers: Mapping[str, str]) -> None:
    assert (await waits_after(headers, calls=WORKERS)).waits == []


async def test_a_limit_of_nothing_is_waited_for() -> None:
    assert (await waits_after(rate(0, 0, 20))).waits == [20.0]


async def test_what_is_in_flight_counts_as_used_until_it_ends() -> None:
    time, released = Standstill(), threading.Event()
    with ScriptedServer(held(released, drop()), otherwise=channels(rate(100, 11, 30))) as server:
        async with mosend(server.url, time=time) as api:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(failing, api, create)
                await arrived(server, 1)
                await api.list_channels()
                tasks.start_soon(list_channels, api)
                await time.sleepers(1)
                released.set()
                time.seconds = 30.0
            await api.list_channels()
    assert time.waits == pytest.approx([30 / 11])
    assert len(server.requests) == 4


async def test_an_answer_that_a_later_one_has_overtaken_is_not_believed() -> None:
    time, released = FakeTime(), threading.Event()
    overtaken, latest = channels(rate(100, 12, 30)), channels(rate(100, 9, 30))
    with ScriptedServer(held(released, overtaken), latest, otherwise=channels()) as server:
        async with mosend(server.url, time=time) as api:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(list_channels, api)
                await arrived(server, 1)
                await api.list_channels()
                released.set()
            await api.list_channels()
    assert time.waits == [3.0]


@pytest.mark.parametrize("retry_after", ["7", "Wed, 01 Jul 2026 12:00:07 GMT"])
@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_that_one_worker_is_asked_for_holds_back_the_others(status: int, retry_after: str) -> None:
    time, told = Standstill(), list[float]()
    refusal = failure(status, "Slow.", {"Retry-After": retry_after, **rate(100, 50, 60)})
    with ScriptedServer(refusal, otherwise=channels()) as server:
        async with mosend(server.url, time=time, on_wait=told.append) as api, anyio.create_task_group() as tasks:
            tasks.start_soon(list_channels, api)
            await time.sleepers(1)
            for _ in range(WORKERS):
                tasks.start_soon(list_channels, api)
            await time.sleepers(2)
            assert len(server.requests) == 1
            time.seconds = 7.0
    assert time.waits == told == [7.0, 7.0]
    assert len(server.requests) == 2 + WORKERS


async def test_a_worker_that_waits_already_is_held_back_too() -> None:
    time, released = Standstill(), threading.Event()
    late_refusal = held(released, failure(429, "Slow.", {"Retry-After": "40"}))
    with ScriptedServer(late_refusal, channels(rate(100, 2, 30)), otherwise=channels()) as server:
        async with mosend(server.url, time=time) as api, anyio.create_task_group() as tasks:
            tasks.start_soon(list_channels, api)
            await arrived(server, 1)
            await api.list_channels()
            tasks.start_soon(list_channels, api)
            await time.sleepers(1)
            released.set()
            await time.sleepers(2)
            time.seconds = 15.0
            await time.sleepers(3)
            assert len(server.requests) == 2
            time.seconds = 40.0
    assert time.waits == [15.0, 40.0, 25.0]
    assert len(server.requests) == 4


async def test_a_shorter_wait_does_not_take_back_a_longer_one() -> None:
    time, released = Standstill(), threading.Event()
    short = held(released, failure(429, "Slow.", {"Retry-After": "7"}))
    with ScriptedServer(short, failure(429, "Slow.", {"Retry-After": "40"}), otherwise=channels()) as server:
        async with mosend(server.url, time=time) as api, anyio.create_task_group() as tasks:
            tasks.start_soon(list_channels, api)
            await arrived(server, 1)
            tasks.start_soon(list_channels, api)
            await time.sleepers(1)
            released.set()
            await time.sleepers(2)
            tasks.start_soon(list_channels, api)
            await time.sleepers(3)
            time.seconds = 40.0
    assert time.waits == [40.0, 7.0, 40.0]


async def test_no_call_is_held_back_longer_than_a_minute_by_one_refusal_after_the_other() -> None:
    time, released = Standstill(), threading.Event()
    refusal = failure(429, "Slow.", {"Retry-After": "50"})
    with ScriptedServer(held(released, refusal), refusal, otherwise=channels()) as server:
        async with mosend(server.url, time=time) as api, anyio.create_task_group() as tasks:
            tasks.start_soon(list_channels, api)
            await arrived(server, 1)
            tasks.start_soon(list_channels, api)
            await time.sleepers(1)
            tasks.start_soon(list_channels, api)
            await time.sleepers(2)
            time.seconds = 40.0
            released.set()
            await time.sleepers(3)
            time.seconds = 50.0
            await time.sleepers(4)
            assert time.waits == [50.0, 50.0, 50.0, 10.0]
            time.seconds = 60.0
            await arrived(server, 3)
            time.seconds = 90.0
    assert len(server.requests) == 5


async def test_a_wait_that_is_too_long_for_the_one_who_is_asked_holds_back_nobody_else() -> None:
    time, told = FakeTime(), list[float]()
    with ScriptedServer(answer(429, headers={"Retry-After": "61"}), otherwise=channels()) as server:
        async with mosend(server.url, time=time, on_wait=told.append) as api:
            await failing(api, list_channels)
            await api.list_channels()
    assert time.waits == told == []
    assert len(server.requests) == 2


class QuietTime(FakeTime):
    """Time that passes only while nothing is on the wire, which is then infinitely fast."""

    def __init__(self, wire: CountingWire) -> None:
        super().__init__()
        self._wire = wire

    async def sleep(self, seconds: float) -> None:
        while self._wire.in_flight:
            await checkpoint()
        await super().sleep(seconds)


class CountingWire(httpx.AsyncHTTPTransport):
    in_flight = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.in_flight += 1
        try:
            return await super().handle_async_request(request)
        finally:
            self.in_flight -= 1


class Limited:
    """A server that allows ``limit`` calls in each :data:`WINDOW`; ``refused`` has the times of those beyond."""

    def __init__(self, limit: int, time: FakeTime) -> None:
        self.refused: list[float] = []
        self._limit = limit
        self._time = time
        self._began, self._used = 0.0, 0
        self._lock = threading.Lock()

    def __call__(self, request: Request, connection: Connection) -> None:
        with self._lock:
            now = self._time.clock()
            if now >= self._began + WINDOW:
                self._began, self._used = now, 0
            self._used += 1
            if self._used > self._limit:
                self.refused.append(now)
            headers = rate(self._limit, max(0, self._limit - self._used), math.ceil(self._began + WINDOW - now))
        channels(headers)(request, connection)


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("limit", [WORKERS, 10, 20, 50, 100])
async def test_workers_that_pace_themselves_are_never_refused(limit: int) -> None:
    wire = CountingWire(verify=False)
    time = QuietTime(wire)
    limited = Limited(limit, time)

    async def work(api: Mosend) -> None:
        for _ in range(CALLS // WORKERS):
            await api.list_channels()

    with ScriptedServer(otherwise=limited) as server:
        async with mosend(server.url, time=time, transport=wire) as api:
            await together(api, *[work] * WORKERS)
    assert limited.refused == []
    assert len(server.requests) == CALLS
    assert time.seconds <= WINDOW * (CALLS / limit + 1)


async def failing(api: Mosend, call: Call) -> None:
    with pytest.raises(ApiError):
        await call(api)


async def arrived(server: ScriptedServer, count: int) -> None:
    """Returns when the server has had ``count`` requests."""
    with anyio.fail_after(PATIENCE):
        while len(server.requests) < count:
            await checkpoint()
