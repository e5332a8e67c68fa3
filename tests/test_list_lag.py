"""A list that is older than the calls before it, as of a server with replicas: no reason to create a second channel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from commands import Emulated, emulated
from fake_time import FakeTime
from webchat_sync.create_once import LOOKS
from webchat_sync.emulator import Fault, Faults
from webchat_sync.emulator.effects import Effect

CHANNELS = "/organizations/acme/web-chat/channels"
BEFORE = {"id": "c-1", "name": "Support", "enabled": True, "theme": "light", "allowedDomains": []}


def outdated(*channels: dict[str, Any]) -> Effect:
    """The answer of a replica that only has these channels."""

    async def act(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await JSONResponse({"data": list(channels), "timestamp": "2026-11-02T12:00:00Z"})(scope, receive, send)

    return act


def lists(first: int, last: int, *channels: dict[str, Any]) -> Faults:
    """The lists with these numbers are outdated."""
    return Faults([Fault(outdated(*channels), "GET", CHANNELS, frozenset(range(first, last + 1)))])


def manifest(folder: Path, channel: str) -> Path:
    file = folder / "channels.yaml"
    file.write_text(f"version: 1\norganization: acme\nchannels:\n  - {channel}\n", encoding="utf-8")
    return file


def applied(api: Emulated, file: Path, *options: str) -> Any:
    time = FakeTime()
    return api.invoke("apply", file, "--auto-approve", *options, sleep=time.sleep, clock=time.clock)


def names(api: Emulated) -> list[object]:
    return [channel["name"] for channel in api.store.channels("acme")]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("channels", "declared"),
    [
        ((), "{name: Support}"),
        ((BEFORE,), "{name: Support, theme: dark}"),
        ((BEFORE,), "{name: Support, sync: {state: absent}}"),
    ],
    ids=["create", "update", "delete"],
)
def test_an_outdated_list_is_read_again(tmp_path: Path, channels: tuple[dict[str, Any], ...], declared: str) -> None:
    with emulated(*channels, faults=lists(2, 3, *channels)) as api:
        done = applied(api, manifest(tmp_path, declared))
        assert (done.code, "Apply complete!" in done.out) == (0, True), done.out + done.err
        assert [method for method in api.taken_calls() if method != "GET"] != []


def test_a_created_channel_that_is_never_listed_is_not_created_again(tmp_path: Path) -> None:
    file = manifest(tmp_path, "{name: Support}")
    read = len(LOOKS)
    with emulated(faults=lists(1, 1 + read + 1)) as api:
        done = applied(api, file)
        (channel,) = api.store.channels("acme")
        assert done.code == 3
        assert f'It was created with the id "{channel["id"]}"' in done.out
        assert "pinned" not in done.out
        again = applied(api, file)
        assert (again.code, names(api)) == (5, ["Support"])
        assert f"an earlier apply created this channel (id {channel['id']}), and it hasn't been listed" in again.err
        # The next list has it.
        listed = applied(api, file)
        assert (listed.code, names(api)) == (0, ["Support"])
        # From now on it's a channel like any other: whoever deletes it in the dashboard gets it back.
        api.store.delete("acme", str(channel["id"]))
        assert applied(api, file).code == 0
        assert names(api) == ["Support"]


def test_a_created_channel_that_could_not_be_verified_is_not_created_again(tmp_path: Path) -> None:
    file = manifest(tmp_path, "{name: Support}")
    faults = Faults([Fault(outdated({"id": 1}), "GET", CHANNELS, 2), Fault(outdated(), "GET", CHANNELS, 3)])
    with emulated(faults=faults) as api:
        assert applied(api, file).code == 3
        assert (applied(api, file).code, names(api)) == (5, ["Support"])
        assert applied(api, file, "--allow-lookalikes").code == 0


def test_who_wants_it_back_gets_it(tmp_path: Path) -> None:
    file = manifest(tmp_path, "{name: Support}")
    with emulated(faults=lists(1, 1 + len(LOOKS))) as api:
        assert applied(api, file).code == 3
        api.store.delete("acme", str(api.store.channels("acme")[0]["id"]))
        assert applied(api, file).code == 5
        assert applied(api, file, "--allow-lookalikes").code == 0
        assert names(api) == ["Support"]
