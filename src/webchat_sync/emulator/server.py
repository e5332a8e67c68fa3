"""Runs an ASGI app as a real HTTP server in this process."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from webchat_sync.emulator.front import TRANSPORT
from webchat_sync.errors import WebchatSyncError


class _Protocol(H11Protocol):
    """uvicorn's HTTP/1.1 with access to a connection's transport, so that the app can hang up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _Server(uvicorn.Server):
    """uvicorn's server, except that it ends at once: its own takes up to 0.2 s, even if nothing is running."""

    _ticks: asyncio.Task[None] | None = None

    async def main_loop(self) -> None:
        # What fails in a connection, such as one too many for the system, concerns its client; asyncio would print it.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        self._ticks = asyncio.create_task(super().main_loop())
        with suppress(asyncio.CancelledError):
            await self._ticks

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in self.servers:
            listening.close()
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # idle connections are closed by then
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(0.01)
        for task in self.server_state.tasks:
            task.cancel()

    def end(self) -> None:
        """Ask it to end, from another thread."""
        self.should_exit = True
        if self._ticks is not None:
            with suppress(RuntimeError):  # it has ended
                self._ticks.get_loop().call_soon_threadsafe(self._ticks.cancel)


def _reason(error: OSError) -> str:
    """Why the port isn't free, without the address that asyncio adds."""
    return (error.strerror or str(error)).partition(" (while")[0]


@contextmanager
def serve(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve ``app`` from a thread while the block runs, and yield its base URL; port 0 is any free one.

    The socket listens before the block starts. Calls that are running at its end have one second to finish. Raises
    WebchatSyncError if the port isn't available, and at the end, what the server failed with.
    """
    with _serving(app, host, port) as (base_url, _):
        yield base_url


@contextmanager
def _serving(app: ASGIApp, host: str, port: int) -> Iterator[tuple[str, Future[None]]]:
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        hint = "Choose another port with --port." if port else ""  # any free port was asked for
        raise WebchatSyncError(f"can't listen on {host}:{port}: {_reason(error)}", hint=hint) from error
    server = _Server(_quiet(app))
    with listener, ThreadPoolExecutor(1, "webchat-sync-emulator") as threads:
        # Connections inherit this; asyncio only sets it on sockets with an explicit protocol number.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address, chosen_port = listener.getsockname()[:2]
        running = threads.submit(server.run, [listener])
        running.add_done_callback(lambda _: listener.close())  # clients would wait for a server that failed
        try:
            yield f"http://{address}:{chosen_port}", running
        finally:
            server.end()
            running.result()  # raises what it failed with, rather than what a client made of that


def serve_forever(app: ASGIApp, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve ``app`` until Ctrl-C, SIGTERM or a failure; ``on_ready`` gets the base URL. Only for the main thread."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt), _serving(app, host, port) as (base_url, running):
            on_ready(base_url)
            while not running.done():  # an endless wait misses a signal that arrives just before it
                time.sleep(0.5)
    finally:
        signal.signal(signal.SIGTERM, before)


def _quiet(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        # Ordered faults needn't be logged, and a bug in the app is in its 500 response.
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # Longer than any client's pause, so that no request arrives while its connection is being closed.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
