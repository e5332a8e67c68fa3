"""Pages and program keep to the style of `docs/contributing/glossary.md`, whose last tables list the phrases."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from house_style import GLOSSARY, ROOT, SOURCES, breaches, program, quotes_as_python

PAGES: Final = [
    page
    for page in [
        *(page for page in sorted(ROOT.glob("*.md")) if page.name != "README.es.md"),
        *sorted((ROOT / "examples").rglob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    if "es" not in page.relative_to(ROOT).parts and page != GLOSSARY
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_has_none_of_the_phrases_that_the_glossary_rules_out(page: Path) -> None:
    assert breaches(page.read_text(encoding="utf-8")) == []


def test_what_the_program_says_has_none_of_them_either() -> None:
    said = {name: [phrase for _, phrase in breaches(text, message=True)] for name, text in program()}
    assert len(said) > 100
    assert {name: phrases for name, phrases in said.items() if phrases} == {}


def test_messages_quote_values_as_json_does_and_not_as_python_does() -> None:
    """A name is in double quotes everywhere: ``repr`` changes its quotes with the name."""
    quoting = {module.relative_to(SOURCES).as_posix() for module in SOURCES.rglob("*.py") if quotes_as_python(module)}
    # click's own form, which `cli/usage.py` rewrites; a bug of the emulator's; what `check/messages.py` words; code.
    assert quoting == {"cli/help.py", "emulator/app.py", "check/schema.py", "frozen.py"}


def test_phrases_are_found_across_lines_and_not_in_code() -> None:
    assert breaches("a\nThe sink\nstands\nin the way. Mend it") == [(3, "stands in"), (4, "Mend")]
    assert breaches("no answer stands") == []
    assert breaches("no answer stands", message=True) == [(1, "no answer"), (1, "stands")]
    assert breaches("```\nmend\n```\n`mend` <!-- mend\n --> amends, stands on\n") == []


@pytest.mark.parametrize("guide", sorted((ROOT / "docs").rglob("how-to/*.md")), ids=lambda guide: guide.name)
def test_a_guide_says_what_it_starts_from_and_how_to_undo_it(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    assert re.search(r"^## (?:Undo|Deshacer)$", text, re.MULTILINE)
    assert re.search(r"<!-- live -->|^You need |You need a |examples? on this page", text)
