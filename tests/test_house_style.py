"""Pages and program keep to the style of `docs/contributing/glossary.md`, whose last table is what is looked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from house_style import GLOSSARY, ROOT, breaches, program

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

OPEN: Final = {
    "schemas/channel.schema.json",
    "schemas/drift.schema.json",
    "schemas/manifest.schema.json",
    "schemas/plan.schema.json",
    "src/webchat_sync/check/rules.py",
    "src/webchat_sync/check/variables.py",
    "src/webchat_sync/cli/apply.py",
    "src/webchat_sync/cli/ci.py",
    "src/webchat_sync/cli/drift.py",
    "src/webchat_sync/cli/emulator.py",
    "src/webchat_sync/cli/old_commit.py",
    "src/webchat_sync/cli/plan.py",
    "src/webchat_sync/cli/secret.py",
    "src/webchat_sync/emulator/faults.py",
    "src/webchat_sync/emulator/quirks.py",
    "src/webchat_sync/forge/session.py",
    "src/webchat_sync/git.py",
    "src/webchat_sync/manifest/adopt.py",
    "src/webchat_sync/manifest/files.py",
    "src/webchat_sync/memory/lease.py",
    "src/webchat_sync/plan/secret.py",
    "src/webchat_sync/plan/twins.py",
    "src/webchat_sync/render/report.py",
    "src/webchat_sync/secrets/rotate.py",
    "src/webchat_sync/tree.py",
}
"""Modules and schemas from before the glossary that are not rewritten yet; this list only becomes shorter."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_has_none_of_the_phrases_that_the_glossary_rules_out(page: Path) -> None:
    assert breaches(page.read_text(encoding="utf-8")) == []


def test_what_the_program_says_has_none_of_them_either() -> None:
    said = {name: [phrase for _, phrase in breaches(text)] for name, text in program() if name not in OPEN}
    assert len(said) > 100
    assert {name: phrases for name, phrases in said.items() if phrases} == {}


def test_phrases_are_found_across_lines_and_not_in_code() -> None:
    assert breaches("a\nThe sink\nstands\nin the way. Mend it") == [(3, "stands in"), (4, "Mend")]
    assert breaches("```\nmend\n```\n`mend` <!-- mend\n --> amends, stands on\n") == []


@pytest.mark.parametrize("guide", sorted((ROOT / "docs").rglob("how-to/*.md")), ids=lambda guide: guide.name)
def test_a_guide_says_what_it_starts_from_and_how_to_undo_it(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    assert re.search(r"^## (?:Undo|Deshacer)$", text, re.MULTILINE)
    assert re.search(r"<!-- live -->|guide starts from|starts from any|guide uses", text)
