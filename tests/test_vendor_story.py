"""Five channels against a server with every habit that the vendor's documents hint at, through the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import emulated
from fake_time import at_once
from webchat_sync.emulator import Quirks

HABITS = Quirks(
    ids_at_any_depth=True,
    no_envelope=True,
    check_origin=True,
    offline_actions=("MESSAGE_ALLOW", "HIDE"),
    newer_create=True,
    trim_texts=True,
    lower_case=True,
    drop_nulls=True,
    reorder_keys=True,
)
MANIFEST = """\
version: 1
organization: acme
defaults:
  allowedDomains: ["*.example.com", WWW.Example.com]
channels:
  - name: Support
    identityRequired: true
    offlineAction: MESSAGE_ALLOW
    sync:
      identitySecret: {verify: true, deliver: [{file: support.secret}]}
  - name: Sales
    offlineAction: HIDE
    theme: dark
    departments: [{name: Sales, agents: [{name: Ana}, {name: Luis}]}]
  - name: Shop
    prechatFields: [{label: Email, required: true, options: [{text: a}, {text: b}]}]
    operatingHours: {timezone: America/Bogota, days: {mon: ["09:00-13:00"]}, breaks: [{at: [{from: "13:00"}]}]}
  - name: Blog
    color: "#0F766E"
  - name: Old
    proactiveTriggers: [{message: Hello, rules: [{url: /prices, all: [{seconds: 5}]}]}]
    offlineMessage: null
"""


def test_five_channels_converge_in_the_fewest_calls_and_plan_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("channels.yaml").write_text(MANIFEST, encoding="utf-8")
    old = {"name": "Old", "allowedDomains": ["www.example.com", "*.example.com"], "offlineAction": "HIDE"}
    with emulated(old, quirks=HABITS, page_size=2) as api:
        applied = api.invoke("apply", "channels.yaml", "--auto-approve", sleep=at_once)
        assert (applied.code, "proven" in applied.err) == (0, False)
        # One list of one page before; three pages after, which are read once, as nothing in them is to be doubted.
        methods = [call.method for call in api.calls]
        assert (methods[0], len(methods), methods[-3:]) == ("GET", 15, ["GET"] * 3)
        writes = [call for call in api.calls if call.method != "GET"]
        assert sorted(call.method for call in writes) == ["PATCH"] * 4 + ["POST"] * 7
        assert sorted(call.status or 0 for call in writes if call.path.endswith("/sessions")) == [201, 401]
        assert all(call.status in {200, 201} for call in writes if not call.path.endswith("/sessions"))
        api.taken_calls()
        again = api.invoke("plan", "channels.yaml", "--detailed-exitcode")
        assert (again.code, again.last_line) == (0, "No changes. The live channels match the manifest.")
        assert set(api.taken_calls()) == {"GET"}
        assert len(api.store.channels("acme")) == 5
        imported = api.invoke("import", "--out", "imported.yaml")
        assert imported.code == 0
        assert api.invoke("plan", "imported.yaml", "--detailed-exitcode").code == 0


def test_a_name_that_the_server_does_not_know_is_told_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("channels.yaml").write_text(MANIFEST.replace("HIDE", "AWAY"), encoding="utf-8")
    with emulated(quirks=HABITS, page_size=2) as api:
        refused = api.invoke("apply", "channels.yaml", "--auto-approve", sleep=at_once)
        assert refused.code == 3
        assert "offlineAction must be one of the following values: MESSAGE_ALLOW, HIDE" in refused.out
        assert "Fix `offlineAction` (channels.yaml:12), then apply again" in refused.out
        Path("channels.yaml").write_text(MANIFEST, encoding="utf-8")
        assert api.invoke("apply", "channels.yaml", "--auto-approve", sleep=at_once).code == 0
        assert len(api.store.channels("acme")) == 5
        assert all(channel["enabled"] for channel in api.store.channels("acme"))
