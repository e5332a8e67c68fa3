"""Answers that are lost or cannot be trusted: never twice, and always accounted for."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from applying import Watcher, applied, client, plan_and_apply
from commands import Emulated, emulated
from fake_time import FakeTime
from planning import NOW, declare
from webchat_sync.api.exchange import IN_DOUBT_HINT
from webchat_sync.apply.create import create_channel
from webchat_sync.apply.run import Interrupt
from webchat_sync.create_once import LOOKS, POSTS
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.errors import ApiError, LockLostError
from webchat_sync.model import ApplyReport, Manifest, Operation, OperationResult, Plan
from webchat_sync.render.report import render_report

CHANNELS = "/organizations/acme/web-chat/channels"
CHANNEL = f"{CHANNELS}/*"

COMMITTED = {
    "500": effects.status(500, after_commit=True),
    "504": effects.status(504, after_commit=True),
    "408": effects.status(408, after_commit=True),
    "dropped": effects.drop(after_commit=True),
    "cut": effects.cut(),
    "cut in chunks": effects.cut(chunked=True),
    "HTML": effects.html(after_commit=True),
    "empty": effects.empty(after_commit=True),
}
NOT_COMMITTED = {
    "500": effects.status(500),
    "502": effects.status(502),
    "dropped": effects.drop(),
    "HTML": effects.html(),
    "empty": effects.empty(),
}


def names(api: Emulated) -> list[object]:
    return [channel["name"] for channel in api.store.channels("acme")]


@pytest.mark.parametrize("fault", COMMITTED)
def test_a_create_whose_answer_was_lost_is_adopted_and_not_sent_again(fault: str) -> None:
    with emulated(faults=Faults([Fault(COMMITTED[fault], "POST", CHANNELS, nth=1)])) as api:
        _, report = applied(api.url, [declare("New", theme="dark")])
        assert report.outcome == "converged"
        assert api.taken_calls() == ["GET", "POST", "GET", "PATCH", "GET"]
        (channel,) = api.store.channels("acme")
        assert (channel["theme"], channel["enabled"]) == ("dark", True)


def upserting(existing: str) -> effects.Effect:
    """The answer to a create is a channel that was there before."""

    async def act(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        body = {"data": {"id": existing, "name": "New", "enabled": True}, "timestamp": "2026-11-02T12:00:00.000Z"}
        await JSONResponse(body, 201)(scope, receive, send)

    return act


def test_a_create_that_is_answered_with_a_channel_from_before_writes_to_it_no_more() -> None:
    other = {"id": "c-1", "name": "Other", "enabled": True}
    with emulated(other, faults=Faults([Fault(upserting("c-1"), "POST", CHANNELS)])) as api:
        _, report = applied(api.url, [declare("New", theme="dark")])
        assert report.outcome == "incomplete"
        assert [each.status for each in report.results] == ["in_doubt", "not_started"]
        error = report.results[0].error
        assert isinstance(error, ApiError)
        assert (error.method, error.path, error.status, error.attempts) == (
            "POST",
            "/organizations/acme/web-chat/channels",
            201,
            1,
        )
        assert error.request_id
        assert error.reason == "HTTP 201, but the response names the channel c-1, which already existed"
        assert error.hint == (
            "No more calls were made for it. Check the live channels, and pin the right one with sync.id."
        )
        assert "PATCH" not in api.taken_calls()
        assert names(api) == ["Other"]


def test_a_create_in_doubt_is_looked_for_as_the_documentation_says() -> None:
    page = (Path(__file__).parents[1] / "docs" / "explanation" / "doubt.md").read_text(encoding="utf-8")
    assert "up to five times over 15 s, because" in " ".join(page.split())
    assert "the create sent again; it's sent three times at most" in " ".join(page.split())
    with emulated(faults=Faults([Fault(effects.drop(), "POST", CHANNELS)])) as api:
        time = FakeTime()
        _, report = applied(api.url, [declare("New")], time=time)
        assert [result.status for result in report.results] == ["in_doubt"]
        looks = [0.0, 1.0, 2.0, 4.0, 8.0]
        assert (len(looks), sum(looks)) == (5, 15.0)
        assert time.waits == looks * 3
        assert api.taken_calls() == ["GET", *["POST", *["GET"] * 5] * 3]


@pytest.mark.parametrize("fault", NOT_COMMITTED)
def test_a_create_that_did_not_happen_is_sent_again_after_looking_for_it(fault: str) -> None:
    with emulated(faults=Faults([Fault(NOT_COMMITTED[fault], "POST", CHANNELS, nth=1)])) as api:
        time = FakeTime()
        _, report = applied(api.url, [declare("New")], time=time)
        assert report.outcome == "converged"
        assert (report.results[0].attempts, report.results[0].http_status) == (2, 201)
        assert api.taken_calls() == ["GET", "POST", *["GET"] * len(LOOKS), "POST", "GET"]
        assert time.waits == list(LOOKS)
        assert names(api) == ["New"]


def hearing(keys: list[str]) -> effects.Effect:
    """The call as it is; its idempotency key is noted."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        keys.append(Headers(scope=scope).get("idempotency-key", ""))
        await app(scope, receive, send)

    return act


@pytest.mark.parametrize("lost", range(POSTS))
def test_a_create_that_is_sent_again_has_the_same_key_and_all_its_attempts_count(lost: int) -> None:
    keys: list[str] = []
    listening = Fault(hearing(keys), "POST", CHANNELS)
    losing = Fault(effects.drop(), "POST", CHANNELS, nth=frozenset(range(1, lost + 1)))
    with emulated(faults=Faults([listening, losing])) as api:
        _, report = applied(api.url, [declare("One"), declare("Two")], parallelism=1)
        assert [(result.status, result.attempts) for result in report.results] == [("done", lost + 1), ("done", 1)]
    *first, second = keys
    assert len(first) == lost + 1
    assert len({*first}) == 1
    assert "" not in keys
    assert second not in first


@pytest.mark.parametrize("most", [0, 1, 2])
def test_a_create_ends_with_the_lock_and_is_in_doubt_if_it_was_sent_before(most: int) -> None:
    with emulated(faults=Faults([Fault(effects.drop(), "POST", CHANNELS)])) as api:

        def posts() -> int:
            return [call.method for call in api.calls].count("POST")

        async def create() -> None:
            sleep = FakeTime().sleep
            async with client(api.url, permitted=lambda: posts() < most) as mosend:
                await create_channel(
                    mosend, {"name": "New"}, path="/x", idempotency_key="k", known=frozenset(), sleep=sleep
                )

        with pytest.raises(ApiError if most else LockLostError) as raised:
            anyio.run(create)
        assert posts() == most
        if isinstance(raised.value, ApiError):
            assert (raised.value.method, raised.value.in_doubt, raised.value.attempts) == ("POST", True, most)
            assert raised.value.hint == IN_DOUBT_HINT


def test_a_create_that_the_server_commits_late_is_found() -> None:
    committing = threading.Event()

    async def late(_: float) -> None:
        await asyncio.to_thread(committing.wait)

    with emulated(faults=Faults([Fault(effects.commit_late(3, sleep=late), "POST", CHANNELS, nth=1)])) as api:

        async def commit_before_the_third_look() -> None:
            if len(time.waits) == 3:
                committing.set()
                while not api.store.channels("acme"):
                    await checkpoint()

        time = FakeTime(before_waking=commit_before_the_third_look)
        _, report = applied(api.url, [declare("New")], time=time)
        assert report.outcome == "converged"
        assert api.taken_calls() == ["GET", "POST", "GET", "GET", "GET", "GET"]
        assert names(api) == ["New"]


@pytest.mark.parametrize(("committed", "expected"), [(True, "done"), (False, "failed")])
def test_a_refusal_after_a_doubt_is_looked_into(committed: bool, expected: str) -> None:
    lost = Fault(effects.drop(), "POST", CHANNELS, nth=1)
    taken = Fault(effects.status(409, message="name is taken"), "POST", CHANNELS, nth=2)
    with emulated(faults=Faults([lost, taken])) as api:

        async def commit_very_late() -> None:
            if committed and len(time.waits) == len(LOOKS) + 1:
                api.store.seed("acme", [{"name": "New"}])

        time = FakeTime(before_waking=commit_very_late)
        _, report = applied(api.url, [declare("New")], time=time)
        assert [(result.status, result.attempts) for result in report.results] == [(expected, 2)]


def test_two_channels_that_could_be_the_one_stop_it() -> None:
    with emulated(faults=Faults([Fault(effects.drop(after_commit=True), "POST", CHANNELS, nth=1)])) as api:

        def somebody_else_creates(address: str, _: Operation) -> None:
            if address == "New":
                api.store.seed("acme", [{"name": "New", "id": "other"}])

        declarations = [declare("New", theme="dark"), declare("Fine")]
        plan, report = applied(api.url, declarations, watcher=Watcher(on_start=somebody_else_creates))
        assert [result.status for result in report.results] == ["in_doubt", "not_started", "done"]
        text = render_report(plan, report)
        assert "2 new channels with this name or a similar one have appeared since: other, " in text
        error = report.results[0].error
        assert isinstance(error, ApiError)
        assert (error.method, error.path.rpartition("/")[2], error.status) == ("POST", "channels", None)
        assert error.hint == "Check them, delete the ones you don't need, and pin the one you keep with sync.id."
        assert api.taken_calls().count("POST") == 2


@pytest.mark.parametrize("others", [0, 1])
def test_what_the_server_said_is_kept_with_a_create_that_was_looked_for(others: int) -> None:
    faults = [Fault(effects.drop(), "POST", CHANNELS, nth=1), Fault(effects.status(504), "POST", CHANNELS, nth=2)]
    with emulated(faults=Faults(faults)) as api:

        async def create_after_both() -> None:
            if len(time.waits) == len(LOOKS) + 1:
                api.store.seed("acme", [{"name": "New"}, {"name": "New", "id": "other"}][: others + 1])

        time = FakeTime(before_waking=create_after_both)
        _, report = applied(api.url, [declare("New")], time=time)
        (result,) = report.results
        assert (result.status, result.http_status, result.attempts) == ("in_doubt" if others else "done", 504, 2)
        assert result.request_id


def test_a_create_that_is_answered_with_a_channel_from_before_at_last_counts_all_attempts() -> None:
    other = {"id": "c-1", "name": "Other", "enabled": True}
    lost = Fault(effects.drop(), "POST", CHANNELS, nth=1)
    with emulated(other, faults=Faults([lost, Fault(upserting("c-1"), "POST", CHANNELS, nth=2)])) as api:
        _, report = applied(api.url, [declare("New")])
        assert [(result.status, result.attempts) for result in report.results] == [("in_doubt", 2)]


def test_a_lookalike_from_before_the_run_is_not_taken_for_the_channel_that_was_created() -> None:
    before = {"id": "c-1", "name": "NEW", "enabled": True}
    with emulated(before, faults=Faults([Fault(effects.drop(after_commit=True), "POST", CHANNELS, nth=1)])) as api:
        _, report = applied(api.url, [declare("New", theme="dark")])
        assert report.outcome == "converged"
        assert [(channel["name"], channel["theme"]) for channel in api.store.channels("acme")] == [
            ("NEW", "auto"),
            ("New", "dark"),
        ]


def test_nothing_is_sent_again_without_having_looked() -> None:
    lost = Fault(effects.drop(after_commit=True), "POST", CHANNELS)
    unreadable = Fault(effects.html(), "GET", CHANNELS, nth=frozenset(range(2, 7)))
    with emulated(faults=Faults([lost, unreadable])) as api:
        _, report = applied(api.url, [declare("New")])
        assert [result.status for result in report.results] == ["in_doubt"]
        assert api.taken_calls() == ["GET", "POST", *["GET"] * 5]
        assert names(api) == ["New"]


def test_a_create_that_stays_in_doubt_is_given_up() -> None:
    with emulated(faults=Faults([Fault(effects.drop(), "POST", CHANNELS)])) as api:
        plan, report = applied(api.url, [declare("New")])
        assert (report.outcome, report.results[0].status) == ("incomplete", "in_doubt")
        assert api.taken_calls().count("POST") == report.results[0].attempts == POSTS
        assert "Operations: 0 done, 0 failed, 0 not started, 1 in doubt." in render_report(plan, report)


@pytest.mark.parametrize("fault", [*COMMITTED.values(), *NOT_COMMITTED.values()])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_update_and_a_delete_are_repeated(method: str, fault: effects.Effect) -> None:
    with emulated({"name": "Changed"}, {"name": "Old"}, faults=Faults([Fault(fault, method, CHANNEL, nth=1)])) as api:
        _, report = applied(api.url, [declare("Changed", theme="dark")], prune=True)
        assert report.outcome == "converged"
        assert [result.attempts for result in report.results if result.operation.method == method] == [2]
        assert [(each["name"], each["theme"]) for each in api.store.channels("acme")] == [("Changed", "dark")]


def test_a_channel_that_is_gone_already_counts_as_deleted() -> None:
    with emulated({"name": "Old", "id": "o-1"}, {"name": "Changed"}) as api:

        def somebody_else_deletes(result: OperationResult) -> None:
            if result.operation.method == "PATCH":
                api.store.delete("acme", "o-1")

        watcher = Watcher(on_result=somebody_else_deletes)
        _, report = applied(api.url, [declare("Changed", theme="dark")], prune=True, watcher=watcher)
        assert report.outcome == "converged"
        assert (report.results[-1].status, report.results[-1].http_status) == ("done", 404)
        assert report.results[-1].request_id


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_final(status: int) -> None:
    with emulated({"name": "Changed"}, faults=Faults([Fault(effects.status(status), "P*")])) as api:
        _, report = applied(api.url, [declare("New"), declare("Changed", theme="dark")])
        assert [(result.status, result.attempts, result.http_status) for result in report.results] == [
            ("failed", 1, status),
            ("failed", 1, status),
        ]
        assert sorted(api.taken_calls()) == ["GET", "PATCH", "POST"]


def test_fail_fast_starts_nothing_more_after_a_failure() -> None:
    declarations = [declare(f"Channel {number}") for number in range(3)]
    for fail_fast, expected in ((False, ["failed", "done", "done"]), (True, ["failed", "not_started", "not_started"])):
        refuse = Faults([Fault(effects.status(400), "POST", CHANNELS, nth=1)])
        with emulated(faults=refuse) as api:
            _, report = applied(api.url, declarations, parallelism=1, fail_fast=fail_fast)
            assert [result.status for result in report.results] == expected


def test_an_interrupt_lets_what_is_in_flight_finish_and_starts_nothing_more() -> None:
    interrupt = Interrupt()
    watcher = Watcher(on_start=lambda *_: interrupt.request())
    declarations = [declare("A", theme="dark"), declare("B")]
    with emulated({"name": "Old"}) as api:
        plan, report = applied(api.url, declarations, prune=True, interrupt=interrupt, watcher=watcher, parallelism=1)
        assert report.outcome == "interrupted"
        assert [result.status for result in report.results] == ["done", "not_started", "not_started", "not_started"]
        assert api.taken_calls() == ["GET", "POST"]
        assert "Apply was interrupted" in render_report(plan, report)


@pytest.mark.parametrize("status", [429, 503])
def test_an_interrupt_ends_the_wait_for_another_attempt(status: int) -> None:
    """The call was answered, so it's neither in flight nor in doubt, and what only waited for it isn't sent."""
    interrupt = Interrupt()
    errors: list[ApiError] = []

    class Held(FakeTime):
        async def sleep(self, seconds: float) -> None:
            await anyio.sleep(seconds)

    async def interrupted(url: str) -> None:
        async with client(url, time=Held(), ending=interrupt) as api, anyio.create_task_group() as group:

            async def update(theme: str) -> None:
                with pytest.raises(ApiError) as error:
                    await api.update_channel("c-1", {"theme": theme})
                errors.append(error.value)

            group.start_soon(update, "dark")
            with anyio.fail_after(10):
                while not interrupt.idle:
                    await anyio.sleep(0.01)
                if status == 429:
                    group.start_soon(update, "light")
                    while len(interrupt.idle) < 2:
                        await anyio.sleep(0.01)
            interrupt.request()

    fault = Fault(effects.status(status, retry_after=30), "PATCH", CHANNEL)
    with emulated({"name": "A", "id": "c-1"}, faults=Faults([fault])) as api:
        anyio.run(interrupted, api.url)
        assert api.taken_calls() == ["PATCH"]
    # Only a 429 is sure to have had no effect.
    assert sorted((error.status or 0, error.in_doubt) for error in errors) == (
        [(0, False), (429, False)] if status == 429 else [(503, True)]
    )
    assert ["not sent, because the run was interrupted" in error.message for error in errors].count(True) == (
        1 if status == 429 else 0
    )


async def exhausted(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Unavailable, with nothing left of the rate limit for half a minute, so the next call waits before it's sent."""
    headers = {f"x-ratelimit-{name}": value for name, value in (("limit", "9"), ("remaining", "0"), ("reset", "30"))}
    await JSONResponse({"statusCode": 503, "message": "later"}, 503, headers)(scope, receive, send)


@pytest.mark.parametrize(
    ("method", "nth_wait"),
    [("PATCH", 1), ("PATCH", 2), ("DELETE", 1), ("DELETE", 2), ("DELETE", 3), *(("POST", nth) for nth in range(1, 12))],
)
def test_nothing_is_sent_again_after_an_interrupt_and_what_was_sent_stays_in_doubt(method: str, nth_wait: int) -> None:
    interrupt, time, sent = Interrupt(), FakeTime(), list[int]()
    declared = {"POST": [declare("A"), declare("New")], "PATCH": [declare("A", theme="dark")], "DELETE": []}[method]
    with emulated({"name": "A", "id": "c-1"}, faults=Faults([Fault(exhausted, method, f"{CHANNELS}*")])) as api:

        async def interrupt_once() -> None:
            await checkpoint()
            if len(time.waits) >= nth_wait and not interrupt.requested:
                sent.append([call.method for call in api.calls].count(method))
                interrupt.request()

        time.before_waking = interrupt_once
        _, report = applied(api.url, declared, prune=method == "DELETE", interrupt=interrupt, time=time)
        assert report.outcome == "interrupted"
        error = report.results[0].error
        assert isinstance(error, ApiError)
        assert (report.results[0].status, error.status, error.hint) == ("in_doubt", 503, IN_DOUBT_HINT)
        assert [error.attempts] == sent == [[call.method for call in api.calls].count(method)]


def test_a_second_interrupt_leaves_at_once_and_what_was_in_flight_is_in_doubt() -> None:
    interrupt, asked = Interrupt(), threading.Event()

    async def held(_: float) -> None:
        asked.set()
        await asyncio.sleep(60)

    async def interrupt_twice(time: FakeTime) -> ApplyReport:
        manifest = Manifest("acme", (declare("A"), declare("B")))
        outcome: list[tuple[Plan, ApplyReport | None]] = []

        async def run() -> None:
            whole = partial(plan_and_apply, api.url, manifest, interrupt=interrupt, time=time, parallelism=1)
            outcome.append(await whole())

        async with anyio.create_task_group() as group:
            group.start_soon(run)
            await asyncio.to_thread(asked.wait)
            interrupt.request()
            interrupt.request()
        assert outcome[0][1] is not None
        return outcome[0][1]

    with emulated(faults=Faults([Fault(effects.delay(1, sleep=held), "POST", CHANNELS)])) as api:
        report = anyio.run(interrupt_twice, FakeTime())
        assert report.outcome == "interrupted"
        assert [(result.status, result.attempts, result.error) for result in report.results] == [
            ("in_doubt", 1, None),
            ("not_started", 0, None),
        ]
        assert "check the channel" in render_report(Plan(NOW, ()), report)


def test_every_result_is_told_to_the_observer_once() -> None:
    seen: list[OperationResult] = []
    with emulated({"name": "Old"}, {"name": "Changed"}) as api:
        absent = replace(declare("Old"), absent=True)
        declarations = [absent, declare("Changed", theme="dark"), declare("New", theme="dark")]
        _, report = applied(api.url, declarations, watcher=Watcher(on_result=seen.append))
        assert sorted(map(repr, seen)) == sorted(map(repr, report.results))
        assert all(result.request_id for result in seen)
