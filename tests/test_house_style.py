"""The pages keep to the style that `docs/contributing/glossary.md` describes; its last table is what is looked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
GLOSSARY: Final = ROOT / "docs" / "contributing" / "glossary.md"

FROM_THE_PROGRAM: Final = {
    f"docs/reference/{name}.md" for name in ("commands", "emulator", "fields", "json", "manifest")
}
"""Pages that repeat what the program and its schemas say."""

PAGES: Final = [
    page
    for page in [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if page.relative_to(ROOT).as_posix() not in FROM_THE_PROGRAM
    and "es" not in page.relative_to(ROOT).parts
    and page != GLOSSARY
]


def unwanted() -> re.Pattern[str]:
    """What the glossary's last table has in its first column."""
    table = GLOSSARY.read_text(encoding="utf-8").partition("## Don't write")[2]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", table, re.MULTILINE)[1:]
    phrases = [phrase.strip() for row in rows for phrase in row.split(",")]
    assert len(phrases) > 30
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b", re.IGNORECASE)


def prose(text: str) -> str:
    """``text`` with fences, comments and code blanked out, so that lines keep their numbers."""
    hidden = r"^(`{3,}).*?^\1$|<!--.*?-->|`[^`\n]+`|<code>.*?</code>"
    return re.sub(hidden, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.MULTILINE | re.DOTALL)


def breaches(text: str) -> list[tuple[int, str]]:
    """The lines on which something unwanted begins, and what it is; a phrase may be broken over two lines."""
    found = unwanted().finditer(re.sub(r"\n", " ", plain := prose(text)))
    return [(plain.count("\n", 0, each.start()) + 1, each[0]) for each in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_has_none_of_the_phrases_that_the_glossary_rules_out(page: Path) -> None:
    assert breaches(page.read_text(encoding="utf-8")) == []


def test_phrases_are_found_across_lines_and_not_in_code() -> None:
    assert breaches("a\nThe sink\nstands\nin the way. Mend it") == [(3, "stands in"), (4, "Mend")]
    assert breaches("```\nmend\n```\n`mend` <!-- mend\n --> amends, stands on\n") == []


@pytest.mark.parametrize("guide", sorted((ROOT / "docs").rglob("how-to/*.md")), ids=lambda guide: guide.name)
def test_a_guide_says_what_it_starts_from_and_how_to_undo_it(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    assert re.search(r"^## (?:Undo|Deshacer)$", text, re.MULTILINE)
    opening = text.partition("\n## ")[0] if "<!-- live" not in text else text
    assert re.search(r"<!-- live -->|(?:starts?|empieza|parte) (?:from|de|desde)|guide uses", opening), guide
