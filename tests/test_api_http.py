from __future__ import annotations

import gzip
import logging
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

import anyio
import h11
import httpx
import pytest

from api_calls import CHANNELS_PATH, KEY, Call, create, delete, failure_of, list_channels, mosend, update
from fake_time import FakeTime
from real_proxy import without_proxies
from scripted_server import (
    CHUNKED,
    ENDLESS,
    Behaviour,
    ScriptedServer,
    answer,
    cut,
    data,
    failure,
    raw,
    silence,
    trickling,
)
from tls import context_of, make_certificate
from webchat_sync.api import HostIdentity, Message, Mosend, Upload
from webchat_sync.api.http import TIMEOUT
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiAnswerError, ApiConnectionError, ApiStatusError, InputError
from webchat_sync.model import Secret, WriteResult
from webchat_sync.sentences import in_seconds

pytestmark = pytest.mark.anyio

KEY_PART = "0a1b2c3d4e5f6a7b"
IDENTITY_SECRET = "identity-canary-8c9d"
ENVELOPE = '{"data": []}'
HTML = {"Content-Type": "text/html"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def open_session(api: Mosend) -> object:
    identity = HostIdentity("user", None, Secret(IDENTITY_SECRET))
    return await api.open_session("token", visitor_id="v1", identity=identity)


BAD_ANSWERS = {
    "empty": (answer(200), "the response is empty"),
    "empty, 201": (answer(201), "the response is empty"),
    "HTML": (answer(200, "<html>Hello</html>", HTML), "the response isn't JSON (text/html)"),
    "half of the JSON, said to be all": (answer(200, ENVELOPE[:-3]), "the response isn't JSON (line 1, column "),
    "a text": (answer(200, '"[]"'), "the response is neither an object with content nor a list"),
    "an object of nothing": (answer(200, "{}"), "the response is neither an object with content nor a list"),
    "NaN": (answer(200, '{"data": NaN}'), "the response isn't JSON (line 1, column 10: NaN isn't a JSON number)"),
    "a number without end": (
        answer(200, '{"data": 1e999}'),
        "the response isn't JSON (line 1, column 10: the number 1e999 is too large)",
    ),
    "not UTF-8": (answer(200, b'{"data": "\xff"}'), "the response isn't JSON (line 1, column 1: not UTF-8)"),
}
DAMAGED_ANSWERS = {
    "cut by its length": cut(200, ENVELOPE, 3),
    "cut in a chunk": raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{"da', close=True),
    "not the compression it names": answer(200, ENVELOPE, {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize(("behaviour", "reason"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
@pytest.mark.parametrize(("call", "attempts"), [(list_channels, 5), (create, 1), (delete, 5)])
async def test_an_answer_that_is_not_the_envelope_is_asked_for_again_only_when_that_is_safe(
    call: Call, attempts: int, behaviour: Behaviour, reason: str
) -> None:
    error, requests = await failure_of(call, otherwise=behaviour)
    assert isinstance(error, ApiAnswerError)
    assert f", but {reason}" in str(error)
    assert error.in_doubt == (call is not list_channels)
    assert "repeat" in error.hint if error.in_doubt else "base URL" in error.hint
    assert requests == attempts


async def test_a_listing_beyond_the_limits_is_not_asked_for_again() -> None:
    error, requests = await failure_of(list_channels, otherwise=answer(200, "[" * 100_000))
    assert isinstance(error, ApiAnswerError)
    assert (error.in_doubt, requests) == (False, 1)


@pytest.mark.parametrize("behaviour", DAMAGED_ANSWERS.values(), ids=DAMAGED_ANSWERS.keys())
@pytest.mark.parametrize(("call", "attempts"), [(list_channels, 5), (create, 1)])
async def test_a_damaged_answer_is_asked_for_again_only_when_that_is_safe(
    call: Call, attempts: int, behaviour: Behaviour
) -> None:
    error, requests = await failure_of(call, otherwise=behaviour)
    assert isinstance(error, ApiAnswerError)
    assert "HTTP 200, but the response was cut short or damaged" in str(error)
    assert (error.status, error.in_doubt, requests) == (200, call is create, attempts)


async def test_nothing_is_an_answer_only_to_a_call_that_expects_nothing() -> None:
    with ScriptedServer(otherwise=answer(204)) as server:
        async with mosend(server.url) as api:
            assert await delete(api) == WriteResult(204)
            with pytest.raises(ApiAnswerError, match="HTTP 204, but the response is empty"):
                await list_channels(api)


@pytest.mark.parametrize(
    ("call", "status", "in_doubt", "hint", "attempts"),
    [
        (create, 400, False, "", 1),
        (list_channels, 401, False, "MOSEND_API_KEY", 1),
        (update, 402, False, "billing", 1),
        (update, 403, False, "belongs to this organisation", 1),
        (open_session, 403, False, "token", 1),
        (list_channels, 404, False, "MOSEND_ORG_ID", 1),
        (create, 404, False, "MOSEND_ORG_ID", 1),
        (update, 404, False, "deleted", 1),
        (create, 408, True, "check the live channels", 1),
        (create, 409, False, "", 1),
        (create, 422, False, "", 1),
        (create, 429, False, "rate limit", 5),
        (list_channels, 500, False, "request id", 5),
        (create, 500, True, "check the live channels", 1),
        (create, 504, True, "check the live channels", 1),
        (list_channels, 304, False, "base URL", 1),
    ],
)
async def test_a_status_is_told_with_its_way_out(
    call: Call, status: int, in_doubt: bool, hint: str, attempts: int
) -> None:
    error, requests = await failure_of(call, otherwise=failure(status, "No.", {"X-Request-Id": "r-9"}))
    assert isinstance(error, ApiStatusError)
    assert (error.status, error.request_id, error.in_doubt, requests) == (status, "r-9", in_doubt, attempts)
    assert f": HTTP {status} " in str(error)
    assert hint in error.hint
    assert bool(hint) == bool(error.hint)


@pytest.mark.parametrize(
    ("headers", "hint"),
    [
        ({}, "The server failed. Run this again later."),
        (
            {"X-Request-Id": "r-9"},
            "The server failed. Run this again later; if it keeps failing, report it with the request id.",
        ),
    ],
)
async def test_only_a_request_id_that_the_server_gave_is_to_be_reported(headers: dict[str, str], hint: str) -> None:
    error, _ = await failure_of(list_channels, otherwise=failure(503, "No.", headers))
    assert error.hint == hint


async def test_the_name_of_a_status_is_not_repeated_after_the_wait() -> None:
    error, _ = await failure_of(
        list_channels, otherwise=failure(429, ["Too Many Requests", "Slow down."], {"Retry-After": "100"})
    )
    assert str(error).endswith("HTTP 429 Too Many Requests, and the server asks you to wait 100 s: Slow down.")


async def test_what_is_in_doubt_in_a_conversation_is_looked_for_there() -> None:
    async def send(api: Mosend) -> object:
        return await api.send_message("c1", Message(body="Hi"))

    async def upload(api: Mosend) -> object:
        return await api.upload_media("c1", Upload("menu.pdf", b"%PDF"))

    hints = [(await failure_of(call, otherwise=failure(504, "No.")))[0].hint for call in (send, upload)]
    assert hints == [
        "The message may have been sent: check the conversation before you send it again.",
        "The file may have been uploaded, but its id was lost: upload it again.",
    ]


PAGE = (
    "<html><head><title>502</title><style>p {}</style><script>x()</script></head>\n<body>Bad &amp; \x1b[31mgone</body>"
)
WORDS = {
    "a text": (failure(400, "name should not be empty"), ("name should not be empty",)),
    "a list": (failure(400, ["one", "two"]), ("one", "two")),
    "only an error": (answer(400, '{"error": "Bad Request"}'), ("Bad Request",)),
    "something else": (answer(400, '{"detail": [1]}'), ('{"detail": [1]}',)),
    "a page": (answer(400, PAGE, HTML), ("502 Bad & \\u001b[31mgone",)),
    "a long text": (answer(400, "x" * 500), ("x" * 199 + "…",)),
    "a text on lines": (failure(400, "one\r\n\ttwo\u202e\x00"), ("one two\\u202e\\u0000",)),
    "nothing": (answer(400), ()),
    "a body that is cut": (cut(400, '{"message": "x"}', 3), ()),
    "a nest": (answer(400, "[" * 100_000), ("[" * 199 + "…",)),
}


@pytest.mark.parametrize(("behaviour", "messages"), WORDS.values(), ids=WORDS.keys())
async def test_the_words_of_the_server_are_told_on_one_line(behaviour: Behaviour, messages: tuple[str, ...]) -> None:
    error, _ = await failure_of(create, otherwise=behaviour)
    assert error.messages == messages
    said = "" if messages in {(), ("Bad Request",)} else f": {'; '.join(messages)}"
    assert str(error) == f"POST {CHANNELS_PATH}: HTTP 400 Bad Request{said}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", [list_channels, create])
async def test_a_redirect_is_never_followed(call: Call, status: int) -> None:
    with ScriptedServer(otherwise=data([])) as other:
        error, requests = await failure_of(
            call, otherwise=answer(status, headers={"Location": f"{other.url}{CHANNELS_PATH}"})
        )
    assert isinstance(error, ApiStatusError)
    assert other.requests == []
    assert f"a redirect to {other.url.removeprefix('http://')}, which isn't followed because your credentials" in str(
        error
    )
    assert (error.status, error.in_doubt, requests) == (status, False, 1)


class Broken(httpx.AsyncBaseTransport):
    """A transport that fails with ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise self.error


@pytest.mark.parametrize(
    ("error", "in_doubt", "cause"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), False, "Name or service not known"),
        (httpx.ConnectTimeout(""), False, "the connection timed out"),
        (httpx.PoolTimeout(""), False, "no connection became free in time"),
        (httpx.ProxyError("407"), False, "the proxy refused the connection (407)"),
        (httpx.ProxyError(""), False, "the proxy refused the connection"),
        (httpx.UnsupportedProtocol("not this one."), False, "not this one"),
        (httpx.LocalProtocolError(""), False, "LocalProtocolError"),
        (httpx.ReadTimeout(""), True, "the response timed out"),
        (httpx.WriteTimeout(""), True, "sending the request timed out"),
        (httpx.ReadError(""), True, "the connection broke"),
        (httpx.WriteError(""), True, "the connection broke"),
        (httpx.RemoteProtocolError(""), True, "what it sent isn't valid HTTP"),
        (httpx.StreamClosed(), True, "Attempted to read or stream content"),
        (ssl.SSLError("bad record"), True, "('bad record',)"),
        (OSError("broken pipe"), True, "broken pipe"),
        (anyio.BrokenResourceError(), True, "BrokenResourceError"),
        (h11.RemoteProtocolError("garbage"), True, "garbage"),
        (UnicodeError("label too long"), True, "label too long"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_every_foreign_failure_ends_as_a_connection_error(error: Exception, in_doubt: bool, cause: str) -> None:
    async with mosend("https://api.example", transport=Broken(error)) as api:
        for call, doubted in ((create, in_doubt), (list_channels, False)):
            with pytest.raises(ApiConnectionError, match=re.escape(f"no response from api.example: {cause}")) as raised:
                await call(api)
            assert (raised.value.in_doubt, raised.value.status) == (doubted, None)
            assert ("check the live channels" if doubted else "proxy settings") in raised.value.hint


@pytest.mark.parametrize("behaviour", [silence(), raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")])
async def test_a_server_that_falls_silent_is_not_waited_for_without_end(behaviour: Behaviour) -> None:
    with ScriptedServer(behaviour) as server:
        async with mosend(server.url, timeout=httpx.Timeout(0.05)) as api:
            with pytest.raises((ApiConnectionError, ApiAnswerError), match=r"the response timed out") as raised:
                await create(api)
    assert raised.value.in_doubt
    assert all(seconds for seconds in TIMEOUT.as_dict().values())


@pytest.mark.parametrize(("behaviour", "reason"), ENDLESS.values(), ids=ENDLESS.keys())
@pytest.mark.parametrize("call", [list_channels, create])
async def test_an_answer_has_a_deadline_and_is_not_asked_for_again(
    call: Call, behaviour: Behaviour, reason: str
) -> None:
    with ScriptedServer(otherwise=behaviour) as server:
        async with mosend(server.url, deadline=0.3) as api:
            with pytest.raises((ApiConnectionError, ApiAnswerError), match=reason) as raised:
                await call(api)
    assert (raised.value.in_doubt, len(server.requests)) == (call is create, 1)


@pytest.mark.parametrize(("seconds", "shown"), [(0.3, "0.3 s"), (120, "120 s"), (1400.4, "1,400 s")])
def test_a_deadline_is_shown_as_a_number_that_people_write(seconds: float, shown: str) -> None:
    assert in_seconds(seconds) == shown


async def test_an_error_that_never_ends_is_told_by_its_status() -> None:
    with ScriptedServer(otherwise=trickling(CHUNKED.replace(b"200", b"403"), b"1\r\n[\r\n")) as server:
        async with mosend(server.url, deadline=0.3) as api:
            with pytest.raises(ApiStatusError, match="HTTP 403"):
                await list_channels(api)


LARGE: Final = b" " * (65 * 1024 * 1024)


@cache
def bomb() -> bytes:
    return gzip.compress(LARGE)


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("packed", [True, False])
async def test_an_answer_that_is_too_large_is_given_up_and_not_asked_for_again(packed: bool) -> None:
    behaviour = answer(200, bomb(), {"Content-Encoding": "gzip"}) if packed else answer(200, LARGE)
    error, requests = await failure_of(list_channels, otherwise=behaviour)
    assert isinstance(error, ApiAnswerError)
    assert "HTTP 200, but the response is larger than 64 MiB" in str(error)
    assert requests == 1


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd"])
async def test_a_compression_that_was_not_asked_for_is_not_unpacked(encoding: str) -> None:
    behaviour = answer(200, gzip.compress(bomb()), {"Content-Encoding": encoding})
    for ask in (create, list_channels):
        error, requests = await failure_of(ask, otherwise=behaviour)
        assert (f"compressed with {encoding}, which wasn't requested" in str(error), requests) == (True, 1)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return without_proxies(monkeypatch)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls") / "own.pem")


@contextmanager
def tls_server(certificate: Path) -> Iterator[tuple[str, list[bool]]]:
    """A server behind TLS that lists no channel; the list has whether each handshake came to its end."""
    context = context_of(certificate)
    handshakes: list[bool] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                try:
                    with context.wrap_socket(peer, server_side=True) as connection:
                        handshakes.append(True)
                        connection.recv(65536)
                        connection.sendall(
                            b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n" + b'{"data": []}'
                        )
                except ssl.SSLError:
                    handshakes.append(False)

    listener = socket.create_server(("127.0.0.1", 0))
    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", handshakes
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        serving.join()


@pytest.mark.parametrize("call", [list_channels, create])
async def test_a_certificate_that_is_not_trusted_is_final(
    environment: pytest.MonkeyPatch, certificate: Path, call: Call
) -> None:
    environment.delenv("SSL_CERT_FILE", raising=False)
    environment.delenv("SSL_CERT_DIR", raising=False)
    with tls_server(certificate) as (url, handshakes):
        async with Mosend(
            organization="org", base_url=url, key=Secret(KEY), environment=Environment(sleep=FakeTime().sleep)
        ) as api:
            with pytest.raises(ApiConnectionError, match="certificate") as raised:
                await call(api)
    assert "SSL_CERT_FILE" in raised.value.hint
    assert (raised.value.in_doubt, raised.value.attempts, handshakes) == (False, 1, [False])


async def test_an_authority_of_ones_own_is_trusted(environment: pytest.MonkeyPatch, certificate: Path) -> None:
    environment.setenv("SSL_CERT_FILE", str(certificate))
    with tls_server(certificate) as (url, handshakes):
        async with Mosend(organization="org", base_url=url, key=Secret(KEY)) as api:
            assert await api.list_channels() == ()
    assert handshakes == [True]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HTTPS_PROXY", "canary://proxy", "the proxy settings aren't valid"),
        ("HTTPS_PROXY", "http://user:canary/rest@proxy", "the proxy settings aren't valid"),
        ("HTTPS_PROXY", "socks5://user:canary@proxy", "a SOCKS proxy needs the package socksio, which isn't installed"),
        pytest.param(
            *("SSL_CERT_FILE", "/nonexistent/file", "can't read the certificates: No such file or directory"),
            marks=pytest.mark.skipif(httpx.__version__ < "0.28", reason="httpx ignored a missing file before 0.28"),
        ),
    ],
)
def test_variables_that_no_connection_can_be_made_with_are_named_and_not_quoted(
    environment: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    environment.setenv(variable, value)
    with pytest.raises(InputError) as raised:
        Mosend(organization="org", base_url="https://127.0.0.1:9", key=Secret(KEY))
    (problem,) = raised.value.problems
    assert problem.message == said
    assert problem.hint
    assert "canary" not in f"{raised.value} {problem.hint}"


STORE = """
import asyncio, sys
from webchat_sync.api import Mosend
from webchat_sync.model import Secret

async def listed():
    async with Mosend(organization="org", base_url=sys.argv[1], key=Secret("mk_test_a.b")) as api:
        print(await api.list_channels())

asyncio.run(listed())
"""


def test_an_authority_in_the_store_of_the_system_is_trusted(certificate: Path) -> None:
    store = ssl.get_default_verify_paths().openssl_cafile
    known = [each for each in (store, "/etc/ssl/certs/ca-certificates.crt") if Path(each).is_file()]
    if os.geteuid() != 0 or not known or not shutil.which("unshare"):
        pytest.skip("the store can be another one for a single process only as root, with unshare")
    binds = " && ".join(f'mount --bind "{certificate}" "{each}"' for each in known)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT_")}
    with tls_server(certificate) as (url, handshakes):
        command = ["unshare", "-m", "sh", "-c", f'{binds} && exec "$@"', "sh", sys.executable, "-c", STORE, url]
        done = subprocess.run(command, env={**environ, "NO_PROXY": "*"}, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no other store can be made here: {done.stderr}")
    assert (done.stdout, handshakes) == ("()\n", [True]), done.stderr


@pytest.mark.parametrize("base_url", ["http://localhost:1", "http://127.8.0.1", "http://[::1]:80", "HTTP://LOCALHOST"])
def test_http_is_for_this_machine(base_url: str) -> None:
    mosend(base_url)


NO_HTTP = "must begin with https:// because over http:// the API key could be read in transit"


@pytest.mark.parametrize(
    ("base_url", "wrong"),
    [
        ("", ["must begin with http:// or https://"]),
        ("api.mosend.dev", ["must begin with http:// or https://"]),
        ("ftp://api.mosend.dev", ["must begin with http:// or https://"]),
        ("https:///organizations", ["has no host"]),
        ("https://me:canary@api.mosend.dev", ["must not contain a user name or password"]),
        ("https://me@host/?a=b", ["must not contain a user name or password", "must not contain a query or fragment"]),
        ("https://api.mosend.dev#", ["must not contain a query or fragment"]),
        ("http://api.mosend.dev", [NO_HTTP]),
        ("http://192.168.0.7:8765", [NO_HTTP]),
        ("http://localhost.example.com", [NO_HTTP]),
        ("http://[2001:db8::1]", [NO_HTTP]),
        ("https://api.mosend.dev:port", ["has a port that isn't a number"]),
        ("https://me:canary/rest@api.mosend.dev", ["has a port that isn't a number"]),
        ("https://[canary]", ["isn't a valid URL"]),
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
    assert len(raised.value.problems) == 3
    assert "API key" in raised.value.problems[2].message
    assert "can" not in raised.value.problems[2].message
    assert "MOSEND_API_KEY" in raised.value.problems[2].hint


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
    error, _ = await failure_of(open_session, otherwise=behaviour)
    printed = "".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])
    assert "***" in printed
    assert KEY_PART not in printed
    assert IDENTITY_SECRET not in printed


async def test_no_receipt_repeats_a_secret_that_the_server_sends_back() -> None:
    channel = {"id": "c1", "name": "Support"}
    with ScriptedServer(data(channel, 201, {"X-Request-Id": f"r-1/{KEY}"})) as server:
        async with mosend(server.url) as api:
            created = await api.create_channel({"name": "Support"}, idempotency_key="once")
    assert (created.status, created.request_id) == (201, "r-1/***")


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
