"""The Spanish pages and their sources. ``python tests/helpers/translations.py PAGE…`` marks pages as up to date."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SPANISH: Final = ROOT / "docs" / "es"

TRANSLATIONS: Final = {
    ROOT / "README.es.md": ROOT / "README.md",
    **{page: ROOT / "docs" / page.relative_to(SPANISH) for page in sorted(SPANISH.rglob("*.md"))},
}
"""Each Spanish page and its source."""

STAMP: Final = re.compile(r"\n<!-- Translated from (\S+) of (\d{4}-\d\d-\d\d), whose text is ([0-9a-f]{16})\. -->\n\Z")


def fingerprint(source: Path) -> str:
    """The hash of a page's text without its fences, which are compared separately."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", source.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def headings(page: Path) -> list[int]:
    """The levels of its headings, in order."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]


def mark(page: Path, today: str) -> None:
    """Record at the end of a page which version of its source it translates."""
    source = TRANSLATIONS[page]
    text = STAMP.sub("\n", page.read_text(encoding="utf-8")).rstrip("\n")
    name = source.relative_to(ROOT).as_posix()
    page.write_text(
        f"{text}\n\n<!-- Translated from {name} of {today}, whose text is {fingerprint(source)}. -->\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        mark(Path(argument).resolve(), datetime.now(UTC).date().isoformat())
