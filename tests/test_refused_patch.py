"""A new channel whose PATCH is refused is off, and the next run goes on with it: over HTTP, through the commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import Emulated, emulated
from webchat_sync.emulator import Fault, Faults, Quirks, effects

PATCH = "*/web-chat/channels/*"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "channels.yaml"
    file.write_text(
        "version: 1\norganization: acme\nchannels:\n  - name: Support\n    theme: dark\n    offlineAction: HIDE\n"
        "  - name: Sales\n    theme: dark\n",
        encoding="utf-8",
    )
    return file


def refusing(message: str, status: int = 400, nth: int | frozenset[int] = 1) -> Faults:
    return Faults([Fault(effects.status(status, message=message), "PATCH", PATCH, nth=nth)])


def support(api: Emulated) -> dict[str, object]:
    (channel,) = [channel for channel in api.store.channels("acme") if channel["name"] == "Support"]
    return dict(channel)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (
            400,
            "offlineAction must be one of the following values: A",
            "Fix `offlineAction` ({}:6), then apply again",
        ),
        (422, "theme, offlineAction: no", "Fix `offlineAction` ({0}:6) and `theme` ({0}:5), then apply again"),
        (400, "no", "Fix what the server refuses, then apply again"),
        (403, "no", "Apply again"),
    ],
)
def test_the_account_says_what_to_correct_and_the_next_run_goes_on_with_the_channel(
    manifest: Path, status: int, message: str, advice: str
) -> None:
    with emulated(faults=refusing(message, status)) as api:
        refused = api.invoke("apply", manifest, "--auto-approve", "--parallelism", "1")
        assert refused.code == 3
        said = " ".join(refused.out.split())
        assert (
            f"switched off. {advice.format(manifest)}: the next run continues with this channel and switches it on."
            in said
        )
        assert said.count("switched off. ") == 1
        before = support(api)
        assert before["enabled"] is False
        manifest.write_text(manifest.read_text(encoding="utf-8").replace("HIDE", "MESSAGE_ALLOW"), encoding="utf-8")
        api.taken_calls()
        assert api.invoke("apply", manifest, "--auto-approve").code == 0
        assert api.taken_calls() == ["GET", "PATCH", "GET"]
        after = support(api)
        assert (after["id"], after["enabled"], after["offlineAction"]) == (before["id"], True, "MESSAGE_ALLOW")


@pytest.mark.slow
@pytest.mark.parametrize(
    "correction",
    [
        ("offlineAction: HIDE", "color: '#0f766e'"),
        ("offlineAction: HIDE", "offlineAction: MESSAGE_ALLOW\n    color: '#0f766e'\n    allowedDomains: [a.example]"),
        ("- name: Support", "- name: Help\n    sync: {renamedFrom: Support}"),
        ("theme: dark\n    offlineAction", "botEnabled: true\n    offlineAction"),
    ],
)
def test_the_next_run_goes_on_with_the_channel_whatever_else_was_edited_in_the_correction(
    manifest: Path, correction: tuple[str, str]
) -> None:
    with emulated(faults=refusing("offlineAction must be one of the following values: A")) as api:
        assert api.invoke("apply", manifest, "--auto-approve", "--parallelism", "1").code == 3
        before = support(api)
        text = manifest.read_text(encoding="utf-8").replace(*correction, 1)
        manifest.write_text(text, encoding="utf-8")
        assert api.invoke("apply", manifest, "--auto-approve").code == 0
        (after,) = [channel for channel in api.store.channels("acme") if channel["id"] == before["id"]]
        assert after["enabled"] is True
        assert len(api.store.channels("acme")) == 2


def test_it_is_said_again_when_the_next_run_is_refused_too(manifest: Path) -> None:
    with emulated(faults=refusing("theme is odd", nth=frozenset({1, 3}))) as api:
        for _ in range(2):
            refused = api.invoke("apply", manifest, "--auto-approve", "--parallelism", "1")
            assert (refused.code, refused.out.count("switched off. Fix `theme`")) == (3, 1)
            path = f"/organizations/acme/web-chat/channels/{support(api)['id']}"
            assert f'  failed: "Support": PATCH {path}\n    HTTP 400 ' in refused.out
        assert api.invoke("apply", manifest, "--auto-approve").code == 0


def test_the_refused_update_of_a_channel_that_is_on_is_no_such_case(manifest: Path) -> None:
    with emulated({"name": "Support"}, {"name": "Sales"}, faults=refusing("theme is odd")) as api:
        refused = api.invoke("apply", manifest, "--auto-approve", "--parallelism", "1")
        assert (refused.code, "switched off" in refused.out) == (3, False)


def test_a_channel_whose_only_such_field_is_taken_out_is_switched_on_as_the_account_says(tmp_path: Path) -> None:
    file = tmp_path / "channels.yaml"
    head = "version: 1\norganization: acme\nchannels:\n  - name: Support\n"
    file.write_text(f"{head}    theme: dark\n", encoding="utf-8")
    with emulated(faults=refusing("theme is odd")) as api:
        refused = api.invoke("apply", file, "--auto-approve")
        assert "If you remove the field instead, declare `enabled: true`." in refused.out
        file.write_text(f"{head}    enabled: true\n", encoding="utf-8")
        assert api.invoke("apply", file, "--auto-approve").code == 0
        assert support(api)["enabled"] is True


def test_with_other_fields_in_the_call_nothing_is_said_of_leaving_one_out(manifest: Path) -> None:
    with emulated(faults=refusing("offlineAction is odd")) as api:
        refused = api.invoke("apply", manifest, "--auto-approve", "--parallelism", "1")
        assert ("Fix `offlineAction`" in refused.out, "If you remove the field" in refused.out) == (True, False)


def test_the_next_runs_go_on_with_the_channel_without_times_in_the_list_until_it_is_on(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    timeless = Quirks(omit=frozenset({"createdAt", "updatedAt"}))
    with emulated(faults=refusing("no", nth=frozenset({1, 2})), quirks=timeless) as api:
        for _ in range(2):
            refused = api.invoke("apply", manifest, "--auto-approve", "--target", "Support")
            assert (refused.code, support(api)["enabled"]) == (3, False)
            assert "the next run continues with this channel and switches it on." in refused.out
        assert api.invoke("apply", manifest, "--auto-approve", "--target", "Support").code == 0
        assert support(api)["enabled"] is True
        # From now on, whoever switches it off in the dashboard means it.
        api.store.update("acme", str(support(api)["id"]), {"enabled": False, "theme": "light"})
        assert api.invoke("apply", manifest, "--auto-approve", "--target", "Support").code == 0
        assert (support(api)["enabled"], support(api)["theme"]) == (False, "dark")
