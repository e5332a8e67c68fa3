"""A Python that has already imported webchat-sync: each start of it is a fork of one process.

Nine tenths of the CPU time of a short run of webchat-sync are the start of Python and imports, and pipelines start it
many times. A fork has the arguments, environment, folder and standard files of the process that it stands in for, gets
its signals, and is isolated like ``python -I``. Tests about the start itself, or about processes that are ended, use
the real interpreter, ``programs.PYTHON``; in CI and in runs of some tests, all do.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from programs import PYTHON, path_with, write_program
from sizes import with_variations

CLIENT: Final = Path(__file__).with_name("warm_client.py")
SERVER: Final = Path(__file__).with_name("warm_server.py")


def warm_python() -> str:
    """Lines of sh that become Python with the arguments ``$@``, in a run without variations by forking."""
    return PYTHON if with_variations() else forked_python()


def forked_python() -> str:
    """Lines of sh that become Python with the arguments ``$@``: a fork for ``-I -m MODULE …`` and ``-I /FILE …``."""
    fork = f'exec "{sys.executable}" -I -S "{CLIENT}" "{_address()}" "$@"'
    return f'case "$1 $2" in "-I -m" | "-I /"*) {fork} ;; esac\n{PYTHON}'


def warm_program() -> str:
    """Lines of sh that become webchat-sync with the arguments ``$@``."""
    return f'set -- -I -m webchat_sync "$@"\n{warm_python()}'


def pipeline_programs(folder: Path) -> str:
    """A PATH with the package under test, and a Python whose pip and venv do nothing."""
    write_program(folder / "webchat-sync", warm_program())
    skipped = 'case "$*" in *" pip "* | *" venv "*) exit 0 ;; esac'
    write_program(folder / "python", f"{skipped}\n{warm_python()}")
    return path_with(folder)


@cache
def _address() -> str:
    """The socket of the process that is forked, which ends with this one."""
    folder = tempfile.TemporaryDirectory(prefix="warm-", dir="/tmp")  # TMPDIR may be too long for a socket
    address = f"{folder.name}/socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)  # clients wait here until everything is imported
        server = subprocess.Popen(
            [sys.executable, "-I", str(SERVER), str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"]},
            pass_fds=[listener.fileno()],
            process_group=0,  # Ctrl-C in a terminal is for the clients, which pass it on
        )

    def end() -> None:
        server.communicate()
        folder.cleanup()

    atexit.register(end)
    return address
