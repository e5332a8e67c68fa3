"""What the organisations of a run share: one client, a limit of calls at once, a pace for each key."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest
from starlette.responses import JSONResponse

from fake_time import FakeTime
from webchat_sync.api import Mosend, Network
from webchat_sync.api.http import IN_FLIGHT
from webchat_sync.emulator import serve
from webchat_sync.environment import Environment
from webchat_sync.model import Secret
from webchat_sync.redact import PIECE, KeyRing


async def read(url: str, keys: dict[str, Secret], time: FakeTime) -> dict[str, float]:
    """When the list of every organisation had come, one organisation after the other in that order."""
    environment = Environment(sleep=time.sleep, clock=time.clock, random=lambda: 0.0)
    network = Network(url, environment, keys=keys.values())
    done: dict[str, float] = {}
    for organization, key in keys.items():
        api = Mosend(organization=organization, base_url=url, key=key, network=network, environment=environment)
        async with api:
            await api.list_channels()
        done[organization] = time.clock()
    await network.close()
    return done


def test_organisations_with_one_key_share_its_limit_and_others_do_not_wait() -> None:
    async def limited(scope: Any, receive: Any, send: Any) -> None:
        key = dict(scope["headers"])[b"x-api-key"].decode()
        headers = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}
        await JSONResponse({"data": []}, headers=headers if key.endswith("shared") else {})(scope, receive, send)

    shared, own = Secret("mk_test_a.shared"), Secret("mk_test_b.own")
    with serve(limited) as url:
        done = anyio.run(read, url, {"one": shared, "two": own, "three": shared, "four": own}, FakeTime())
    assert done["two"] - done["one"] < 1
    assert done["three"] - done["two"] >= 29
    assert done["four"] - done["three"] < 1


def test_no_more_calls_are_on_their_way_at_once_than_the_limit() -> None:
    now = most = 0

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        for _ in range(50):  # while the others arrive
            await asyncio.sleep(0)
        now -= 1
        await JSONResponse({"data": []})(scope, receive, send)

    async def read_all(url: str) -> None:
        key = Secret("mk_test_a.b")
        network = Network(url, Environment(), keys=[key])
        async with anyio.create_task_group() as group:
            for number in range(IN_FLIGHT * 4):
                api = Mosend(organization=f"org-{number}", base_url=url, key=key, network=network)
                group.start_soon(api.list_channels)
        await network.close()

    with serve(counting) as url:
        anyio.run(read_all, url)
    assert 1 < most <= IN_FLIGHT


@pytest.mark.parametrize("count", [1, 200])
def test_a_ring_of_keys_tells_texts_with_a_part_of_one_from_others(count: int) -> None:
    keys = [Secret(f"mk_test_{number:04}.s3cr3t0f{number:04}") for number in range(count)]
    ring = KeyRing([*keys[: count // 2], Secret("short")])
    for key in keys[count // 2 :]:
        assert key not in ring.within(key.reveal())
        ring.add(key)
    assert ring.within("a request id, 7f9c4b3e") == (Secret("short"),)
    for key in keys:
        plain = key.reveal()
        for text in (plain, plain[-PIECE:], f"a {plain[3 : 3 + PIECE]} b", plain.encode().hex()):
            assert key in ring.within(text)
