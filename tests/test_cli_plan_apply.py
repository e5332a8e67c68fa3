from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from applying import KEY
from commands import emulated, invoke, manifest_in
from webchat_sync.emulator import Fault, Faults, Store, effects
from webchat_sync.planfile.version import FORMAT_VERSION

ONE = """\
version: 1
channels:
  - name: Support
    color: "#0f766e"
"""


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return manifest_in(tmp_path, monkeypatch, ONE)


def test_a_plan_exits_with_0_or_with_2_when_asked(manifest: Path) -> None:
    with emulated() as api:
        assert api.invoke("plan", manifest).code == 0
        assert api.invoke("plan", manifest, "--detailed-exitcode").code == 2
        assert api.taken_calls() == ["GET", "GET"]
        assert api.invoke("apply", manifest, "--auto-approve").code == 0
        assert api.invoke("plan", manifest, "--detailed-exitcode").code == 0


def test_without_a_path_the_current_directory_is_read(manifest: Path) -> None:
    with emulated() as api:
        plan = api.invoke("plan")
        assert f"({manifest.name}:3)" in plan.out
        assert plan.last_line == "Plan: 1 to add, 0 to change, 0 to destroy."


def test_json_is_all_that_stdout_carries(manifest: Path) -> None:
    manifest.write_text(ONE + "    theme: dark\n", encoding="utf-8")
    with emulated({"name": "Stranger", "id": "s-1"}) as api:
        plan = api.invoke("plan", manifest, "--format", "json", "--detailed-exitcode")
        assert (plan.code, plan.err) == (2, "")
        document = plan.json()
        assert document["format_version"] == FORMAT_VERSION
        assert document["created_at"] == "2026-11-02T12:00:00+00:00"
        numbers = {"create": 1, "update": 0, "delete": 0, "unchanged": 0, "undeclared": 1, "rotate": 0, "revoke": 0}
        assert document["summary"] == numbers
        assert document["complete"] is True
        (organization,) = document["organizations"]
        assert (organization["organization"], organization["base_url"]) == ("acme", api.url)
        assert organization["undeclared"] == [{"id": "s-1", "name": "Stranger"}]
        (change,) = organization["changes"]
        assert (change["address"], change["channel_id"], change["action"]) == ("Support", None, "create")
        color = {"path": "color", "steps": [{"key": "color"}], "action": "add", "before": None, "after": "#0f766e"}
        assert change["fields"][1] == color
        path = "/organizations/acme/web-chat/channels"
        assert change["operations"] == [
            {"method": "POST", "path": path, "body": {"name": "Support", "color": "#0f766e", "enabled": False}},
            {"method": "PATCH", "path": f"{path}/{{id}}", "body": {"theme": "dark", "enabled": True}},
        ]


def test_json_marks_what_the_live_answer_does_not_carry(manifest: Path) -> None:
    from webchat_sync.emulator import Quirks

    with emulated({"name": "Support"}, quirks=Quirks(omit=frozenset({"color"}))) as api:
        document = api.invoke("plan", manifest, "--format", "json").json()
        (field,) = document["organizations"][0]["changes"][0]["fields"]
        assert (field["before"], field["before_unknown"]) == (None, True)


@pytest.mark.parametrize(
    ("arguments", "environ", "colorful", "expected"),
    [
        ([], {}, True, True),
        ([], {}, False, False),
        ([], {"NO_COLOR": "1"}, True, False),
        ([], {"NO_COLOR": ""}, True, True),
        (["--no-color"], {}, True, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    manifest: Path, arguments: list[str], environ: dict[str, str], colorful: bool, expected: bool
) -> None:
    with emulated() as api:
        plan = api.invoke("plan", manifest, *arguments, environ=environ, colorful=colorful)
        assert ("\x1b[" in plan.out) is expected


def test_an_apply_that_cannot_ask_is_refused_before_it_sends_anything(manifest: Path) -> None:
    with emulated() as api:
        refused = api.invoke("apply", manifest)
        assert refused.code == 64
        assert "--auto-approve" in refused.err
        assert api.taken_calls() == []


@pytest.mark.parametrize(
    ("answer", "code", "methods"),
    [("yes\n", 0, ["GET", "GET", "POST", "GET"]), ("y\n", 1, ["GET"]), ("\n", 1, ["GET"]), ("", 130, ["GET"])],
)
def test_an_interactive_apply_asks_for_yes(manifest: Path, answer: str, code: int, methods: list[str]) -> None:
    with emulated() as api:
        applied = api.invoke("apply", manifest, interactive=True, stdin=answer)
        assert applied.code == code
        assert "Only `yes` will be accepted" in applied.err
        assert api.taken_calls() == methods


@dataclass
class Answer:
    """A person at the terminal who answers yes, after something has happened."""

    happens: Callable[[], object]

    def readline(self) -> str:
        self.happens()
        return "yes\n"


LIVE = {"id": "live", "name": "Support", "color": "#000000"}
MEANWHILE: dict[str, tuple[list[dict[str, Any]], Callable[[Store], object], str]] = {
    "created": (
        [],
        lambda store: store.create("acme", {"name": "support"}),
        'channel "Support" would be created, but a channel that may be the same one, "support", exists now',
    ),
    "edited": (
        [LIVE],
        lambda store: store.update("acme", "live", {"color": "#ffffff"}),
        'channel "Support" would be updated, but it has changed since the plan was made: color: "#000000" → "#ffffff"',
    ),
    "deleted": (
        [LIVE],
        lambda store: store.delete("acme", "live"),
        'channel "Support" would be updated, but its live channel (live) no longer exists',
    ),
}


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("what", MEANWHILE)
def test_a_plan_that_was_overtaken_while_a_person_read_it_is_stale(manifest: Path, what: str, saved: bool) -> None:
    before, happens, message = MEANWHILE[what]
    report = manifest.with_name("report.json")
    with emulated(*before) as api:
        if saved:
            assert api.invoke("plan", manifest, "--out", "plan.json").code == 0
        api.taken_calls()
        answer = Answer(lambda: happens(api.store))
        applied = api.invoke(
            "apply", "plan.json" if saved else manifest, "--report", report, interactive=True, stdin=answer
        )
        assert applied.code == 4, applied.err
        assert message in applied.err
        assert api.taken_calls() == ["GET", "GET"]
        assert json.loads(report.read_text(encoding="utf-8"))["outcome"] == "stale"


def test_what_the_plan_does_not_touch_may_change_while_a_person_reads_it(manifest: Path) -> None:
    with emulated() as api:
        answer = Answer(lambda: api.store.create("acme", {"name": "Sales"}))
        assert api.invoke("apply", manifest, interactive=True, stdin=answer).code == 0


def test_if_the_channels_cannot_be_read_again_nothing_is_written(manifest: Path) -> None:
    with emulated(faults=Faults([Fault(effects.status(401), "GET", nth=2)])) as api:
        assert api.invoke("apply", manifest, interactive=True, stdin="yes\n").code == 6
        assert api.taken_calls() == ["GET", "GET"]


def test_an_apply_with_nothing_to_do_asks_nothing_and_sends_nothing(manifest: Path) -> None:
    with emulated({"name": "Support", "color": "#0f766e"}) as api:
        applied = api.invoke("apply", manifest, interactive=True)
        assert (applied.code, applied.last_line) == (0, "No changes. The live channels match the manifest.")
        assert api.taken_calls() == ["GET"]


def test_progress_is_a_line_for_each_operation_on_stderr(manifest: Path) -> None:
    manifest.write_text(ONE + "    theme: dark\n", encoding="utf-8")
    with emulated() as api:
        applied = api.invoke("apply", manifest, "--auto-approve")
        assert applied.err.splitlines() == ['"Support": created', '"Support": updated']


def test_progress_is_a_bar_on_a_terminal(manifest: Path) -> None:
    refuse = Faults([Fault(effects.status(400, message="[bold]no"), "PATCH")])
    manifest.write_text(ONE + "    theme: dark\n", encoding="utf-8")
    with emulated(faults=refuse) as api:
        applied = api.invoke("apply", manifest, "--auto-approve", animated=True)
        assert applied.code == 3
        assert "created" not in applied.err
        assert "[bold]no" in applied.err


def test_an_apply_that_did_not_finish_exits_with_3_and_accounts_for_everything(manifest: Path) -> None:
    with emulated(faults=Faults([Fault(effects.status(400, message="no"), "POST")])) as api:
        applied = api.invoke("apply", manifest, "--auto-approve")
        assert applied.code == 3
        assert applied.last_line == "Operations: 0 done, 1 failed, 0 not started, 0 in doubt."


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
def test_a_guard_refuses_with_5_and_nothing_is_written(manifest: Path, command: list[str]) -> None:
    manifest.write_text(ONE + "    enabled: false\n    sync: {protect: true}\n", encoding="utf-8")
    with emulated({"name": "Support", "enabled": True}) as api:
        refused = api.invoke(*command, manifest)
        assert refused.code == 5
        assert "is protected and would be switched off" in refused.err
        assert f"{manifest.as_posix()}:3:5: error" in refused.err
        assert "~ enabled: true -> false" in refused.out
        assert api.taken_calls() == ["GET"]


def test_wrong_input_exits_with_1_and_every_problem(manifest: Path) -> None:
    manifest.write_text(ONE + "    colour: red\n    theme: sepia\n", encoding="utf-8")
    with emulated() as api:
        refused = api.invoke("plan", manifest)
        assert refused.code == 1
        assert refused.out == ""
        assert f"{manifest.as_posix()}:5:5: error" in refused.err
        assert f"{manifest.as_posix()}:6:12: error" in refused.err
        assert api.taken_calls() == []


@pytest.mark.parametrize(
    "effect", [effects.status(401), effects.html(), effects.empty(), effects.cut(), effects.redirect("http://x.test/")]
)
@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
def test_an_api_that_cannot_be_read_exits_with_6_and_nothing_is_written(
    manifest: Path, command: list[str], effect: effects.Effect
) -> None:
    with emulated(faults=Faults([Fault(effect, "GET")])) as api:
        failed = api.invoke(*command, manifest, sleep=_no_sleep)
        assert failed.code == 6
        assert failed.out == ""
        assert "GET /organizations/acme/web-chat/channels" in failed.err
        assert set(api.taken_calls()) == {"GET"}


def test_an_api_that_cannot_be_reached_exits_with_6(manifest: Path) -> None:
    environ = {"MOSEND_BASE_URL": "http://127.0.0.1:9", "MOSEND_API_KEY": KEY, "MOSEND_ORG_ID": "acme"}
    failed = invoke("plan", manifest, environ=environ, sleep=_no_sleep)
    assert failed.code == 6
    assert "127.0.0.1" in failed.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--frobnicate"],
        ["frobnicate"],
        ["apply", "--parallelism", "0"],
        ["plan", "--sandbox", "--base-url", "x"],
    ],
)
def test_wrong_usage_exits_with_64(arguments: list[str]) -> None:
    assert invoke(*arguments).code == 64


def test_the_key_may_lie_in_a_file(manifest: Path, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"{KEY}\n", encoding="utf-8")
    with emulated() as api:
        assert api.invoke("plan", manifest, "--api-key-file", key_file, environ={"MOSEND_API_KEY": ""}).code == 0
        key_file.write_text("\n", encoding="utf-8")
        assert "is empty" in api.invoke("plan", manifest, "--api-key-file", key_file).err
        assert "can't read" in api.invoke("plan", manifest, "--api-key-file", tmp_path / "none").err
        missing = api.invoke("plan", manifest, environ={"MOSEND_API_KEY": ""})
        assert missing.code == 1
        assert "Set MOSEND_API_KEY" in missing.err


def test_org_stands_in_where_a_manifest_names_none_and_contradicts_none(manifest: Path) -> None:
    with emulated() as api:
        plan = api.invoke("plan", manifest, "--org", "other", "--format", "json").json()
        assert plan["organizations"][0]["organization"] == "other"
        manifest.write_text("organization: ${MOSEND_ORG_ID}\n" + ONE, encoding="utf-8")
        assert api.invoke("plan", manifest, "--org", "other").code == 0
        manifest.write_text("organization: acme\n" + ONE, encoding="utf-8")
        refused = api.invoke("plan", manifest, "--org", "other")
        assert (refused.code, 'the files name "acme"' in refused.err) == (1, True)


def test_one_run_covers_several_organizations(manifest: Path) -> None:
    for name in ("one", "two"):
        (manifest.parent / f"{name}.yaml").write_text(f"organization: {name}\n{ONE}", encoding="utf-8")
    with emulated() as api:
        plan = api.invoke("plan", manifest.parent, environ={"MOSEND_ORG_ID": "three"})
        assert [line for line in plan.out.splitlines() if line.startswith("Organisation")] == [
            "Organisation three:",
            "Organisation one:",
            "Organisation two:",
        ]
        assert plan.last_line == "Plan: 3 to add, 0 to change, 0 to destroy."
        assert api.invoke("apply", manifest.parent, "--auto-approve").code == 0
        assert len(api.store.channels("two")) == 1


def test_the_sandbox_needs_no_account_and_remembers(manifest: Path, tmp_path: Path) -> None:
    applied = invoke("apply", manifest, "--sandbox", "--auto-approve")
    assert (applied.code, applied.last_line) == (0, "Apply complete! Channels: 1 added, 0 changed, 0 destroyed.")
    assert (tmp_path / ".webchat-sync" / "sandbox.db").exists()
    plans = [invoke("plan", manifest, "--sandbox", "--format", "json").json() for _ in range(2)]
    assert plans[0]["summary"]["unchanged"] == 1
    assert plans[0]["organizations"] == plans[1]["organizations"]
    assert plans[0]["organizations"][0]["base_url"] == "sandbox"


def test_the_sandbox_is_reached_past_a_proxy(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert invoke("plan", manifest, "--sandbox").code == 0


def test_a_fault_of_the_program_shows_no_traceback_unless_asked(manifest: Path) -> None:
    def broken() -> str:
        raise AssertionError("boom")

    with emulated() as api:
        crashed = api.invoke("apply", manifest, "--auto-approve", new_id=broken)
        assert crashed.code == 70
        assert "This is a bug" in crashed.err
        assert "Traceback" not in crashed.err
        assert "Set WEBCHAT_SYNC_DEBUG=1" in crashed.err
        asked = {"WEBCHAT_SYNC_DEBUG": "1"}
        traced = api.invoke("apply", manifest, "--auto-approve", new_id=broken, environ=asked)
        assert "Traceback" in traced.err
        assert "Report the traceback" in traced.err
        assert "Set WEBCHAT_SYNC_DEBUG" not in traced.err


async def _no_sleep(seconds: float) -> None:
    assert seconds >= 0
