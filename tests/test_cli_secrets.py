"""Identity secrets from the command line: declared, forced, by hand, delivered later, signed with."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from applying import NOW
from commands import Emulated, emulated, invoke
from fake_time import at_once
from rotating import signs
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.model import LedgerEntry, Secret, SecretState, SecretStatus, moment_text
from webchat_sync.render.secrets import render_text

PATH = {"PATH": os.environ["PATH"]}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulated]:
    monkeypatch.chdir(tmp_path)
    with emulated({"name": "Support", "id": "c-1", "token": "tok"}) as running:
        yield running


def manifest(folder: Path, block: str, fields: str = "") -> Path:
    path = folder / "channels" / "all.yaml"
    path.parent.mkdir(exist_ok=True)
    sync = f"sync: {{identitySecret: {block}}}"
    text = f"version: 1\norganization: acme\nchannels:\n  - name: Support\n    {fields}\n    {sync}\n"
    path.write_text(text, encoding="utf-8")
    return path


def held(folder: Path, name: str = "channels/support.secret") -> Secret:
    return Secret((folder / name).read_text(encoding="utf-8").strip())


def test_a_declared_secret_is_planned_applied_and_planned_empty(api: Emulated, tmp_path: Path) -> None:
    file = manifest(tmp_path, "{rotation: 1, deliver: [{file: support.secret}]}", "identityRequired: true")
    planned = api.invoke("plan", file, "--format", "json")
    assert planned.json()["organizations"][0]["changes"][0]["secret"]["action"] == "generate"
    assert not (tmp_path / "channels" / "support.secret").exists()
    applied = api.invoke("apply", file, "--auto-approve", "--verify-secrets", environ=PATH)
    assert (applied.code, applied.last_line) == (0, "Apply complete! Channels: 0 added, 1 changed, 0 destroyed.")
    assert '"Support": identity secret created and delivered' in applied.err
    assert signs(api.store, "c-1", held(tmp_path))
    assert api.invoke("plan", file, "--detailed-exitcode").code == 0
    assert api.invoke("secret", "status").out.startswith('"Support" (c-1): has a secret; delivered at 2026')


def test_a_saved_rotation_is_applied_once(api: Emulated, tmp_path: Path) -> None:
    file = manifest(tmp_path, "{deliver: [{dotenv: .env, key: K}]}")
    assert api.invoke("apply", file, "--auto-approve").code == 0
    saved = api.invoke("plan", file, "--rotate", "Sup*", "--out", "plan.json", "--format", "json")
    assert saved.json()["summary"]["rotate"] == 1
    assert "requested with --rotate" in api.invoke("show", "plan.json").out
    assert api.invoke("apply", "plan.json", "--auto-approve").code == 0
    first = (tmp_path / "channels" / ".env").read_text(encoding="utf-8")
    again = api.invoke("apply", "plan.json", "--auto-approve")
    assert (again.code, "has a different entry for its identity secret in the ledger" in again.err) == (4, True)
    assert (tmp_path / "channels" / ".env").read_text(encoding="utf-8") == first
    assert api.invoke("apply", "plan.json", "--rotate", "Support", "--auto-approve").code == 64
    assert api.invoke("plan", file, "--rotate", "Nobody").code == 1


def test_a_danger_is_shown_and_refused_when_strict(api: Emulated, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(
        "version: 1\norganization: acme\nchannels: [{name: Support, identityRequired: true}]\n", encoding="utf-8"
    )
    shown = api.invoke("plan", file)
    assert (shown.code, 'DANGER: "Support"' in shown.out) == (0, True)
    for command in (["plan", file], ["apply", file, "--auto-approve"]):
        refused = api.invoke(*command, "--strict")
        assert (refused.code, "all.yaml:3:12: error" in refused.err) == (5, True)
    assert set(api.taken_calls()) == {"GET"}


def test_a_sink_that_would_fail_stops_the_run_before_its_first_write(api: Emulated, tmp_path: Path) -> None:
    file = manifest(tmp_path, "{deliver: [{command: [no-such-program]}]}", "theme: dark")
    report = tmp_path / "report.json"
    refused = api.invoke("apply", file, "--auto-approve", "--report", report, environ=PATH)
    assert (refused.code, "there's no executable `no-such-program`" in refused.err) == (1, True)
    assert api.taken_calls() == ["GET"]
    assert json.loads(report.read_text(encoding="utf-8"))["outcome"] == "refused"


def test_an_undelivered_secret_is_brought_on(api: Emulated, tmp_path: Path) -> None:
    script = "cat > got; test -e ready"
    file = manifest(tmp_path, f"{{deliver: [{{command: [sh, -c, {script!r}]}}]}}")
    world = {"sleep": at_once}
    failed = api.invoke("apply", file, "--auto-approve", environ=PATH, **world)
    assert failed.code == 3
    assert 'secret deliver "Support"' in failed.out
    waiting = api.invoke("secret", "status", "Support").out
    assert 'in .webchat-sync/recovery; run `webchat-sync secret deliver "Support"` to deliver it' in waiting
    unready = api.invoke("secret", "deliver", "Support", environ=PATH, **world)
    assert (unready.code, "still waiting" in unready.err) == (3, True)
    (tmp_path / "channels" / "ready").touch()
    assert api.invoke("secret", "deliver", "Support", environ=PATH, **world).code == 0
    assert signs(api.store, "c-1", held(tmp_path, "channels/got"))
    assert api.invoke("secret", "deliver", "Support").code == 1
    assert api.invoke("plan", file, "--detailed-exitcode").code == 0


def test_a_secret_that_waits_can_go_elsewhere(api: Emulated, tmp_path: Path) -> None:
    file = manifest(tmp_path, "{deliver: [{command: ['false']}]}")
    assert api.invoke("apply", file, "--auto-approve", environ=PATH, sleep=at_once).code == 3
    shown = api.invoke("secret", "deliver", "c-1", "--to", "by-hand", "--show")
    assert shown.code == 0
    assert shown.err.endswith('Delivered the identity secret of "c-1" to file by-hand and standard output.\n')
    assert signs(api.store, "c-1", Secret(shown.out.strip()))
    assert signs(api.store, "c-1", held(tmp_path, "by-hand"))


@pytest.mark.parametrize(
    ("deliver", "options", "left_out"),
    [
        ("[{file: support.secret}, {command: [sh, -c, cat]}]", ["--show"], "file support.secret and command sh -c cat"),
        ("[{file: support.secret}]", ["--to", "by-hand"], "file support.secret"),
        ("[{file: support.secret}, {dotenv: .env, key: K}]", ["--to", "channels/support.secret"], "dotenv .env K"),
        ("[{file: support.secret}]", ["--to", "channels/support.secret", "--show"], ""),
        ("[]", ["--show"], ""),
    ],
)
def test_by_hand_it_is_said_which_declared_sinks_go_without_the_new_secret(
    api: Emulated, tmp_path: Path, deliver: str, options: list[str], left_out: str
) -> None:
    manifest(tmp_path, f"{{deliver: {deliver}}}")
    said = (
        f'These declared sinks don\'t have the new secret: {left_out}. `apply --rotate "Support"` would deliver another'
    )
    rotated = api.invoke("secret", "rotate", "Support", *options, environ=PATH)
    assert (rotated.code, said in rotated.err) == (0, bool(left_out))
    assert ("declared sinks" in rotated.err) == bool(left_out)


def test_a_secret_does_not_outlive_its_channel(api: Emulated, tmp_path: Path) -> None:
    file = manifest(tmp_path, "{deliver: [{command: ['false']}]}")
    assert api.invoke("apply", file, "--auto-approve", environ=PATH, sleep=at_once).code == 3
    recovery = Path(".webchat-sync", "recovery")
    assert len([*recovery.glob("*.json")]) == 1
    absent = "version: 1\norganization: acme\nchannels: [{name: Support, sync: {state: absent}}]\n"
    file.write_text(absent, encoding="utf-8")
    assert api.invoke("apply", file, "--auto-approve").code == 0
    assert [*recovery.iterdir()] == []


def test_a_runner_whose_clock_is_ahead_does_not_switch_off_the_age_of_its_secret(api: Emulated, tmp_path: Path) -> None:
    file = manifest(tmp_path, "{maxAge: 90d, deliver: [{file: support.secret}]}")
    ahead = NOW + timedelta(days=400)
    assert api.invoke("apply", file, "--auto-approve", now=lambda: ahead).code == 0
    first = held(tmp_path)
    status = api.invoke("secret", "status").out
    assert "(400 days in the future, so the clock of that run or of this one is wrong; the server's time was" in status
    planned = " ".join(api.invoke("plan", file).out.split())
    assert "its entry in the ledger is 400 days in the future" in planned
    assert f"`maxAge` counts from {moment_text(NOW)}, the server's time" in planned
    later = NOW + timedelta(days=91)
    assert "older than 90d" in api.invoke("apply", file, "--auto-approve", now=lambda: later).out
    assert held(tmp_path) != first
    assert "(less than a minute ago)" in api.invoke("secret", "status", now=lambda: later).out


def test_an_age_that_cannot_be_counted_begins_with_the_next_apply_and_the_secret_stays_recognisable(
    api: Emulated, tmp_path: Path
) -> None:
    file = manifest(tmp_path, "{maxAge: 90d, deliver: [{file: support.secret}]}")
    ahead = NOW + timedelta(days=400)
    assert api.invoke("apply", file, "--auto-approve", now=lambda: ahead).code == 0
    ledger = tmp_path / ".webchat-sync" / "ledger.json"
    text = ledger.read_text(encoding="utf-8")
    assert moment_text(NOW) in text
    # A server that says no time.
    ledger.write_text(text.replace(moment_text(NOW), ""), encoding="utf-8")
    applied = api.invoke("apply", file, "--auto-approve")
    assert (applied.code, "`maxAge` counts from now" in " ".join(applied.out.split())) == (0, True)
    assert (
        "adopted as delivered at 2026-11-02T12:00:00+00:00 (less than a minute ago)"
        in api.invoke("secret", "status").out
    )
    file.write_text(
        f"{file.read_text(encoding='utf-8')}    welcomeMessage: {held(tmp_path).reveal()}\n", encoding="utf-8"
    )
    assert "that's in use" in " ".join(api.invoke("plan", file).err.split())
    manifest(tmp_path, "{maxAge: 90d, deliver: [{file: support.secret}]}")
    planned = api.invoke("plan", file, now=lambda: NOW + timedelta(days=90))
    assert "older than 90d" in planned.out


def test_a_rotation_by_hand_is_known_to_the_next_plan(api: Emulated, tmp_path: Path) -> None:
    assert api.invoke("secret", "rotate", "Support", "--to", "s").code == 0
    file = manifest(tmp_path, "{rotation: 1, deliver: [{file: support.secret}]}")
    planned = api.invoke("plan", file)
    assert 'rotation "1" is adopted without rotating: the secret was rotated by hand' in " ".join(planned.out.split())
    assert api.invoke("apply", file, "--auto-approve").code == 0
    assert api.invoke("secret", "rotate", "Support", "--to", "s").code == 0
    assert api.invoke("plan", file, "--detailed-exitcode").code == 0
    (status,) = api.invoke("secret", "status", "--format", "json").json()
    assert (status["state"], status["rotation"], status["waiting"]) == ("delivered", "1", False)
    assert api.invoke("secret", "revoke", "Support", "--auto-approve").code == 0
    assert api.invoke("secret", "status").out.startswith('"Support" (c-1): has no secret; revoked at')
    assert invoke("secret", "status", "--sandbox").out == "There are no live channels.\n"


def test_a_revocation_in_doubt_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lost = Fault(effects.drop(after_commit=True), "DELETE", "*/identity-secret", nth=frozenset(range(1, 6)))
    with emulated({"name": "Support", "id": "c-1"}, faults=Faults([lost])) as api:
        assert api.invoke("secret", "rotate", "Support", "--to", "s").code == 0
        revoked = api.invoke("secret", "revoke", "Support", "--auto-approve")
        assert (revoked.code, revoked.err.splitlines()[-1]) == (
            3,
            "  The secret may have been revoked. Run this again.",
        )
        assert api.invoke("secret", "revoke", "Support", "--auto-approve").code == 0


def test_an_apply_in_doubt_says_that_a_secret_was_replaced_only_if_there_was_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    manifest = tmp_path / "channels.yaml"
    text = (
        "version: 1\norganization: acme\nchannels: [{name: Support, sync: {identitySecret: {deliver: [{file: s}]}}}]\n"
    )
    manifest.write_text(text, encoding="utf-8")
    lost = Fault(effects.drop(after_commit=True), "POST", "*/identity-secret", nth=frozenset({1, 2, 4, 5}))
    with emulated({"name": "Support", "id": "c-1"}, faults=Faults([lost])) as api:
        created = api.invoke("apply", manifest, "--auto-approve", sleep=at_once)
        assert (created.code, "A secret may have been created that nobody has." in created.out) == (3, True)
        assert api.invoke("apply", manifest, "--auto-approve", sleep=at_once).code == 0
        rotated = api.invoke("apply", manifest, "--auto-approve", "--rotate", "Support", sleep=at_once)
        assert (rotated.code, "The secret may have been replaced by one that" in rotated.out) == (3, True)


def test_a_rotation_by_hand_in_doubt_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lost = Fault(effects.drop(after_commit=True), "POST", "*/identity-secret", nth=frozenset({1, 2}))
    refused = Fault(effects.status(403), "POST", "*/identity-secret", nth=3)
    with emulated({"name": "Support", "id": "c-1"}, faults=Faults([lost, refused])) as api:
        doubt = api.invoke("secret", "rotate", "Support", "--to", "s", sleep=at_once)
        assert (doubt.code, "that nobody has" in doubt.err) == (3, True)
        assert api.invoke("secret", "rotate", "Support", "--to", "s", sleep=at_once).code == 6
        assert api.invoke("secret", "rotate", "Support", "--to", "s", sleep=at_once).code == 0
        assert signs(api.store, "c-1", held(tmp_path, "s"))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("intended", "unfinished rotation, begun at 2026"),
        ("delivered", "; delivered at 2026"),
        ("undelivered", "created, but not delivered or verified, at 2026"),
        ("adopted", "; adopted at 2026"),
        ("vouched", "; adopted as delivered at 2026"),
        ("revoked", "; revoked at 2026"),
    ],
)
def test_what_the_ledger_says_of_a_secret_is_put_in_words(state: SecretState, said: str) -> None:
    entry = LedgerEntry("Support", state, attempt="a", at=NOW - timedelta(hours=3), rotation="1")
    shown = render_text([SecretStatus("Support", "c-1", True, entry, False)], now=NOW)
    assert said in shown
    assert shown.endswith('(3 hours ago, rotation "1")'), shown


@pytest.mark.parametrize("source", [[], ["--from", "channels/.env:K"], ["--from", "plain"], ["--from", "-"]])
def test_a_signature_is_what_the_server_expects(api: Emulated, tmp_path: Path, source: list[str]) -> None:
    file = manifest(tmp_path, "{deliver: [{dotenv: .env, key: K}]}")
    assert api.invoke("apply", file, "--auto-approve").code == 0
    plain = (tmp_path / "channels" / ".env").read_text(encoding="utf-8").strip().removeprefix("K=")
    (tmp_path / "plain").write_text(plain + "\n", encoding="utf-8")
    signed = invoke("secret", "sign", "Support", "--user-id", "user-1", *source, stdin=plain)
    import hashlib
    import hmac

    stored = api.store.identity_secret("c-1")
    assert stored is not None
    assert signed.out.strip() == hmac.new(stored.encode(), b"user-1", hashlib.sha256).hexdigest()


def test_what_cannot_be_signed_with_is_told(api: Emulated, tmp_path: Path) -> None:
    file = manifest(tmp_path, "{deliver: [{dotenv: .env, key: K}]}")
    api.invoke("apply", file, "--auto-approve")
    (tmp_path / "channels" / ".env").write_text("K=another\n", encoding="utf-8")
    for arguments, said in (
        (["Support"], "doesn't contain the secret that was delivered to it"),
        (["Nobody"], "has no channel with the name"),
        (["Support", "--from", "missing"], "file missing: it doesn't exist"),
        (["Support", "--from", "-"], "standard input is empty"),
        (["Support", "--from", str(tmp_path)], "can't read"),
    ):
        refused = invoke("secret", "sign", *arguments, "--user-id", "u")
        assert (refused.code, said in refused.err) == (1, True), refused.err
    api.invoke("secret", "rotate", "Support", "--show")
    assert "none of the sinks of" in invoke("secret", "sign", "Support", "--user-id", "u").err


def test_an_empty_id_is_never_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s").write_text("secret\n", encoding="utf-8")
    refused = invoke("secret", "sign", "Support", "--user-id", "", "--from", "s")
    assert (refused.code, refused.out) == (64, "")
    assert "invalid value for `--user-id`: the id is empty" in refused.err


@pytest.mark.parametrize("command", ["rotate", "deliver"])
def test_a_secret_for_stdout_is_never_written_to_a_file_of_that_name(
    api: Emulated, tmp_path: Path, command: str
) -> None:
    refused = api.invoke("secret", command, "Support", "--to", "-")
    assert (refused.code, refused.out, list(tmp_path.iterdir())) == (64, "", [])
    assert refused.err == (
        "Error: invalid value for `--to`: `-` isn't a file\n"
        f"  To print the secret, use --show. Run `webchat-sync secret {command} --help` for usage and examples.\n"
    )
    assert api.store.identity_secret("c-1") is None


def test_requests_and_answers_are_logged_without_secrets(api: Emulated, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        done = api.invoke("secret", "rotate", "Support", "--to", "s", "--verify-secrets", "--debug-http", "log")
    finally:
        os.umask(before)
    assert done.code == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    assert [(line["method"], line["response"]["status"]) for line in lines] == [
        ("GET", 200), ("POST", 201), ("GET", 200), ("POST", 201), ("POST", 401),
    ]  # fmt: skip
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ".webchat-sync").stat().st_mode) == 0o700
    assert ["x-api-key", "***"] in lines[0]["headers"] or ["X-Api-Key", "***"] in lines[0]["headers"]
    assert lines[1]["response"]["body"] == "(omitted: may contain an identity secret)"
    assert json.loads(lines[3]["body"])["hash"] == "***"
    assert api.invoke("snippet", "Support", "--debug-http", tmp_path / "no" / "log").code == 1
    unreachable = api.invoke(
        "snippet", "Support", "--debug-http", "log", "--base-url", "http://127.0.0.1:9", sleep=at_once
    )
    assert unreachable.code == 6
    assert "ConnectError" in (tmp_path / "log").read_text(encoding="utf-8")


SEVERAL = "the manifests belong to several organisations: a and b"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["status"], f"{SEVERAL}\n  Use --org ID, or --manifest PATH with the files of one of them.\n"),
        (["deliver", "Support"], "no secret is waiting for delivery\n"),
        (["sign", "Support", "--user-id", "user-1"], "the ledger has no channel with the name or id"),
    ],
    ids=lambda value: value[0],
)
def test_the_way_out_of_several_organizations_is_an_option_of_the_command_that_needs_one(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = []
    for name in ("a", "b"):
        Path(f"{name}.yaml").write_text(f"version: 1\norganization: {name}\nchannels: []\n", encoding="utf-8")
        named += ["--manifest", f"{name}.yaml"]
    refused = invoke("secret", *arguments, *named, environ={"MOSEND_API_KEY": "mk_test_a.b"})
    assert refused.code == 1
    assert f"Error: {told}" in refused.err
