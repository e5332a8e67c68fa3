"""Proxies of the environment: a real one, with commands and a server behind TLS that know nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from api_calls import CHANNELS_PATH, KEY, create, list_channels
from commands import Emulated, Finished, emulated
from fake_time import FakeTime
from real_proxy import real_proxy, without_proxies
from scripted_server import ScriptedServer, answer, data
from tls import behind_tls, make_certificate
from webchat_sync.api import Mosend
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiConnectionError, InputError
from webchat_sync.model import Secret

MANIFEST: Final = "version: 1\norganization: acme\nchannels: [{name: Support}]\n"
PASSWORD: Final = "pass-canary-1"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return without_proxies(monkeypatch)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls") / "own.pem")


@pytest.fixture
def behind(
    tmp_path: Path, environment: pytest.MonkeyPatch, certificate: Path
) -> Iterator[tuple[Emulated, str, pytest.MonkeyPatch]]:
    """The emulator, its URL behind TLS, and an environment that trusts it and has no proxy."""
    environment.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(MANIFEST, encoding="utf-8")
    environment.setenv("SSL_CERT_FILE", str(certificate))
    with emulated() as api, behind_tls(api.url, certificate) as url:
        yield api, url, environment


BehindTls = tuple[Emulated, str, pytest.MonkeyPatch]


def run(api: Emulated, url: str, *arguments: str) -> Finished:
    done = api.invoke(*arguments, "--base-url", url, sleep=FakeTime().sleep)
    assert PASSWORD not in done.out + done.err
    return done


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("auth", ["", f"user:{PASSWORD}"])
def test_all_calls_go_through_a_tunnel_of_the_proxy(tmp_path: Path, behind: BehindTls, name: str, auth: str) -> None:
    api, url, environment = behind
    with real_proxy(tmp_path, *(["--basic-auth", auth] if auth else [])) as proxy:
        environment.setenv(name, f"http://{auth}{'@' if auth else ''}{proxy.address}")
        assert run(api, url, "apply", "m.yaml", "--auto-approve").code == 0
        assert run(api, url, "plan", "m.yaml", "--detailed-exitcode").code == 0
        proxy.wait_for_tunnels(url.removeprefix("https://"), 2)
    assert [channel["name"] for channel in api.store.channels("acme")] == ["Support"]
    assert KEY not in proxy.log.read_text(encoding="utf-8")


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("exempt", ["127.0.0.1", "*", "example.com, 127.0.0.1"])
def test_what_no_proxy_names_goes_there_directly(tmp_path: Path, behind: BehindTls, exempt: str) -> None:
    api, url, environment = behind
    with real_proxy(tmp_path) as proxy:
        environment.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        environment.setenv("NO_PROXY", exempt)
        assert run(api, url, "plan", "m.yaml").code == 0
    assert proxy.tunnels(url.removeprefix("https://")) == 0
    assert api.calls


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("auth", ["", "user:another@", f"another:{PASSWORD}@"])
def test_a_proxy_that_wants_another_password_is_told_as_it_is(tmp_path: Path, behind: BehindTls, auth: str) -> None:
    api, url, environment = behind
    with real_proxy(tmp_path, "--basic-auth", f"user:{PASSWORD}") as proxy:
        environment.setenv("HTTPS_PROXY", f"http://{auth}{proxy.address}")
        refused = run(api, url, "apply", "m.yaml", "--auto-approve")
    assert refused.code == 6
    assert "407" in refused.err
    assert "HTTPS_PROXY" in refused.err
    assert api.calls == []


def test_a_proxy_that_refuses_the_server_is_told_as_it_is(tmp_path: Path, behind: BehindTls) -> None:
    api, url, environment = behind
    options = ("--plugins", "proxy.plugin.FilterByUpstreamHostPlugin", "--filtered-upstream-hosts", "127.0.0.1")
    with real_proxy(tmp_path, *options) as proxy:
        environment.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        refused = run(api, url, "apply", "m.yaml", "--auto-approve")
    assert (refused.code, "418" in refused.err, "HTTPS_PROXY" in refused.err, api.calls) == (6, True, True, [])


def test_a_proxy_that_is_not_there_is_told_as_it_is(tmp_path: Path, behind: BehindTls) -> None:
    api, url, environment = behind
    with real_proxy(tmp_path) as proxy:
        pass
    environment.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@{proxy.address}")
    refused = run(api, url, "apply", "m.yaml", "--auto-approve")
    assert (refused.code, "HTTPS_PROXY" in refused.err, api.calls) == (6, True, [])


@pytest.mark.anyio
async def test_a_proxy_that_hangs_ends_at_the_deadline(tmp_path: Path, behind: BehindTls) -> None:
    api, url, environment = behind
    with real_proxy(tmp_path) as proxy:
        environment.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        proxy.freeze()
        sleep = FakeTime().sleep
        async with Mosend(
            organization="acme", base_url=url, key=Secret(KEY), environment=Environment(sleep=sleep), deadline=0.3
        ) as client:
            for call in (list_channels, create):
                with pytest.raises(
                    ApiConnectionError, match=r"no response from 127\.0\.0\.1:\d+ within 0\.3 s"
                ) as raised:
                    await call(client)
                assert raised.value.attempts == 1
                assert ("proxy settings" in raised.value.hint) == (call is list_channels)
    assert api.calls == []


def test_a_tunnel_is_no_way_around_a_certificate(tmp_path: Path, behind: BehindTls) -> None:
    api, url, environment = behind
    environment.delenv("SSL_CERT_FILE")
    with real_proxy(tmp_path) as proxy:
        environment.setenv("HTTPS_PROXY", f"http://{proxy.address}")
        refused = run(api, url, "apply", "m.yaml", "--auto-approve")
    assert (refused.code, "certificate" in refused.err, api.calls) == (6, True, [])


@pytest.mark.anyio
async def test_the_proxy_of_the_environment_is_used_unless_it_is_told_not_to(environment: pytest.MonkeyPatch) -> None:
    with ScriptedServer(data([])) as proxy, ScriptedServer(data([])) as server:
        environment.setenv("HTTP_PROXY", proxy.url)
        environment.setenv("NO_PROXY", "127.0.0.1")
        for url in ("http://localhost:9", server.url):
            async with Mosend(organization="org", base_url=url, key=Secret(KEY)) as api:
                assert await api.list_channels() == ()
    assert [request.target for request in proxy.requests] == [f"http://localhost:9{CHANNELS_PATH}"]
    assert [request.target for request in server.requests] == [CHANNELS_PATH]


@pytest.mark.anyio
async def test_a_proxy_that_refuses_never_sees_the_key(environment: pytest.MonkeyPatch) -> None:
    with ScriptedServer(otherwise=answer(407)) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url)
        sleep = FakeTime().sleep
        async with Mosend(
            organization="org", base_url="https://api.example", key=Secret(KEY), environment=Environment(sleep=sleep)
        ) as api:
            with pytest.raises(ApiConnectionError, match="the proxy refused the connection") as raised:
                await create(api)
    assert not raised.value.in_doubt
    assert [(request.method, request.target) for request in proxy.requests] == [("CONNECT", "api.example:443")] * 5
    assert KEY not in str(proxy.requests)


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1", "http://user:pass-canary-1@127.0.0.1:port"])
def test_a_proxy_that_cannot_be_used_is_wrong_input(environment: pytest.MonkeyPatch, proxy: str) -> None:
    environment.setenv("HTTP_PROXY", proxy)
    with pytest.raises(InputError) as raised:
        Mosend(organization="org", base_url="http://localhost:9", key=Secret(KEY))
    assert "HTTP_PROXY" in raised.value.problems[0].hint
    assert PASSWORD not in str(raised.value)
