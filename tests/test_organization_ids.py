"""What can be no organisation's id, and no key, is an error before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import emulated, invoke

NONE = ["../x", "..", ".", "x/..", "/x", "x/", "a//b", "..\\x", "a/./b"]
SOME = ["acme", "7f3e-…", "a b", "...", "a.b", ".hidden", "x?y#z", "%2e%2e"]


@pytest.mark.parametrize("organization", NONE)
def test_an_organization_that_leads_to_another_path_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, organization: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.yaml"
    file.write_text(f"version: 1\norganization: '{organization}'\nchannels: []\n", encoding="utf-8")
    checked = invoke("validate", file)
    assert checked.code == 1
    assert "a.yaml:2:15: error: organization: " in checked.err
    file.write_text("version: 1\nchannels: []\n", encoding="utf-8")
    with emulated() as api:
        for named in (
            api.invoke("plan", file, "--org", organization),
            api.invoke("plan", file, environ={"MOSEND_ORG_ID": organization}),
            api.invoke("snippet", "A", "--org", organization),
            invoke("plan", file, "--sandbox", "--org", organization),
        ):
            assert named.code == 1
            assert "can't be an organisation id: it would change the path of the request\n" in named.err
        assert api.taken_calls() == []


@pytest.mark.parametrize("organization", SOME)
def test_any_other_organization_is_left_to_the_api(tmp_path: Path, organization: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"version: 1\norganization: '{organization}'\nchannels: []\n", encoding="utf-8")
    assert invoke("validate", file).code == 0


@pytest.mark.parametrize("quote", ['"', "'", "`"])
def test_a_key_in_quotes_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quote: str) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.yaml"
    file.write_text("version: 1\norganization: acme\nchannels: []\n", encoding="utf-8")
    (tmp_path / "key").write_text(f"{quote}mk_test_a.b{quote}\n", encoding="utf-8")
    with emulated() as api:
        for refused in (
            api.invoke("plan", file, environ={"MOSEND_API_KEY": f"{quote}mk_test_a.b{quote}"}),
            api.invoke("plan", file, "--api-key-file", "key"),
        ):
            assert refused.code == 1
            assert "the API key is in quotes" in refused.err
            assert "mk_test_a.b" not in refused.err
        assert api.taken_calls() == []
