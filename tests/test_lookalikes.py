"""Servers that store names otherwise get at most one channel for each declaration, ever."""

from __future__ import annotations

import html
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commands import Emulated, emulated
from planning import NOW, catalogue, declare, live, plan_for
from webchat_sync.emulator import Store, build_app, serve
from webchat_sync.model import Create, Json

EMOJI = re.compile("[\U0001f000-\U0001ffff]")
SERVERS: dict[str, tuple[Callable[[str], str], str]] = {
    "trims": (str.strip, " Support "),
    "trims as JavaScript does": (lambda name: name.strip("\ufeff\u00a0 "), "\ufeffSupport\u00a0"),
    "normalises": (lambda name: unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", "Café")),
    "denormalises": (lambda name: unicodedata.normalize("NFD", name), "Café"),
    "lower-cases": (str.lower, "Support"),
    "collapses blanks": (lambda name: re.sub(r"\s+", " ", name), "Sales  Team"),
    "drops what cannot be seen": (lambda name: name.replace("\u200b", ""), "Sup\u200bport"),
    "escapes": (html.escape, "Q & A"),
    "folds widths": (lambda name: unicodedata.normalize("NFKC", name), "Ｓｕｐｐｏｒｔ"),
    "escapes again and again": (lambda name: html.escape(html.escape(html.escape(name))), "Q & A"),
    "cuts off": (lambda name: name[:24], "Customer support for the northern region"),
    "cuts off inside a word": (lambda name: name[:10], "Customer support"),
    "cuts off with an ellipsis": (lambda name: name[:24] + "…", "Customer support for the northern region"),
    "drops emoji": (lambda name: EMOJI.sub("", name), "Help 👋 desk"),
    "has no code for emoji": (lambda name: EMOJI.sub("?", name), "Help 👋 desk"),
    "has no code for emoji, in Unicode": (lambda name: EMOJI.sub("\ufffd", name), "Help 👋 desk"),
    "knows ASCII only": (lambda name: name.encode("ascii", "replace").decode(), "客服"),
    "drops accents": (lambda name: unicodedata.normalize("NFD", name).replace("\u0301", ""), "Café"),
    "drops vowel points": (lambda name: re.sub("[\u064b-\u0652\u0640]", "", name), "دَعْـــم"),
    "drops markup": (lambda name: re.sub("<[^>]*>", "", name), "Sales <b>Team</b>"),
    "drops brackets": (lambda name: re.sub("[<>]", "", name), "Sales <3 Team"),
    "drops punctuation": (lambda name: re.sub(r"[^\w ]", "", name), "Sales, Team!"),
    "drops blanks": (lambda name: name.replace(" ", ""), "Sales Team"),
    "makes slugs": (lambda name: re.sub(r"\W+", "-", name.lower()), "Sales Team"),
    "straightens quotes": (lambda name: name.replace("’", "'"), "L’aide"),
    "capitalises": (str.title, "sales team"),
    "shows soft hyphens": (lambda name: name.replace("\u00ad", "-"), "Sup\u00adport"),
}
UNLIKE: dict[str, tuple[Callable[[str], str], str]] = {
    "drops emoji, and nothing is left": (lambda _: "-", "👋"),
    "cuts off after a word": (lambda name: name[:5], "Sales for Germany"),
    "adds what it pleases": (lambda name: f"web: {name}", "Support"),
    "calls all alike": (lambda _: "Web chat", "Support"),
    "takes UTF-8 for Latin-1": (lambda name: name.encode().decode("latin-1"), "Café"),
}
"""Names in which the declared one is not to be known: only what is remembered tells whose channel it is."""


class OddStore(Store):
    """Stores names in its own way."""

    odd: Callable[[str], str] = str

    def create(self, organization: str, fields: Mapping[str, Json], *, idempotency_key: str | None = None) -> Any:
        odd = {**fields, "name": type(self).odd(str(fields["name"]))}
        return super().create(organization, odd, idempotency_key=idempotency_key)


@contextmanager
def odd_server(odd: Callable[[str], str]) -> Iterator[Emulated]:
    store = type("Odd", (OddStore,), {"odd": staticmethod(odd)})(catalogue=catalogue(), now=lambda: NOW)
    with serve(build_app(store)) as url:
        yield Emulated(url, store)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def api() -> Iterator[Emulated]:
    with emulated({"name": "Support", "id": "c-1"}) as running:
        yield running


def manifest(*names: str, extra: str = "", prune: bool = False) -> Path:
    lines = ["version: 1", "organization: acme", f"settings: {{prune: {str(prune).lower()}}}", "channels:"]
    lines += [f"  - {{name: {_quoted(name)}{extra}}}" for name in names]
    path = Path("all.yaml")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _quoted(name: str) -> str:
    return '"' + "".join(f"\\U{ord(character):08x}" for character in name) + '"'


@pytest.mark.alike
@pytest.mark.parametrize(
    ("server", "remembers"), [*((name, False) for name in SERVERS), *((name, True) for name in UNLIKE)]
)
def test_no_server_gets_a_second_channel(server: str, remembers: bool) -> None:
    odd, name = {**SERVERS, **UNLIKE}[server]
    with odd_server(odd) as api:
        file = manifest(name, extra=", theme: dark")
        first = api.invoke("apply", file, "--auto-approve")
        codes = []
        for _ in range(2):
            if not remembers:
                shutil.rmtree(".webchat-sync")
            codes.append(api.invoke("apply", file, "--auto-approve").code)
        assert len(api.store.channels("acme")) == 1
        if first.code == 0:
            assert codes == [0, 0]
        else:
            assert (first.code, codes) == (3, [5, 5])
            assert "the server stored the name as" in first.out
            assert "declare that name" in first.out


@pytest.mark.parametrize("name", ["support", "Sup\u200bport", "Support\u200d", "ＳＵＰＰＯＲＴ"])
def test_a_create_beside_a_lookalike_is_refused_and_allowed(api: Emulated, name: str) -> None:
    file = manifest(name)
    refused = api.invoke("apply", file, "--auto-approve")
    assert (refused.code, len(api.store.channels("acme"))) == (5, 1)
    assert '"Support" (c-1)' in refused.err
    assert "renamedFrom" in refused.err
    saved = api.invoke("plan", file, "--out", "plan.json")
    assert saved.code == 5
    assert api.invoke("apply", "plan.json", "--auto-approve").code == 5
    assert api.invoke("apply", file, "--auto-approve", "--allow-lookalikes").code == 0
    assert len(api.store.channels("acme")) == 2


def test_a_create_beside_a_lookalike_that_prune_deletes_says_so(api: Emulated) -> None:
    file = manifest("support", prune=True)
    refused = api.invoke("apply", file, "--auto-approve")
    assert (refused.code, len(api.store.channels("acme"))) == (5, 1)
    assert 'To create a new one and delete "Support", use --allow-lookalikes.' in refused.err
    assert "want both" not in refused.err
    assert api.invoke("apply", file, "--auto-approve", "--allow-lookalikes").code == 0
    assert [channel["name"] for channel in api.store.channels("acme")] == ["support"]


@pytest.mark.parametrize("prune", [False, True])
def test_a_channel_that_somebody_renamed_gets_no_second_one_and_is_not_destroyed(prune: bool) -> None:
    with emulated() as api:
        file = manifest("Support", prune=prune)
        assert api.invoke("apply", file, "--auto-approve").code == 0
        (made,) = api.store.channels("acme")
        api.store.update("acme", str(made["id"]), {"name": "Hilfe"})
        refused = api.invoke("apply", file, "--auto-approve")
        assert refused.code == 5
        assert f'"Hilfe" (id {made["id"]})' in refused.err
        assert "sync.id" in refused.err
        advice = (
            "To delete it and create a new one, use --allow-looka" if prune else "If you want both, use --allow-loo"
        )
        assert advice in refused.err
        assert [channel["name"] for channel in api.store.channels("acme")] == ["Hilfe"]
        assert api.invoke("apply", file, "--auto-approve", "--allow-lookalikes").code == 0
        assert api.invoke("plan", file, "--detailed-exitcode").code == 0


@pytest.mark.parametrize("former", ["support", "Support\u200b", "Súpport", "Supporters"])
def test_a_former_name_that_a_live_one_can_be_taken_for_is_refused(api: Emulated, former: str) -> None:
    refused = api.invoke(
        "apply", manifest("Help", extra=f", sync: {{renamedFrom: {_quoted(former)}}}"), "--auto-approve"
    )
    assert (refused.code, len(api.store.channels("acme"))) == (5, 1)
    assert "its former name" in refused.err
    assert '"Support" (c-1)' in refused.err


def test_the_name_that_a_pinned_channel_gives_up_is_free(api: Emulated) -> None:
    Path("all.yaml").write_text(
        "version: 1\norganization: acme\nchannels:\n  - {name: Else, sync: {id: c-1}}\n  - name: Support\n",
        encoding="utf-8",
    )
    assert api.invoke("apply", "all.yaml", "--auto-approve").code == 0
    assert sorted(str(channel["name"]) for channel in api.store.channels("acme")) == ["Else", "Support"]


def test_a_channel_that_is_declared_too_is_taken_for_no_other_whose_name_it_begins(api: Emulated) -> None:
    assert api.invoke("apply", manifest("Support", "Supporters", "Súpport"), "--auto-approve").code == 0


def test_two_lookalikes_in_one_manifest_are_an_error(api: Emulated) -> None:
    checked = api.invoke("validate", manifest("Sales", "sales"))
    assert checked.code == 1
    assert 'this name is easily confused with "Sales" at all.yaml' in checked.out + checked.err


@pytest.mark.parametrize(("name", "code"), [("\u200b", 1), ("\u3164", 1), ("Sup\u200bport", 0), ("👩\u200d💻", 0)])
def test_names_that_cannot_be_seen(api: Emulated, name: str, code: int) -> None:
    checked = api.invoke("validate", manifest(name))
    assert checked.code == code, checked.out + checked.err
    said = checked.out + checked.err
    assert ("no visible characters" in said, "an invisible character" in said) == (code == 1, name.startswith("Sup"))


def test_a_name_of_spaces_is_the_former_name_of_no_other_channel(api: Emulated) -> None:
    checked = api.invoke("validate", manifest("  ", "Sales"))
    assert checked.code == 1
    assert "renamedFrom" not in checked.err
    assert checked.err.endswith("Not valid: 1 error.\n")


def test_a_former_name_that_nobody_has_is_told_and_refused_beside_a_delete(api: Emulated) -> None:
    told = api.invoke("plan", manifest("Help", extra=", sync: {renamedFrom: Suport}"))
    assert told.code == 0
    assert 'no live channel has its former name "Suport"' in told.out
    file = manifest("Help", extra=", sync: {renamedFrom: Suport}", prune=True)
    refused = api.invoke("apply", file, "--auto-approve", "--max-deletes", "5")
    assert (refused.code, '"Support"' in refused.err) == (5, True)
    assert len(api.store.channels("acme")) == 1


def test_an_old_name_and_a_new_one_that_are_both_live_are_refused(api: Emulated) -> None:
    api.store.seed("acme", [{"name": "Help", "id": "c-2"}])
    refused = api.invoke("plan", manifest("Help", extra=", sync: {renamedFrom: Support}"))
    assert (refused.code, "both names are live: c-2 and c-1" in refused.err) == (1, True)


def test_a_former_name_that_is_pinned_elsewhere_is_an_error(api: Emulated) -> None:
    Path("all.yaml").write_text(
        "version: 1\norganization: acme\nchannels:\n  - {name: Help, sync: {renamedFrom: Support}}\n"
        "  - {name: Else, sync: {id: c-1}}\n",
        encoding="utf-8",
    )
    refused = api.invoke("plan", "all.yaml")
    assert (refused.code, "is pinned by" in refused.err) == (1, True)


def test_a_create_beside_a_delete_of_the_same_values_asks_for_a_rename() -> None:
    with emulated({"name": "Old", "id": "c-9", "theme": "dark", "color": "#123456"}) as one:
        planned = one.invoke("plan", manifest("Fresh", extra=', theme: dark, color: "#123456"', prune=True))
        assert 'If this is a rename, add `sync.renamedFrom: "Old"`' in planned.out


MOSTLY = "is deleted and has mostly the same values"
ONLY_THE_NAME = "is deleted, and only its name differs from what's declared"
OLD: dict[str, Json] = {"theme": "dark", "color": "#123456", "voiceNotesEnabled": True, "bubblePosition": "left"}


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"theme": "dark", "color": "#123456"}, MOSTLY),
        ({"theme": "dark", "color": "#123456", "botEnabled": True}, MOSTLY),
        ({"theme": "dark", "color": "#123456", "voiceNotesEnabled": True, "botEnabled": True, "enabled": True}, MOSTLY),
        ({"theme": "dark", "color": "#123456", "botEnabled": True, "enabled": True}, ""),
        ({"theme": "dark"}, ONLY_THE_NAME),
        ({"theme": "dark", "botEnabled": True}, ""),
        ({"theme": "light", "color": "#ffffff", "bubblePosition": "left"}, ""),
        ({"theme": "light"}, ""),
        ({"welcomeMessage": None}, ""),
        ({}, ONLY_THE_NAME),
    ],
)
def test_a_deleted_channel_is_similar_if_most_or_all_of_the_values_are_equal(
    declared: dict[str, Json], reason: str
) -> None:
    changes = plan_for([declare("Fresh", **declared)], [live("Old", "c-9", **OLD)], prune=True).organizations[0].changes
    notes = {change.action: getattr(change, "note", "") for change in changes}
    assert notes["create"] == (f'"Old" {reason}. If this is a rename, add `sync.renamedFrom: "Old"`' if reason else "")


def test_of_several_deleted_channels_none_is_similar_for_its_name_alone() -> None:
    channels = [live(name, f"c-{name}", **OLD) for name in ("Old", "Older")]
    changes = plan_for([declare("Fresh")], channels, prune=True).organizations[0].changes
    assert [change.note for change in changes if isinstance(change, Create)] == [""]


@pytest.mark.parametrize(("old", "asks"), [(1, True), (2, False), (100, False), (101, False)])
def test_a_create_asks_for_a_rename_only_if_one_channel_could_be_meant(old: int, asks: bool) -> None:
    channels = [live(f"Old {number}", f"c-{number}", **OLD) for number in range(old)]
    changes = plan_for([declare("Fresh", **OLD)], channels, prune=True).organizations[0].changes
    (note,) = (change.note for change in changes if isinstance(change, Create))
    assert ("If this is a rename" in note, note == "") == (asks, not asks)


@pytest.mark.parametrize(("deletes", "asks"), [(100, True), (101, False)])
def test_with_many_deletes_no_rename_is_looked_for(deletes: int, asks: bool) -> None:
    others = [live(f"Other {number}", f"c-{number}", theme="auto") for number in range(deletes - 1)]
    changes = plan_for([declare("Fresh", **OLD)], [live("Old", "c-x", **OLD), *others], prune=True)
    (note,) = (change.note for change in changes.organizations[0].changes if isinstance(change, Create))
    assert ("If this is a rename" in note, note == "") == (asks, not asks)


@pytest.mark.parametrize(
    ("name", "others", "note"),
    [
        ("Help", [], ""),
        ("Help", ["Help"], "another live channel already has this name: c-2"),
        ("Help", ["Help", "Sales", "Help "], "other live channels already have this name: c-2, c-4"),
        ("Support", ["Support"], ""),
    ],
)
def test_an_update_names_all_other_channels_that_have_the_new_name(name: str, others: list[str], note: str) -> None:
    channels = [live(other, f"c-{number}", theme="auto") for number, other in enumerate(others, 2)]
    declaration = replace(declare(name, theme="dark"), id="c-1")
    (change,) = plan_for([declaration], [live(theme="auto"), *channels]).organizations[0].active_changes
    assert change.note == note


def test_a_pinned_rename_onto_a_name_that_is_live_is_told(api: Emulated) -> None:
    api.store.seed("acme", [{"name": "Help", "id": "c-2"}])
    planned = api.invoke("plan", manifest("Help", extra=", sync: {id: c-1}"))
    assert "another live channel already has this name: c-2" in planned.out


@pytest.mark.parametrize("server", ["lower-cases", "drops emoji", "adds what it pleases", "calls all alike"])
def test_a_saved_plan_that_is_applied_twice_makes_no_second_channel(server: str) -> None:
    odd, name = {**SERVERS, **UNLIKE}[server]
    with odd_server(odd) as api:
        assert api.invoke("plan", manifest(name), "--out", "plan.json").code == 0
        assert api.invoke("apply", "plan.json", "--auto-approve").code == 3
        again = api.invoke("apply", "plan.json", "--auto-approve")
        assert (again.code, len(api.store.channels("acme"))) == (4, 1)
        assert "exists now" in again.err


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "all.yaml", "--target"),
        ("plan", "all.yaml", "--rotate"),
        ("apply", "all.yaml", "--auto-approve", "--rotate"),
        ("hours",),
        ("snippet",),
        ("secret", "status"),
        ("secret", "sign", "--user-id", "u-1"),
        ("secret", "rotate", "--show"),
        ("secret", "revoke", "--auto-approve"),
        ("import", "--only"),
    ],
    ids=" ".join,
)
def test_every_command_takes_a_name_in_another_form_for_the_same(command: tuple[str, ...]) -> None:
    with emulated({"name": "Café", "id": "c-1"}) as api:
        hours = ', operatingHours: {timezone: UTC, days: {mon: ["09:00-10:00"]}}'
        file = manifest("Café", extra=f"{hours}, sync: {{identitySecret: {{deliver: [{{file: a.secret}}]}}}}")
        assert api.invoke("apply", file, "--auto-approve").code == 0
        ended = api.invoke(*command, unicodedata.normalize("NFD", "Café") + " ")
        assert ended.code == 0, ended.out + ended.err
