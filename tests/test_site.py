"""The site as it is built: every page, a search that finds, nothing fetched from elsewhere, and what a phone shows."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from browser import Visit, opened, running_browser
from variations import variation

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).parents[1]
PHONE: Final = {"width": 390, "height": 844}
DESKTOP: Final = {"width": 1280, "height": 900}
PAGES: Final = sorted(
    page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in (ROOT / "docs").rglob("*.md")
)

LABELS: Final = {
    "en": [
        'aria-label="Search"',
        "On this page",
        "Skip to content",
        '"Copy to clipboard"',
        '"Type to start searching"',
        'aria-label="Switch to dark"',
        'title="Permanent link"',
        "Made with",
    ],
    "es": [
        'aria-label="Buscar"',
        "En esta página",
        "Saltar al contenido",
        '"Copiar al portapapeles"',
        '"Escribe para empezar a buscar"',
        'aria-label="Cambiar a modo oscuro"',
        'title="Enlace permanente"',
        "Hecho con",
    ],
}
"""What the theme says, in the languages of the pages."""

TOO_WIDE: Final = """
() => [...document.querySelectorAll("article table")]
  .filter((table) => table.getBoundingClientRect().right > innerWidth)
  .map((table) => table.innerText.slice(0, 80))
"""
"""The tables that a reader would have to scroll sideways."""

BROKEN_OPTIONS: Final = """
() => [...document.querySelectorAll("article :not(pre) > code")].flatMap((code) => {
  const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT)
  const broken = []
  while (texts.nextNode()) {
    for (const option of texts.currentNode.data.matchAll(/--[a-z-]+/g)) {
      const range = document.createRange()
      range.setStart(texts.currentNode, option.index)
      range.setEnd(texts.currentNode, option.index + option[0].length)
      if (range.getClientRects().length > 1) broken.push(code.textContent)
    }
  }
  return broken
})
"""
"""The commands in which a line ends within an option."""

SAID_BY_THE_SEARCH: Final = """
() => {
  const dialog = [...document.body.children].find((element) => element.shadowRoot).shadowRoot
  const visible = [...dialog.querySelectorAll("*")].filter((element) => element.checkVisibility())
  const labels = visible.flatMap((element) => [element.ariaLabel, element.placeholder])
  return [...labels, dialog.querySelector("[role=status]").innerText].filter((text) => text)
}
"""
"""The words of the dialog itself, without what it found."""


def address(page: str) -> str:
    """The address of a page below the root of the site."""
    return "" if page == "index" else f"{page.removesuffix('index').removesuffix('/')}/"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly from a copy."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("zensical is not installed")
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    build = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url(built: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(built))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


def hits(visit: Visit, words: str) -> list[str]:
    """Type ``words`` into the search; returns the addresses that it finds first, below the root of the site."""
    visit.page.wait_for_load_state("networkidle")  # until the search has its index
    if not visit.page.get_by_role("combobox").is_visible():
        visit.page.keyboard.press("Control+k")
    visit.page.get_by_role("combobox").fill("")
    visit.page.get_by_role("option").first.wait_for(state="detached")
    visit.page.get_by_role("combobox").fill(words)
    visit.page.get_by_role("option").first.wait_for()
    links = visit.page.get_by_role("option").evaluate_all("(links) => links.map((link) => link.href)")
    return [link.replace(f"?h={quote(words)}", "").split("/", 3)[3] for link in links]


def test_every_page_and_every_picture_is_there_and_no_program(built: Path) -> None:
    assert not [page for page in PAGES if not (built / address(page) / "index.html").is_file()]
    for page in built.rglob("index.html"):
        sources = re.findall(r'<(?:img|link)[^>]+(?:src|href)="([^"#:]+\.(?:svg|png|css))"', page.read_text("utf-8"))
        assert sources
        assert not [source for source in sources if not (page.parent / source).is_file()], page
    assert not list(built.rglob("*.py"))


def test_only_a_dollar_sign_is_a_prompt_in_what_a_command_prints(built: Path) -> None:
    page = (built / "how-to" / "rename" / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'<span class="gp">([^<]*)</span>', page)) == {"$ "}


def test_a_page_has_the_language_and_the_labels_of_its_text(built: Path) -> None:
    for page in PAGES:
        text = (built / address(page) / "index.html").read_text(encoding="utf-8")
        lang, other = ("es", "en") if page.startswith("es/") else ("en", "es")
        assert f'<html lang="{lang}"' in text, page
        assert [label for label in LABELS[lang] if label not in text] == [], page
        assert [label for label in LABELS[other] if label in text] == [], page


def test_the_navigation_of_a_page_leads_to_pages_in_its_language_wherever_there_are_some(built: Path) -> None:
    for page in PAGES:
        file = built / address(page) / "index.html"
        text = file.read_text(encoding="utf-8")
        links = re.findall(r'<a href="([^"#]*)', text.partition("<article")[0])
        assert len(links) > 10, page
        targets = {(file.parent / link).resolve().relative_to(built.resolve()).as_posix() for link in links}
        assert not [target for target in targets if not (built / target / "index.html").is_file()], page
        if page.startswith("es/"):
            other = address(page.removeprefix("es/")).rstrip("/") or "."
            assert not [target for target in targets - {other} if (built / "es" / target).is_dir()], page


def test_the_search_is_in_the_language_of_its_page_and_finds_each_page_in_one_language(
    url: str, browser: Browser
) -> None:
    said: dict[str, set[str]] = {}
    for page, nothing in (("tutorial", "No results"), ("es/tutorial", "Sin resultados")):
        with opened(browser, url + address(page), viewport=DESKTOP) as visit:
            assert hits(visit, "renamedFrom")[0] == "how-to/rename/#rename-it"
            guards = [link for link in hits(visit, "protect") if "troubleshooting/" in link]
            said[page] = set(visit.page.evaluate(SAID_BY_THE_SEARCH))
            visit.page.get_by_role("combobox").fill("xyzxyzxyzxyz")
            visit.page.get_by_role("status").get_by_text(nothing, exact=True).wait_for()
            if page == "es/tutorial":
                assert guards == ["es/troubleshooting/#todas-las-salvaguardas"]
                assert hits(visit, "rotacion") == hits(visit, "rotación")
                assert hits(visit, "rotacion")[0] == "es/tutorial/"
            else:
                assert guards == ["troubleshooting/#all-guards"]
                visit.page.goto(f"{url}404.html")
                assert hits(visit, "renamedFrom")[0] == "how-to/rename/#rename-it"
            assert visit.complaints == []
    assert len(said["tutorial"]) == len(said["es/tutorial"]) == 4
    assert not said["tutorial"] & said["es/tutorial"]


def test_a_phone_shows_every_page_without_scrolling_sideways_or_asking_anybody_else(url: str, browser: Browser) -> None:
    """Without scripts, which take most of the time: what they ask for is looked at on some pages below."""
    flaws: dict[str, object] = {}
    with opened(browser, url, viewport=PHONE, java_script_enabled=False) as visit:
        for page in PAGES:
            visit.page.goto(url + address(page))
            width, tables = visit.page.evaluate("document.documentElement.scrollWidth"), visit.page.evaluate(TOO_WIDE)
            if width > PHONE["width"] or tables:
                flaws[page] = (width, tables)
        assert flaws == {}
        assert [request for request in visit.requests if not request.startswith(url)] == []
        assert visit.complaints == []


@pytest.mark.alike
@pytest.mark.parametrize(
    "page", ["index", "tutorial", variation("reference/commands"), "es/troubleshooting", "coming-from"]
)
def test_everybody_can_read_a_page(page: str, url: str, browser: Browser) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with opened(browser, url + address(page), viewport=PHONE) as visit:
        said = axe.run(visit.page).response["violations"]
        assert [
            (flaw["id"], flaw["nodes"][0]["html"]) for flaw in said if flaw["impact"] in ("serious", "critical")
        ] == []
        assert visit.page.evaluate("document.documentElement.lang") == ("es" if page.startswith("es/") else "en")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert visit.page.evaluate(BROKEN_OPTIONS) == []
        assert visit.complaints == []
        assert [request for request in visit.requests if not request.startswith(url)] == []
