"""Applying a saved plan from the command line: as it was reviewed, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import Emulated, emulated

MANIFEST = """\
version: 1
channels:
  - name: Support
    color: "${WEBCHAT_COLOR:-#0f766e}"
  - name: Sales
    theme: dark
"""


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulated]:
    """An emulator beside which ``plan.json`` creates Sales and updates Support."""
    monkeypatch.chdir(tmp_path)
    Path("channels").mkdir()
    Path("channels/channels.yaml").write_text(MANIFEST, encoding="utf-8")
    channels = [{"name": "Support", "id": "c-1", "color": "#000"}, {"name": "Stranger", "id": "c-2"}]
    with emulated(*channels) as running:
        assert running.invoke("plan", "channels", "--out", "plan.json").code == 0
        running.taken_calls()
        yield running


@pytest.mark.parametrize("paths", [["plan.json"], ["plan.json", "channels"], ["channels", "plan.json"]])
def test_a_saved_plan_is_applied_and_verified(api: Emulated, paths: list[str]) -> None:
    applied = api.invoke("apply", *paths, "--auto-approve")
    assert (applied.code, applied.last_line) == (0, "Apply complete! Channels: 1 added, 1 changed, 0 destroyed.")
    calls = api.taken_calls()
    assert (calls[0], sorted(calls[1:-1]), calls[-1]) == ("GET", ["PATCH", "PATCH", "POST"], "GET")
    assert api.invoke("plan", "channels", "--detailed-exitcode").code == 0


def test_an_untouched_channel_may_change_in_the_meantime(api: Emulated) -> None:
    api.store.update("acme", "c-2", {"color": "#fff"})
    api.store.update("acme", "c-1", {"welcomeMessage": "not managed"})
    assert api.invoke("apply", "plan.json", "--auto-approve").code == 0


def test_a_stale_plan_writes_nothing_and_shows_what_moved(api: Emulated) -> None:
    api.store.update("acme", "c-1", {"color": "#123456"})
    api.store.seed("acme", [{"name": "Sales"}])
    stale = api.invoke("apply", "plan.json", "--auto-approve", "--report", "report.json")
    assert stale.code == 4
    assert '"#000" -> "#123456"' in stale.err.replace("→", "->")
    assert '"Sales"' in stale.err
    assert api.taken_calls() == ["GET"]
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert (report["outcome"], report["summary"]["not_started"]) == ("stale", 3)


def test_a_plan_of_other_manifests_is_stale(api: Emulated) -> None:
    assert api.invoke("apply", "plan.json", "channels", "--auto-approve", environ={"WEBCHAT_COLOR": "#111"}).code == 4
    assert api.taken_calls() == ["GET"]


def test_a_plan_for_another_organization_is_stale_and_nothing_is_read(api: Emulated) -> None:
    assert api.invoke("apply", "plan.json", "--auto-approve", "--org", "other").code == 4
    assert api.taken_calls() == []
    assert api.invoke("apply", "plan.json", "--auto-approve", environ={"MOSEND_ORG_ID": "other"}).code == 0


def test_the_second_of_two_applies_of_one_plan_is_stale(api: Emulated) -> None:
    assert api.invoke("apply", "plan.json", "--auto-approve").code == 0
    assert api.invoke("apply", "plan.json", "--auto-approve").code == 4
    assert len(api.store.channels("acme")) == 3


def test_a_listing_that_has_shrunk_is_refused(api: Emulated) -> None:
    api.store.delete("acme", "c-2")
    refused = api.invoke("apply", "plan.json", "--auto-approve", "--report", "report.json")
    assert refused.code == 5
    assert "--allow-short-listing" in refused.err
    assert json.loads(Path("report.json").read_text(encoding="utf-8"))["outcome"] == "refused"
    assert api.invoke("apply", "plan.json", "--auto-approve", "--allow-short-listing").code == 0


def test_a_saved_plan_is_applied_whole(api: Emulated) -> None:
    refused = api.invoke("apply", "plan.json", "--auto-approve", "--target", "Support")
    assert (refused.code, "applied as a whole" in refused.err) == (64, True)
