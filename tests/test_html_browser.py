"""The HTML report in a real Chromium: what it does, what it never does, and whether everybody can use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser import opened, running_browser
from html_plans import hostile_plan, many_channels, rich_plan
from planning import declare, live, plan_for
from webchat_sync.model import Plan
from webchat_sync.render.html.page import render_plan

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

DARK = {"color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    return written(tmp_path, rich_plan())


def written(folder: Path, plan: Plan) -> Path:
    file = folder / "report.html"
    file.write_text(render_plan(plan), encoding="utf-8")
    return file


@pytest.mark.alike
@pytest.mark.parametrize("context", [{}, DARK, PHONE], ids=["desktop", "dark", "phone"])
def test_nothing_is_asked_for_and_nothing_goes_wrong(browser: Browser, rich: Path, context: dict[str, Any]) -> None:
    with opened(browser, rich, **context) as visit:
        for label in ("phone", "dark", "mine", "desktop"):
            visit.page.click(f"label[for={label}]")
        visit.page.fill("#search", "support")
        assert visit.requests == [rich.as_uri()]
        assert visit.complaints == []


@pytest.mark.alike
@pytest.mark.parametrize(
    ("context", "views"),
    [({}, ("light", "dark", "phone")), (DARK, ("light", "dark")), (PHONE, ("phone",))],
    ids=["desktop", "dark", "phone"],
)
def test_axe_finds_nothing_serious(
    browser: Browser, rich: Path, context: dict[str, Any], views: tuple[str, ...]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with opened(browser, rich, **context) as visit:
        for summary in visit.page.locator(".part-fields > summary").all():
            if summary.evaluate("summary => !summary.parentElement.open"):
                summary.click()
        for label in views:
            visit.page.click(f"label[for={label}]")
            found = axe.Axe().run(visit.page).response["violations"]
            grave = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
            assert grave == [], label


def test_hostile_values_call_nobody_and_change_nothing(browser: Browser, tmp_path: Path) -> None:
    calls: list[str] = []

    class Canary(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        plan = hostile_plan(f"http://127.0.0.1:{server.server_port}")
        file = written(tmp_path, plan)
        with opened(browser, file) as visit:
            title = visit.page.title()
            for label in ("phone", "dark", "mine", "theirs"):
                visit.page.click(f"label[for={label}]")
            visit.page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
            for scene in visit.page.locator(".scenes > label:visible").all():
                scene.click()
            visit.page.wait_for_timeout(300)
            assert visit.page.title() == title == "Plan: web-chat channels"
            assert visit.requests == [file.as_uri()]
            assert visit.complaints == []
            assert visit.page.locator("article").count() == len(plan.organizations[0].changes)
    finally:
        server.shutdown()
        server.server_close()
    assert calls == []


def test_the_canary_sings_when_a_page_lets_values_through(browser: Browser, tmp_path: Path) -> None:
    """What the test above looks for is seen where it happens."""
    file = tmp_path / "unsafe.html"
    file.write_text("<title>safe</title><img src=http://127.0.0.1:9/img onerror='document.title=`pwned`'>")
    with opened(browser, file) as visit:
        visit.page.wait_for_function("document.title === 'pwned'")
        assert "http://127.0.0.1:9/img" in visit.requests


def test_search_and_filters_leave_what_fits(browser: Browser, rich: Path) -> None:
    with opened(browser, rich) as visit:
        articles = visit.page.locator("article:visible")
        assert articles.count() == 5
        visit.page.fill("#search", "order number")
        assert articles.count() == 1
        assert visit.page.inner_text("#found") == "1 of 5 channels"
        visit.page.fill("#search", "")
        visit.page.select_option("#action", "delete")
        assert articles.first.get_attribute("data-channel") == "Old"
        visit.page.select_option("#level", "info")
        assert articles.count() == 0
        assert visit.page.is_visible("#nothing")


def test_a_single_channel_is_not_counted_in_the_plural(browser: Browser, tmp_path: Path) -> None:
    plan = plan_for([declare(color="#0f766e")], [live(color="#ffffff")])
    with opened(browser, written(tmp_path, plan)) as visit:
        visit.page.fill("#search", "no such channel")
        assert visit.page.inner_text("#found") == "0 of 1 channel"


def test_it_works_without_script(browser: Browser, rich: Path) -> None:
    with opened(browser, rich, java_script_enabled=False) as visit:
        support = visit.page.locator("article").first
        assert visit.page.locator("#search").is_hidden()
        assert support.get_by_text("We answer within a few minutes.").first.is_visible()
        assert support.locator("[data-side=after] .closed").is_hidden()
        support.locator("label[for=closed-1]").click()
        assert support.locator("[data-side=after] .closed").is_visible()
        assert support.locator("[data-side=before] .closed").is_visible()
        assert support.locator("[data-side=after] .chat").is_hidden()


def test_the_keyboard_alone_is_enough(browser: Browser, rich: Path) -> None:
    with opened(browser, rich) as visit:
        page = visit.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        reached: list[str] = []
        for _ in range(12):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert "chat-1" in reached
        page.focus("#chat-1")
        page.keyboard.press("ArrowRight")
        assert page.locator("#channel-1 [data-side=after] .closed").is_visible()
        assert page.evaluate("getComputedStyle(document.querySelector('#closed-1 + label')).outlineStyle") == "solid"
        page.focus("#channel-1 .part-fields > summary")
        page.keyboard.press("Enter")
        assert page.locator("#channel-1 .part-fields table").is_visible()
        page.focus("#search")
        page.keyboard.type("sales")
        assert page.locator("article:visible").count() >= 1


def test_nothing_reaches_over_the_edge_of_a_phone(browser: Browser, rich: Path) -> None:
    with opened(browser, rich, **PHONE) as visit:
        for label in ("phone", "desktop"):
            visit.page.click(f"label[for={label}]")
            assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
        boxes = [each.bounding_box() for each in visit.page.locator(".window:visible, table:visible").all()]
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)


def test_a_visitor_sees_the_theme_that_is_declared(browser: Browser, rich: Path) -> None:
    with opened(browser, rich) as visit:

        def ground(side: str) -> str:
            window = visit.page.locator(f"#channel-1 [data-side={side}] .chat")
            return str(window.evaluate("window => getComputedStyle(window).backgroundColor"))

        assert ground("before") == ground("after") == "rgb(255, 255, 255)"
        visit.page.click("label[for=dark]")
        assert ground("before") == "rgb(255, 255, 255)"  # always light
        assert ground("after") != "rgb(255, 255, 255)"  # as the device


def test_the_bubble_stands_in_its_corner_in_its_colour(browser: Browser, rich: Path) -> None:
    with opened(browser, rich) as visit:
        for side, color, left in (("before", "rgb(37, 99, 235)", False), ("after", "rgb(15, 118, 110)", True)):
            figure = visit.page.locator(f"#channel-1 [data-side={side}]")
            bubble = figure.locator(".bubble")
            assert bubble.evaluate("bubble => getComputedStyle(bubble).backgroundColor") == color
            where, whole = bubble.bounding_box(), figure.bounding_box()
            assert where
            assert whole
            assert (where["x"] < whole["x"] + whole["width"] / 2) is left


def test_hours_are_told_in_the_zone_of_the_reader(browser: Browser, rich: Path) -> None:
    with opened(browser, rich, timezone_id="Asia/Tokyo") as visit:
        row = visit.page.locator("#channel-1 .part-week table").first.locator("tbody tr").first
        assert row.inner_text().split() == ["Mon", "09:00–18:00"]
        visit.page.click("label[for=mine]")
        # Bogotá is 14 hours behind: its Monday begins there at 23:00, and its Friday ends on Saturday.
        assert row.inner_text().split() == ["Mon", "23:00–24:00"]
        last = visit.page.locator("#channel-1 .part-week table").first.locator("tbody tr").nth(5)
        assert last.inner_text().split() == ["Sat", "00:00–08:00"]
        assert visit.page.locator("#channel-1 .zone").first.inner_text() == "Asia/Tokyo"
        visit.page.click("label[for=theirs]")
        assert row.inner_text().split() == ["Mon", "09:00–18:00"]


def test_in_print_every_scene_that_changes_is_there_and_no_tool(browser: Browser, rich: Path) -> None:
    with opened(browser, rich) as visit:
        visit.page.emulate_media(media="print")
        after = visit.page.locator("#channel-1 [data-side=after]")
        assert all(after.locator(scene).is_visible() for scene in (".chat", ".closed", ".pause"))
        assert visit.page.locator(".tools").is_hidden()
        assert visit.page.locator("#channel-1 .part-fields td").first.is_visible(), "what was folded is unfolded"


def test_bubbles_are_at_one_height_on_both_sides(browser: Browser, rich: Path) -> None:
    with opened(browser, rich) as visit:
        for number in (1, 2, 5):
            pages = [
                visit.page.locator(f"#channel-{number} [data-side={side}] .page").bounding_box()
                for side in ("before", "after")
            ]
            assert pages[0] and pages[1] and pages[0]["y"] == pages[1]["y"]  # noqa: PT018 - for the types
            assert pages[0]["height"] == pages[1]["height"]


def test_nothing_moves_for_those_who_ask_for_that(browser: Browser, rich: Path) -> None:
    with opened(browser, rich, reduced_motion="reduce") as visit:
        assert visit.page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


@pytest.mark.variation
def test_three_hundred_channels_open(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, many_channels(300))) as visit:
        assert visit.page.locator("article").count() == 300
        assert visit.page.evaluate("document.querySelectorAll('*').length") > 100_000
        assert visit.complaints == []


def test_a_plan_without_changes_has_no_empty_tools(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, written(tmp_path, plan_for([declare()], [live()]))) as visit:
        assert visit.page.locator(".tools").count() == 0
        assert visit.page.get_by_text("Nothing changes here.").is_visible()
        assert visit.complaints == []


def test_on_paper_each_window_says_what_it_is(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render_plan(rich_plan()), encoding="utf-8")
    with opened(browser, file) as visit:
        visit.page.emulate_media(media="print")
        said = visit.page.eval_on_selector_all(
            "#channel-1 [data-side=after] .scene.changes",
            "all => all.map(s => getComputedStyle(s, '::before').content)",
        )
        assert said == ['"Open"', '"Closed"', '"Midday break"']
