"""A small client of yaml-language-server, which editors use for YAML: JSON-RPC over its pipes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import IO, Any

COMMAND = "WEBCHAT_SYNC_YAML_LS"
"""The variable with the program; without it, the PATH is searched."""

SETTINGS = {"yaml": {"schemaStore": {"enable": False}, "validate": True, "hover": True, "completion": True}}
"""Nothing is fetched: the server would ask a web service which schema fits a file."""

PATIENCE = 60.0
"""Seconds after which a server counts as stuck."""


def find_server() -> tuple[str, str]:
    """The path of the program, or an empty text and why it's missing."""
    wanted = os.environ.get(COMMAND) or "yaml-language-server"
    if shutil.which("node") is None:
        return "", "node is not installed"
    return shutil.which(wanted) or "", f"{wanted} is not installed: npm install yaml-language-server, and set {COMMAND}"


@dataclass
class LanguageServer:
    """A running server. Lines and columns count from 1, as in editors and in ``validate``."""

    to: IO[bytes]
    back: IO[bytes]
    requests: int = 0
    squiggles: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def open(self, file: Path, text: str | None = None) -> list[tuple[int, str]]:
        """Open a file, or ``text`` instead, and return each marked line and its underlined text."""
        uri = file.as_uri()
        self.texts[uri] = file.read_text(encoding="utf-8") if text is None else text
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": self.texts[uri]}
        self.notify("textDocument/didOpen", {"textDocument": document})
        while uri not in self.squiggles:
            self.handle(self.receive())
        return sorted(self.squiggles.pop(uri))

    def hover(self, file: Path, line: int, word: str) -> str:
        """What the editor shows over ``word`` in that line of an open file, without Markdown's escapes."""
        column = self.texts[file.as_uri()].splitlines()[line - 1].index(word) + 1
        shown = self.ask("textDocument/hover", file, line, column)
        return re.sub(r"\\(.)", r"\1", shown["contents"]["value"])

    def complete(self, file: Path, line: int, column: int) -> list[str]:
        """What the editor offers at that position of an open file."""
        offered = self.ask("textDocument/completion", file, line, column)
        return sorted(each["label"] for each in offered["items"])

    def ask(self, method: str, file: Path, line: int, column: int) -> Any:
        position = {"line": line - 1, "character": column - 1}
        return self.request(method, {"textDocument": {"uri": file.as_uri()}, "position": position})

    def request(self, method: str, params: Mapping[str, Any]) -> Any:
        """The result of one request; the server's own requests and notifications are handled meanwhile."""
        self.requests += 1
        self.send({"id": self.requests, "method": method, "params": params})
        while "method" in (message := self.receive()):
            self.handle(message)
        assert message["id"] == self.requests
        return message["result"]

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        self.send({"method": method, "params": params})

    def handle(self, message: Mapping[str, Any]) -> None:
        """Remember problems, and respond to the server's requests."""
        if message["method"] == "textDocument/publishDiagnostics":
            uri, found = message["params"]["uri"], message["params"]["diagnostics"]
            self.squiggles[uri] = [self.underlined(uri, **each["range"]) for each in found]
        elif message["method"] == "workspace/configuration":
            settings = [SETTINGS.get(item["section"]) for item in message["params"]["items"]]
            self.send({"id": message["id"], "result": settings})
        elif "id" in message:
            self.send({"id": message["id"], "result": None})

    def underlined(self, uri: str, start: Mapping[str, int], end: Mapping[str, int]) -> tuple[int, str]:
        line = self.texts[uri].splitlines()[start["line"]]
        last = end["character"] if end["line"] == start["line"] else None
        return start["line"] + 1, line[start["character"] : last]

    def send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.to.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.to.flush()

    def receive(self) -> dict[str, Any]:
        headers = dict(line.split(b": ", 1) for line in iter(lambda: self.back.readline().strip(), b""))
        assert headers, "the language server went away"
        message: dict[str, Any] = json.loads(self.back.read(int(headers[b"Content-Length"])))
        return message


@contextmanager
def language_server(command: str) -> Iterator[LanguageServer]:
    """The server, initialised, until the block ends."""
    with subprocess.Popen([command, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            server = LanguageServer(process.stdin, process.stdout)
            capabilities = {"workspace": {"configuration": True}}
            server.request("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
            server.notify("initialized", {})
            yield server
        finally:
            watchdog.cancel()
            process.kill()
