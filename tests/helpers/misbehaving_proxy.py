"""A reverse proxy that misbehaves on order, with only the standard library."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from typing import Literal
from urllib.parse import urlsplit

Misdeed = Literal[
    "504 after the commit",
    "504 before the commit",
    "503 before the commit",
    "drop after the commit",
    "drop before the commit",
    "commit late",
    "cut the body",
    "HTML",
    "empty 200",
    "redirect",
]

COMMITTED = (None, "504 after the commit", "drop after the commit", "cut the body", "HTML", "empty 200")


@dataclass
class Proxy:
    """Its URL, its requests, and what to do with the nth request of a method, counted from 1."""

    upstream: str
    misdeeds: Mapping[tuple[str, int], Misdeed]
    elsewhere: str
    url: str = ""
    methods: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    pending: bool = False
    late: threading.Event = field(default_factory=threading.Event)
    committed_late: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_misdeed(self, method: str) -> Misdeed | None:
        with self.lock:
            self.counts[method] += 1
            self.methods.append(method)
            return self.misdeeds.get((method, self.counts[method]))


@contextmanager
def misbehaving_proxy(upstream: str, misdeeds: Mapping[tuple[str, int], Misdeed], elsewhere: str) -> Iterator[Proxy]:
    """Serve in front of ``upstream``; redirects go to ``elsewhere``."""
    proxy = Proxy(upstream, misdeeds, elsewhere)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, proxy))
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def __init__(self, proxy: Proxy, request: socket.socket, client: tuple[str, int], server: BaseServer) -> None:
        self.proxy = proxy
        super().__init__(request, client, server)

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        misdeed = self.proxy.next_misdeed(self.command)
        if misdeed == "commit late":
            self.proxy.pending = True
            # The handler changes with the connection's next request, so late work keeps its own copies.
            late = (self.command, self.path, self.forwarded_headers(), body)
            threading.Thread(target=self.forward_late, args=late, daemon=True).start()
        committed = misdeed in COMMITTED
        status, content = (
            self.forward(self.command, self.path, self.forwarded_headers(), body) if committed else (504, b"")
        )
        match misdeed:
            case None:
                self.send(status, content)
            case "cut the body":
                self.send(status, content[: len(content) // 2], length=len(content))
                self.close_connection = True
            case "HTML":
                self.send(200, b"<html>gateway</html>", content_type="text/html")
            case "empty 200":
                self.send(200, b"")
            case "redirect":
                self.send(307, b"", location=self.proxy.elsewhere + self.path)
            case "drop after the commit" | "drop before the commit":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
            case _:
                self.send(int(misdeed[:3]) if misdeed[:3].isdecimal() else 504, b"<h1>Bad gateway</h1>")

    def forwarded_headers(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}

    def forward(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        upstream = http.client.HTTPConnection(urlsplit(self.proxy.upstream).netloc, timeout=100)
        upstream.request(method, path, body or None, dict(headers))
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        return answer.status, content

    def forward_late(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        if self.proxy.late.wait(20):
            self.forward(method, path, headers, body)
            self.proxy.committed_late.set()

    def send(
        self,
        status: int,
        content: bytes,
        *,
        length: int | None = None,
        content_type: str = "application/json",
        location: str | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        if location is not None:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Handles every method (``do_GET``, ``do_PATCH``) in one place."""
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        return
