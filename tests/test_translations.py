"""The pages in Spanish say what their sources say: the same headings, the same fences, and of the same text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from documented import Fence, Live, read_page, same
from translations import ROOT, STAMP, TRANSLATIONS, fingerprint, headings

EACH = pytest.mark.parametrize("page", TRANSLATIONS, ids=lambda page: page.relative_to(ROOT).as_posix())


def blocks(page: Path) -> list[object]:
    """What a reader types, writes and sees, and what is live."""
    return [
        (step.language, step.title, same(step.text), step.reason) if isinstance(step, Fence) else step
        for step in read_page(page.read_text(encoding="utf-8"))
        if isinstance(step, Fence | Live)
    ]


@EACH
def test_a_page_has_the_headings_and_the_fences_of_its_source(page: Path) -> None:
    source = TRANSLATIONS[page]
    assert headings(page) == headings(source)
    assert blocks(page) == blocks(source)


@EACH
def test_a_page_translates_the_text_that_its_source_has_now(page: Path) -> None:
    source = TRANSLATIONS[page]
    stamp = STAMP.search(page.read_text(encoding="utf-8"))
    name = source.relative_to(ROOT).as_posix()
    assert stamp is not None
    assert (stamp[1], stamp[3]) == (name, fingerprint(source)), (
        f"{name} has changed since {stamp[2]}: translate what is new, then run\n"
        f"  python tests/helpers/translations.py {page.relative_to(ROOT).as_posix()}"
    )


@EACH
def test_a_page_and_its_source_link_each_other_at_the_top(page: Path) -> None:
    source = TRANSLATIONS[page]
    for this, other in ((page, source), (source, page)):
        top = this.read_text(encoding="utf-8").partition("\n## ")[0]
        assert f"({Path(os.path.relpath(other, this.parent)).as_posix()})" in top
