from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import Emulated, emulated, invoke


@pytest.fixture
def api() -> Iterator[Emulated]:
    named = [{"name": name, "id": f"c-{number}"} for number, name in enumerate(["Shop A", "SHOP a", "..", "🎉", "CON"])]
    with emulated(*named, {"name": "x", "id": "c-5", "theme": "dark", "color": "red"}) as running:
        yield running


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_gets_a_file_for_each_channel_and_plans_empty(api: Emulated, tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "deep" / "channels"
    if made:
        folder.mkdir(parents=True)
    imported = api.invoke("import", "--out", str(folder) if made else f"{folder}/")
    assert (imported.code, imported.out) == (0, "")
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["channel-2.yaml", "channel.yaml", "con-channel.yaml", "shop-a-2.yaml", "shop-a.yaml", "x.yaml"]
    assert imported.err.count("Wrote ") == 6
    assert '    # color: "red" (not managed: it doesn\'t have the format' in (folder / "x.yaml").read_text(
        encoding="utf-8"
    )
    assert api.invoke("plan", folder, "--detailed-exitcode").code == 0


def test_no_file_is_written_when_one_of_them_exists(api: Emulated, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("mine", encoding="utf-8")
    (tmp_path / "shop-a.yaml").symlink_to("nowhere")
    refused = api.invoke("import", "--out", f"{tmp_path}/")
    assert (refused.code, refused.err.count("already exists")) == (1, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop-a.yaml", "x.yaml"]
    one = api.invoke("import", "--out", tmp_path / "x.yaml")
    assert (one.code, "adopt" in one.err) == (1, True)
    assert (tmp_path / "x.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--only", "S*"], ["Shop A", "SHOP a"]),
        (["--only", "c-5", "--only", "CON"], ["CON", "x"]),
        (["--exclude", "[Sx]*", "--exclude", "c-[23]"], ["CON"]),
        (["--only", "S*", "--exclude", "SHOP*"], ["Shop A"]),
        (["--exclude", "*"], []),
    ],
)
def test_only_the_channels_that_were_asked_for_are_written(api: Emulated, options: list[str], names: list[str]) -> None:
    text = api.invoke("import", *options).out
    assert [line.removeprefix("  - name: ") for line in text.splitlines() if "- name:" in line] == names


def test_a_name_that_no_channel_has_is_an_error_and_an_empty_choice_writes_nothing(
    api: Emulated, tmp_path: Path
) -> None:
    refused = api.invoke("import", "--only", "shop a", "--only", "none")
    assert (refused.code, refused.out) == (1, "")
    assert '--only "shop a" matches no channel' in refused.err
    assert '"Shop A"' in refused.err
    nothing = api.invoke("import", "--exclude", "*", "--out", f"{tmp_path}/new/")
    assert (nothing.code, (tmp_path / "new").exists()) == (0, False)
    assert "No channels match, so nothing was written." in nothing.err


def test_an_organization_without_channels_is_not_said_to_match_nothing(tmp_path: Path) -> None:
    with emulated() as api:
        empty = api.invoke("import", "--out", f"{tmp_path}/new/")
    assert (empty.code, empty.err) == (0, "There are no live channels, so nothing was written.\n")


def test_defaults_are_left_out_only_when_asked(api: Emulated, tmp_path: Path) -> None:
    short = api.invoke("import", "--only", "x", "--skip-defaults")
    assert short.out.splitlines()[2:] == [
        "channels:",
        "  - name: x",
        "    theme: dark",
        "    sync: { id: c-5 }",
        '    # color: "red" (not managed: it doesn\'t have the format that this field requires)',
    ]
    file = tmp_path / "x.yaml"
    file.write_text(short.out, encoding="utf-8")
    assert api.invoke("plan", file, "--detailed-exitcode").code == 0
    assert "    enabled: true\n" in api.invoke("import", "--only", "x").out


def test_a_folder_that_cannot_be_written_is_an_error(api: Emulated, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = api.invoke("import", "--out", f"{tmp_path}/file/below/")
    assert (refused.code, "can't write" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("name", "is_skipped"), [("channels", True), ("a.txt", True), ("a.yml", False), ("a.json", False)]
)
def test_it_is_said_if_runs_over_the_folder_skip_the_file(
    api: Emulated, tmp_path: Path, name: str, is_skipped: bool
) -> None:
    imported = api.invoke("import", "--only", "x", "--out", tmp_path / name)
    said = f"To write one file per channel, end the folder with a slash: --out {tmp_path / name}/."
    assert (imported.code, "Runs over its folder skip it" in imported.err, said in imported.err) == (
        0,
        is_skipped,
        is_skipped,
    )
    assert ("contains no manifests" in api.invoke("validate", tmp_path).err) == is_skipped


def test_import_needs_an_organisation() -> None:
    assert invoke("import").code == 1
