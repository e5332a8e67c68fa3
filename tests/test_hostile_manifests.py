from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from commands import invoke

DATA = Path(__file__).parent / "data"
HOSTILE = DATA / "hostile"
EXPECTED: dict[str, list[str]] = json.loads((DATA / "hostile.json").read_text(encoding="utf-8"))


def test_a_folder_of_hostile_files_is_answered_with_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HOSTILE)
    files = {path.name for path in HOSTILE.iterdir()}
    assert len(files) >= 50
    answered = invoke("validate", "--format", "json")
    assert (answered.code, answered.err) == (1, "")
    found: defaultdict[str, list[str]] = defaultdict(list)
    for each in answered.json()["diagnostics"]:
        start = each["range"]["start"]
        found[each["range"]["filename"]].append(f"{start['line']}:{start['column']} {each['code']}")
        assert each["severity"] == "error"
        assert each["summary"]
    assert found == EXPECTED
    assert set(found) == files


def test_the_same_list_as_text_shows_no_secret_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HOSTILE)
    answered = invoke("validate")
    assert (answered.code, answered.out) == (1, "")
    assert "Traceback" not in answered.err
    assert answered.err.count(": error: ") == sum(map(len, EXPECTED.values()))
    assert answered.err.endswith(f"Not valid: {sum(map(len, EXPECTED.values()))} errors.\n")
    for secret in ("s3cr3ts3cr3t", "4f9d2b7ac81e45d0b6f3", "ghp_", "MIIEpAIB", "\x1b", "\u202e"):
        assert secret not in answered.err
