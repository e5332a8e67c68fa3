"""Every example is planned and applied, and then plans empty."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commands import invoke

EXAMPLES = sorted(path for path in (Path(__file__).parents[1] / "examples").iterdir() if path.is_dir())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_converges(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A copy, since identity secrets are delivered beside the manifests.
    example = shutil.copytree(example, tmp_path / example.name)
    monkeypatch.chdir(tmp_path)
    assert invoke("plan", example, "--sandbox", "--detailed-exitcode").code == 2
    applied = invoke("apply", example, "--sandbox", "--auto-approve")
    assert applied.code == 0
    assert "Apply complete!" in applied.last_line
    assert invoke("plan", example, "--sandbox", "--detailed-exitcode").code == 0


def test_the_example_of_an_identity_secret_delivers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = (each for each in EXAMPLES if each.name == "organization")
    example = shutil.copytree(example, tmp_path / "organization")
    monkeypatch.chdir(tmp_path)
    assert invoke("apply", example, "--sandbox", "--auto-approve").code == 0
    signed = invoke("secret", "sign", "Support", "--user-id", "user-1")
    assert (signed.code, len(signed.out.strip())) == (0, 64)
    assert (example / ".env").stat().st_mode & 0o777 == 0o600
