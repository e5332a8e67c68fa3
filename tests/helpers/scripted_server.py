"""A real HTTP server on loopback that does what a test tells it, and remembers what it was sent.

    with ScriptedServer(drop(), data([])) as server:
        ...                                 # first request: no answer; second: 200 {"data": []}
        assert [each.method for each in server.requests] == ["GET", "GET"]

Each request is met by the next :data:`Behaviour` of the script; once the script is used up, by ``otherwise``. A
behaviour is any function of the request and the connection, so a test can route by itself:

    def route(request: Request, connection: Connection) -> None:
        (data([]) if request.method == "GET" else drop())(request, connection)

    with ScriptedServer(otherwise=route) as server: ...

The server runs in threads, so it serves code that blocks and code that does not.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from types import TracebackType
from typing import Final, TypeAlias

POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Request:
    """A request as it came: ``target`` is undecoded, the names in ``headers`` are lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        return json.loads(self.body)


class Connection:
    """The connection that a request came on."""

    def __init__(self, peer: socket.socket, closing: threading.Event) -> None:
        self._peer = peer
        self._reader: BufferedReader = peer.makefile("rb")
        self._closing = closing

    def send(self, content: bytes) -> None:
        self._peer.sendall(content)

    def wait(self, released: threading.Event) -> None:
        """Returns when ``released`` is set or the server stops."""
        while not released.wait(POLL_SECONDS) and not self._closing.is_set():
            pass

    def close(self) -> None:
        """Ends the connection: the client sees the end of the stream."""
        self._reader.close()
        self._peer.close()

    def reset(self) -> None:
        """Breaks the connection: the client sees a reset, because closing lingers for no time."""
        self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def stop_reading(self) -> None:
        """Wakes whoever waits for a request on this connection."""
        with suppress(OSError):  # It may already be closed.
            self._peer.shutdown(socket.SHUT_RD)

    def next_request(self) -> Request | None:
        """The next request, or None when there is none to come."""
        if self._reader.closed or not (line := self._reader.readline()):
            return None
        method, target, _ = line.decode("ascii").split()
        # http.client's parser is made for e-mail, and slower.
        headers: dict[str, str] = {}
        while (header := self._reader.readline().decode("latin-1")).strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        return Request(method, target, headers, self._reader.read(int(headers.get("content-length", "0"))))


Behaviour: TypeAlias = Callable[[Request, Connection], None]


def raw(content: bytes, *, close: bool = False) -> Behaviour:
    """Sends ``content`` as it is, and keeps the connection unless it is told to ``close``."""

    def behave(_: Request, connection: Connection) -> None:
        connection.send(content)
        if close:
            connection.close()

    return behave


def answer(status: int, body: bytes | str = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    """A well-formed answer. A body is called JSON unless ``headers`` says otherwise."""
    return raw(_written(status, body, headers))


def data(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Behaviour:
    """A success in the API's envelope."""
    return answer(status, json.dumps({"data": value, "timestamp": "2026-07-01T00:00:00.000Z"}), headers)


def failure(status: int, message: str | list[str], headers: Mapping[str, str] | None = None) -> Behaviour:
    """An error in the API's form."""
    return answer(status, json.dumps({"statusCode": status, "error": "Error", "message": message}), headers)


def cut(status: int, body: bytes | str, missing: int, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Promises the whole of ``body``, and closes the connection before its last ``missing`` bytes."""
    return raw(_written(status, body, headers)[:-missing], close=True)


def drop() -> Behaviour:
    """Closes the connection without a word."""
    return lambda _, connection: connection.close()


def reset() -> Behaviour:
    """Breaks the connection without a word."""
    return lambda _, connection: connection.reset()


def held(released: threading.Event, then: Behaviour) -> Behaviour:
    """Waits until the test sets ``released``, then does ``then``."""

    def behave(request: Request, connection: Connection) -> None:
        connection.wait(released)
        then(request, connection)

    return behave


def trickling(head: bytes, piece: bytes) -> Behaviour:
    """Sends ``head``, then ``piece`` again and again, for as long as somebody listens."""

    def behave(_: Request, connection: Connection) -> None:
        connection.send(head)
        for _number in range(500):
            connection.send(piece)
            time.sleep(0.01)

    return behave


CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS: Final = {
    "1xx for ever": (
        trickling(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
        r"no response from 127\.0\.0\.1:\d+ within 0\.3 s",
    ),
    "a header for ever": (
        trickling(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        r"no response from 127\.0\.0\.1:\d+ within 0\.3 s",
    ),
    "a byte at a time": (trickling(CHUNKED, b"1\r\n[\r\n"), r"the response didn't finish within 0\.3 s"),
}
"""Responses without an end, and what's said of each after a deadline of 0.3 s."""


def silence() -> Behaviour:
    """Never answers, and keeps the connection until the server stops."""
    return held(threading.Event(), drop())


class ScriptedServer:
    """See the module. ``requests`` grows as they come; ``url`` ends without a slash."""

    def __init__(self, *script: Behaviour, otherwise: Behaviour | None = None) -> None:
        self.requests: list[Request] = []
        self._script = iter(script)
        self._otherwise = otherwise or failure(500, "the test's script has no answer for this request")
        self._closing = threading.Event()
        self._turn = threading.Lock()
        self._connections: list[tuple[Connection, threading.Thread]] = []

    def __enter__(self) -> ScriptedServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(POLL_SECONDS)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._accepting.join()
        self._listener.close()
        for connection, serving in self._connections:
            connection.stop_reading()
            serving.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                peer, _ = self._listener.accept()
            except TimeoutError:
                continue
            connection = Connection(peer, self._closing)
            serving = threading.Thread(target=self._serve, args=[connection])
            self._connections.append((connection, serving))
            serving.start()

    def _serve(self, connection: Connection) -> None:
        try:
            while request := connection.next_request():
                with self._turn:
                    self.requests.append(request)
                    behave = next(self._script, self._otherwise)
                behave(request, connection)
        except ConnectionError:
            pass  # The client may disconnect.
        finally:
            connection.close()


def _written(status: int, body: bytes | str, headers: Mapping[str, str] | None) -> bytes:
    content = body.encode() if isinstance(body, str) else body
    every = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in every.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content
