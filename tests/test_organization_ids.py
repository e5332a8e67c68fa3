"""What can be no organisation's id, and no key, is an error before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import emulated, invoke
from webchat_sync.emulator import Fault, Faults, effects

NONE = ["../x", "..", ".", "x/..", "/x", "x/", "a//b", "..\\x", "a/./b"]
PADDED = [" acme", "acme ", "\u00a0acme", "acme\u2003"]
SOME = ["acme", "7f3e-…", "a b", "...", "a.b", ".hidden", "x?y#z", "%2e%2e"]


@pytest.mark.parametrize("organization", [*NONE, *PADDED])
def test_an_organization_that_leads_to_another_path_or_is_padded_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, organization: str
) -> None:
    monkeypatch.chdir(tmp_path)
    reason = "begins or ends with white space" if organization in PADDED else "would change the path of the request"
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
            reason = (
                "begins or ends with white space" if organization in PADDED else "would change the path of the request"
            )
            assert f"can't be an organisation id: it {reason}\n" in named.err
        line_feed = api.invoke("plan", file, environ={"MOSEND_ORG_ID": "acme\n"})
        assert (line_feed.code, "it begins or ends with white space" in line_feed.err) == (1, True)
        file.write_text("version: 1\norganization: ${MOSEND_ORG_ID}\nchannels: []\n", encoding="utf-8")
        assert api.invoke("plan", file, environ={"MOSEND_ORG_ID": organization}).code == 1
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
            api.invoke("plan", file, environ={"MOSEND_API_KEY": f"mk_test_a.b{quote}"}),
            api.invoke("plan", file, "--api-key-file", "key"),
        ):
            assert refused.code == 1
            assert "the API key begins or ends with a quote" in refused.err
            assert "mk_test_a.b" not in refused.err
        assert api.taken_calls() == []


@pytest.mark.parametrize(
    ("head", "options", "variables", "source"),
    [
        ("organization: acme", [], {"MOSEND_ORG_ID": "other"}, "`organization` at a.yaml:2:15"),
        ("organization: acme # ${MOSEND_ORG_ID}", ["--org", "acme"], {}, "`organization` at a.yaml:2:15"),
        (
            "organization: ${MOSEND_ORG_ID}",
            [],
            {"MOSEND_ORG_ID": "acme"},
            "MOSEND_ORG_ID, which `organization` at a.yaml:2:15 names",
        ),
        (
            'organization: "${MOSEND_ORG_ID}"',
            ["--org", "acme"],
            {},
            "--org, which `organization` at a.yaml:2:15 names",
        ),
        (
            "organization: ${WEBCHAT_ONE}${WEBCHAT_TWO:-me}",
            [],
            {"WEBCHAT_ONE": "ac"},
            "WEBCHAT_ONE and WEBCHAT_TWO, which `organization` at a.yaml:2:15 names",
        ),
        ("", ["--org", "acme"], {"MOSEND_ORG_ID": "other"}, "--org"),
        ("", [], {"MOSEND_ORG_ID": "acme"}, "MOSEND_ORG_ID"),
    ],
)
def test_an_organisation_that_is_not_found_names_where_its_id_is_set(
    head: str,
    options: list[str],
    variables: dict[str, str],
    source: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(f"version: 1\n{head}\nchannels:\n  - name: A\n", encoding="utf-8")
    hint = f"  Check the organisation's id ({source}) and the base URL (MOSEND_BASE_URL).\n"
    with emulated(faults=Faults([Fault(effects.status(404), "GET")])) as api:
        environ = {**api.environ, "MOSEND_ORG_ID": "", **variables}
        for command in (["plan", "a.yaml"], ["adopt", "a.yaml", "--check"], ["secret", "rotate", "A", "--show"]):
            done = invoke(*command, *options, environ=environ)
            assert (done.code, done.err.endswith(hint)) == (6, True), done.err


def test_an_organisation_of_a_saved_plan_that_is_not_found_is_from_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("version: 1\nchannels:\n  - name: A\n", encoding="utf-8")
    with emulated(faults=Faults([Fault(effects.status(404), "GET", nth=frozenset(range(2, 9)))])) as api:
        assert api.invoke("plan", "a.yaml", "--out", "p.json").code == 0
        done = api.invoke("apply", "p.json", "--auto-approve")
    assert done.code == 6
    assert "Check the organisation's id (it's from the saved plan) and the base URL" in done.err
