from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

import loopback
from emulator_client import CHANNELS, KEY, emulated
from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.emulator import Fault, Faults, Store, build_app, effects, serve, serve_forever
from webchat_sync.errors import WebchatSyncError


def test_a_server_ends_with_its_block() -> None:
    threads = threading.active_count()
    with serve(build_app(Store(catalogue=load_catalogue()))) as base_url, loopback.client(base_url=base_url) as http:
        assert http.get(CHANNELS, headers=KEY).status_code == 200
        assert threading.active_count() > threads
    assert threading.active_count() == threads
    with pytest.raises(httpx.ConnectError):
        loopback.get(f"{base_url}{CHANNELS}")


def test_a_server_ends_with_its_block_though_a_call_hangs(capfd: pytest.CaptureFixture[str]) -> None:
    async def never(_: float) -> None:
        await asyncio.Event().wait()

    with emulated(faults=Faults([Fault(effects.delay(9, sleep=never))])) as api, pytest.raises(httpx.ReadTimeout):
        api.http.get(CHANNELS, timeout=0.05)
    assert capfd.readouterr() == ("", "")


def test_faults_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    faults = [Fault(effects.drop(), nth=1), Fault(effects.cut(), nth=2), Fault(effects.status(500), nth=3)]
    with emulated(faults=Faults(faults)) as api:
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                api.http.get(CHANNELS)
        assert api.http.get(CHANNELS).status_code == 500
    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_taken_is_an_error_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = serve(build_app(Store(catalogue=load_catalogue())), port=port)
        with pytest.raises(WebchatSyncError, match=f"127.0.0.1:{port}: Address already in use") as caught, refused:
            raise AssertionError("it listens")
    assert "--port" in caught.value.hint


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_forever_ends_with_a_signal(number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)
    served: list[int] = []

    def call_then_stop(base_url: str) -> None:
        served.append(loopback.get(f"{base_url}{CHANNELS}", headers=KEY).status_code)
        os.kill(os.getpid(), number)

    def on_ready(base_url: str) -> None:
        threading.Thread(target=call_then_stop, args=(base_url,)).start()

    serve_forever(build_app(Store(catalogue=load_catalogue())), host="127.0.0.1", port=0, on_ready=on_ready)
    assert served == [200]
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_that_arrives_just_before_the_wait_ends_serving_too() -> None:
    program = """
import _thread, threading
from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.emulator import Store, build_app, serve_forever

def on_ready(url):  # like such a signal, this is noticed by running code only: it wakes nothing that waits
    threading.Timer(0.3, _thread.interrupt_main).start()

serve_forever(build_app(Store(catalogue=load_catalogue())), host="127.0.0.1", port=0, on_ready=on_ready)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("descriptors", [5, 6, 7, 8])
def test_a_server_that_cannot_run_ends_the_program_with_a_reason(descriptors: int) -> None:
    """It needs a few more descriptors than its socket; how many depends on the system."""
    line = f'ulimit -n {descriptors}; exec "{sys.executable}" -m webchat_sync emulator --port=0'
    with subprocess.Popen(["/bin/sh", "-c", line], stderr=subprocess.PIPE, text=True) as program:
        try:
            _, err = program.communicate(timeout=4)
        except subprocess.TimeoutExpired:  # that was enough
            program.send_signal(signal.SIGINT)
            _, err = program.communicate(timeout=30)
            assert (program.returncode, err.count("\n")) == (0, 1)
        else:
            assert (program.returncode, "Too many open files" in err) == (1, True), err
    assert "Traceback" not in err


@pytest.mark.slow
def test_an_upload_that_is_wrong_prints_nothing() -> None:
    command = [sys.executable, "-m", "webchat_sync", "emulator", "--port=0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        url = program.stderr.readline().rpartition(" ")[2].strip()
        headers = {**KEY, "Content-Type": "multipart/form-data; boundary=X"}
        media = f"{url}/organizations/acme/conversations/c/web-chat/media"
        assert loopback.post(media, headers=headers, content=b"--X\r\nfoo\r\n\r\nhello\r\n--X--\r\n").status_code == 400
        program.send_signal(signal.SIGINT)
        assert program.communicate(timeout=30)[1] == ""


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "python_multipart"])
def test_without_its_extra_the_emulator_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("webchat_sync.emulator", package))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(WebchatSyncError, match=package) as caught:
        __import__("webchat_sync.emulator")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("Install webchat-sync with the extra `emulator`, for example")
