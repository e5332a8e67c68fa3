"""The generated pages are those that `docs/generate.py` makes now, and every link leads to a file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from documented import Fence, read_page
from webchat_sync.cli.plan import command as plan
from webchat_sync.render.formats import FORMATS

ROOT = Path(__file__).parents[1]
PAPERS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.es.md", "README.md", "SECURITY.md"]
LINKING = [*(ROOT / name for name in PAPERS), *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_generated_pages_are_up_to_date() -> None:
    check = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(check, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"run: python docs/generate.py\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [each for each in targets if "://" not in each and not (page.parent / each).exists()]
    assert not missing


def test_every_page_is_in_the_navigation() -> None:
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    listed = set(re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == pages
    decisions = {page.removeprefix("adr/") for page in pages if page.startswith("adr/")} - {"index.md"}
    index = (ROOT / "docs" / "adr" / "index.md").read_text(encoding="utf-8")
    assert not {page for page in decisions if page not in index}


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = [path for path in (ROOT / "src" / "webchat_sync").iterdir() if not path.name.startswith(("_", "py.typed"))]
    names = [path.name + "/" * path.is_dir() for path in rooms]
    assert len(names) > 10
    assert not [name for name in names if f"`{name}`" not in text]


def test_a_page_shows_the_pipelines_of_the_examples_as_they_are() -> None:
    shown = {
        (fence.title, fence.text)
        for page in LINKING
        for fence in read_page(page.read_text(encoding="utf-8"))
        if isinstance(fence, Fence) and (fence.title.startswith(".github/") or fence.title.endswith(".gitlab-ci.yml"))
    }
    assert {title for title, _ in shown} > {".gitlab-ci.yml", ".github/workflows/plan.yml"}
    for title, text in shown:
        example = ROOT / "examples" / ("github" if title.startswith(".github/") else "gitlab") / title
        assert text == example.read_text(encoding="utf-8"), title


def test_a_page_shows_a_job_of_an_example_as_it_is() -> None:
    plain = (ROOT / "examples" / "gitlab" / "plain.gitlab-ci.yml").read_text(encoding="utf-8")
    page = read_page((ROOT / "docs" / "how-to" / "drift.md").read_text(encoding="utf-8"))
    jobs = [fence.text for fence in page if isinstance(fence, Fence) and "extends: .webchat-sync" in fence.text]
    assert jobs
    assert not [job for job in jobs if job not in plain]


def test_the_page_about_the_preview_shows_the_file_in_its_picture() -> None:
    shown = next(
        fence
        for fence in read_page((ROOT / "docs" / "how-to" / "preview.md").read_text(encoding="utf-8"))
        if isinstance(fence, Fence) and fence.title
    )
    program = ast.parse((ROOT / "docs" / "picture.py").read_text(encoding="utf-8"))
    values = {
        str(each.target.id): ast.literal_eval(each.value)
        for each in program.body
        if isinstance(each, ast.AnnAssign)
        and isinstance(each.target, ast.Name)
        and each.target.id in ("MANIFEST", "SLIP")
        if each.value is not None
    }
    assert shown.text == values["MANIFEST"].replace(*values["SLIP"])


def test_every_format_of_a_plan_has_a_section_and_is_in_the_help() -> None:
    page = Path("docs/reference/formats.md")
    sections = set(re.findall(r"^## (\S+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE))
    assert not FORMATS.keys() - sections, f"write a section about each of these formats in {page}"
    help_text = " ".join((plan.help or "").split())
    undescribed = {name for name in FORMATS if f" {name} for " not in help_text}
    assert not undescribed, "say what each of these formats is for in the help of src/webchat_sync/cli/plan.py"


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_heading_of_its_own_page_leads_to_one(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    if page.is_relative_to(ROOT / "docs"):  # MkDocs drops accents, and Git hosts keep them
        headings = [unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode() for heading in headings]
    anchors = {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}
    assert not {target for target in re.findall(r"\]\(#([^)\s]+)\)", text) if target not in anchors}


def test_the_page_of_variables_names_each_of_ours() -> None:
    modules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    read = set(re.findall(r"\b(?:WEBCHAT_SYNC_[A-Z_]+|MOSEND_(?:API_KEY|ORG_ID|BASE_URL))\b", modules))
    read.remove("WEBCHAT_SYNC_EMPTY")  # only passed on to Git
    assert len(read) > 10
    page = (ROOT / "docs" / "reference" / "variables.md").read_text(encoding="utf-8")
    assert {name for name in read if f"`{name}`" not in page} == set()
