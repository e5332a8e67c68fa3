"""A Git remote over smart HTTP: Git's own http-backend behind a small server that requires a password."""

from __future__ import annotations

import os
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from repositories import ENVIRON, git

PASSWORD = "t0ken-of-the-pipeline"
PROBE = b"0000"
"""What Git sends before a large push to check its access."""


@dataclass
class GitServer:
    """``drop`` is how many responses to pushes to lose from now on, after the push took effect."""

    root: Path
    url: str = ""
    user: str = "x-access-token"
    password: str = PASSWORD
    drop: int = 0
    pushes: int = 0
    refused: int = 0
    headers: list[list[str]] = field(default_factory=list)


@contextmanager
def serve_git(root: Path, *, user: str = "x-access-token", password: str = PASSWORD) -> Iterator[GitServer]:
    """Serve the repositories in ``root`` over HTTP to that user."""
    state = GitServer(root, user=user, password=password)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, state))
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, state: GitServer, *arguments: Any) -> None:
        self.state = state
        super().__init__(*arguments)

    def handle_any(self) -> None:
        body = self._body()
        given = self.headers.get_all("Authorization", [])
        self.state.headers.append(given)
        if given != [f"Basic {b64encode(f'{self.state.user}:{self.state.password}'.encode()).decode()}"]:
            self.state.refused += 1
            self._answer(b"Status: 401 Unauthorized\r\nWWW-Authenticate: Basic realm=git\r\n\r\n")
            return
        answer = self._backend(body)
        if self.command == "POST" and self.path.endswith("git-receive-pack") and body != PROBE:
            self.state.pushes += 1
            if self.state.drop:
                self.state.drop -= 1
                # Cut in the middle, since Git itself retries a request without any response.
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.close_connection = True
                return
        self._answer(answer)

    do_GET = do_POST = handle_any

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _backend(self, body: bytes) -> bytes:
        parts = urlsplit(self.path)
        variables = {
            **ENVIRON,
            "GIT_PROJECT_ROOT": str(self.state.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "x",
            "REMOTE_ADDR": "127.0.0.1",
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        command = ["git", "http-backend"]
        return subprocess.run(command, input=body, env=variables, capture_output=True, check=True).stdout

    def _answer(self, cgi: bytes) -> None:
        head, _, body = cgi.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def have_http_backend() -> bool:
    """Whether this Git has the program."""
    return os.access(Path(git(Path(), "--exec-path")) / "git-http-backend", os.X_OK)
