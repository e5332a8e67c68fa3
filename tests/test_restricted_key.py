"""A channel that was live at the last apply, and that the list lacks: it may only be that this key does not see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import Emulated, emulated

MANIFEST = """\
version: 1
organization: acme
channels:
  - {name: Support, theme: dark}
  - {name: Sales}
"""
SAID = "this channel was live at the last apply (id {}) and has since been deleted, or isn't visible to this key"


def channel_id(api: Emulated, name: str) -> str:
    return next(str(channel["id"]) for channel in api.store.channels("acme") if channel["name"] == name)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("channels.yaml").write_text(MANIFEST, encoding="utf-8")


def test_the_create_is_a_danger_refused_under_strict_and_no_more_once_it_is_made_anew() -> None:
    with emulated() as api:
        assert api.invoke("apply", "channels.yaml", "--auto-approve").code == 0
        gone = channel_id(api, "Support")
        api.store.delete("acme", gone)
        api.taken_calls()
        planned = api.invoke("plan", "channels.yaml")
        assert planned.code == 0
        assert f"! danger: {SAID.format(gone)}" in " ".join(planned.out.split())
        for command in (["plan"], ["apply", "--auto-approve"]):
            strict = api.invoke(*command, "channels.yaml", "--strict")
            assert strict.code == 5
            assert f'channel "Support" would be created, but {SAID.format(gone)}' in strict.err
            assert "key that isn't restricted" in strict.err
        assert set(api.taken_calls()) == {"GET"}
        assert api.invoke("plan", "channels.yaml", "--out", "plan.json").code == 0
        assert api.invoke("apply", "plan.json", "--strict", "--auto-approve").code == 5
        assert api.invoke("apply", "plan.json", "--auto-approve").code == 0
        assert api.invoke("plan", "channels.yaml", "--strict", "--detailed-exitcode").code == 0


def test_what_an_apply_itself_deleted_is_not_missed() -> None:
    with emulated() as api:
        assert api.invoke("apply", "channels.yaml", "--auto-approve").code == 0
        Path("channels.yaml").write_text(MANIFEST.replace("{name: Sales}", "{name: Sales, sync: {state: absent}}"))
        assert api.invoke("apply", "channels.yaml", "--auto-approve").code == 0
        Path("channels.yaml").write_text(MANIFEST)
        planned = api.invoke("plan", "channels.yaml", "--strict", "--detailed-exitcode")
        assert (planned.code, "was live" in planned.out) == (2, False)


def test_a_channel_that_somebody_renamed_is_told_by_its_name_and_id() -> None:
    with emulated() as api:
        assert api.invoke("apply", "channels.yaml", "--auto-approve").code == 0
        renamed = channel_id(api, "Support")
        api.store.update("acme", renamed, {"name": "Hilfe"})
        refused = api.invoke("plan", "channels.yaml")
        assert (refused.code, f'is live under the name "Hilfe" (id {renamed})' in refused.err) == (5, True)
        assert api.invoke("plan", "channels.yaml", "--allow-lookalikes").code == 0
        Path("channels.yaml").write_text(MANIFEST.replace("dark", f"dark, sync: {{id: {renamed}}}"))
        assert api.invoke("apply", "channels.yaml", "--strict", "--auto-approve").code == 0
        assert sorted(str(channel["name"]) for channel in api.store.channels("acme")) == ["Sales", "Support"]
