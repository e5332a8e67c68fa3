"""The live page: who is served, what it shows of files that are edited, and what a visitor sees at a time."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

import loopback
from applying import KEY
from browser import opened, running_browser
from commands import emulated, invoke
from html_plans import hostile_values
from programs import write_program
from webchat_sync.emulator import Fault, Faults, Quirks, effects, serve
from webchat_sync.preview import Watch, build_app
from webchat_sync.render.html.preview import Asked

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("watchfiles", reason="the extra preview is not installed")

MANIFEST = """\
version: 1
organization: acme
channels:
  - name: Support
    welcomeMessage: Hi! How can we help?
    offlineMessage: We are back at nine.
    offlineMessageLunch: Having lunch.
    operatingHours:
      timezone: America/Bogota
      days: { mon: ["09:00-13:00", "14:00-18:00"], sat: ["09:00-13:00"] }
  - name: Sales
    welcomeMessage: Questions?
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "channels.yaml"
    file.write_text(MANIFEST, encoding="utf-8")
    return file


@pytest.mark.parametrize("missing", [["watchfiles"], ["starlette", "watchfiles"], ["python_multipart", "watchfiles"]])
def test_without_its_extra_it_says_what_to_install(
    missing: list[str], manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(("webchat_sync.emulator", "webchat_sync.preview"))]:
        monkeypatch.delitem(sys.modules, name)
    for package in missing:
        monkeypatch.setitem(sys.modules, package, None)
    refused = invoke("preview", manifest)
    assert refused.code == 1
    assert "Install webchat-sync with the extra `preview`, for example" in refused.err


@contextmanager
def previewing(folder: Path, *arguments: str, **environ: str) -> Iterator[str]:
    """The command as it runs in ``folder``; gives the address that it prints."""
    command = [sys.executable, "-m", "webchat_sync", "preview", "--port", "0", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MOSEND_", "WEBCHAT_"))}
    program = subprocess.Popen(command, cwd=folder, env={**kept, **environ}, stderr=subprocess.PIPE, text=True)
    assert program.stderr is not None
    try:
        said = program.stderr.readline()
        address = re.fullmatch(r"Serving the preview at (http://127\.0\.0\.1:\d+/)\n", said)
        assert address, said + program.stderr.read()
        yield address[1]
    finally:
        program.send_signal(signal.SIGINT)
        try:
            program.communicate(timeout=100)
        finally:
            program.kill()
            program.wait()
    assert program.returncode == 0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a preview whose files stay as they are."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    with previewing(folder) as url:
        yield url


@pytest.mark.skipif(sys.platform != "linux", reason="needs names of files that aren't UTF-8")
def test_a_file_whose_name_cannot_be_read_ends_no_updates(tmp_path: Path) -> None:
    watch = Watch([tmp_path], (".yaml",))

    def wait_for_change(name: str) -> None:
        before, deadline = watch.version(), monotonic() + 30
        while watch.version() == before:
            assert monotonic() < deadline, name
            (tmp_path / name).write_text(str(monotonic()), encoding="utf-8")
            sleep(0.1)

    with watch.running():
        for name in ("a.yaml", os.fsdecode(b"\xff.yaml"), "b.yaml"):
            wait_for_change(name)


def first(page: str) -> str:
    """The article of the first channel."""
    return page.split("<article")[1].split("</article>")[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("at", "said", "scene"),
    [
        ("2026-11-28T13:05", "Saturday 28 November 2026, 13:05 in America/Bogota: closed.", "closed-1"),
        ("2026-11-28T12:59", ": open. It closes on Saturday at 13:00.", "chat-1"),
        ("2026-11-30T13:30", "closed for the midday break. It opens on Monday at 14:00.", "pause-1"),
        ("2026-11-29T10:00", ": closed. It opens on Monday at 09:00.", "closed-1"),
    ],
)
def test_the_clock_says_what_a_visitor_sees(served: str, at: str, said: str, scene: str) -> None:
    article = first(loopback.get(served, params={"at": at}).text)
    assert said in article
    assert re.search(rf'id="{scene}" checked', article)


@pytest.mark.slow
def test_while_it_is_closed_no_open_chat_is_drawn(manifest: Path) -> None:
    manifest.write_text(re.sub("    offline.*\n", "", MANIFEST))
    with previewing(manifest.parent) as url:
        for at in ("2026-11-28T13:05", "2026-11-30T13:30"):
            article = first(loopback.get(url, params={"at": at}).text)
            assert 'id="closed-1" checked' in article
            assert "The offline message isn&#39;t managed here, or the server didn&#39;t list it." in article


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ("", "No opening hours are declared, so it isn&#39;t known whether the chat is open."),
        ("    operatingHours: null\n", "No opening hours are set."),
        (
            "    operatingHours: {}\n",
            "The opening hours can&#39;t be read, so it isn&#39;t known whether the chat is open.",
        ),
    ],
)
def test_the_page_says_why_it_is_not_known_whether_a_chat_is_open(manifest: Path, hours: str, said: str) -> None:
    manifest.write_text("version: 1\norganization: acme\nchannels:\n  - name: Support\n" + hours)
    with previewing(manifest.parent) as url:
        assert said in first(loopback.get(url).text)


@pytest.mark.slow
def test_problems_stand_at_their_channel_beside_what_can_be_read(manifest: Path) -> None:
    with previewing(manifest.parent) as url:
        assert "data-problem" not in loopback.get(url).text
        manifest.write_text(MANIFEST.replace("welcomeMessage: Questions?", "welcomeMesage: Questions?"))
        page = loopback.get(url).text
        assert "data-problem" not in first(page)
        second = page.split("<article")[2]
        assert "channels.yaml:12:5" in second
        assert "Did you mean `welcomeMessage`?" in second
        assert "The welcome message isn&#39;t managed here, or the server didn&#39;t list it." in second
        manifest.write_text("version: 1\nchannels: [")
        broken = loopback.get(url).text
        assert "data-problem" in broken.split("<article", maxsplit=1)[0]
        assert "How can we help?" in first(broken), "what was drawn last stays"


@pytest.mark.slow
def test_a_preview_that_begins_with_errors_draws_what_can_be_read(manifest: Path) -> None:
    manifest.write_text(MANIFEST.replace("welcomeMessage: Questions?", "welcomeMesage: Questions?"))
    (manifest.parent / "beta.yaml").write_text("version: 1\norganization: beta\nchannels: [")
    with previewing(manifest.parent) as url:
        page = loopback.get(url).text
        assert "2 declared channels" in page
        assert "How can we help?" in first(page)
        assert "data-problem" in page.split("<article")[2]
        manifest.unlink()
        assert "No channel can be drawn" in loopback.get(url).text


def test_a_file_with_a_secret_that_is_in_use_is_not_drawn(manifest: Path) -> None:
    with previewing(manifest.parent, MOSEND_API_KEY=KEY) as url:
        assert "Questions?" in loopback.get(url).text
        manifest.write_text(MANIFEST.replace("Questions?", f"Ask {KEY}"))
        page = loopback.get(url).text
        assert "data-problem" in page
        assert KEY not in page
        assert "Questions?" in page


@pytest.mark.slow
def test_the_page_is_for_this_machine_only(served: str) -> None:
    port = served.rsplit(":", 1)[1].strip("/")
    for path in ("", "events"):
        for headers in (
            {"Host": f"evil.example:{port}"},
            {"Host": "evil.example"},
            {"Host": "127.0.0.1"},
            {"Host": ""},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
        ):
            assert loopback.get(served + path, headers=headers).status_code == 403, headers
    for headers in ({}, {"Host": f"localhost:{port}"}, {"Origin": served.strip("/")}):
        assert loopback.get(served, headers=headers).status_code == 200
    assert loopback.post(served).status_code == 405
    assert loopback.get(served).headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("query", ["at=soon", "at=0001-01-01", "at=9998-12-31T23:59", "side=both", "at=%00"])
def test_what_cannot_be_asked_is_told(served: str, query: str) -> None:
    answer = loopback.get(f"{served}?{query}")
    assert answer.status_code == 400
    assert "2026-11-28T13:05" in answer.text


@pytest.mark.parametrize("at", ["0002-01-01T00:00", "9997-12-31T23:59"])
def test_every_time_that_can_be_asked_is_shown(served: str, at: str) -> None:
    assert loopback.get(f"{served}?at={at}").status_code == 200


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(2, "No such file or directory"), "Can't make this page: No such file or directory\n"),
        (KeyError("x"), "Can't make this page: webchat-sync failed with KeyError. This is a bug.\n"),
    ],
)
def test_a_page_that_cannot_be_made_says_why(error: Exception, said: str) -> None:
    def fail(_: Asked) -> str:
        raise error

    with serve(build_app(fail, lambda: 0)) as url:
        answer = loopback.get(f"{url}/")
    assert (answer.status_code, answer.text) == (500, said)


@pytest.mark.slow
def test_what_is_live_is_shown_with_a_key_or_from_a_snapshot(manifest: Path) -> None:
    unlisted = Quirks(omit=frozenset({"operatingHours"}))
    with emulated({"name": "Support", "welcomeMessage": f"Ahoy {KEY}"}, quirks=unlisted) as api:
        with previewing(manifest.parent, **api.environ) as url:
            assert "How can we help?" in first(loopback.get(url).text)
            page = loopback.get(url, params={"side": "live"}).text
            assert "Ahoy ***" in first(page)
            assert "The server didn&#39;t list the opening hours, so it isn&#39;t known whether" in first(page)
            assert "There is no live channel for this declaration." in page
            assert KEY not in page
        assert api.invoke("snapshot", manifest, "--out", manifest.parent / "live.json").code == 0
    with previewing(manifest.parent, "channels.yaml", "--live", "live.json") as url:
        assert "Ahoy" in first(loopback.get(url, params={"side": "live"}).text)


def test_an_organization_that_fails_hides_its_own_channels_only(manifest: Path) -> None:
    (manifest.parent / "beta.yaml").write_text("version: 1\norganization: beta\nchannels: [{name: Help}]")
    faults = Faults([Fault(effects.status(403), path="*/beta/*")])
    with (
        emulated({"name": "Support", "welcomeMessage": "Ahoy"}, faults=faults) as api,
        previewing(manifest.parent, MOSEND_BASE_URL=api.url, MOSEND_API_KEY=KEY) as url,
    ):
        top, beta, support, _ = loopback.get(url, params={"side": "live"}).text.split("<article")
        assert "organisation &#34;beta&#34;: GET /organizations/beta/web-chat/channels: HTTP 403" in top
        assert "Ahoy" in support
        assert "The live channels of this organisation aren't known." in beta


def test_without_a_way_to_what_is_live_there_is_no_switch(served: str) -> None:
    assert 'value="live"' not in loopback.get(served).text


def test_an_api_that_cannot_be_reached_is_a_problem_on_the_page(manifest: Path) -> None:
    environ = {"MOSEND_BASE_URL": "http://127.0.0.1:9", "MOSEND_API_KEY": KEY}
    with previewing(manifest.parent, **environ) as url:
        page = loopback.get(url, params={"side": "live"}, timeout=60).text
        assert "data-problem" in page


@pytest.mark.slow
def test_the_page_follows_the_files_and_keeps_the_view(manifest: Path) -> None:
    with (
        previewing(manifest.parent) as url,
        running_browser() as browser,
        opened(browser, f"{url}?at=2026-11-28T12:00") as visit,
    ):
        page = visit.page
        page.click("label[for=phone]")
        manifest.write_text(MANIFEST.replace("How can we help?", "Ask us anything."), encoding="utf-8")
        page.get_by_text("Ask us anything.").first.wait_for(timeout=100_000)
        assert page.is_checked("#phone")
        page.fill("#at", "2026-11-28T13:05")
        page.get_by_text("Saturday 28 November 2026, 13:05").first.wait_for(timeout=100_000)
        assert page.locator("#channel-1 .closed").is_visible()
        assert axe_finds(page) == []
        page.emulate_media(color_scheme="dark")
        page.click("label[for=dark]")
        assert axe_finds(page) == []
        assert {request.split("/")[2] for request in visit.requests} == {url.split("/")[2]}
        assert visit.complaints == []


@pytest.mark.slow
def test_hostile_values_and_problems_call_nobody(tmp_path: Path) -> None:
    values = [value for value in hostile_values("http://127.0.0.1:9") if value.isprintable()]
    channels = [
        {"name": f"{value}{number}", "color": value, "welcomeMessage": value, "allowedDomains": [value], value: value}
        for number, value in enumerate(values)
    ]
    text = json.dumps({"version": 1, "organization": values[0], "channels": channels})
    (tmp_path / "channels.json").write_text(text, encoding="utf-8")
    with previewing(tmp_path) as url, running_browser() as browser, opened(browser, url) as visit:
        assert visit.page.locator("article").count() == len(values)
        assert visit.page.locator("article [data-problem]").count() > len(values)
        assert visit.page.title() == "Preview: web-chat channels"
        assert {request.split("/")[2] for request in visit.requests} == {url.split("/")[2]}
        assert visit.complaints == []


def test_a_browser_is_opened_when_asked_for(manifest: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    os.mkfifo(seen)
    browser = write_program(tmp_path / "browser", f'echo "$1" > {seen}')
    pipe = os.open(seen, os.O_RDWR)
    try:
        with previewing(manifest.parent, "--open", BROWSER=f"{browser} %s") as url:
            assert select.select([pipe], [], [], 60)[0], "no browser was started"
            assert os.read(pipe, 200).decode() == f"{url}\n"
    finally:
        os.close(pipe)


def axe_finds(page: Page) -> list[str]:
    """What axe finds, by its rules' names."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    return [f"{found['id']}: {found['nodes'][0]['html']}" for found in axe.Axe().run(page).response["violations"]]


def test_what_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    done = invoke("preview", tmp_path / "missing.yaml", "--overlay", tmp_path / "absent.yaml")
    assert done.code == 1
    assert "missing.yaml doesn't exist" in done.err
    assert "absent.yaml doesn't exist" in done.err


@pytest.mark.slow
def test_a_port_that_is_taken_is_told(served: str, tmp_path: Path) -> None:
    port = served.rsplit(":", 1)[1].strip("/")
    (tmp_path / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    done = invoke("preview", tmp_path, "--port", port)
    assert done.code == 1
    assert "Choose another port with --port." in done.err


@pytest.mark.slow
def test_a_snapshot_brings_no_failure_of_an_organisation_that_is_not_shown(tmp_path: Path) -> None:
    revoked = Fault(effects.status(401), "GET", "/organizations/dead-*")
    with emulated(faults=Faults([revoked])) as api:
        (tmp_path / "fleet").mkdir()
        for name in ("acme", "dead-1", "dead-2"):
            text = f"version: 1\norganization: {name}\nchannels: [{{name: Support}}]\n"
            (tmp_path / "fleet" / f"{name}.yaml").write_text(text, encoding="utf-8")
        assert api.invoke("snapshot", tmp_path / "fleet", "--out", tmp_path / "live.json").code == 6
    options = ("--live", "live.json", "--target-org", "acme", "--target-org", "dead-1")
    with previewing(tmp_path, "fleet", *options) as url:
        page = loopback.get(url, params={"side": "live"}).text
    assert (page.count("HTTP 401") > 0, "dead-2" in page) == (True, False)
