from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from commands import Emulated, Finished, emulated, invoke
from repositories import ENVIRON, commit, git, repository
from webchat_sync.domain.catalogue import whole_schema

ONE = """\
version: 1
channels:
  - name: Support
    color: "#0f766e"
    theme: dark
"""
LIVE = {"id": "c-1", "name": "Support", "color": "#0f766e", "theme": "dark"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that declares Support, and that is the current folder."""
    root = repository(tmp_path / "repository")
    commit(root, {"channels/support.yaml": ONE}, tag="v1")
    monkeypatch.chdir(root)
    return root


def drift(api: Emulated, *arguments: object) -> Finished:
    return api.invoke("drift", *arguments, environ=ENVIRON)


def drift_json(api: Emulated, *arguments: object) -> Any:
    document = drift(api, *arguments, "--format", "json").json()
    Draft202012Validator(whole_schema("drift"), format_checker=FormatChecker()).validate(document)
    return document


def test_what_is_committed_counts_and_not_what_lies_beside_it(folder: Path) -> None:
    (folder / "channels/support.yaml").write_text(ONE.replace("dark", "light"))
    (folder / "channels/new.yaml").write_text(ONE.replace("Support", "New"))
    (folder / "channels/plan.json").write_text('{"format_version": "1.0", "organizations": []}')
    (folder / "README.md").write_text("x")
    with emulated(LIVE) as api:
        done = drift(api, "channels", "--detailed-exitcode")
        head = git(folder, "rev-parse", "HEAD")[:10]
        assert (done.code, done.out) == (0, f"No drift. The live channels match HEAD ({head}).\n")
        edited = "channels/support.yaml and channels/new.yaml"
        assert done.err == f"Compared with HEAD ({head}): uncommitted edits don't count ({edited}).\n"


def test_nothing_is_said_of_edits_where_there_are_none(folder: Path) -> None:
    assert folder.is_dir()
    with emulated(LIVE) as api:
        assert drift(api, "channels").err == ""


def test_drift_exits_with_0_or_with_2_when_asked(folder: Path) -> None:
    assert folder.is_dir()
    with emulated({**LIVE, "color": "#ffffff"}) as api:
        done = drift(api, "channels")
        assert done.code == 0
        assert 'color: "#ffffff" -> "#0f766e"' in done.out
        assert "(channels/support.yaml:3)" in done.out
        assert done.last_line.startswith("Drift: 1 channel differs from HEAD (")
        assert drift(api, "channels", "--detailed-exitcode").code == 2
        assert drift(api, "channels", "--quiet").out == f"{done.last_line}\n"
        assert api.taken_calls() == ["GET"] * 3


def test_with_a_base_each_difference_is_told_by_what_moved(folder: Path) -> None:
    changed = ONE.replace("dark", "light") + "    welcomeMessage: Now\n  - name: New\n"
    commit(folder, {"channels/support.yaml": changed})
    with emulated({**LIVE, "color": "#ffffff"}) as api:
        document = drift_json(api, "channels", "--base", "v1")
        assert document["declared"] == {"revision": "HEAD", "commit": git(folder, "rev-parse", "HEAD")}
        assert document["base"] == {"revision": "v1", "commit": git(folder, "rev-parse", "v1")}
        found = {
            group["cause"]: [
                (change["address"], [field["path"] for field in change["fields"]])
                for change in group["organizations"][0]["changes"]
            ]
            for group in document["groups"]
        }
        assert found == {
            "live_changed": [("Support", ["color"])],
            "git_changed": [("Support", ["welcomeMessage", "theme"]), ("New", ["name"])],
        }
        assert [each["cause"] for each in drift_json(api, "channels")["groups"]] == ["differs"]


def test_the_saved_plan_is_one_that_apply_carries_out(folder: Path) -> None:
    assert folder.is_dir()
    with emulated({**LIVE, "color": "#ffffff"}) as api:
        done = drift(api, "channels", "--out", "drift.json", "--render", "markdown=drift.md")
        assert done.err == "Saved the plan to drift.json.\n"
        assert Path("drift.md").read_text().startswith("### Drift: 1 channel differs from `HEAD` (")
        assert api.invoke("apply", "drift.json", "--auto-approve").code == 0
        assert drift(api, "channels", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("where", "given", "place"),
    [
        (".", [], "channels/support.yaml:3"),
        (".", ["./channels/../channels"], "channels/support.yaml:3"),
        ("channels", [], "support.yaml:3"),
        ("channels", ["support.yaml"], "support.yaml:3"),
        ("docs", ["../channels"], "../channels/support.yaml:3"),
        ("..", ["repository/channels/support.yaml"], "repository/channels/support.yaml:3"),
    ],
)
def test_places_are_as_they_would_be_in_the_work_tree(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: str, given: list[str], place: str
) -> None:
    (folder / "docs").mkdir()
    monkeypatch.chdir(folder / where)
    with emulated({**LIVE, "color": "#ffffff"}) as api:
        assert drift_json(api, *given)["groups"][0]["organizations"][0]["changes"][0]["place"]["file"] == place[:-2]
        assert f"({place})" in drift(api, *given).out


def test_problems_show_the_line_that_is_committed(folder: Path) -> None:
    commit(folder, {"channels/support.yaml": ONE + "    colour: x\n"})
    (folder / "channels/support.yaml").write_text("# something else\n" * 9)
    with emulated(LIVE) as api:
        done = drift(api, "channels")
        assert done.code == 1
        assert "channels/support.yaml:6:5: error: channels[0].colour" in done.err
        assert "6 |     colour: x" in done.err


def test_a_problem_with_what_live_has_shows_the_committed_line_too(folder: Path) -> None:
    commit(folder, {"channels/support.yaml": ONE + "    sync: {id: gone}\n"})
    (folder / "channels/support.yaml").write_text("# something else\n" * 9)
    with emulated(LIVE) as api:
        done = drift(api, "channels")
        assert (done.code, "3 |   - name: Support" in done.err or "6 |     sync: {id: gone}" in done.err) == (1, True)


def test_what_was_wrong_at_the_base_says_that_it_is_of_the_base(folder: Path) -> None:
    commit(folder, {"channels/support.yaml": ONE + "    colour: x\n"}, tag="broken")
    commit(folder, {"channels/support.yaml": ONE})
    with emulated(LIVE) as api:
        done = drift(api, "channels", "--base", "broken")
        assert done.code == 1
        assert f"in broken ({git(folder, 'rev-parse', 'broken')[:10]}): `colour` isn't a known key here" in done.err


def test_a_base_without_the_files_declares_nothing(folder: Path) -> None:
    commit(folder, {"other/new.yaml": ONE.replace("Support", "New")})
    with emulated(LIVE) as api:
        (group,) = drift_json(api, "other", "--base", "v1")["groups"]
        assert group["cause"] == "git_changed"


def test_a_file_that_the_base_does_not_have_is_named(folder: Path) -> None:
    git(folder, "mv", "channels/support.yaml", "channels/moved.yaml")
    commit(folder, {})
    with emulated(LIVE | {"theme": "auto"}) as api:
        assert "channels/moved.yaml isn't in v1 (" in drift(api, "channels/moved.yaml", "--base", "v1").err
        whole = drift(api, "channels", "--base", "v1")
        assert "is not in" not in whole.err
        assert "Live changed in 1." in whole.last_line


def test_a_submodule_is_refused_since_its_files_are_not_here(folder: Path, tmp_path: Path) -> None:
    commit(repository(tmp_path / "other"), {"more.yaml": ONE.replace("Support", "More")})
    git(
        folder,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(tmp_path / "other"),
        "channels/sub",
    )
    commit(folder, {})
    with emulated(LIVE) as api:
        done = drift(api, "channels")
        assert done.code == 1
        assert "channels/sub is a submodule" in done.err
        assert "Pass the other files and folders by name, and run the command for channels/sub separately." in done.err
        assert drift(api, "channels/support.yaml").code == 0
        assert "Drift: 1 channel differs" in drift(api, "channels/sub").last_line


def test_what_is_hidden_is_skipped_as_plan_skips_it(folder: Path) -> None:
    commit(folder, {".hidden/wrong.yaml": "[", "node_modules/x/wrong.yaml": "[", "channels/.wrong.yaml": "["})
    (folder / ".hidden/link.yaml").symlink_to("/etc/passwd")
    commit(folder, {})
    with emulated(LIVE) as api:
        assert drift(api, ".", "--detailed-exitcode").code == 0
        assert drift(api, ".hidden").code == 1


def test_what_git_sets_for_hooks_leads_nowhere_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "channels")
    environ = ENVIRON | {"GIT_DIR": str(folder / ".git"), "GIT_INDEX_FILE": "elsewhere"}
    with emulated(LIVE) as api:
        done = api.invoke("drift", ".", "--detailed-exitcode", environ=environ)
        assert (done.code, done.err) == (0, "")


@pytest.mark.usefixtures("folder")
def test_one_path_in_the_repository_is_enough_to_find_it(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(ONE)
    with emulated(LIVE) as api:
        for paths in (["../outside.yaml", "channels"], ["channels", "../outside.yaml"]):
            done = drift(api, *paths)
            assert done.code == 1
            assert "is outside the repository" in done.err


def test_overlays_are_read_as_they_are_committed(folder: Path) -> None:
    overlay = 'version: 1\nchannels:\n  - name: Support\n    color: "#111111"\n'
    commit(folder, {"overlays/staging.yaml": overlay}, tag="v2")
    (folder / "overlays/staging.yaml").write_text("no overlay at all: [")
    with emulated(LIVE) as api:
        done = drift(api, "channels", "--overlay", "overlays/staging.yaml")
        assert 'color: "#0f766e" -> "#111111"  (overlays/staging.yaml:4)' in done.out
        assert "uncommitted edits don't count (overlays/staging.yaml)" in done.err
        document = drift_json(api, "channels", "--overlay", "overlays/staging.yaml", "--base", "v1")
        assert [each["cause"] for each in document["groups"]] == ["git_changed"]


def test_files_in_no_repository_count_as_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels.yaml").write_text(ONE)
    with emulated(LIVE) as api:
        done = drift(api)
        assert (done.code, done.out) == (0, "No drift. The live channels match the files.\n")
        assert done.err == "Compared with the files as they are now, since they aren't in a Git repository.\n"
        refused = drift(api, "--base", "main")
        assert refused.code == 1
        assert refused.err.startswith("Error: --base needs a Git repository, and the files aren't in one\n")


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("nowhere", "A branch of the remote is called `origin/NAME`"),
        ("--help", "isn't a valid revision"),
        ("-n1", "isn't a valid revision"),
        ("", "git doesn't know the revision"),
        ("v1 main", "git doesn't know the revision"),
        ("HEAD:channels", "git doesn't know the revision"),
    ],
)
def test_a_base_that_is_no_commit_is_refused(folder: Path, revision: str, said: str) -> None:
    (folder / "channels" / "new.yaml").write_text(ONE)
    with emulated(LIVE) as api:
        done = drift(api, "channels", f"--base={revision}")
        assert (done.code, said in done.err, api.taken_calls()) == (1, True, [])
        assert "Compared" not in done.err


def test_a_shallow_clone_is_told_how_to_get_the_base(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(folder, {"channels/support.yaml": ONE + "# 2\n"})
    git(tmp_path, "clone", "--quiet", "--depth=1", folder.as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    with emulated(LIVE) as api:
        assert drift(api, "channels").code == 0
        assert "`fetch-depth: 0` for actions/checkout" in drift(api, "channels", "--base", "v1").err


def test_a_repository_without_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository(tmp_path / "new"))
    Path("channels.yaml").write_text(ONE)
    with emulated(LIVE) as api:
        done = drift(api)
        assert (done.code, "nothing is committed in this repository yet" in done.err) == (1, True)


def test_what_is_not_committed_or_lies_elsewhere_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "new.yaml").write_text(ONE)
    (tmp_path / "elsewhere.yaml").write_text(ONE)
    with emulated(LIVE) as api:
        done = drift(api, "new.yaml", "gone")
        assert done.code == 1
        assert re.search(r"new.yaml isn't in HEAD \(\w+\)\n  Commit it first\.\n", done.err)
        assert re.search(r"gone isn't in HEAD \(\w+\)\n  Check the path\.\n", done.err)
        outside = drift(api, "channels", "../elsewhere.yaml")
        assert (outside.code, "is outside the repository" in outside.err) == (1, True)


def test_links_are_followed_inside_the_repository_and_nowhere_else(folder: Path) -> None:
    (folder / "channels/support.yaml").unlink()
    (folder / "channels/support.yaml").symlink_to("../common.yaml")
    commit(folder, {"common.yaml": ONE})
    (folder / "common.yaml").write_text("not committed")
    with emulated(LIVE) as api:
        assert drift(api, "channels", "--detailed-exitcode").code == 0
        (folder / "channels/passwd.yaml").symlink_to("/etc/passwd")
        commit(folder, {})
        done = drift(api, "channels")
        assert done.code == 1
        assert "channels/passwd.yaml in HEAD" in done.err
        assert "is a symbolic link that doesn't lead to a file in the repository" in done.err


def test_names_that_git_would_quote_or_match_are_read_as_they_are(folder: Path) -> None:
    commit(folder, {"channels/sopor te é*.yaml": ONE.replace("Support", "Soporte"), "channels/other.yml": "x: ["})
    (folder / "channels/other.yml").unlink()
    commit(folder, {})
    with emulated(LIVE) as api:
        done = drift(api, "channels/sopor te é*.yaml")
        assert "(channels/sopor te é*.yaml:3)" in done.out
        assert "Support" not in done.out


def test_a_name_with_a_line_break_is_refused(folder: Path) -> None:
    commit(folder, {"channels/a\nb.yaml": ONE})
    with emulated(LIVE) as api:
        done = drift(api, "channels")
        assert (done.code, "has an unsupported name" in done.err) == (1, True)


def test_without_git_a_repository_cannot_be_read(folder: Path, tmp_path: Path) -> None:
    with emulated(LIVE) as api:
        done = api.invoke("drift", "channels", environ={"PATH": str(tmp_path)})
        assert (done.code, "git isn't installed" in done.err) == (1, True)
        shutil.rmtree(folder / ".git")
        assert api.invoke("drift", "channels", environ={"PATH": str(tmp_path)}).code == 0


def test_what_git_refuses_is_told_in_its_words(folder: Path) -> None:
    (folder / ".git/config").write_text("[core\n")
    with emulated(LIVE) as api:
        done = drift(api, "channels")
        assert (done.code, "git failed: bad config line 1" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("exit 3", "git failed: git exited with code 3"),
        ("kill -9 $$", "git failed: git was killed by signal 9"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_git_that_says_nothing_is_told_by_how_it_ended(tmp_path: Path, ending: str, said: str) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{ending}\n", encoding="utf-8")
    program.chmod(0o755)
    with emulated(LIVE) as api:
        done = api.invoke("drift", "channels", environ={"PATH": str(program.parent)})
        assert (done.code, said in done.err) == (1, True)


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("HEAD:channels/support.yaml", "git can't find the contents of channels/support.yaml in HEAD"),
        ("HEAD^{tree}", "git failed:"),
    ],
)
def test_a_damaged_repository_is_told(folder: Path, revision: str, said: str) -> None:
    lost = git(folder, "rev-parse", revision)
    (folder / ".git/objects" / lost[:2] / lost[2:]).unlink()
    with emulated(LIVE) as api:
        done = drift(api, "channels")
        assert (done.code, said in done.err) == (1, True)


def test_against_a_snapshot_no_network_and_no_key_is_needed(folder: Path) -> None:
    with emulated({**LIVE, "color": "#ffffff"}) as api:
        assert api.invoke("snapshot", "--out", "live.json").code == 0
    commit(folder, {"channels/support.yaml": ONE.replace("dark", "light")})
    done = invoke("drift", "channels", "--live", "live.json", "--base", "v1", environ=ENVIRON)
    assert done.code == 0
    assert "Compared with live.json, a snapshot that is less than a minute old" in done.err
    assert "Live changed since v1" in done.out
    assert "Git changed since v1" in done.out
    document = json.loads(invoke("drift", "channels", "--live", "live.json", "--format", "json", environ=ENVIRON).out)
    assert document["live_created_at"] == "2026-11-02T12:00:00+00:00"


def test_a_target_limits_what_is_compared(folder: Path) -> None:
    commit(folder, {"channels/new.yaml": ONE.replace("Support", "New")})
    with emulated({**LIVE, "color": "#ffffff"}) as api:
        document = drift_json(api, "channels", "--target", "N*", "--base", "v1")
        assert (document["complete"], document["targets"]) == (False, ["N*"])
        assert [each["cause"] for each in document["groups"]] == ["git_changed"]


def test_several_organizations_are_told_apart(folder: Path) -> None:
    commit(
        folder,
        {
            "channels/support.yaml": ONE + "organization: acme\n",
            "channels/other.yaml": ONE + "organization: globex\n",
        },
    )
    with emulated({**LIVE, "color": "#ffffff"}) as api:
        document = drift_json(api, "channels", "--base", "v1")
        found = {
            (group["cause"], each["organization"]) for group in document["groups"] for each in group["organizations"]
        }
        assert found == {("live_changed", "acme"), ("git_changed", "globex")}


def test_the_repository_is_left_as_it_is(folder: Path) -> None:
    def state() -> dict[Path, int]:
        return {each: each.stat().st_mtime_ns for each in folder.rglob("*")}

    (folder / "channels/support.yaml").write_text(ONE + "# edited\n")
    before = state()
    with emulated(LIVE) as api:
        assert drift(api, "channels", "--base", "v1").code == 0
    assert state() == before
