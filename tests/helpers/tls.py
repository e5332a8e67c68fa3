"""Servers with TLS on loopback, with a self-signed certificate."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit


def make_certificate(file: Path) -> Path:
    """A certificate for 127.0.0.1 and localhost and its key, in one ``file``."""
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext {names}"
    made = subprocess.run(
        [shutil.which("openssl") or "openssl", *words.split(), "-keyout", "-", "-out", "-"],
        capture_output=True,
        check=True,
    )
    file.write_bytes(made.stdout)
    return file


def context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@contextmanager
def behind_tls(url: str, certificate: Path) -> Iterator[str]:
    """The URL of a TLS server that passes everything on to the plain HTTP server at ``url``."""
    upstream = urlsplit(url)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(upstream.hostname, upstream.port)
        await asyncio.gather(pass_on(reader, inner_writer), pass_on(inner_reader, writer))

    async def serve() -> None:
        async with await asyncio.start_server(meet, sock=listener, ssl=context_of(certificate)):
            ready.set()
            await asyncio.to_thread(ending.wait)

    listener = socket.create_server(("127.0.0.1", 0))
    ready, ending = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        ending.set()
        thread.join()
