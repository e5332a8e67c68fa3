"""A third-party proxy (https://github.com/abhinavsingh/proxy.py) as a process on loopback."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
POLL_SECONDS = 0.02
_PATIENCE = 100


@dataclass(frozen=True)
class RealProxy:
    """A running proxy. ``address`` is its host and port."""

    address: str
    log: Path
    group: int

    def tunnels(self, target: str) -> int:
        """How many tunnels to ``target``, a host and a port, have ended so far."""
        return self.log.read_text(encoding="utf-8").count(f"CONNECT {target} ")

    def wait_for_tunnels(self, target: str, number: int) -> None:
        """Return once that many have ended."""
        ends = time.monotonic() + _PATIENCE
        while self.tunnels(target) < number:
            assert time.monotonic() < ends, self.log.read_text(encoding="utf-8")
            time.sleep(POLL_SECONDS)

    def freeze(self) -> None:
        """Stop it: the system still accepts connections for it."""
        os.killpg(self.group, signal.SIGSTOP)


@contextmanager
def real_proxy(folder: Path, *options: str) -> Iterator[RealProxy]:
    """A proxy with its files in ``folder``; skips the test if it isn't installed."""
    if importlib.util.find_spec("proxy") is None:
        pytest.skip("the proxy `proxy.py` is not installed")
    port, log = folder / "proxy.port", folder / "proxy.log"
    words = f"--hostname 127.0.0.1 --port 0 --port-file {port} --num-workers 1 --num-acceptors 1 --log-file {log}"
    process = subprocess.Popen(
        [sys.executable, "-m", "proxy", *words.split(), *options],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        ends = time.monotonic() + _PATIENCE
        while not (port.exists() and port.read_text(encoding="utf-8").strip()):
            assert process.poll() is None and time.monotonic() < ends, "the proxy does not start"  # noqa: PT018
            time.sleep(POLL_SECONDS)
        yield RealProxy(f"127.0.0.1:{port.read_text(encoding='utf-8').strip()}", log, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment without any proxy in it."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch
