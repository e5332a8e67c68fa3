from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from applying import NOW
from commands import emulated, invoke
from webchat_sync.cli.saved import read_saved_plan, split_saved_plans
from webchat_sync.planfile.version import FORMAT_VERSION

MANIFEST = """\
version: 1
channels:
  - name: Support
    color: "${WEBCHAT_COLOR:-#0f766e}"
  - name: Sales
"""


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "channels").mkdir()
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "channels" / "channels.yaml"
    path.write_text(MANIFEST, encoding="utf-8")
    return path


@pytest.fixture
def plan_file(manifest: Path) -> Path:
    """A saved plan that creates Sales and updates Support."""
    with emulated({"name": "Support", "color": "#000"}, {"name": "Stranger"}) as api:
        assert api.invoke("plan", manifest, "--out", "plan.json").code == 0
    return Path("plan.json")


def test_a_plan_is_saved_for_its_owner_and_shown_as_it_was(manifest: Path) -> None:
    with emulated({"name": "Support", "color": "#000"}, {"name": "Stranger"}) as api:
        planned = api.invoke("plan", manifest, "--out", "plan.json")
        as_json = api.invoke("plan", manifest, "--format", "json")
        assert (planned.code, planned.err) == (0, "Saved the plan to plan.json.\n")
        assert set(api.taken_calls()) == {"GET"}
    assert stat.S_IMODE(Path("plan.json").stat().st_mode) == 0o600
    shown = invoke("show", "plan.json")
    assert (shown.code, shown.out, shown.err) == (0, planned.out, "")
    assert '"Support" will be updated in place' in shown.out
    assert invoke("show", "plan.json", "--format", "json").json() == as_json.json()
    assert "\x1b[" not in invoke("show", "plan.json").out


def test_a_plan_that_cannot_be_saved_exits_with_1(manifest: Path) -> None:
    with emulated() as api:
        failed = api.invoke("plan", manifest, "--out", "no/such/folder/plan.json")
        assert (failed.code, failed.out) == (1, "")
        assert "no/such/folder/plan.json: No such file" in failed.err


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ('"after": "#0f766e"', '"after": "#ffffff"', 4, "plan.json was edited after it was saved"),
        ('"digest"', '"digests"', 4, "plan.json has no `digest`, which is needed to apply it"),
        (f'"format_version": "{FORMAT_VERSION}"', '"format_version": "2.0"', 4, "plan.json has format version 2.0"),
        ('"organizations"', '"organisations"', 1, "plan.json isn't a plan"),
        ("{", "", 1, "plan.json:2:19: error: this isn't a plan: it isn't valid JSON"),
    ],
)
def test_a_plan_that_cannot_be_trusted_is_not_shown(plan_file: Path, old: str, new: str, code: int, said: str) -> None:
    plan_file.write_text(plan_file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    shown = invoke("show", plan_file)
    assert (shown.code, shown.out) == (code, "")
    assert said in shown.err
    assert "\n  " in shown.err


def test_what_cannot_be_read_is_not_shown(tmp_path: Path) -> None:
    assert "can't read" in invoke("show", tmp_path / "none.json").err
    (tmp_path / "bytes.json").write_bytes(b"\xff")
    assert "it isn't UTF-8" in invoke("show", tmp_path / "bytes.json").err


def test_the_saved_plan_is_found_among_the_paths(plan_file: Path, manifest: Path) -> None:
    assert split_saved_plans([plan_file, manifest]) == ((plan_file,), (manifest,))
    assert split_saved_plans([manifest]) == ((), (manifest,))
    assert split_saved_plans([manifest.parent, Path("none.json")]) == ((), (manifest.parent, Path("none.json")))
    Path("manifest.json").write_text('{"version": 1, "channels": []}', encoding="utf-8")
    Path("broken.json").write_text('{"format_version"', encoding="utf-8")
    assert split_saved_plans([Path("manifest.json"), Path("broken.json")])[0] == ()
    assert [change.action for change in read_saved_plan(plan_file).organizations[0].changes] == ["update", "create"]
    Path("copy.json").write_bytes(plan_file.read_bytes())
    assert split_saved_plans([plan_file, manifest, Path("copy.json")]) == ((plan_file, Path("copy.json")), (manifest,))


def test_the_digest_of_the_manifests_follows_variables_and_not_comments(manifest: Path) -> None:
    def digest(**environ: str) -> str:
        with emulated() as api:
            found: str = api.invoke("plan", manifest, "--format", "json", environ=environ).json()["manifest_digest"]
            return found

    before = digest()
    assert digest(WEBCHAT_COLOR="#ffffff") != before
    manifest.write_text(f"# a comment\n\n{MANIFEST}", encoding="utf-8")
    assert digest() == before


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
@pytest.mark.parametrize(
    ("strangers", "flags", "code"),
    [
        (1, [], 0),
        (1, ["--max-deletes", "0"], 5),
        (3, [], 5),
        (3, ["--max-deletes", "2"], 5),
        (3, ["--max-deletes", "50%"], 5),
        (3, ["--max-deletes", "60%"], 0),
        (3, ["--max-deletes", "3"], 0),
    ],
)
def test_deletes_over_the_limit_are_refused_with_5(
    manifest: Path, command: list[str], strangers: int, flags: list[str], code: int
) -> None:
    manifest.write_text(f"settings: {{prune: true}}\n{MANIFEST}", encoding="utf-8")
    names = ["Support", "Sales", *(f"Stranger {number}" for number in range(strangers))]
    with emulated(*({"name": name} for name in names)) as api:
        ended = api.invoke(*command, manifest, *flags)
        assert ended.code == code
        if code == 5:
            assert set(api.taken_calls()) == {"GET"}
            assert f"{strangers} of {len(names)} live channels would be deleted" in ended.err
            assert f"use --max-deletes {strangers}" in ended.err


@pytest.mark.parametrize("value", ["many", "-1", "150%", "1.5", "%", "", "٣"])
def test_a_limit_that_is_none_is_wrong_usage(value: str) -> None:
    wrong = invoke("plan", f"--max-deletes={value}")
    assert wrong.code == 64
    assert "25%" in wrong.err


def test_what_a_guard_refuses_can_be_allowed_by_its_flag(manifest: Path) -> None:
    protected = "version: 1\nchannels:\n  - {name: Support, enabled: false, sync: {protect: true}}\n"
    manifest.write_text(protected, encoding="utf-8")
    with emulated({"name": "Support", "enabled": True}) as api:
        refused = api.invoke("plan", manifest, "--out", "plan.json")
        assert (refused.code, "--allow-protected" in refused.err) == (5, True)
        shown = invoke("show", "plan.json", "--render", "html=page.html")
        assert shown.out == refused.out
        assert shown.err.splitlines() == [refused.err.splitlines()[number] for number in (1, -1)]
        assert "A guard refuses this plan:" in Path("page.html").read_text(encoding="utf-8")
        action = invoke("show", "plan.json", "--format", "markdown", environ={"GITHUB_ACTIONS": "true"}).out
        assert "With the GitHub Action, use its inputs `arguments` and `apply-arguments`." in action
        assert api.invoke("plan", manifest, "--out", "plan.json", "--allow-protected").code == 0
        assert invoke("show", "plan.json").err == ""
        assert api.invoke("apply", manifest, "--auto-approve", "--allow-protected").code == 0


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
def test_a_target_limits_what_is_changed(manifest: Path, command: list[str]) -> None:
    with emulated() as api:
        limited = api.invoke(*command, manifest, "--target", "Sup*")
        assert limited.code == 0
        assert 'Only channels matching "Sup*" were considered.' in limited.out
        assert "Sales" not in limited.out
        names = [channel["name"] for channel in api.store.channels("acme")]
        assert names == (["Support"] if command[0] == "apply" else [])
        unknown = api.invoke(*command, manifest, "--target", "Suport")
        assert (unknown.code, unknown.out) == (1, "")
        assert 'Channels: "Support"' in unknown.err


def test_a_snapshot_is_planned_against_without_a_key_and_without_a_network(manifest: Path) -> None:
    with emulated({"name": "Support", "color": "#000", "id": "c-1"}) as api:
        taken = api.invoke("snapshot", "--out", "live.json")
        assert (taken.code, taken.out, taken.err) == (0, "", "Saved 1 live channel to live.json.\n")
        assert api.taken_calls() == ["GET"]
        online = api.invoke("plan", manifest, "--format", "json").json()
    assert stat.S_IMODE(Path("live.json").stat().st_mode) == 0o600
    assert json.loads(Path("live.json").read_text(encoding="utf-8"))["listings"][0]["channels"][0]["token"]

    offline = invoke("plan", manifest, "--live", "live.json", "--format", "json", "--detailed-exitcode")
    assert offline.code == 2
    document = offline.json()
    assert document["organizations"] == online["organizations"]
    assert (online["live_created_at"], document["live_created_at"]) == (None, "2026-11-02T12:00:00+00:00")
    assert "less than a minute old" in offline.err


def test_a_plan_tells_how_old_its_snapshot_is(manifest: Path) -> None:
    with emulated() as api:
        api.invoke("snapshot", "--out", "live.json")
    snapshot = Path("live.json")
    then = (NOW - timedelta(hours=3, minutes=5)).isoformat()
    snapshot.write_text(snapshot.read_text(encoding="utf-8").replace(NOW.isoformat(), then), encoding="utf-8")
    planned = invoke("plan", manifest, "--live", "live.json")
    assert planned.last_line == "Plan: 2 to add, 0 to change, 0 to destroy."
    assert planned.err == (
        "Planned against live.json, a snapshot that is 3 hours old (2026-11-02T08:55:00+00:00), not against what is "
        "live.\n"
    )


def test_a_snapshot_of_another_organization_or_server_is_refused(manifest: Path) -> None:
    with emulated() as api:
        api.invoke("snapshot", "--out", "live.json")
    refused = invoke("plan", manifest, "--live", "live.json", "--org", "other")
    assert refused.code == 1
    assert 'live.json contains no listing of organisation "other"' in refused.err
    refused = invoke("plan", manifest, "--live", "live.json", "--base-url", "https://staging.example/")
    assert refused.code == 1
    assert "not at https://staging.example" in refused.err
    manifest.write_text(f"organization: acme\n{MANIFEST}", encoding="utf-8")
    assert invoke("plan", manifest, "--live", "live.json").code == 0


def test_a_snapshot_holds_each_organization_that_the_manifests_name(manifest: Path) -> None:
    for name in ("one", "two"):
        (manifest.parent / f"{name}.yaml").write_text(f"organization: {name}\n{MANIFEST}", encoding="utf-8")
    with emulated() as api:
        assert api.invoke("snapshot", manifest.parent, "--out", "live.json").code == 0
        listings = json.loads(Path("live.json").read_text(encoding="utf-8"))["listings"]
        assert sorted(each["organization"] for each in listings) == ["acme", "one", "two"]
        assert invoke("plan", manifest.parent, "--live", "live.json", environ={"MOSEND_ORG_ID": "acme"}).code == 0


def test_the_sandbox_can_be_saved_and_planned_against(manifest: Path) -> None:
    assert invoke("apply", manifest, "--sandbox", "--auto-approve").code == 0
    assert invoke("snapshot", "--sandbox", "--out", "live.json").code == 0
    planned = invoke("plan", manifest, "--sandbox", "--live", "live.json")
    assert planned.last_line == "No changes. The live channels match the manifest."
