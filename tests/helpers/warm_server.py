"""The process that ``warm_python.py`` starts: ``python -I warm_server.py SOCKET``, the number of a listening socket.

It imports webchat-sync, and forks for each ``warm_client.py`` that connects, until its stdin is closed.
"""

from __future__ import annotations

import atexit
import gc
import marshal
import os
import pkgutil
import runpy
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module
from select import select
from typing import Final

import webchat_sync
from webchat_sync.render.html import document

COLD: Final = ("__main__", "emulator", "preview")
"""The parts of the package that few runs need."""
LATE: Final = ("anyio._backends._asyncio", "httpx", "jinja2", "jsonschema", "rich.progress")
"""What the others import inside functions."""


def prepare() -> None:
    """Import and compile what runs need."""
    for module in pkgutil.walk_packages(webchat_sync.__path__, "webchat_sync."):
        if not module.name.removeprefix("webchat_sync.").startswith(COLD):
            import_module(module.name)
    for name in LATE:
        import_module(name)
    templates = document._environment()  # noqa: SLF001 - compiling them takes longer than most runs
    for name in templates.list_templates(extensions=["html"]):
        templates.get_template(name)
    gc.collect()
    gc.freeze()


def serve(listener: socket.socket) -> socket.socket:
    """Fork for each client, and tell it how its fork ended; returns the client in the fork."""
    running: dict[int, socket.socket] = {}
    woken, wakes = socket.socketpair()
    woken.setblocking(False)
    wakes.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    while True:
        ready, _, _ = select([sys.stdin, listener, woken], [], [])
        if sys.stdin in ready:
            sys.exit()
        if woken in ready:
            woken.recv(4096)
            reap(running)
        if listener in ready:
            client, _ = listener.accept()
            process = os.fork()
            if not process:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return client
            running[process] = client
            tell(client, process)


def reap(running: dict[int, socket.socket]) -> None:
    """Tell the clients of the forks that have ended."""
    while running:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        with running.pop(process) as client:
            tell(client, os.waitstatus_to_exitcode(status))


def tell(client: socket.socket, number: int) -> None:
    """Send the number, unless the client has been killed."""
    with suppress(OSError):
        client.sendall(number.to_bytes(4, sys.byteorder, signed=True))


def become(client: socket.socket) -> list[str]:
    """Take over what the client has; returns its arguments after ``-I``."""
    size, files, _, _ = socket.recv_fds(client, 4, 3)
    with client, client.makefile("rb") as stream:
        request = stream.read(int.from_bytes(size, sys.byteorder))
    arguments, environ, folder, umask = marshal.loads(request)  # noqa: S302 - from our own client
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    for name, mode, buffering in (("stdin", "r", -1), ("stdout", "w", -1), ("stderr", "w", 1)):
        before = getattr(sys, name)
        how = {"encoding": before.encoding, "errors": before.errors, "closefd": False}
        setattr(sys, name, open(before.fileno(), mode, buffering, **how))  # noqa: PTH123, SIM115 - has no path, stays open
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    return list(arguments[1:])


def run(argv: list[str]) -> int:
    """Run a program like ``python ARGV…``; returns its exit code."""
    try:
        if argv[0] == "-m":
            sys.argv = argv[1:]
            runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = argv
            runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        return ended.code
    return 0


if __name__ == "__main__":
    prepare()
    code = run(become(serve(socket.socket(fileno=int(sys.argv[1])))))
    # As at the end of Python, except that it would also take all modules apart, which takes long.
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public way
    sys.stdout.flush()
    os._exit(code)
