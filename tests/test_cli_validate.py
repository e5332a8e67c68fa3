from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from commands import emulated, invoke
from manifest_files import HEAD
from test_render_problems import SARIF

GOOD = HEAD + "channels:\n  - name: Support\n    theme: light\n"
WARNED = HEAD + 'channels:\n  - name: Support\n    color: "#ffff00"\n'
WRONG = WARNED + "    theme: drak\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("channels.yaml")


def test_text_shows_the_line_below_each_problem_on_stderr(file: Path) -> None:
    file.write_text(WRONG, encoding="utf-8")
    finished = invoke("validate", file)
    assert (finished.code, finished.out) == (1, "")
    assert finished.err == (
        'channels.yaml:5:12: warning: channels[0].color: white text on "#ffff00" has a contrast of 1.07:1, which is'
        " hard to read\n"
        '  5 |     color: "#ffff00"\n'
        "    |            ^\n"
        "  WCAG requires at least 3:1 even for large text. Choose a darker colour.\n"
        'channels.yaml:6:12: error: channels[0].theme: "drak" isn\'t accepted; it can be `light`, `dark` or `auto`\n'
        "  6 |     theme: drak\n"
        "    |            ^\n"
        "  Did you mean `dark`?\n"
        "Not valid: 1 error, 1 warning.\n"
    )


def test_warnings_fail_only_under_strict(file: Path) -> None:
    file.write_text(WARNED, encoding="utf-8")
    lax, strict = invoke("validate", file), invoke("validate", file, "--strict")
    assert (lax.code, lax.out) == (0, "Valid: 1 channel declared, 1 warning.\n")
    assert (strict.code, strict.out) == (1, "")
    assert strict.err.endswith("Not valid: 1 warning.\n")
    file.write_text(GOOD, encoding="utf-8")
    assert invoke("validate", file, "--strict").out == "Valid: 1 channel declared.\n"


@pytest.mark.parametrize(("text", "code"), [(WRONG, 1), (WARNED, 0), (GOOD, 0)])
@pytest.mark.parametrize("output_format", ["json", "github", "sarif", "codequality"])
def test_formats_for_machines_are_whole_on_stdout_whatever_the_exit_code(
    file: Path, text: str, code: int, output_format: str
) -> None:
    file.write_text(text, encoding="utf-8")
    finished = invoke("validate", file, "--format", output_format)
    assert (finished.code, finished.err) == (code, "")
    expected = {WRONG: 2, WARNED: 1, GOOD: 0}[text]
    if output_format == "github":
        assert len(finished.out.splitlines()) == expected
        return
    document: Any = finished.json()
    if output_format == "json":
        assert len(document["diagnostics"]) == expected
        assert document["valid"] is (code == 0)
    elif output_format == "sarif":
        SARIF.validate(document)
        assert len(document["runs"][0]["results"]) == expected
    else:
        assert len(document) == expected


def test_strict_makes_the_json_invalid_too(file: Path) -> None:
    file.write_text(WARNED, encoding="utf-8")
    finished = invoke("validate", file, "--strict", "--format", "json")
    assert (finished.code, finished.json()["valid"]) == (1, False)


def test_a_path_that_leads_nowhere_is_in_every_format(file: Path) -> None:
    assert "channels.yaml doesn't exist" in invoke("validate", file).err
    for output_format in ("json", "github", "sarif", "codequality"):
        finished = invoke("validate", file, "--format", output_format)
        assert finished.code == 1
        assert "channels.yaml doesn't exist" in finished.out


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing keeps this user from reading")
@pytest.mark.parametrize("command", ["validate", "fmt", "plan", "show"])
def test_a_file_that_cannot_be_read_is_invalid_input_and_no_wrong_usage(file: Path, command: str) -> None:
    file.write_text(GOOD, encoding="utf-8")
    file.chmod(0)
    finished = invoke(command, file, *(["--sandbox"] if command == "plan" else []))
    assert (finished.code, "Permission denied" in finished.err) == (1, True)


def test_what_this_program_wrote_itself_is_skipped_in_a_folder_and_explained_when_named(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    with emulated() as api:
        api.invoke("plan", file, "--out", "plan.json")
        api.invoke("snapshot", file, "--out", "live.json")
        for command in ("drift", "shapes"):
            Path(f"{command}.json").write_text(api.invoke(command, file, "--format", "json").out, encoding="utf-8")
        api.invoke("apply", file, "--auto-approve", "--report", "report.json")
        Path("findings.json").write_text(invoke("validate", file, "--format", "json").out, encoding="utf-8")
        Path("cut.json").write_text(Path("live.json").read_text(encoding="utf-8")[:200], encoding="utf-8")
        Path("future.json").write_text('{"format_version": "9", "what": 1}', encoding="utf-8")
        Path("manifest.json").write_text('{"version": 1, "organization": "b", "x-format_version": 1}', encoding="utf-8")
        assert invoke("validate").out == "Valid: 1 channel declared.\n"
        assert api.invoke("plan", "--detailed-exitcode").code == 0
    for name, what in {
        "plan.json": "a saved plan",
        "live.json": "a snapshot of live channels",
        "report.json": "the report of an apply",
        "findings.json": "a report of `validate`",
        "drift.json": "a report of `drift`",
        "shapes.json": "a report of `shapes`",
        "cut.json": "output of webchat-sync",
        "future.json": "output of webchat-sync",
    }.items():
        assert f"{name}:1:1: error: this is {what}, not a manifest\n" in invoke("validate", file, name).err
    file.unlink()
    Path("manifest.json").unlink()
    assert "the folder ." in invoke("validate").err


def test_a_pipe_in_a_folder_is_not_waited_for(file: Path) -> None:
    import os

    file.write_text(GOOD, encoding="utf-8")
    os.mkfifo("pipe.yaml")
    assert invoke("validate").code == 0


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
def test_plan_and_apply_show_the_line_of_what_they_refuse(file: Path, command: list[str]) -> None:
    with emulated({"name": "Support", "enabled": True}) as api:
        file.write_text(WRONG, encoding="utf-8")
        assert "\n  6 |     theme: drak\n    |            ^\n" in api.invoke(*command, file).err
        file.write_text(GOOD + "    enabled: false\n    sync: {protect: true}\n", encoding="utf-8")
        guarded = api.invoke(*command, file)
        assert guarded.code == 5
        assert "\n  4 |   - name: Support\n    |     ^\n" in guarded.err
        file.write_text(GOOD + "    sync: {id: gone}\n", encoding="utf-8")
        assert "\n  4 |   - name: Support\n    |     ^\n" in api.invoke(*command, file).err


def test_many_problems_are_written_whole(file: Path) -> None:
    file.write_text(HEAD + "channels:\n" + "  - {nme: A}\n" * 2000, encoding="utf-8")
    document = json.loads(invoke("validate", file, "--format", "json").out)
    assert document["error_count"] == len(document["diagnostics"]) == 1001
