from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from emulator_client import CHANNELS, Emulated, data, emulated, message
from webchat_sync.emulator import Call, Fault, Faults, effects, read_faults
from webchat_sync.emulator.effects import Effect
from webchat_sync.errors import InputError


def faulty(effect: Effect, *, nth: int | frozenset[int] | None = None) -> Faults:
    """The effect on creates."""
    return Faults([Fault(effect, method="POST", path="*/web-chat/channels", nth=nth)])


def attempt(api: Emulated) -> httpx.Response:
    return api.http.post(CHANNELS, json={"name": "Support"})


def test_a_status_before_the_commit_creates_nothing() -> None:
    with emulated(faults=faulty(effects.status(503, message="later", retry_after=7))) as api:
        answer = attempt(api)
        assert message(answer, 503) == "later"
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["x-request-id"]
        assert api.list() == []


@pytest.mark.parametrize(("status", "words"), [(418, "I'm a Teapot"), (420, "Unknown"), (520, "Unknown")])
def test_every_error_status_can_be_ordered(status: int, words: str) -> None:
    with emulated(faults=faulty(effects.status(status))) as api:
        assert message(attempt(api), status) == words


def test_a_status_after_the_commit_hides_that_the_channel_exists() -> None:
    with emulated(faults=faulty(effects.status(504, after_commit=True))) as api:
        assert message(attempt(api), 504) == "Gateway Timeout"
        assert len(api.list()) == 1


def test_a_delay_only_makes_the_answer_later() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with emulated(faults=faulty(effects.delay(30, sleep=sleep))) as api:
        created = data(attempt(api), 201)
        assert slept == [30]
        assert api.list() == [created]


@pytest.mark.parametrize(("after_commit", "channels"), [(False, 0), (True, 1)])
def test_a_dropped_connection_leaves_the_client_without_an_answer(after_commit: bool, channels: int) -> None:
    with emulated(faults=faulty(effects.drop(after_commit=after_commit), nth=1)) as api:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            attempt(api)
        assert api.calls == [Call("POST", CHANNELS, None)]
        assert len(api.store.channels("acme")) == channels
        assert attempt(api).status_code == 201


def test_a_late_commit_happens_only_after_the_error_was_answered() -> None:
    slept: list[float] = []
    wake = threading.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.to_thread(wake.wait)

    with emulated(faults=faulty(effects.commit_late(20, sleep=sleep), nth=1)) as api:
        assert message(attempt(api), 504) == "Gateway Timeout"
        assert api.list() == []
        wake.set()
        until(lambda: len(api.store.channels("acme")) == 1)
        assert slept == [20]
        assert api.list()[0]["name"] == "Support"


def until(condition: Callable[[], bool]) -> None:
    """Wait for what the server's thread is about to do."""
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it never came true")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_cut_short_is_seen_as_such_by_the_client(chunked: bool) -> None:
    with emulated(faults=faulty(effects.cut(keep=12, chunked=chunked))) as api:
        with api.http.stream("POST", CHANNELS, json={"name": "Support"}) as answer:
            assert ("content-length" in answer.headers) is not chunked
            parts = answer.iter_bytes()
            assert next(parts) == b'{"data":{"na'
            with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
                next(parts)
        assert api.calls == [Call("POST", CHANNELS, 201)]
        assert len(api.list()) == 1


def test_a_cut_body_always_lacks_something() -> None:
    with emulated(faults=faulty(effects.cut(keep=10**6))) as api, pytest.raises(httpx.RemoteProtocolError):
        attempt(api)


@pytest.mark.parametrize(
    ("effect", "text", "channels"),
    [
        (effects.html(), "<!doctype html><title>Please sign in</title>", 0),
        (effects.html(after_commit=True), "<!doctype html><title>Please sign in</title>", 1),
        (effects.empty(), "", 0),
        (effects.empty(after_commit=True), "", 1),
    ],
)
def test_a_200_that_is_no_answer_of_the_api(effect: Effect, text: str, channels: int) -> None:
    with emulated(faults=faulty(effect)) as api:
        answer = attempt(api)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers.get("content-type", "").startswith("text/html" if text else "")
        assert len(api.list()) == channels


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_goes_where_it_is_told(status: int) -> None:
    with emulated(faults=faulty(effects.redirect("https://evil.example/x", status=status))) as api:
        answer = attempt(api)
        assert (answer.status_code, answer.headers["location"]) == (status, "https://evil.example/x")
        assert api.list() == []


def test_a_rate_limit_grants_so_many_calls_in_each_window() -> None:
    now = [100.0]
    with emulated(faults=faulty(effects.rate_limit(2, 30, clock=lambda: now[0]))) as api:
        first = attempt(api)
        now[0] += 10.5
        answers = [first, attempt(api), attempt(api)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
        assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"2"}
        assert answers[2].headers["retry-after"] == answers[2].headers["x-ratelimit-reset"] == "20"
        assert message(answers[2], 429) == "Too Many Requests"
        now[0] += 19.5
        assert attempt(api).status_code == 201
        assert len(api.list()) == 3


def test_a_fault_falls_on_the_nth_call_of_its_method_and_path() -> None:
    faults = Faults(
        [
            Fault(effects.status(502), method="GET", path="*/channels", nth=frozenset({1, 3})),
            Fault(effects.status(503), method="P*", path="*/channels/x", nth=1),
        ]
    )
    with emulated(faults=faults) as api:
        api.create()
        assert [api.http.get(CHANNELS).status_code for _ in range(4)] == [502, 200, 502, 200]
        assert [api.http.patch(f"{CHANNELS}/x", json={}).status_code for _ in range(2)] == [503, 404]
        assert api.calls[:2] == [Call("POST", CHANNELS, 201), Call("GET", CHANNELS, 502)]


def test_of_two_faults_on_one_call_the_first_is_the_outermost() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    both = Faults(
        [Fault(effects.delay(1, sleep=sleep)), Fault(effects.status(500)), Fault(effects.delay(2, sleep=sleep))]
    )
    with emulated(faults=both) as api:
        assert attempt(api).status_code == 500
        assert slept == [1]


def test_faults_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(
        """\
- {kind: status, method: POST, path: "*/web-chat/channels", nth: [1], status: 504, after_commit: true}
- {kind: drop, method: GET, nth: 2}
- {kind: delay, seconds: 0}
- {kind: commit_late, method: DELETE, seconds: 0, status: 503}
- {kind: rate_limit, path: /nowhere, limit: 1, seconds: 60}
- {kind: redirect, path: /moved, location: "https://example.com"}
- {kind: cut, method: POST, path: "*/send", keep: 5}
- {kind: html, path: /html}
- {kind: empty, path: /empty}
"""
    )
    with emulated(faults=read_faults(file)) as api:
        assert attempt(api).status_code == 504
        channel = api.list()[0]
        with pytest.raises(httpx.TransportError):
            api.http.get(CHANNELS)
        assert api.http.delete(f"{CHANNELS}/{channel['id']}").status_code == 503
        until(lambda: api.store.channels("acme") == [])
        statuses = [api.http.get(path).status_code for path in ("/nowhere", "/nowhere", "/moved", "/html", "/empty")]
        assert statuses == [404, 429, 307, 200, 200]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("{kind: status, status: 503.0, retry_after: 1.0}", 503),
        ("{kind: redirect, location: /, status: 301.0}", 301),
        ("{kind: drop, after_commit: true, nth: [2.0]}", 201),
        ("{kind: rate_limit, limit: 1.0, seconds: 1}", 201),
    ],
)
def test_a_whole_number_may_have_a_fraction_of_zero(tmp_path: Path, fault: str, status: int) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(f"- {fault}")
    with emulated(faults=read_faults(file)) as api:
        answer = attempt(api)
    assert answer.status_code == status
    assert "1.0" not in answer.headers.values()


HINT = "`webchat-sync emulator --help` shows an example, and lists the kinds of faults and their keys."


def test_every_problem_of_a_file_of_faults_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(
        """\
- {kind: statsu}
- kind: status
  status: 200
  seconds: 1
- {kind: delay, nth: 0}
- drop
- {kind: rate_limit, path: 3}
- {kind: drop, nth: 1.5}
- {kind: status, status: 600}
"""
    )
    with pytest.raises(InputError) as caught:
        read_faults(file)
    found = {(str(problem.place).removeprefix(str(file)), problem.path) for problem in caught.value.problems}
    assert found == {
        (":1:10", "[0].kind"),
        (":3:11", "[1].status"),
        (":2:3", "[1]"),
        (":5:3", "[2]"),
        (":5:22", "[2].nth"),
        (":6:3", "[3]"),
        (":7:3", "[4]"),
        (":7:28", "[4].path"),
        (":8:21", "[5].nth"),
        (":9:26", "[6].status"),
    }
    assert '"statsu" isn\'t accepted; it can be status, delay' in str(caught.value)
    assert {problem.message for problem in caught.value.problems if "statsu" not in problem.message} == {
        "200 is below the minimum of 400",
        "`seconds` can't be used with this kind of fault",
        "`seconds` is missing",
        "0 is below the minimum of 1",
        "expected a mapping, but this is text",
        "`limit` and `seconds` are missing",
        "expected text, but this is 3",
        "expected a whole number or a list, but this is 1.5",
        "600 is above the maximum of 599",
    }
    assert {problem.hint for problem in caught.value.problems} == {HINT}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("- {kind: drop", ":1:3", "this mapping isn't closed"),
        ("", ":1:1", "must contain a list of faults"),
        ("kind: drop", ":1:1", "must contain a list of faults"),
        ("- {kind: drop}\n---\n- {kind: cut}", ":1:1", "must contain a list of faults"),
        ("- \x00", ":1:3", "the character U\\+0000 isn't allowed"),
        ("- \udcff", ":1:3", "0xff\\) isn't valid UTF-8"),
        ("- !!python/none x", ":1:3", "the tag `!!python/none` isn't known"),
        ("- {kind: 2026-01-02}", ":1:10", '"2026-01-02" isn\'t accepted'),
        ("- {kind: [2026-01-02]}", ":1:10", "a list isn't accepted"),
        ("- {kind: drop, path: {a: b}}", ":1:22", "expected text, but this is a mapping"),
        ("- {kind: drop, kind: cut}", ":1:16", "this key appears twice"),
        ("- {kind: drop, path: '${PATH}'}", ":1:22", "faults can't contain variables"),
        ("- !!int ''", ":1:3", "the tag `!!int` doesn't fit this value"),
        ("- " + "1" * 5000, ":1:3", "this number has 5,000 characters"),
        ("[" * 5000 + "]" * 5000, ":1:101", "more than 100 mappings and lists"),
        ("- " * 5000 + "x", ":1:201", "more than 100 mappings and lists"),
    ],
)
def test_a_file_that_is_no_list_of_faults_is_refused(tmp_path: Path, text: str, place: str, reason: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text, errors="surrogateescape")
    with pytest.raises(InputError, match=reason) as caught:
        read_faults(file)
    assert str(caught.value.problems[0].place) == f"{file}{place}"


def test_a_missing_file_of_faults_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_faults(tmp_path / "none.yaml")
