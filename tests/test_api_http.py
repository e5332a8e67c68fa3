from __future__ import annotations

import logging
import socket
import ssl
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import anyio
import h11
import httpx
import pytest

from scripted_server import Behaviour, ScriptedServer, answer, cut, data, drop, failure, raw, reset, silence
from webchat_sync.api import HostIdentity, Mosend
from webchat_sync.api.http import TIMEOUT
from webchat_sync.api.retry import retry_after_seconds
from webchat_sync.errors import ApiAnswerError, ApiConnectionError, ApiError, ApiStatusError, InputError
from webchat_sync.model import Secret

pytestmark = pytest.mark.anyio

KEY = "mk_live_canary.0a1b2c3d4e5f6a7b"
KEY_PART = "0a1b2c3d4e5f6a7b"
IDENTITY_SECRET = "identity-canary-8c9d"
CHANNELS_PATH = "/organizations/org/web-chat/channels"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
ENVELOPE = '{"data": []}'
HTML = {"Content-Type": "text/html"}

Call = Callable[[Mosend], Awaitable[object]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Waits(list[float]):
    """A sleep that takes no time and remembers for how long it was asked."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def mosend(
    url: str,
    *,
    waits: Waits | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    timeout: httpx.Timeout = TIMEOUT,
) -> Mosend:
    """A client that goes to ``url`` without any proxy, sleeps in no time, and whose dice always show the middle."""
    return Mosend(
        organization="org",
        base_url=url,
        key=Secret(KEY),
        transport=transport or httpx.AsyncHTTPTransport(verify=False),
        sleep=Waits() if waits is None else waits,
        random=lambda: 0.5,
        now=lambda: NOON,
        timeout=timeout,
    )


async def list_channels(api: Mosend) -> object:
    return await api.list_channels()


async def create(api: Mosend) -> object:
    return await api.create_channel({"name": "Support"}, idempotency_key="once")


async def update(api: Mosend) -> object:
    return await api.update_channel("c1", {"name": "Support"})


async def delete(api: Mosend) -> object:
    await api.delete_channel("c1")
    return None


async def open_session(api: Mosend) -> object:
    identity = HostIdentity("user", None, Secret(IDENTITY_SECRET))
    return await api.open_session("token", visitor_id="v1", identity=identity)


async def failure_of(call: Call, behaviour: Behaviour) -> tuple[ApiError, int]:
    """The error in which ``call`` ends when the server always does ``behaviour``, and how many requests were made."""
    with ScriptedServer(otherwise=behaviour) as server:
        async with mosend(server.url) as api:
            with pytest.raises(ApiError) as raised:
                await call(api)
    return raised.value, len(server.requests)


BAD_ANSWERS = {
    "empty": (answer(200), "the answer is empty"),
    "empty, 201": (answer(201), "the answer is empty"),
    "HTML": (answer(200, "<html>Hello</html>", HTML), "the answer is not JSON (text/html)"),
    "half of the JSON, said to be all": (answer(200, ENVELOPE[:-3]), "the answer is not JSON"),
    "a list": (answer(200, "[]"), "the answer is not an object with `data`"),
    "no data": (answer(200, '{"timestamp": "now"}'), "the answer is not an object with `data`"),
    "NaN": (answer(200, '{"data": NaN}'), "the answer is not JSON"),
    "a number without end": (answer(200, '{"data": 1e999}'), "the answer is not JSON"),
    "nested without end": (answer(200, "[" * 100_000), "the answer is not JSON"),
    "not UTF-8": (answer(200, b'{"data": "\xff"}'), "the answer is not JSON"),
}
DAMAGED_ANSWERS = {
    "cut by its length": cut(200, ENVELOPE, 3),
    "cut in a chunk": raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{"da', close=True),
    "not the compression it names": answer(200, ENVELOPE, {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize(("behaviour", "reason"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
@pytest.mark.parametrize("call", [list_channels, create, delete])
async def test_an_answer_that_is_not_the_envelope_is_an_error_at_once(
    call: Call, behaviour: Behaviour, reason: str
) -> None:
    error, requests = await failure_of(call, behaviour)
    assert isinstance(error, ApiAnswerError)
    assert f", but {reason}" in str(error)
    assert error.in_doubt == (call is not list_channels)
    assert "repeat" in error.hint if error.in_doubt else "base URL" in error.hint
    assert requests == 1


@pytest.mark.parametrize("behaviour", DAMAGED_ANSWERS.values(), ids=DAMAGED_ANSWERS.keys())
@pytest.mark.parametrize(("call", "attempts"), [(list_channels, 5), (create, 1)])
async def test_a_damaged_answer_is_asked_for_again_only_when_that_is_safe(
    call: Call, attempts: int, behaviour: Behaviour
) -> None:
    error, requests = await failure_of(call, behaviour)
    assert isinstance(error, ApiAnswerError)
    assert "HTTP 200, but the answer was cut short or is damaged" in str(error)
    assert (error.status, error.in_doubt, requests) == (200, call is create, attempts)


async def test_nothing_is_an_answer_only_to_a_call_that_expects_nothing() -> None:
    with ScriptedServer(answer(204), answer(204)) as server:
        async with mosend(server.url) as api:
            assert await delete(api) is None
            with pytest.raises(ApiAnswerError, match="HTTP 204, but the answer is empty"):
                await list_channels(api)


@pytest.mark.parametrize(
    ("call", "status", "in_doubt", "hint"),
    [
        (create, 400, False, ""),
        (list_channels, 401, False, "MOSEND_API_KEY"),
        (update, 402, False, "billing"),
        (update, 403, False, "belongs to this organisation"),
        (open_session, 403, False, "token"),
        (list_channels, 404, False, "MOSEND_ORG_ID"),
        (create, 404, False, "MOSEND_ORG_ID"),
        (update, 404, False, "deleted"),
        (create, 408, True, "look at what is live"),
        (create, 409, False, ""),
        (create, 422, False, ""),
        (create, 429, False, "rate limit"),
        (list_channels, 500, False, ""),
        (create, 500, True, "look at what is live"),
        (create, 504, True, "look at what is live"),
        (list_channels, 304, False, "base URL"),
    ],
)
async def test_a_status_is_told_with_its_way_out(call: Call, status: int, in_doubt: bool, hint: str) -> None:
    error, requests = await failure_of(call, failure(status, "No.", {"X-Request-Id": "r-9"}))
    assert isinstance(error, ApiStatusError)
    assert (error.status, error.request_id, error.in_doubt, requests) == (status, "r-9", in_doubt, 1)
    assert f": HTTP {status} " in str(error)
    assert hint in error.hint
    assert bool(hint) == bool(error.hint)


PAGE = (
    "<html><head><title>502</title><style>p {}</style><script>x()</script></head>\n<body>Bad &amp; \x1b[31mgone</body>"
)
WORDS = {
    "a text": (failure(400, "name should not be empty"), ("name should not be empty",)),
    "a list": (failure(400, ["one", "two"]), ("one", "two")),
    "only an error": (answer(400, '{"error": "Bad Request"}'), ("Bad Request",)),
    "something else": (answer(400, '{"detail": [1]}'), ('{"detail": [1]}',)),
    "a page": (answer(400, PAGE, HTML), ("502 Bad & [31mgone",)),
    "a long text": (answer(400, "x" * 500), ("x" * 199 + "…",)),
    "a text on lines": (failure(400, "one\r\n\ttwo\u202e\x00"), ("one two",)),
    "nothing": (answer(400), ()),
    "a body that is cut": (cut(400, '{"message": "x"}', 3), ()),
    "a nest": (answer(400, "[" * 100_000), ("[" * 199 + "…",)),
}


@pytest.mark.parametrize(("behaviour", "messages"), WORDS.values(), ids=WORDS.keys())
async def test_the_words_of_the_server_are_told_on_one_line(behaviour: Behaviour, messages: tuple[str, ...]) -> None:
    error, _ = await failure_of(create, behaviour)
    assert error.messages == messages
    said = f": {'; '.join(messages)}" if messages else ""
    assert str(error) == f"POST {CHANNELS_PATH}: HTTP 400 Bad Request{said}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", [list_channels, create])
async def test_a_redirect_is_never_followed(call: Call, status: int) -> None:
    with ScriptedServer(otherwise=data([])) as other:
        error, requests = await failure_of(call, answer(status, headers={"Location": f"{other.url}{CHANNELS_PATH}"}))
    assert isinstance(error, ApiStatusError)
    assert other.requests == []
    assert f"a redirect to {other.url.removeprefix('http://')} that is not followed: the API key" in str(error)
    assert (error.status, error.in_doubt, requests) == (status, False, 1)


async def test_a_get_is_repeated_after_growing_waits_or_as_the_server_asks() -> None:
    script = [answer(503), failure(429, "Slow.", {"Retry-After": "7"}), drop(), reset(), data([])]
    waits = Waits()
    with ScriptedServer(*script) as server:
        async with mosend(server.url, waits=waits) as api:
            assert await api.list_channels() == ()
    assert waits == [0.25, 7.0, 1.0, 2.0]
    assert [(each.method, each.target) for each in server.requests] == [("GET", CHANNELS_PATH)] * 5


@pytest.mark.parametrize("behaviour", [answer(429), answer(502), answer(503), answer(504), drop(), reset()])
@pytest.mark.parametrize(("call", "attempts"), [(list_channels, 5), (create, 1), (update, 1), (delete, 1)])
async def test_a_get_gives_up_after_five_attempts_and_a_write_after_one(
    call: Call, attempts: int, behaviour: Behaviour
) -> None:
    error, requests = await failure_of(call, behaviour)
    assert requests == attempts
    assert ("(5 attempts)" in str(error)) == (attempts == 5)


async def test_an_error_that_no_repetition_cures_ends_the_attempts() -> None:
    waits = Waits()
    with ScriptedServer(answer(503), failure(401, "Who?")) as server:
        async with mosend(server.url, waits=waits) as api:
            with pytest.raises(ApiStatusError, match=r"HTTP 401 Unauthorized \(2 attempts\): Who\?"):
                await api.list_channels()
    assert waits == [0.25]


@pytest.mark.parametrize(
    ("retry_after", "waited"),
    [("60", [60.0]), ("Wed, 01 Jul 2026 12:00:30 GMT", [30.0]), ("61", []), ("Wed, 01 Jul 2026 13:00:00 GMT", [])],
)
async def test_a_server_that_asks_for_a_long_wait_is_not_waited_for(retry_after: str, waited: list[float]) -> None:
    waits = Waits()
    with ScriptedServer(answer(503, headers={"Retry-After": retry_after}), answer(400)) as server:
        async with mosend(server.url, waits=waits) as api:
            with pytest.raises(ApiStatusError) as raised:
                await api.list_channels()
    assert waits == waited
    asked = "61" if retry_after == "61" else "3600"
    assert (f"the server asks to wait {asked} s" in str(raised.value)) == (not waited)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        ("9" * 400, float("inf")),
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


class Broken(httpx.AsyncBaseTransport):
    """A transport that fails with ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise self.error


@pytest.mark.parametrize(
    ("error", "in_doubt"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout(""), False),
        (httpx.PoolTimeout(""), False),
        (httpx.ProxyError("407"), False),
        (httpx.UnsupportedProtocol(""), False),
        (httpx.LocalProtocolError(""), False),
        (httpx.ReadTimeout(""), True),
        (httpx.WriteTimeout(""), True),
        (httpx.ReadError(""), True),
        (httpx.WriteError(""), True),
        (httpx.RemoteProtocolError(""), True),
        (httpx.StreamClosed(), True),
        (ssl.SSLError("bad record"), True),
        (OSError("broken pipe"), True),
        (anyio.BrokenResourceError(), True),
        (h11.RemoteProtocolError("garbage"), True),
        (UnicodeError("label too long"), True),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_every_foreign_failure_ends_as_a_connection_error(error: Exception, in_doubt: bool) -> None:
    async with mosend("http://api.example", transport=Broken(error)) as api:
        for call, doubted in ((create, in_doubt), (list_channels, False)):
            with pytest.raises(ApiConnectionError, match=rf"no answer from .* \({type(error).__name__}") as raised:
                await call(api)
            assert (raised.value.in_doubt, raised.value.status) == (doubted, None)
            assert ("look at what is live" if doubted else "proxy settings") in raised.value.hint


async def test_a_port_where_nobody_listens_is_a_connection_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with mosend(f"http://127.0.0.1:{port}") as api:
        with pytest.raises(ApiConnectionError, match=r"no answer from .*ConnectError.*5 attempts") as raised:
            await api.list_channels()
        assert not raised.value.in_doubt
        with pytest.raises(ApiConnectionError) as raised:
            await create(api)
        assert not raised.value.in_doubt


@pytest.mark.parametrize("behaviour", [silence(), raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")])
async def test_a_server_that_falls_silent_is_not_waited_for_without_end(behaviour: Behaviour) -> None:
    with ScriptedServer(behaviour) as server:
        async with mosend(server.url, timeout=httpx.Timeout(0.05)) as api:
            with pytest.raises((ApiConnectionError, ApiAnswerError), match="ReadTimeout") as raised:
                await create(api)
    assert raised.value.in_doubt
    assert all(seconds for seconds in TIMEOUT.as_dict().values())


async def test_a_cancelled_call_is_cancelled_and_not_repeated() -> None:
    started = anyio.Event()
    requests: list[httpx.Request] = []

    class Endless(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            requests.append(request)
            started.set()
            await anyio.sleep_forever()
            raise AssertionError

    async with mosend("http://api.example", transport=Endless()) as api, anyio.create_task_group() as tasks:
        tasks.start_soon(list_channels, api)
        await started.wait()
        tasks.cancel_scope.cancel()
    assert tasks.cancel_scope.cancelled_caught
    assert len(requests) == 1


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment without any proxy in it."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


async def test_the_proxy_of_the_environment_is_used_unless_it_is_told_not_to(environment: pytest.MonkeyPatch) -> None:
    with ScriptedServer(data([])) as proxy, ScriptedServer(data([])) as server:
        environment.setenv("HTTP_PROXY", proxy.url)
        environment.setenv("NO_PROXY", "127.0.0.1")
        for url in ("http://api.example", server.url):
            async with Mosend(organization="org", base_url=url, key=Secret(KEY)) as api:
                assert await api.list_channels() == ()
    assert [each.target for each in proxy.requests] == [f"http://api.example{CHANNELS_PATH}"]
    assert [each.target for each in server.requests] == [CHANNELS_PATH]


async def test_a_proxy_that_refuses_never_sees_the_key(environment: pytest.MonkeyPatch) -> None:
    with ScriptedServer(otherwise=answer(407)) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url)
        async with Mosend(organization="org", base_url="https://api.example", key=Secret(KEY)) as api:
            with pytest.raises(ApiConnectionError, match="ProxyError") as raised:
                await create(api)
    assert not raised.value.in_doubt
    assert [(each.method, each.target) for each in proxy.requests] == [("CONNECT", "api.example:443")]
    assert KEY not in str(proxy.requests)


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1", "http://user:pass-canary@127.0.0.1:port"])
async def test_a_proxy_that_cannot_be_used_is_wrong_input(environment: pytest.MonkeyPatch, proxy: str) -> None:
    environment.setenv("HTTP_PROXY", proxy)
    with pytest.raises(InputError) as raised:
        Mosend(organization="org", base_url="http://api.example", key=Secret(KEY))
    assert "HTTP_PROXY" in raised.value.problems[0].hint
    assert "pass-canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("base_url", "wrong"),
    [
        ("", ["must begin with http:// or https://", "has no host"]),
        ("api.mosend.dev", ["must begin with http:// or https://", "has no host"]),
        ("ftp://api.mosend.dev", ["must begin with http:// or https://"]),
        ("https:///organizations", ["has no host"]),
        ("https://me:canary@api.mosend.dev", ["must not hold a user name or a password"]),
        ("https://me@host/?a=b", ["must not hold a user name or a password", "must not hold a query or a fragment"]),
        ("https://api.mosend.dev#", ["must not hold a query or a fragment"]),
        ("https://api.mosend.dev:port", ["is not a URL: Invalid port: 'port'"]),
    ],
)
def test_a_base_url_is_checked_before_anything_is_sent(base_url: str, wrong: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        mosend(base_url)
    assert [each.message for each in raised.value.problems] == [f"the base URL {what}" for what in wrong]
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("key", ["", "mk_live_canary\n", "mk_live_canary\r\nX: y", "mk_live_canäry", "canary key"])
def test_what_is_wrong_with_the_settings_is_told_at_once_and_without_the_key(key: str) -> None:
    with pytest.raises(InputError) as raised:
        Mosend(organization="..", base_url="api.mosend.dev", key=Secret(key))
    assert len(raised.value.problems) == 4
    assert "API key" in raised.value.problems[3].message
    assert "can" not in raised.value.problems[3].message
    assert "MOSEND_API_KEY" in raised.value.problems[3].hint


ECHOES = {
    "in messages": failure(400, [f"no {KEY}", f"nor {IDENTITY_SECRET}", f"{KEY_PART} is unknown"]),
    "in a page": answer(500, f"<p>{KEY}</p>" + f"<b>{IDENTITY_SECRET}</b>" * 30, HTML),
    "in a request id": answer(409, headers={"X-Request-Id": f"{KEY}/{IDENTITY_SECRET}"}),
    "in a redirect": answer(302, headers={"Location": f"https://{KEY_PART}.example/{IDENTITY_SECRET}"}),
    "in a header that is none": raw(f"HTTP/1.1 200 OK\r\n{KEY} {IDENTITY_SECRET}\r\n\r\n".encode()),
    "in a status line that is none": raw(f"HTTP/1.1 {KEY} {IDENTITY_SECRET}\r\n\r\n".encode()),
    "in an answer": answer(201, f"{KEY} {IDENTITY_SECRET}", {"Content-Type": f"{KEY} {IDENTITY_SECRET}"}),
}


@pytest.mark.parametrize("behaviour", ECHOES.values(), ids=ECHOES.keys())
async def test_no_error_repeats_a_secret_that_the_server_sends_back(behaviour: Behaviour) -> None:
    error, _ = await failure_of(open_session, behaviour)
    printed = "".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])
    assert "***" in printed
    assert KEY_PART not in printed
    assert IDENTITY_SECRET not in printed


async def test_the_logs_of_the_libraries_do_not_carry_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedServer(data([]), data({"secret": IDENTITY_SECRET}), data({"id": "s1"})) as server:
        async with mosend(server.url) as api:
            await api.list_channels()
            await api.rotate_identity_secret("c1")
            await open_session(api)
    assert {"httpx", "httpcore.http11"} <= {record.name for record in caplog.records}
    assert KEY_PART not in caplog.text
    assert IDENTITY_SECRET not in caplog.text


async def test_a_cookie_is_not_carried_from_one_call_to_the_next() -> None:
    with ScriptedServer(data([], headers={"Set-Cookie": "session=1"}), data({"id": "s1"})) as server:
        async with mosend(server.url) as api:
            await api.list_channels()
            await open_session(api)
    assert "cookie" not in server.requests[1].headers
