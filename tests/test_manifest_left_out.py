"""Files that are no part of a run and look as if they were meant to be: near-misses, and the rest of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import emulated, invoke

HEAD = "version: 1\norganization: acme\nsettings: {prune: true}\nchannels:\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "channels").mkdir()
    for name in ("Support", "Sales"):
        (tmp_path / "channels" / f"{name.lower()}.yaml").write_text(f"{HEAD}  - name: {name}\n", encoding="utf-8")
    return tmp_path / "channels"


@pytest.mark.parametrize(
    "name",
    [
        "Upper.YAML",
        "a.Yml",
        "a.yaml.bak",
        "a.yaml~",
        ".a.yaml",
        "a.yml.orig",
        "a.yaml.disabled",
        "x/.b.yml",
        "#a.yaml#",
        "a.yam",
        "a.jsonc",
    ],
)
def test_a_near_miss_is_named_and_not_read(folder: Path, name: str) -> None:
    (folder / "x").mkdir()
    (folder / name).write_text(f"{HEAD}  - name: Other\n", encoding="utf-8")
    checked = invoke("validate", folder)
    assert (checked.code, checked.out) == (0, "Valid: 2 channels declared, 1 warning.\n")
    assert f"{name} looks like a manifest, but it's skipped" in checked.err
    assert "Manifests end in .yaml, .yml or .json, not in .schema.json, and don't begin with a dot." in checked.err
    assert invoke("validate", folder, "--strict").code == 1


def test_a_near_miss_in_json_is_named_too_and_alone_it_is_no_manifest(tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "a.JSON").write_text('{"version": 1, "organization": "acme", "channels": []}', encoding="utf-8")
    checked = invoke("validate", alone)
    assert checked.code == 1
    assert "a.JSON looks like a manifest" in checked.err
    assert "the folder" in checked.err


@pytest.mark.parametrize(
    "name", [".pre-commit-config.yaml", "notes.yaml.txt", "package.json.bak", "yaml", "a.yamllint"]
)
def test_what_only_has_such_a_name_is_no_near_miss(folder: Path, name: str) -> None:
    (folder / name).write_text("version: 3\nrepos: []\n", encoding="utf-8")
    assert invoke("validate", folder).err == ""


@pytest.mark.parametrize("name", ["manifest", "channel", "plan", "report", "events", "drift", "shapes"])
def test_a_schema_that_the_program_prints_is_no_near_miss(folder: Path, name: str) -> None:
    (folder / f"{name}.schema.json").write_text(invoke("schema", name).out, encoding="utf-8")
    assert invoke("validate", folder).err == ""


def test_a_manifest_that_is_named_like_a_schema_is_a_near_miss(folder: Path) -> None:
    manifest = '{"version": 1, "organization": "acme", "channels": [{"name": "$schema"}]}'
    (folder / "other.schema.json").write_text(manifest, encoding="utf-8")
    assert "other.schema.json looks like a manifest" in invoke("validate", folder).err


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
def test_prune_with_a_part_of_a_folder_is_refused(folder: Path, command: list[str]) -> None:
    with emulated({"name": "Support"}, {"name": "Sales"}) as api:
        refused = api.invoke(*command, folder / "support.yaml")
        assert refused.code == 1
        assert 'this file isn\'t included, so "Sales" would be deleted' in refused.err
        assert "sales.yaml:5:5: error" in refused.err
        assert f"Use the folder {folder}, or all files of organisation" in refused.err
        assert api.taken_calls() == []
        for whole in ([folder], [folder / "support.yaml", folder / "sales.yaml"]):
            assert api.invoke(*command, *whole).code == 0
        assert len(api.store.channels("acme")) == 2


def test_prune_with_a_file_above_others_is_refused(folder: Path) -> None:
    below = folder / "more" / "and more"
    below.mkdir(parents=True)
    (folder / "sales.yaml").rename(below / "sales.yaml")
    with emulated({"name": "Support"}, {"name": "Sales"}) as api:
        refused = api.invoke("apply", folder / "support.yaml", "--auto-approve")
        assert (refused.code, 'so "Sales" would be deleted' in refused.err) == (1, True)
        assert api.taken_calls() == []
        assert api.invoke("apply", folder / "support.yaml", below / "sales.yaml", "--auto-approve").code == 0
        (folder / ".hidden").mkdir()
        (below / "sales.yaml").rename(folder / ".hidden" / "sales.yaml")
        assert api.invoke("plan", folder / "support.yaml").code == 0


@pytest.mark.parametrize(
    "other",
    [
        "version: 1\norganization: other\nchannels: [{name: Sales}]\n",
        "version: 1\norganization: acme\nchannels: [{name: Support}]\n",
        "organization: acme\nchannels: [{name: Sales}]\n",
        "version: 1\norganization: acme\n",
        "jobs: {a: b}\n",
        "{{ not yaml",
    ],
)
def test_other_organizations_overlays_and_other_files_are_no_part_of_it(folder: Path, other: str) -> None:
    (folder / "sales.yaml").write_text(other, encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        assert api.invoke("plan", folder / "support.yaml").code == 0


def test_without_prune_one_file_of_a_folder_is_enough(folder: Path) -> None:
    for file in folder.iterdir():
        file.write_text(file.read_text(encoding="utf-8").replace("prune: true", "prune: false"), encoding="utf-8")
    with emulated({"name": "Support"}, {"name": "Sales"}) as api:
        assert api.invoke("plan", folder / "support.yaml").code == 0
    assert invoke("validate", folder / "support.yaml").code == 0


OWNED = HEAD.replace("prune: true", "prune: owned")


def write(folder: Path, **channels: str) -> None:
    """Files with these channels instead of all others."""
    for file in folder.iterdir():
        file.unlink()
    for name, text in channels.items():
        (folder / f"{name}.yaml").write_text(f"{OWNED}{text}", encoding="utf-8")


def named(*names: str) -> str:
    return "".join(f"  - name: {name}\n" for name in names)


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ({"support": named("Support"), "sales": named("Sales")}, {}, ["Support", "Sales"]),
        # Moved to a file that isn't part of the run, or in one that was renamed.
        ({"support": named("Support", "Sales")}, {"sales": named("Sales")}, ["Support", "Sales"]),
        ({"support": named("Support"), "sales": named("Sales")}, {"shop": named("Sales")}, ["Support", "Sales"]),
        (
            {"support": named("Support", "Sales")},
            {"shop": "  - name: Shop\n    sync: {renamedFrom: Sales}\n"},
            ["Support", "Sales"],
        ),
        (
            {"support": named("Support", "Sales")},
            {"shop": "  - name: Shop\n    sync: {id: c-2}\n"},
            ["Support", "Sales"],
        ),
        # Declared nowhere any more.
        ({"support": named("Support", "Sales")}, {"shop": named("Shop")}, ["Support"]),
        ({"support": named("Support"), "sales": named("Sales")}, {"shop": named("Shop")}, ["Support"]),
    ],
)
def test_an_owned_prune_of_a_part_of_a_folder_deletes_what_no_file_declares(
    folder: Path, before: dict[str, str], after: dict[str, str], left: list[str]
) -> None:
    with emulated({"name": "Support", "id": "c-1"}, {"name": "Sales", "id": "c-2"}) as api:
        write(folder, **before)
        assert api.invoke("apply", folder, "--auto-approve").code == 0
        write(folder, **((after and {"support": named("Support"), **after}) or before))
        applied = api.invoke("apply", folder / "support.yaml", "--auto-approve")
        assert applied.code == 0, applied.err
        assert [channel["name"] for channel in api.store.channels("acme")] == left
