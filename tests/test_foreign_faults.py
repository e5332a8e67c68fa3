"""A server that is not the emulator, behind a proxy that misbehaves in each way that real ones do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import get_args

import anyio
import pytest

from applying import KEY
from commands import Finished, invoke, manifest_in
from fake_time import FakeTime
from foreign_server import ForeignServer, foreign_server
from misbehaving_proxy import Misdeed, Proxy, misbehaving_proxy
from webchat_sync.cli.progress import STILL

MANIFEST = """\
version: 1
organization: acme
channels:
  - {name: Plain, color: "#0F766E", allowedDomains: [WWW.Example.com]}
  - {name: Rich, welcomeMessage: "Hola ", prechatFields: [{label: Email, required: true}], offlineMessage: null}
  - {name: Changed, theme: dark}
  - {name: Old, sync: {state: absent}}
"""
LIVE = [{"name": "Changed", "theme": "light"}, {"name": "Old"}, {"name": "Stranger"}]


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return manifest_in(tmp_path, monkeypatch, MANIFEST)


def apply_through(proxy: Proxy, manifest: Path) -> Finished:
    """An apply whose waiting takes no time, and during whose third wait a late commit is made."""

    async def commit_what_is_late() -> None:
        if len(time.waits) == 3:
            proxy.late.set()
            if proxy.pending:
                assert await asyncio.to_thread(proxy.committed_late.wait, 20)

    async def sleep(seconds: float) -> None:
        if seconds == STILL:
            await anyio.sleep_forever()
        await time.sleep(seconds)

    time = FakeTime(before_waking=commit_what_is_late)
    environ = {"MOSEND_BASE_URL": proxy.url, "MOSEND_API_KEY": KEY}
    return invoke("apply", manifest, "--auto-approve", environ=environ, sleep=sleep, clock=time.clock)


def names(server: ForeignServer) -> list[str]:
    return sorted(channel["name"] for channel in server.channels("acme"))


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("misdeed", get_args(Misdeed))
@pytest.mark.parametrize("call", [("GET", 1), ("GET", 2), ("POST", 1), ("POST", 2), ("PATCH", 1), ("DELETE", 1)])
def test_it_ends_where_it_says_whatever_happens(manifest: Path, call: tuple[str, int], misdeed: Misdeed) -> None:
    with (
        foreign_server({"acme": LIVE}) as server,
        foreign_server({}) as elsewhere,
        misbehaving_proxy(server.url, {call: misdeed}, elsewhere.url) as proxy,
    ):
        first = apply_through(proxy, manifest)
        assert first.code in (0, 3, 6)
        if misdeed != "redirect" and call != ("GET", 1):
            assert first.code == 0
        if first.code == 0:
            assert names(server) == ["Changed", "Plain", "Rich", "Stranger"]
        if first.code == 6:
            assert set(proxy.methods) == {"GET"}

        environ = {"MOSEND_BASE_URL": server.url, "MOSEND_API_KEY": KEY}
        assert invoke("apply", manifest, "--auto-approve", environ=environ).code == 0
        assert invoke("plan", manifest, "--detailed-exitcode", environ=environ).code == 0
        assert names(server) == ["Changed", "Plain", "Rich", "Stranger"]
        assert all(channel["enabled"] for channel in server.channels("acme"))
        assert elsewhere.calls == []


def test_two_channels_of_one_name_are_told_and_nothing_is_written(manifest: Path) -> None:
    with foreign_server({"acme": [{"name": "Plain"}, {"name": "Plain"}]}) as server:
        environ = {"MOSEND_BASE_URL": server.url, "MOSEND_API_KEY": KEY}
        refused = invoke("apply", manifest, "--auto-approve", environ=environ)
        assert refused.code == 1
        assert all(channel["id"] in refused.err for channel in server.channels("acme"))
        assert [call.method for call in server.calls] == ["GET"]


def test_an_edit_between_plan_and_apply_makes_the_saved_plan_stale(manifest: Path, tmp_path: Path) -> None:
    with foreign_server({"acme": LIVE}) as server:
        environ = {"MOSEND_BASE_URL": server.url, "MOSEND_API_KEY": KEY}
        assert invoke("plan", manifest, "--out", tmp_path / "plan.json", environ=environ).code == 0
        server.stored["acme"][0]["theme"] = "auto"
        assert invoke("apply", tmp_path / "plan.json", "--auto-approve", environ=environ).code == 4
        assert {call.method for call in server.calls} == {"GET"}
