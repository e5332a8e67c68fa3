"""A second server for the API's channel calls, independent of the emulator and deliberately different.

It shares no code with the package. It follows the published API and does everything else differently: it normalises
values, returns keys in another order and without nulls, adds unknown keys, and sends no rate-limit headers.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from socketserver import BaseServer
from typing import Any

CREATE_FIELDS = ("name", "color", "welcomeMessage", "allowedDomains", "precaptureEnabled", "botEnabled", "enabled")
DEFAULTS: dict[str, Any] = {
    "name": "",
    "color": "#111111",
    "welcomeMessage": "Hi!",
    "allowedDomains": [],
    "precaptureEnabled": True,
    "botEnabled": True,
    "enabled": True,
    "identityRequired": False,
    "operatingHours": None,
    "offlineAction": {"type": "none"},
    "offlineMessage": None,
    "offlineMessageLunch": None,
    "prechatFields": None,
    "departments": None,
    "proactiveTriggers": None,
    "linkEmailBannerEnabled": True,
    "requireEmailUpfront": False,
    "typingIndicatorEnabled": False,
    "readReceiptEnabled": False,
    "voiceNotesEnabled": True,
    "offlineReplyEmailEnabled": True,
    "bubblePosition": "left",
    "bubbleOffsetBottom": 20,
    "bubbleOffsetX": 20,
    "theme": "light",
}
NULLABLE = {name for name, value in DEFAULTS.items() if value is None} | {"bubbleOffsetBottom", "bubbleOffsetX"}
LENGTHS = {"name": 100, "welcomeMessage": 500, "offlineMessage": 500, "offlineMessageLunch": 500}
CHOICES = {"bubblePosition": ("left", "right"), "theme": ("light", "dark", "auto")}
KEYED_LISTS = ("prechatFields", "departments", "proactiveTriggers")
OBJECTS = ("operatingHours",)


@dataclass(frozen=True)
class ForeignCall:
    """One request; ``body`` is None if there was none."""

    method: str
    path: str
    body: Any


@dataclass
class ForeignServer:
    """The running server: its URL, its data, and every call in order."""

    stored: dict[str, list[dict[str, Any]]]
    url: str = ""
    calls: list[ForeignCall] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    last_number: int = 1000

    def channels(self, organization: str) -> list[dict[str, Any]]:
        """A copy of the organisation's data, including nulls."""
        with self.lock:
            copied: list[dict[str, Any]] = json.loads(json.dumps(self.stored.get(organization, [])))
        return copied

    def number(self) -> int:
        self.last_number += 1
        return self.last_number


class RefusedError(Exception):
    def __init__(self, status: int, message: str | list[str]) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


@contextmanager
def foreign_server(channels_by_organization: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[ForeignServer]:
    """Serve these channels, with missing defaults and ids added, on a free loopback port."""
    server = ForeignServer(stored={})
    for organization, channels in channels_by_organization.items():
        server.stored[organization] = [{**new_channel(server, organization), **each} for each in channels]
    http_server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, server))
    server.url = f"http://127.0.0.1:{http_server.server_address[1]}"
    thread = threading.Thread(target=partial(http_server.serve_forever, poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http_server.shutdown()
        http_server.server_close()
        thread.join()


def new_channel(server: ForeignServer, organization: str) -> dict[str, Any]:
    number = server.number()
    read_only = {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "token": f"tok{number}",
        "phoneNumberId": f"phone-{number}",
        "organizationId": organization,
        "avatarUrl": None,
        "createdAt": "2026-01-01T00:00:00+00:00",
        "updatedAt": "2026-01-01T00:00:00+00:00",
    }
    return {**json.loads(json.dumps(DEFAULTS)), **read_only}


def complaint(name: str, value: object) -> str | None:
    """Why the server rejects that value of that field."""
    if value is None:
        return None if name in NULLABLE else f"{name} should not be null"
    if name in KEYED_LISTS:
        good = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    elif name == "allowedDomains":
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
    elif name in OBJECTS:
        good = isinstance(value, dict)
    elif name == "offlineAction":
        good = isinstance(value, dict | str)
    elif name in CHOICES:
        good = value in CHOICES[name]
    elif name.startswith("bubbleOffset"):
        good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 400
    elif name in LENGTHS:
        good = isinstance(value, str) and len(value) <= LENGTHS[name]
    elif name == "color":
        good = isinstance(value, str) and re.fullmatch(r"#([0-9a-fA-F]{3}){1,2}", value) is not None
    else:
        good = isinstance(value, bool)
    return None if good else f"{name} is not acceptable"


def validated(body: object, accepted: Sequence[str]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise RefusedError(400, "body must be an object")
    wrong = [f"property {name} should not exist" for name in body if name not in accepted]
    wrong += [text for name in body if name in accepted and (text := complaint(name, body[name]))]
    if wrong:
        raise RefusedError(400, wrong)
    return body


def normalised(server: ForeignServer, name: str, value: object) -> object:
    if name in KEYED_LISTS and isinstance(value, list):
        return [{**item, "id": item.get("id") or str(server.number())} for item in value]
    if isinstance(value, list):
        return [host.strip().lower() for host in value]
    if isinstance(value, str):
        return value.strip().lower() if name == "color" else value.strip()
    return value


def answered(value: object) -> object:
    """Without nulls, keys from z to a, at every depth."""
    if isinstance(value, dict):
        return {key: answered(value[key]) for key in sorted(value, reverse=True) if value[key] is not None}
    return [answered(item) for item in value] if isinstance(value, list) else value


def shown(channel: Mapping[str, Any]) -> object:
    return answered({**channel, "widgetVersion": "7.1.0", "_links": {"self": f"/wc/{channel['id']}"}})


def respond(server: ForeignServer, method: str, path: str, body: object) -> tuple[int, object]:
    """The status and the data of the response."""
    route = re.fullmatch(r"/organizations/([^/]+)/web-chat/channels(?:/([^/]+)(/snippet|/identity-secret)?)?", path)
    if route is None:
        raise RefusedError(404, f"no such route: {path}")
    organization, channel_id, part = route.groups()
    channels = server.stored.setdefault(organization, [])
    if channel_id is None:
        return respond_for_all(server, organization, method, body)
    channel = next((each for each in channels if each["id"] == channel_id), None)
    if channel is None:
        raise RefusedError(404, "channel not found")
    match method, part:
        case "PATCH", None:
            changes = validated(body, tuple(DEFAULTS))
            channel.update({name: normalised(server, name, value) for name, value in changes.items()})
            return 200, shown(channel)
        case "DELETE", None:
            channels.remove(channel)
            return 200, None
        case "GET", "/snippet":
            return 200, {"html": f"<script data-channel='{channel['token']}'></script>"}
        case "POST", "/identity-secret":
            return 201, {"secret": f"foreign-{server.number()}", "rotatedAt": "2026-01-02T00:00:00+00:00"}
        case "DELETE", "/identity-secret":
            return 200, None
    raise RefusedError(404, f"no such route: {method} {path}")


def respond_for_all(server: ForeignServer, organization: str, method: str, body: object) -> tuple[int, object]:
    if method == "GET":
        return 200, [shown(each) for each in server.stored[organization]]
    if method != "POST":
        raise RefusedError(404, f"no such route: {method}")
    fields = validated(body, CREATE_FIELDS)
    if not str(fields.get("name", "")).strip():
        raise RefusedError(400, ["name should not be empty"])
    changes = {name: normalised(server, name, value) for name, value in fields.items()}
    channel = {**new_channel(server, organization), **changes}
    server.stored[organization].append(channel)
    return 201, shown(channel)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def __init__(self, foreign: ForeignServer, request: socket, client: tuple[str, int], server: BaseServer) -> None:
        self.foreign = foreign
        super().__init__(request, client, server)

    def answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        envelope: dict[str, Any] = {"trace": "c0ffee", "timestamp": "2026-01-01T00:00:00+00:00"}
        try:
            with self.foreign.lock:
                body = parsed(raw)
                self.foreign.calls.append(ForeignCall(self.command, path, body))
                authorised(self.headers.get("X-Api-Key"), self.headers.get("Authorization"))
                status, data = respond(self.foreign, self.command, path, body)
            envelope |= {"data": data}
        except RefusedError as refusal:
            status = refusal.status
            envelope |= {"statusCode": status, "error": "Refused", "message": refusal.message, "path": path}
        content = json.dumps(envelope).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Handles every method (``do_GET``, ``do_PATCH``) in one place."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        return


def parsed(raw: bytes) -> object:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        raise RefusedError(400, "not JSON") from None


def authorised(key: str | None, bearer: str | None) -> None:
    if not re.fullmatch(r"mk_(live|test)_\w+\.\w+", key or "") and not (bearer or "").startswith("Bearer "):
        raise RefusedError(401, "no key")
