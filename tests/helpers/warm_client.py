"""Stands in for a Python that ``warm_server.py`` forks: ``python -I -S warm_client.py SOCKET ARGUMENTS…``.

It hands over its arguments, environment, folder and standard files, passes on signals, and ends as the fork ends.
"""

from __future__ import annotations

# `socket` would take longer to import than everything else here together.
import _socket
import marshal
import os
import signal
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main(address: str, *arguments: str) -> None:
    """Have the program run, and end as it does."""
    server = _socket.socket(_socket.AF_UNIX)
    server.connect(address)
    umask = os.umask(0)
    os.umask(umask)
    request = marshal.dumps((arguments, dict(os.environ), os.getcwd(), umask))  # noqa: PTH109 - pathlib takes long to import
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    server.sendmsg([len(request).to_bytes(4, sys.byteorder)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    sent = 0
    while sent < len(request):
        sent += server.send(request[sent:])
    process = _number(server)
    for each in PASSED_ON:
        signal.signal(each, lambda number, _: os.kill(process, number))
    code = _number(server)
    if code < 0:
        if -code in PASSED_ON:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _number(server: _socket.socket) -> int:
    received = b""
    while len(received) < 4:
        part = server.recv(4 - len(received))
        if not part:
            raise EOFError("the process that is forked has ended")
        received += part
    return int.from_bytes(received, sys.byteorder, signed=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
