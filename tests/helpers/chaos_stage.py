"""The server of the chaos tests: one real server, on which every scene is a separate organisation."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf

from anyio import CancelScope, Lock
from anyio.lowlevel import checkpoint
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fake_time import FakeTime
from webchat_sync.emulator import Fault, Faults, Quirks, Store, build_app, serve
from webchat_sync.emulator.effects import Effect
from webchat_sync.emulator.front import HangUpError, with_front
from webchat_sync.emulator.quirks import NO_QUIRKS
from webchat_sync.emulator.store import utc_now
from webchat_sync.emulator.wire import failure

ARRIVAL = "chaos.arrival"
LATE = "chaos.late"
QUIET_PASSES = 12
"""Iterations of the server's loop in which a sent call arrives, including its connection."""


@dataclass(eq=False)
class Arrival:
    """A call that has arrived; ``target`` is the name in a POST, otherwise the last part of the path."""

    method: str
    target: str
    committed: bool = False


@dataclass
class Stage:
    """The server; ``elsewhere`` is the target of redirects, where no request may arrive."""

    elsewhere: socket.socket
    url: str = ""
    apps: dict[str, ASGIApp] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop | None = None
    in_flight: int = 0

    @property
    def elsewhere_url(self) -> str:
        return f"http://localhost:{self.elsewhere.getsockname()[1]}/away"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.loop = asyncio.get_running_loop()
        self.in_flight += 1
        try:
            await self.apps[scope["path"].split("/")[2]](scope, receive, send)
        finally:
            self.in_flight -= 1

    def act(
        self,
        organization: str,
        store: Store,
        faults: Iterable[Fault] = (),
        *,
        quirks: Quirks = NO_QUIRKS,
        page_size: int | None = None,
    ) -> list[Arrival]:
        """Serve the organisation from ``store`` with these faults from now on; calls are added to the returned list."""
        arrivals = list[Arrival]()
        api = _noting_commits(build_app(store, quirks=quirks, page_size=page_size))
        self.apps[organization] = _noting(with_front(Faults(faults).around(api), lambda _: None), arrivals)
        return arrivals

    async def settled(self) -> None:
        """Wait until the server has handled every call, even those of killed clients."""
        if self.loop is not None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._quiet(), self.loop))

    async def _quiet(self) -> None:
        quiet = 0
        while quiet < QUIET_PASSES:
            await asyncio.sleep(0)
            quiet = 0 if self.in_flight else quiet + 1

    def somebody_went_elsewhere(self) -> bool:
        try:
            self.elsewhere.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@contextmanager
def open_stage() -> Iterator[Stage]:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        stage = Stage(elsewhere)
        with serve(stage) as stage.url:
            yield stage


@dataclass
class LateCommits:
    """Commits that the server makes some seconds of fake time after its response, while someone sleeps that long."""

    time: FakeTime
    waiting: list[tuple[float, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    making: Lock = field(default_factory=Lock)

    def effect(self, seconds: float) -> Effect:
        async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            if scope.setdefault(LATE, act) is not act:
                # On time: what's due is committed before anyone looks.
                await app(scope, receive, send)
                return
            remembered = _replaying(await Request(scope, receive).body(), receive)

            async def commit() -> None:
                with suppress(HangUpError):
                    await app(scope, remembered, _unheard)

            self.waiting.append((self.time.clock() + seconds, commit))
            await failure(scope["path"], "", status=504, at=utc_now())(scope, receive, send)

        return act

    async def make(self, until: float = inf) -> None:
        """Make those that are due by ``until``, in the caller's loop: any thread may use the data.

        Everyone waits while one is being made, or a look could miss what was due before it.
        """
        async with self.making:
            for each in [each for each in tuple(self.waiting) if each[0] <= until]:
                self.waiting.remove(each)
                with CancelScope(shield=True):
                    await each[1]()


def _noting(app: ASGIApp, arrivals: list[Arrival]) -> ASGIApp:
    """``app``, with every call added to ``arrivals``."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        target = str(json.loads(body)["name"]).strip() if scope["method"] == "POST" else scope["path"].split("/")[-1]
        scope[ARRIVAL] = Arrival(scope["method"], target)
        arrivals.append(scope[ARRIVAL])
        await app(scope, _replaying(body, receive), send)

    return noting


def lose_client(lose: Callable[[], object], *, after_commit: bool, half_answer: bool = False) -> Effect:
    """``lose`` ends the client during the call: before the commit, after it, or after half of the response."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        if after_commit or half_answer:
            await app(scope, receive, keep)
        if half_answer:
            start, body = messages[0], messages[1]["body"]
            await send(start)
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        lose()
        while (await receive())["type"] != "http.disconnect":
            pass

    return act


def slow(passes: int) -> Effect:
    """The call, delayed by that many iterations of the server's loop."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(passes):
            await checkpoint()
        await app(scope, receive, send)

    return act


def meanwhile(something: Callable[[], object]) -> Effect:
    """The call, right after someone else does something."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        something()
        await app(scope, receive, send)

    return act


def _noting_commits(app: ASGIApp) -> ASGIApp:
    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:
                scope[ARRIVAL].committed = True
            await send(message)

        await app(scope, receive, note)

    return noting


def _replaying(body: bytes, receive: Receive) -> Receive:
    """``receive`` as it was before the body was read."""
    bodies = iter([body])

    async def once_more() -> Message:
        for each in bodies:
            return {"type": "http.request", "body": each, "more_body": False}
        return await receive()

    return once_more


async def _unheard(_: Message) -> None:
    pass
