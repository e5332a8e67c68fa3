"""An identity secret that this folder holds or remembers is refused in a manifest, as an API key is."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Final

import pytest

from commands import emulated, invoke

MANIFEST: Final = """version: 1
organization: acme
channels:
  - name: Support
    sync: {identitySecret: {rotation: a, deliver: [{SINK}]}}
"""
FAILING: Final = "command: [sh, -c, 'cat >/dev/null; exit 1']"


@pytest.mark.parametrize(("sink", "code"), [("file: support.secret", 0), (FAILING, 3)])
def test_a_secret_that_was_delivered_or_waits_is_refused_in_a_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: str, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(MANIFEST.replace("SINK", sink), encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        assert api.invoke("apply", "m.yaml", "--auto-approve").code == code
        secret = api.store.identity_secret(str(api.store.channels("acme")[0]["id"]))
    assert secret is not None
    values = [secret] if code == 0 else [secret, f"x {secret} y", b64encode(secret.encode()).decode()]
    for value in values:
        text = f"version: 1\norganization: acme\nchannels: [{{name: A, welcomeMessage: '{value}'}}]\n"
        (tmp_path / "leaking.yaml").write_text(text, encoding="utf-8")
        for arguments in (["leaking.yaml"], ["leaking.yaml", "--format", "json"]):
            refused = invoke("validate", *arguments)
            assert refused.code == 1
            assert "a secret that is in use" in refused.out + refused.err
            assert secret not in refused.out + refused.err
    through = (tmp_path / "leaking.yaml").read_text(encoding="utf-8").replace(values[-1], "${WEBCHAT_X}")
    (tmp_path / "leaking.yaml").write_text(through, encoding="utf-8")
    refused = invoke("validate", "leaking.yaml", environ={"WEBCHAT_X": secret})
    assert (refused.code, "in use" in refused.err, secret in refused.err) == (1, True, False)
    assert invoke("validate", "leaking.yaml", environ={"WEBCHAT_X": "hello there"}).code == 0


def test_what_cannot_be_read_hinders_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text("version: 1\norganization: acme\nchannels: [{name: A}]\n", encoding="utf-8")
    folder = tmp_path / ".webchat-sync" / "recovery"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{", encoding="utf-8")
    (folder.parent / "ledger.json").write_text("{", encoding="utf-8")
    assert invoke("validate", "m.yaml").code == 0
