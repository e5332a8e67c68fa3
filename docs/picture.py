"""Makes the pictures in docs/images: ``python docs/picture.py``, where chromium is on the machine.

``plan-in-pull-request.png`` is what ``plan --format markdown`` prints of a manifest, rendered as a forge renders the
comment of a pull request; only the frame around it is drawn here. ``report.png`` is the page that ``plan --format
html`` makes of the same manifest, as a browser shows it. ``preview.png`` is what ``preview`` serves of it on a
Saturday.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml

from webchat_sync.domain.catalogue import load_catalogue
from webchat_sync.emulator import Store, build_app, serve
from webchat_sync.model import Json

PICTURE: Final = Path(__file__).parent / "images" / "plan-in-pull-request.png"
WIDTH: Final = 840
"""The width of the picture, before it is enlarged for sharp screens."""

REPORT: Final = Path(__file__).parent / "images" / "report.png"
REPORT_SIZE: Final = (1200, 1500)
"""Width and height of the part of the page that its picture shows."""

PREVIEW: Final = Path(__file__).parent / "images" / "preview.png"
PREVIEW_SIZE: Final = (1200, 960)
CLOCK: Final = "2026-11-28T13:05"
"""What the clock of the preview is turned to."""

SLIP: Final = ("theme: dark", "them: dark")
"""What is right in MANIFEST, and wrong in the preview."""

MARKS: Final = {"+": "added", "-": "removed", "!": "changed"}

LIVE: Final[dict[str, Json]] = {
    "name": "Soporte",
    "color": "#64748b",
    "welcomeMessage": "Hola",
    "allowedDomains": ["www.example.com", "old.example.com"],
    "operatingHours": {"timezone": "America/Bogota", "days": {"mon": ["09:00-18:00"], "sat": ["09:00-13:00"]}},
    "prechatFields": [{"label": "Email", "type": "email", "required": False}],
}
MANIFEST: Final = """\
version: 1
organization: acme
channels:
  - name: Support
    color: "#0f766e"
    welcomeMessage: Hi! How can we help?
    allowedDomains: [www.example.com]
    operatingHours:
      timezone: America/Bogota
      days: { mon: ["09:00-13:00", "14:00-18:00"], sat: ["09:00-13:00"] }
    prechatFields:
      - { label: Email, type: email, required: true }
    sync: { renamedFrom: Soporte }
  - name: Sales
    welcomeMessage: Questions about our plans? Ask away.
    allowedDomains: [shop.example.com]
    theme: dark
"""
PAGE: Final = """\
<!doctype html>
<meta charset="utf-8">
<style>
  * {{ box-sizing: border-box }}
  body {{ margin: 0; padding: 24px; background: #fff; color: #1f2328;
    font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", Helvetica, Arial, sans-serif }}
  .row {{ display: flex; gap: 16px }}
  .face {{ width: 40px; height: 40px; border-radius: 50%; background: #0f766e; color: #fff; flex: none;
    display: grid; place-items: center; font-weight: 600; font-size: 17px }}
  .comment {{ flex: 1; min-width: 0; border: 1px solid #d1d9e0; border-radius: 6px }}
  header {{ padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0;
    color: #59636e }}
  header b {{ color: #1f2328 }}
  header span {{ border: 1px solid #d1d9e0; border-radius: 2em; padding: 0 7px; font-size: 12px; margin-left: 4px }}
  article {{ padding: 16px 16px 8px }}
  h3 {{ margin: 0 0 16px; font-size: 18px }}
  table {{ border-collapse: collapse; margin-bottom: 16px }}
  th, td {{ border: 1px solid #d1d9e0; padding: 6px 13px; text-align: left; vertical-align: top }}
  code {{ font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", "Liberation Mono", monospace; background: #818b981f;
    padding: .2em .4em; border-radius: 6px }}
  details {{ margin-bottom: 8px }}
  details > :last-child {{ margin-bottom: 0 }}
  summary {{ margin-bottom: 8px }}
  pre {{ margin: 0 0 16px; padding: 12px 16px; background: #f6f8fa; border-radius: 6px; line-height: 1.45;
    white-space: pre-wrap }}
  pre code {{ background: none; padding: 0 }}
  .added, .removed, .changed {{ display: inline-block; width: 100% }}
  .added {{ color: #116329; background: #dafbe1 }}
  .removed {{ color: #82071e; background: #ffebe9 }}
  .changed {{ color: #953800; background: #ffd8b5 }}
</style>
<div class="row">
  <div class="face">w</div>
  <div class="comment">
    <header><b>webchat-sync</b><span>bot</span> commented just now</header>
    <article>{body}</article>
  </div>
</div>
<script>
  document.querySelectorAll("details").forEach((each, index) => {{ each.open = index === 0 }})
  document.title = document.documentElement.offsetHeight
</script>
"""


def plan(folder: Path, form: str) -> str:
    """What `plan --format FORM` prints for MANIFEST where LIVE is live."""
    channels = folder / "channels"
    channels.mkdir(exist_ok=True)
    (channels / "support.yaml").write_text(MANIFEST, encoding="utf-8")
    store = Store(catalogue=load_catalogue())
    store.seed("acme", [LIVE])
    with serve(build_app(store)) as url:
        command = [sys.executable, "-m", "webchat_sync", "plan", "channels/", "--format", form]
        environ = {**os.environ, "MOSEND_BASE_URL": url, "MOSEND_API_KEY": "mk_test_picture.picture"}
        return subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True, text=True).stdout


def previewed(folder: Path) -> None:
    """Make the picture of what `preview` serves of MANIFEST with a slip in it."""
    (folder / "channels" / "support.yaml").write_text(MANIFEST.replace(*SLIP), encoding="utf-8")
    command = [sys.executable, "-m", "webchat_sync", "preview", "--port", "0", "channels/"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        address = program.stderr.readline().split()[-1]
        width, height = PREVIEW_SIZE
        chromium(f"{address}?at={CLOCK}", folder, height, f"--screenshot={PREVIEW}", width=width)
        program.send_signal(signal.SIGINT)


def code(text: str, language: str, _attributes: str) -> str:
    """The inside of a fence; of a diff, each line by its mark."""
    escaped = str(escapeHtml(text))
    if language != "diff":
        return escaped
    marked = ((MARKS.get(line[:1]), line) for line in escaped.splitlines(keepends=True))
    return "".join(f'<span class="{mark}">{line}</span>' if mark else line for mark, line in marked)


def chromium(address: str, folder: Path, height: int, *options: str, width: int = WIDTH) -> str:
    """Show the page in a window of that size; what it prints."""
    always = ["--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=1.5"]
    sizes = [f"--window-size={width},{height}", f"--user-data-dir={folder / 'profile'}"]
    command = ["chromium", *always, *sizes, *options, address]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def main() -> None:
    """Make the pictures, that of the comment with its first part opened as a reader does."""
    renderer = MarkdownIt("commonmark", {"highlight": code}).enable("table")
    with TemporaryDirectory() as name:
        folder = Path(name)
        page = folder / "page.html"
        page.write_text(PAGE.format(body=renderer.render(plan(folder, "markdown"))), encoding="utf-8")
        shown = re.search(r"<title>(\d+)</title>", chromium(page.as_uri(), folder, 100, "--dump-dom"))
        assert shown is not None
        chromium(page.as_uri(), folder, int(shown[1]), f"--screenshot={PICTURE}")
        report = folder / "report.html"
        report.write_text(plan(folder, "html"), encoding="utf-8")
        width, height = REPORT_SIZE
        chromium(report.as_uri(), folder, height, f"--screenshot={REPORT}", width=width)
        previewed(folder)


if __name__ == "__main__":
    main()
