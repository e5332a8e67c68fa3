"""A text is what stands in the file, also where YAML would read a number or a yes-or-no value."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifest_files import HEAD, declared, load, problems
from planning import catalogue
from webchat_sync.manifest import load_manifests
from webchat_sync.manifest.texts import as_written, texts_of
from webchat_sync.yaml12.composer import compose
from webchat_sync.yaml12.document import Source

TYPED = ["1.10", "1.1", "100", "0x1F", "007", "0o17", "1e3", "-0", "+5", ".5", "true", "True", "FALSE"]
TYPED += ["12345678901234567890.50", "2026-10-01", "no"]
MARKED = ['"1.10"', "'100'", "!!str 1.10", "!!float 1.10", "&a 1.10"]
NUMBERS = st.from_regex(r"[0-9]{1,4}\.[0-9]{1,4}", fullmatch=True)


@pytest.mark.parametrize("written", [*TYPED, *MARKED])
def test_every_text_is_what_stands_in_the_file(tmp_path: Path, written: str) -> None:
    text = written.removeprefix("!!str ").removeprefix("!!float ").removeprefix("&a ").strip("\"'")
    block = f"{{rotation: {written}, deliver: [{{command: [a, {written}]}}]}}"
    sync = f"{{id: {written}, renamedFrom: {written}, identitySecret: {block}}}"
    (one,) = declared(tmp_path, f"channels:\n  - {{name: A, welcomeMessage: {written}, sync: {sync}}}\n")
    assert (one.fields["welcomeMessage"], one.id, one.renamed_from) == (text, text, text)
    assert one.identity_secret is not None
    assert one.identity_secret.rotation == text
    assert one.identity_secret.deliver[0].argv == ("a", text)


def test_a_rotation_of_two_spellings_is_two_and_quotes_make_none(tmp_path: Path) -> None:
    def rotation(written: str) -> str | None:
        block = f"{{rotation: {written}, deliver: [{{file: a}}]}}"
        (one,) = declared(tmp_path, f"channels: [{{name: A, sync: {{identitySecret: {block}}}}}]\n")
        assert one.identity_secret is not None
        return one.identity_secret.rotation

    assert rotation("1.10") != rotation("1.1")
    assert rotation("100") == rotation('"100"')
    assert rotation("100") != rotation("1e2")


@pytest.mark.parametrize(
    ("written", "number"),
    [("1.10", "1.1"), ("007", "7"), ("+34600100200", "34600100200"), ("0x1F", "31"), (".5", "0.5"), ("1e3", "1000.0")],
)
def test_a_number_that_may_be_meant_as_text_is_warned_about(tmp_path: Path, written: str, number: str) -> None:
    inside = f"departments: [{{name: {written}, more: [[{written}]]}}]\n"
    for text in (f"channels:\n  - name: A\n    {inside}", f"defaults:\n  {inside}channels: [{{name: A}}]\n"):
        said = load(tmp_path, HEAD + text).problems
        assert [(problem.severity, problem.message) for problem in said] == [
            ("warning", f"`{written}` is read as the number {number}")
        ] * 2
        assert f'`"{written}"`' in said[0].hint


@pytest.mark.parametrize("written", ["7", "1.1", "true", '"1.10"', "no", "1.0", "-3"])
def test_what_json_writes_alike_and_numbers_of_numbers_are_not(tmp_path: Path, written: str) -> None:
    text = f"channels: [{{name: A, bubbleOffsetX: 1.50, departments: [{{name: {written}}}]}}]\n"
    assert load(tmp_path, HEAD + text).problems == ()


def test_variables_defaults_aliases_merges_and_json_keep_texts_too(tmp_path: Path) -> None:
    text = """\
settings: {ledger: &odd 1.50}
defaults: {welcomeMessage: *odd, offlineMessage: 0x10}
channels:
  - name: ${WEBCHAT_N}
    offlineMessage: ~
  - &second {name: "${WEBCHAT_N}0", bubbleOffsetX: 1.50}
  - {<<: *second, name: 2.0}
"""
    one, two, three = declared(tmp_path, text, WEBCHAT_N="1.10")
    assert (one.name, two.name, three.name) == ("1.10", "1.100", "2.0")
    assert (one.fields["welcomeMessage"], one.fields["offlineMessage"]) == ("1.50", None)
    assert (three.fields["welcomeMessage"], three.fields["offlineMessage"]) == ("1.50", "0x10")
    assert three.fields["bubbleOffsetX"] == 1.5


def test_an_organization_of_digits_is_one_with_its_quoted_self(tmp_path: Path) -> None:
    bare, quoted = (f"version: 1\norganization: {org}\n" for org in ("0123", '"0123"'))
    loaded = load(tmp_path, f"{bare}channels: [{{name: A}}]\n", f"{quoted}channels: [{{name: B}}]\n")
    assert [(manifest.organization, len(manifest.declarations)) for manifest in loaded.manifests] == [("0123", 2)]


def test_an_overlay_finds_a_name_of_digits(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("channels: [{name: 2024, welcomeMessage: 1.10}]\n", encoding="utf-8")
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "a.yaml").write_text(HEAD + 'channels: [{name: "2024"}]\n', encoding="utf-8")
    (one,) = load_manifests([folder], catalogue=catalogue(), environ={}, overlays=[overlay]).manifests[0].declarations
    assert one.fields == {"name": "2024", "welcomeMessage": "1.10"}


def test_what_is_no_text_stays_what_yaml_reads(tmp_path: Path) -> None:
    fields = "enabled: true, bubbleOffsetX: 1.50, offlineAction: {n: 1.50}, departments: [{id: 7}]"
    (one,) = declared(tmp_path, f"channels: [{{name: A, {fields}}}]\n")
    assert one.fields["enabled"] is True
    assert (one.fields["bubbleOffsetX"], one.fields["offlineAction"]) == (1.5, {"n": 1.5})
    assert one.fields["departments"] == [{"id": 7}]
    (refused,) = problems(tmp_path, HEAD + "channels: [{name: }]\n")
    assert "there's no value (null)" in refused.message


@given(st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.integers().map(str) | NUMBERS)
def test_no_number_loses_a_digit(written: str) -> None:
    source = Source.of("a.yaml", f"organization: {written}\n".encode())
    (document,) = compose(source).documents
    assert as_written(document, texts_of(catalogue())).value == {"organization": written}
