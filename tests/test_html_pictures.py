"""What the HTML report looks like, beside pictures of it that somebody has looked at.

Their texts are boxes, so that they are the same whatever fonts a machine has.

``tests/data/pictures`` holds them, made smaller. ``UPDATE_EXPECTED=1 pytest tests/test_html_pictures.py``
makes them anew: look at each before you commit it.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from box_font import write_in_boxes
from browser import opened, running_browser
from html_plans import rich_plan
from planning import declare, live, plan_for
from webchat_sync.render.html.page import render_plan

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

PICTURES: Final = Path(__file__).parent / "data" / "pictures"
WIDTH: Final = 240
"""The width of a kept picture in pixels."""

CELLS: Final = 24
"""Pictures are compared over so many cells each way, so that another version of Chromium makes little difference."""

FAR: Final = 40
"""From how far apart, of 255, two cells differ."""

MOST: Final = 0.03
"""Which share of the cells may differ."""

VIEWS: Final[dict[str, tuple[dict[str, Any], str, tuple[str, ...]]]] = {
    "top": ({}, ".top", ()),
    "update": ({}, "#channel-1", ()),
    "update-dark": ({"color_scheme": "dark"}, "#channel-1", ("dark",)),
    "update-on-a-phone": ({}, "#channel-1 .sides", ("phone",)),
    "update-narrow": ({"viewport": {"width": 390, "height": 844}}, "#channel-1", ()),
    "create": ({}, "[data-action=create]", ()),
    "right-to-left": ({}, "[data-channel^='دعم']", ()),
    "long-and-off": ({}, "[data-channel^='A very long']", ()),
    "delete": ({}, "[data-action=delete]", ()),
}
SHRINK: Final = """([source, width]) => new Promise((resolve) => {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = Math.round(image.height * width / image.width);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    resolve(canvas.toDataURL("image/png"));
  };
  image.src = source;
})"""
CELLS_OF: Final = """([source, cells]) => new Promise((resolve) => {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = cells;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, cells, cells);
    resolve([...context.getImageData(0, 0, cells, cells).data]);
  };
  image.src = source;
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


@pytest.fixture(scope="module")
def desk(browser: Browser) -> Iterator[Page]:
    """An empty page on which pictures are made smaller and compared."""
    with opened(browser, "about:blank") as visit:
        yield visit.page


def as_url(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"


def smaller(desk: Page, png: bytes) -> bytes:
    shrunk: str = desk.evaluate(SHRINK, [as_url(png), WIDTH])
    return b64decode(shrunk.partition(",")[2])


def difference(desk: Page, one: bytes, other: bytes) -> float:
    """Which share of the cells of two pictures differ."""
    left, right = (desk.evaluate(CELLS_OF, [as_url(png), CELLS]) for png in (one, other))
    cells = [max(abs(left[at + part] - right[at + part]) for part in range(3)) for at in range(0, len(left), 4)]
    return float(sum(far > FAR for far in cells) / len(cells))


def picture(browser: Browser, desk: Page, folder: Path, view: str) -> bytes:
    """The picture as it is now, made smaller."""
    context, part, switches = VIEWS[view]
    file = folder / "report.html"
    file.write_text(render_plan(rich_plan()), encoding="utf-8")
    with opened(browser, file, bypass_csp=True, **context) as visit:
        write_in_boxes(visit.page)
        for switch in switches:
            visit.page.click(f"label[for={switch}]")
        visit.page.evaluate("document.querySelectorAll('.tools').forEach(tools => { tools.style.position = 'static' })")
        return smaller(desk, visit.page.locator(part).screenshot(animations="disabled"))


@pytest.mark.alike
@pytest.mark.parametrize("view", VIEWS)
def test_it_looks_as_it_was_reviewed(browser: Browser, desk: Page, tmp_path: Path, view: str) -> None:
    kept = PICTURES / f"{view}.png"
    now = picture(browser, desk, tmp_path, view)
    if os.environ.get("UPDATE_EXPECTED"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(now)
    share = difference(desk, now, kept.read_bytes())
    assert share < MOST, f"{share:.0%} of {view} differs from {kept}"


@pytest.mark.variation
def test_another_colour_and_another_place_are_seen(browser: Browser, desk: Page, tmp_path: Path) -> None:
    """What the pictures are compared for is more than the tolerance."""
    pictures = []
    for color, position in (("#0f766e", "left"), ("#b91c1c", "right")):
        file = tmp_path / "report.html"
        plan = plan_for([declare(color=color, bubblePosition=position)], [live(color="#000000", bubblePosition="left")])
        file.write_text(render_plan(plan), encoding="utf-8")
        with opened(browser, file) as visit:
            pictures.append(visit.page.locator("[data-side=after]").screenshot())
    assert difference(desk, *pictures) > MOST
