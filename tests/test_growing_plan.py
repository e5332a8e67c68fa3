"""A plan of many organisations is shown as it grows: the first before the last is read, and in the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Timer
from typing import Any

import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st

from applying import KEY, NOW
from fake_time import FakeTime
from planning import catalogue, live, plan_for
from planning import declare as declare_channel
from test_fleet import declare, fleet
from webchat_sync.emulator import Store, build_app, serve
from webchat_sync.flat import json_text
from webchat_sync.model import Plan
from webchat_sync.planfile.digest import GrowingDigest, document_digest
from webchat_sync.planfile.writer import plan_digest, plan_pieces

ORGANIZATIONS = [f"org-{number}" for number in range(5)]
PATIENCE = 300.0
"""Seconds until a test that would wait for ever is given up."""

LIVE = {name: [{"name": f"Old {name}", "id": f"c-{name}"}] for name in ORGANIZATIONS}


@contextmanager
def withholding(organization: str) -> Iterator[tuple[str, Event]]:
    """A server that keeps its answers about one organisation back until the event is set."""
    released = Event()
    app = build_app(Store(catalogue=catalogue(), now=lambda: NOW))

    async def patient(scope: Any, receive: Any, send: Any) -> None:
        if organization in scope.get("path", ""):
            await anyio.to_thread.run_sync(released.wait)
        await app(scope, receive, send)

    with serve(patient) as url:
        try:
            yield url, released
        finally:
            released.set()


@contextmanager
def planning(url: str, folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "webchat_sync", "plan", str(folder), *options]
    environ = {**os.environ, "MOSEND_BASE_URL": url, "MOSEND_API_KEY": KEY, "NO_PROXY": "127.0.0.1"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("name", ["text", "github"])
def test_the_first_is_shown_while_the_server_still_keeps_the_last_back(tmp_path: Path, name: str) -> None:
    folder = declare(tmp_path / "fleet", *ORGANIZATIONS)
    out = tmp_path / "plan.json"
    with (
        withholding(ORGANIZATIONS[-1]) as (url, released),
        planning(url, folder, "--format", name, "--out", str(out)) as process,
    ):
        assert process.stdout is not None
        rescue = Timer(PATIENCE, released.set)  # what shows nothing would be waited for for ever
        rescue.start()
        heads: list[str] = []
        while len(heads) < len(ORGANIZATIONS) - 1:
            line = process.stdout.readline()
            assert line
            heads += [line.strip()] if line.startswith("Organisation ") else []
        assert not released.is_set()
        assert heads == [f"Organisation {name}:" for name in ORGANIZATIONS[:-1]]
        # Half a plan could be applied.
        assert not out.exists()
        rescue.cancel()
        released.set()
        rest, _ = process.communicate()
    assert process.returncode == 0
    assert rest.splitlines()[-1] == "Plan: 5 to add, 0 to change, 0 to destroy."
    assert len(json.loads(out.read_text(encoding="utf-8"))["organizations"]) == len(ORGANIZATIONS)


def test_an_organisation_waits_for_those_before_it(tmp_path: Path) -> None:
    folder = declare(tmp_path / "fleet", *ORGANIZATIONS)
    with withholding(ORGANIZATIONS[1]) as (url, released), planning(url, folder) as process:
        assert process.stdout is not None
        rescue = Timer(PATIENCE, released.set)
        rescue.start()
        lines: list[str] = []
        while "    }\n" not in lines:
            lines.append(process.stdout.readline())
        assert not released.is_set()
        rescue.cancel()
        released.set()
        rest, _ = process.communicate()
    heads = [line for line in ("".join(lines) + rest).splitlines() if line.startswith("Organisation ")]
    assert heads == [f"Organisation {name}:" for name in ORGANIZATIONS]


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["-v"], ["--format", "github"], ["-q"]], ids=" ".join)
@pytest.mark.parametrize("trouble", [{}, {"org-0": "revoked"}, {"org-2": "broken", "org-4": "wrong"}], ids=list)
def test_what_grows_is_what_a_saved_plan_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], trouble: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    declare(tmp_path, *ORGANIZATIONS)
    with fleet(trouble, LIVE) as api:
        time = FakeTime()
        grown = api.invoke("plan", *options, "--out", "plan.json", sleep=time.sleep, clock=time.clock)
    shown = api.invoke("show", "plan.json", *options)
    assert grown.out == shown.out


def test_one_that_is_left_of_several_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    declare(tmp_path, "org-0", "org-1")
    with fleet({"org-0": "revoked"}) as api:
        assert api.invoke("plan").out.startswith("Organisation org-1:\n")
        (row,) = (line for line in api.invoke("plan", "--format", "markdown").out.splitlines() if "create |" in line)
    assert "org-1" in row


def test_the_one_of_several_that_drifted_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    declare(tmp_path, "org-0", "org-1", channels="[{name: Support, theme: dark}]")
    live = {name: [{"name": "Support", "theme": theme}] for name, theme in (("org-0", "dark"), ("org-1", "light"))}
    with fleet({}, live) as api:
        assert "Organisation org-1:\n" in api.invoke("drift").out
        assert "org-0" not in api.invoke("drift").out
        (row,) = (line for line in api.invoke("drift", "--format", "markdown").out.splitlines() if "update |" in line)
    assert "org-1" in row


@pytest.mark.parametrize("options", [["--target", "Nobody"], ["--adopt-secret", "Nobody"]], ids=" ".join)
def test_names_that_nobody_has_are_refused_before_anything_is_shown(tmp_path: Path, options: list[str]) -> None:
    folder = declare(tmp_path / "fleet", *ORGANIZATIONS)
    with fleet({}) as api:
        refused = api.invoke("plan", folder, *options)
    assert (refused.code, refused.out) == (1, "")
    assert "Nobody" in refused.err


@pytest.mark.slow
def test_a_reader_that_leaves_ends_no_plan(tmp_path: Path) -> None:
    folder = declare(tmp_path / "fleet", *(f"org-{number:02}" for number in range(60)))
    out = tmp_path / "plan.json"
    with (
        withholding("org-59") as (url, released),
        planning(url, folder, "--out", str(out), "--detailed-exitcode") as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        released.set()
        assert process.wait() == 2
    assert len(json.loads(out.read_text(encoding="utf-8"))["organizations"]) == 60


@pytest.mark.slow
def test_a_reader_that_does_not_scroll_keeps_no_call_waiting(tmp_path: Path) -> None:
    text = "Hola " * 90
    channels = f"[{{name: Support, welcomeMessage: {text}, offlineMessage: {text}, offlineMessageLunch: {text}}}]"
    folder = declare(tmp_path / "fleet", *(f"org-{number:02}" for number in range(100)), channels=channels)
    asked = Event()
    app = build_app(Store(catalogue=catalogue(), now=lambda: NOW))
    last = "/organizations/org-99/"

    async def noticing(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        if last in scope.get("path", ""):
            asked.set()

    # The text of 100 new channels is more than a pipe holds, and nobody reads it until the last one was answered.
    with serve(noticing) as url, planning(url, folder) as process:
        assert asked.wait(PATIENCE)
        text, _ = process.communicate()
    assert text.splitlines()[-1] == "Plan: 100 to add, 0 to change, 0 to destroy."
    assert text.count("Organisation org-") == 100
    assert len(text) > 2**17


def test_the_json_of_a_plan_comes_organisation_by_organisation() -> None:
    (one,) = plan_for([declare_channel(color="#0f766e")], [live(color="#ffffff")]).organizations
    plan = Plan(NOW, tuple(replace(one, organization=name) for name in ORGANIZATIONS))
    for size in (0, 1, len(ORGANIZATIONS)):
        part = replace(plan, organizations=plan.organizations[:size])
        pieces = list(plan_pieces(part))
        assert len(pieces) == size + 2
        document = json.loads("".join(pieces))
        assert [planned["organization"] for planned in document["organizations"]] == ORGANIZATIONS[:size]
        assert "".join(pieces) == json_text(document)
        assert document["digest"] == plan_digest(part) == document_digest(document)


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=5),
    st.text(max_size=5).filter(lambda name: name != "digest"),
    st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2), max_size=4),
)
def test_a_digest_that_grows_is_that_of_the_whole(
    document: dict[str, Any], name: str, entries: list[dict[str, str]]
) -> None:
    rest = {other: value for other, value in document.items() if other not in {name, "digest"}}
    growing = GrowingDigest(rest, name)
    for entry in entries:
        growing.add(entry)
    assert growing.end() == document_digest({**rest, name: entries})
