"""Writes the pages that are made from the schemas, the commands and the pipelines: ``python docs/generate.py``.

With ``--check`` it only compares, names the pages that are out of date, and exits with 1 when there are any.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from commands_page import commands_page, exit_codes
from emulator_page import emulator_page
from fields_page import fields_page
from pipeline_page import pipeline_page
from schema_pages import json_page, manifest_page

from webchat_sync.domain.catalogue import load_catalogue

ROOT: Final = Path(__file__).parents[1]

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/reference/commands.md": commands_page,
    "docs/reference/emulator.md": emulator_page,
    "docs/reference/fields.md": lambda: fields_page(load_catalogue()),
    "docs/reference/json.md": json_page,
    "docs/reference/manifest.md": manifest_page,
    "docs/reference/pipelines.md": pipeline_page,
}
"""The pages that are made as a whole."""

PARTS: Final[Mapping[str, Callable[[], str]]] = {"docs/reference/exit-codes.md": exit_codes}
"""The pages of which a part is made: what is between two comments."""

BEGIN: Final = "<!-- made by docs/generate.py -->\n"
END: Final = "<!-- end -->\n"


def made() -> Iterator[tuple[Path, str]]:
    """Each page as it should be."""
    for name, page in PAGES.items():
        yield ROOT / name, page()
    for name, part in PARTS.items():
        before, begin, rest = (ROOT / name).read_text(encoding="utf-8").partition(BEGIN)
        _, end, after = rest.partition(END)
        yield ROOT / name, "".join([before, begin, part(), end, after])


def main() -> int:
    """Write the pages, or say with exit code 1 which of them are out of date."""
    stale = [(path, text) for path, text in made() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        print(path.relative_to(ROOT))
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
    return int(bool(stale) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
