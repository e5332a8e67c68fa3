from __future__ import annotations

from pathlib import Path

import pytest

from commands import emulated, invoke
from webchat_sync.emulator import Quirks

MANIFEST = """\
version: 1
channels:
  - name: Support
    operatingHours: {timezone: America/Bogota, days: {mon: ["09:00-13:00", "14:00-18:00"]}}
  - {name: Always, offlineMessage: Closed., operatingHours: {timezone: UTC, days: {}}}
  - {name: Odd, operatingHours: {"24/7": true}}
  - {name: Unset, operatingHours: null}
  - {name: Silent}
"""


TUESDAY = '"Support" is closed on Tue 03 Nov 2026 at 00:00 (America/Bogota)'


@pytest.fixture(autouse=True)
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels.yaml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path / "channels.yaml"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # The tests' now is Monday, 2 November 2026, 12:00 UTC: 07:00 in Bogota.
        ([], '"Support" is closed on Mon 02 Nov 2026 at 07:00 (America/Bogota); it opens at 09:00, in 2 h.'),
        (
            ["--at", "2026-11-02T10:00"],
            '"Support" is open on Mon 02 Nov 2026 at 10:00 (America/Bogota); it closes at 13:00, in 3 h.',
        ),
        (
            ["--at", "2026-11-02T18:30:30+01:00"],
            '"Support" is open on Mon 02 Nov 2026 at 12:30 (America/Bogota); it closes at 13:00, in 30 min.',
        ),
        (["--at", "2026-11-03"], f"{TUESDAY}; it opens on Mon 09 Nov 2026 at 09:00, in 153 h."),
    ],
)
def test_declared_hours_say_open_or_closed_and_when_that_changes(arguments: list[str], expected: str) -> None:
    asked = invoke("hours", "Support", *arguments)
    assert (asked.code, asked.out, asked.err) == (0, f"{expected}\n", "")


@pytest.mark.parametrize(
    ("at", "answer", "note"),
    [
        (
            "2026-03-08T02:30",
            "is open on Sun 08 Mar 2026 at 03:30 (America/New_York); it closes at 04:00, in 30 min.",
            "Note: clocks in America/New_York skip 02:30 on 08 Mar 2026; using 03:30.\n",
        ),
        (
            "2026-11-01T01:30",
            "is open on Sun 01 Nov 2026 at 01:30 (America/New_York); it closes at 04:00, in 3 h 30 min.",
            "Note: clocks in America/New_York show 01:30 twice on 01 Nov 2026; using the first. SECOND\n",
        ),
        (
            "2026-11-01T01:30-05:00",
            "is open on Sun 01 Nov 2026 at 01:30 (America/New_York); it closes at 04:00, in 2 h 30 min.",
            "",
        ),
        ("2026-03-08T03:00", "is open on Sun 08 Mar 2026 at 03:00 (America/New_York); it closes at 04:00, in 1 h.", ""),
    ],
)
def test_a_time_that_the_clocks_skip_or_repeat_is_told(manifest: Path, at: str, answer: str, note: str) -> None:
    hours = '{timezone: America/New_York, days: {sun: ["01:00-04:00"]}}'
    manifest.write_text(f"version: 1\nchannels: [{{name: Night, operatingHours: {hours}}}]\n", encoding="utf-8")
    note = note.replace("SECOND", "The second is 2026-11-01T01:30-05:00.")
    asked = invoke("hours", "Night", "--at", at)
    assert (asked.code, asked.out, asked.err) == (0, f'"Night" {answer}\n', note)


def test_a_week_that_never_changes_says_so(manifest: Path) -> None:
    assert (
        invoke("hours", "Always", manifest).out
        == '"Always" is closed on Mon 02 Nov 2026 at 12:00 (UTC), and it never opens.\n'
    )


def test_live_hours_are_those_of_the_server() -> None:
    days = {"mon": ["00:00-24:00"]}
    with emulated({"name": "Support", "operatingHours": {"timezone": "Europe/Madrid", "days": days}}) as api:
        assert "is open on Mon 02 Nov 2026 at 13:00 (Europe/Madrid)" in api.invoke("hours", "Support", "--live").out
        assert api.taken_calls() == ["GET"]
        assert "(America/Bogota)" in api.invoke("hours", "Support").out
        assert api.taken_calls() == []


def test_live_hours_that_are_not_listed_are_not_taken_for_none() -> None:
    with emulated({"name": "Support"}, quirks=Quirks(omit=frozenset({"operatingHours"}))) as api:
        asked = api.invoke("hours", "Support", "--live")
    assert (asked.code, 'the API doesn\'t list the operating hours of "Support"' in asked.err) == (1, True)
    with emulated({"name": "Support", "operatingHours": None}) as api:
        assert 'no operating hours are set for "Support"' in api.invoke("hours", "Support", "--live").err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["Suport"], 1, 'no declared channel is named "Suport"'),
        (["Silent"], 1, 'channels.yaml:8:5: error: "Silent" doesn\'t declare operatingHours'),
        (["Odd"], 1, 'can\'t read the operating hours of "Odd": {"24/7": true}'),
        (["Unset"], 1, 'no operating hours are set for "Unset"'),
        (["Support", "--at", "noon"], 64, '"noon" isn\'t a time'),
    ],
)
def test_what_has_no_answer_says_why(arguments: list[str], code: int, said: str) -> None:
    asked = invoke("hours", *arguments)
    assert (asked.code, asked.out) == (code, "")
    assert said in asked.err


def test_a_name_that_two_organizations_declare_must_be_told_apart(manifest: Path) -> None:
    other = manifest.with_name("other.yaml")
    other.write_text(f"organization: other\n{MANIFEST}", encoding="utf-8")
    asked = invoke("hours", "Support")
    assert asked.code == 1
    assert [line for line in asked.err.splitlines() if "is declared here" in line] == [
        'channels.yaml:3:5: error: several channels have this name: "Support" of sandbox is declared here',
        'other.yaml:4:5: error: several channels have this name: "Support" of other is declared here',
    ]
    assert invoke("hours", "Support", other).code == 0


def test_a_name_that_one_file_declares_twice_has_live_hours_by_id(manifest: Path) -> None:
    twice = "\n".join(f"  - {{name: Twin, sync: {{id: c-{number}}}}}" for number in (1, 2))
    manifest.write_text(f"version: 1\nchannels:\n{twice}\n", encoding="utf-8")
    asked = invoke("hours", "Twin")
    assert (asked.code, asked.err.count('"Twin" of sandbox is declared here')) == (1, 2)
    assert "  Use --live with the id of the channel that you mean, to see its live hours." in asked.err
