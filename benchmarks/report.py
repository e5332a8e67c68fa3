"""How soon a browser shows the HTML report, and how large it is: ``python benchmarks/report.py``.

Three hundred changed channels in Chromium, from disk, until their last drawing can be used, beside a report of one; and
how long the page keeps the processor, which a busy machine changes little.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from browser import opened, running_browser
from html_plans import many_channels
from webchat_sync.render.html.page import render_plan

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUNS = 5
COUNT = 300


def opening(browser: Browser, file: Path, count: int) -> tuple[float, float]:
    """Median seconds until the page has all ``count`` channels, and those of its thread's work."""
    took, worked = [], []
    for _ in range(RUNS):
        with opened(browser, "about:blank") as visit:
            session = visit.page.context.new_cdp_session(visit.page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            began = time.perf_counter()
            visit.page.goto(file.as_uri())
            assert visit.page.locator("article").count() == count
            took.append(time.perf_counter() - began)
            metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
            worked.append(metrics["TaskDuration"])
    return statistics.median(took), statistics.median(worked)


def main() -> None:
    """Print both times, their ratio, and the size of the large report."""
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        seconds = {}
        for count in (1, COUNT):
            file = Path(folder) / f"{count}.html"
            file.write_text(render_plan(many_channels(count)), encoding="utf-8")
            seconds[count], work = opening(browser, file, count)
            size = file.stat().st_size / 1e6
            print(f"{count} channels: {seconds[count]:.2f} s, {work:.2f} s of them work, {size:.2f} MB")
    print(f"{COUNT} channels take {seconds[COUNT] / seconds[1]:.1f} x the time of one")


if __name__ == "__main__":
    main()
