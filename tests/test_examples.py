"""Every example is planned and applied, and then plans empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import invoke

EXAMPLES = sorted(path for path in (Path(__file__).parents[1] / "examples").iterdir() if path.is_dir())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_converges(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("plan", example, "--sandbox", "--detailed-exitcode").code == 2
    applied = invoke("apply", example, "--sandbox", "--auto-approve")
    assert applied.code == 0
    assert "Apply complete!" in applied.last_line
    assert invoke("plan", example, "--sandbox", "--detailed-exitcode").code == 0
