"""``apply --events``: what a program that follows an apply gets to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock as SystemLock
from jsonschema import Draft202012Validator, FormatChecker

from commands import Finished, emulated, manifest_in
from webchat_sync.domain.catalogue import load_schema
from webchat_sync.emulator import Fault, Faults, effects

CHANNELS = "/organizations/acme/web-chat/channels"
MANIFEST = "version: 1\norganization: acme\nchannels: [{name: Support}, {name: Sales}]\n"


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return manifest_in(tmp_path, monkeypatch, MANIFEST)


def read(text: str) -> list[dict[str, Any]]:
    validator = Draft202012Validator(load_schema("events"), format_checker=FormatChecker())
    events = [json.loads(line) for line in text.splitlines()]
    for event in events:
        validator.validate(event)
    return events


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


def applied(api: Any, manifest: Path, *more: object) -> Finished:
    finished: Finished = api.invoke("apply", manifest, "--auto-approve", "--parallelism", 1, *more)
    return finished


def test_everything_that_happens_is_a_line_and_the_summary_is_the_last(manifest: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    with emulated() as api:
        assert applied(api, manifest, "--events", file).code == 0
        events = read(file.read_text(encoding="utf-8"))
        assert names(events) == ["planned", "started", "finished", "started", "finished", "verified", "summary"]
        assert (events[0]["operations"], events[0]["channels"]["create"]) == (2, 2)
        assert [event["address"] for event in events[1:5]] == ["Support", "Support", "Sales", "Sales"]
        assert (events[-1]["outcome"], events[-1]["operations"]["done"]) == ("converged", 2)
        assert file.stat().st_mode & 0o777 == 0o600
        again = applied(api, manifest, "--events", "-")
        assert names(read(again.out)) == ["planned", "verified", "summary"]
        assert "No changes" in again.err


def test_who_holds_the_lock_is_told_once_while_it_is_waited_for(manifest: Path) -> None:
    Path(".webchat-sync").mkdir()
    with emulated() as api, SystemLock(".webchat-sync/lock"):
        refused = applied(api, manifest, "--events", "-", "--lock-timeout", "1")
    assert refused.code == 7
    first, *rest = read(refused.out)
    assert first["event"] == "waiting"
    assert first["holder"].startswith("an unknown process (since")
    assert names(rest) == ["summary"]


def test_what_fails_and_what_is_in_doubt_is_told_as_such(manifest: Path) -> None:
    faults = Faults([Fault(effects.status(400, message="no"), "POST", CHANNELS, nth=1)])
    with emulated(faults=faults) as api:
        failed = applied(api, manifest, "--events", "-")
        events = read(failed.out)
        assert failed.code == 3
        assert names(events) == ["planned", "started", "finished", "started", "finished", "summary"]
        assert [event["status"] for event in events if event["event"] == "finished"] == ["failed", "done"]
        assert events[-1]["outcome"] == "incomplete"


def test_the_summary_has_the_outcome_of_the_report_when_an_organisation_failed(manifest: Path) -> None:
    keyless = "{version: 1, organization: keyless, settings: {apiKeyEnv: MOSEND_API_KEY_UNSET}, channels: []}"
    manifest.with_name("keyless.yaml").write_text(keyless, encoding="utf-8")
    with emulated() as api:
        done = applied(api, manifest.parent, "--events", "-", "--report", "report.json")
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert [failed["organization"] for failed in report["failed"]] == ["keyless"]
    summary = read(done.out)[-1]
    assert (summary["outcome"], summary["operations"]["done"]) == (report["outcome"], 2) == ("incomplete", 2)


def test_what_is_refused_ends_with_a_summary_too(manifest: Path) -> None:
    with emulated() as api:
        refused = api.invoke("apply", manifest, "--events", "-", stdin="no\n", interactive=True)
        assert names(read(refused.out)) == ["planned", "summary"]
        assert read(refused.out)[-1]["outcome"] == "refused"


def test_a_file_that_cannot_be_written_ends_the_run_before_anything_is_sent(manifest: Path, tmp_path: Path) -> None:
    with emulated() as api:
        refused = applied(api, manifest, "--events", tmp_path / "no" / "events")
        assert (refused.code, api.taken_calls()) == (1, [])
        twice = applied(api, manifest, "--events", "same", "--report", "same")
        assert (twice.code, api.taken_calls()) == (1, [])


def test_an_organisation_that_fails_is_named_with_its_reasons(manifest: Path) -> None:
    """A run that did all that it could ended as incomplete, and no event said why."""
    manifest.write_text(f"{MANIFEST}---\n{MANIFEST.replace('acme', 'dead')}", encoding="utf-8")
    revoked = Fault(effects.status(401, message="revoked"), "GET", "/organizations/dead/*")
    with emulated(faults=Faults([revoked])) as api:
        ended = applied(api, manifest, "--events", "-")
    planned, *_, summary = read(ended.out)
    assert (ended.code, summary["outcome"], planned["organizations"]) == (6, "incomplete", ["acme"])
    (failed,) = planned["failed"]
    assert (failed["organization"], failed["exit_code"]) == ("dead", 6)
    assert "HTTP 401 Unauthorized: revoked" in failed["problems"][0]["message"]
