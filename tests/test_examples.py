"""Every example is planned and applied, and then plans empty."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commands import invoke

ROOT = Path(__file__).parents[1] / "examples"
WITHOUT_MANIFESTS = {"argocd", "kubernetes", "policies"}
"""What is read by others, in tests of their own."""

EXAMPLES = {path.name: path / "channels" for path in ROOT.iterdir() if (path / "channels").is_dir()}
EXAMPLES |= {path.name: path for path in ROOT.iterdir() if path.name not in {*EXAMPLES, *WITHOUT_MANIFESTS}}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_converges(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A copy, since identity secrets are delivered beside the manifests.
    example = shutil.copytree(EXAMPLES[name], tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for sink in ("gh", "python3"):  # of identity secrets; with --sandbox they are not run
        (tmp_path / sink).touch(mode=0o755)
    environ = {"PATH": str(tmp_path)}
    assert invoke("plan", example, "--sandbox", "--detailed-exitcode", environ=environ).code == 2
    applied = invoke("apply", example, "--sandbox", "--auto-approve", environ=environ)
    assert applied.code == 0
    assert "Apply complete!" in applied.last_line
    assert invoke("plan", example, "--sandbox", "--detailed-exitcode", environ=environ).code == 0


def test_the_example_of_an_identity_secret_delivers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = shutil.copytree(EXAMPLES["organization"], tmp_path / "organization")
    monkeypatch.chdir(tmp_path)
    assert invoke("apply", example, "--sandbox", "--auto-approve").code == 0
    signed = invoke("secret", "sign", "Support", "--user-id", "user-1")
    assert (signed.code, len(signed.out.strip())) == (0, 64)
    assert (example / ".env").stat().st_mode & 0o777 == 0o600
