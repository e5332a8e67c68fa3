from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_the_field_table_is_that_of_the_catalogue() -> None:
    check = [sys.executable, str(DOCS / "generate.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "run: python docs/generate.py"
