from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from manifest_files import HEAD, declared, load, problems, said, short
from planning import catalogue
from webchat_sync.manifest import load_manifests
from webchat_sync.model import Sink

BLOCK = "channels:\n  - name: Support\n    sync:\n      identitySecret: "


def test_a_block_is_read_with_the_folder_that_its_paths_start_at(tmp_path: Path) -> None:
    (one,) = declared(
        tmp_path,
        BLOCK
        + "{rotation: 2026-Q4, maxAge: 12w, verify: true, deliver: [{file: a}, {dotenv: b.env, key: K},"
        + " {command: [gh, secret, set], probe: [gh, auth, status]}]}\n",
    )
    block = one.identity_secret
    assert block is not None
    assert (block.absent, block.rotation, block.verify) == (False, "2026-Q4", True)
    assert (block.max_age, block.age_text) == (timedelta(weeks=12), "12w")
    assert block.deliver == (
        Sink("file", "a", folder=tmp_path.as_posix()),
        Sink("dotenv", "b.env", "K", folder=tmp_path.as_posix()),
        Sink("command", argv=("gh", "secret", "set"), probe=("gh", "auth", "status"), folder=tmp_path.as_posix()),
    )
    assert [sink.label for sink in block.deliver] == ["file a", "dotenv b.env K", "command gh secret set"]


@pytest.mark.parametrize(
    ("written", "token"), [("4", "4"), ('"4"', "4"), ("true", "true"), ("1.5", "1.5"), ("2026-10-01", "2026-10-01")]
)
def test_any_scalar_is_a_rotation(tmp_path: Path, written: str, token: str) -> None:
    (one,) = declared(tmp_path, BLOCK + f"{{rotation: {written}, deliver: [{{file: a}}]}}\n")
    assert one.identity_secret is not None
    assert one.identity_secret.rotation == token


@pytest.mark.parametrize(("age", "days"), [("48h", 2), ("90d", 90), ("2w", 14), ("1y", 365)])
def test_an_age_is_in_hours_days_weeks_or_years(tmp_path: Path, age: str, days: int) -> None:
    (one,) = declared(tmp_path, BLOCK + f"{{maxAge: {age}, deliver: [{{file: a}}]}}\n")
    assert one.identity_secret is not None
    assert one.identity_secret.max_age == timedelta(days=days)


def test_a_secret_that_shall_be_absent_needs_no_sink(tmp_path: Path) -> None:
    (one,) = declared(tmp_path, BLOCK + "{state: absent}\n")
    assert one.identity_secret is not None
    assert one.identity_secret.absent


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("{}", "where it should go, for example `deliver: [{ file: .secrets/support }]`."),
        ("{deliver: []}", "4:33 channels[0].sync.identitySecret.deliver: `deliver` doesn't name a sink"),
        ("{deliver: [{}]}", "4:34 channels[0].sync.identitySecret.deliver[0]: this doesn't name a sink"),
        ("{deliver: [{file: a, command: [b]}]}", "deliver[0]: `file` and `command` are different sinks"),
        (
            "{deliver: [{dotenv: a}]}",
            "deliver[0]: `key` is missing | Name the key to replace in the dotenv file.",
        ),
        ("{deliver: [{file: a, key: K}]}", "deliver[0].key: `key` can only be used with `dotenv`"),
        ("{deliver: [{dotenv: a, key: 1K}]}", 'deliver[0].key: "1K" doesn\'t have the format'),
        (
            "{deliver: [{command: []}]}",
            "deliver[0].command: `command` doesn't name a program | Write the program and its arguments as a list.",
        ),
        ("{deliver: [{command: gh secret set}]}", "deliver[0].command: expected a list"),
        ("{deliver: [{command: [a], probe: []}]}", "deliver[0].probe: `probe` doesn't name a program"),
        ("{deliver: [{file: a}], maxAge: 90}", 'identitySecret.maxAge: "90" doesn\'t have'),
        ("{deliver: [{file: a}], maxAge: 0d}", 'identitySecret.maxAge: "0d" doesn\'t have the format'),
        ("{deliver: [{file: a}], maxAge: 3m}", 'identitySecret.maxAge: "3m" doesn\'t have the format'),
        ("{deliver: [{file: a}], rotation: [a]}", "identitySecret.rotation: expected"),
        ("{deliver: [{file: a}], state: gone}", 'identitySecret.state: "gone" isn\'t accepted'),
        ("{deliver: [{fil: a}]}", "`fil` isn't a known key here | Did you mean `file`?"),
        ("{delivr: [{file: a}]}", "`delivr` isn't a known key here | Did you mean `deliver`?"),
        ("present", "expected a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, block: str, expected: str) -> None:
    assert any(expected in each for each in said(tmp_path, BLOCK + block + "\n")), said(tmp_path, BLOCK + block + "\n")


def test_the_ledger_starts_at_the_manifests_folder_and_is_one(tmp_path: Path) -> None:
    assert load(tmp_path, HEAD + "settings: {ledger: l.json}\n").manifests[0].ledger == f"{tmp_path.as_posix()}/l.json"
    two = problems(tmp_path, HEAD + "settings: {ledger: l.json}\n", HEAD + "settings: {ledger: m.json}\n")
    assert [short(each) for each in two] == ["2.yaml:3:20 settings.ledger"]


def test_a_sink_of_an_overlay_starts_at_the_overlays_folder(tmp_path: Path) -> None:
    base, over = tmp_path / "base" / "channels.yaml", tmp_path / "live" / "overlay.yaml"
    for file, text in (
        (base, f"{HEAD}settings: {{ledger: l.json}}\n{BLOCK}{{rotation: 1, deliver: [{{file: a}}]}}\n"),
        (over, f"version: 1\n{BLOCK}{{deliver: [{{file: b}}]}}\n"),
    ):
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
    (manifest,) = load_manifests([base], overlays=[over], catalogue=catalogue(), environ={}).manifests
    (one,) = manifest.declarations
    assert one.identity_secret is not None
    assert one.identity_secret.rotation == "1"
    assert one.identity_secret.deliver == (Sink("file", "b", folder=over.parent.as_posix()),)
    assert manifest.ledger == (base.parent / "l.json").as_posix()
