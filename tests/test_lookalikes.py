"""Servers that store names otherwise get at most one channel for each declaration, ever."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from commands import Emulated, emulated
from planning import NOW, catalogue
from webchat_sync.emulator import Store, build_app, serve
from webchat_sync.model import Json

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
    "cuts off": (lambda name: name[:24], "Customer support for the northern region"),
}


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


@pytest.mark.parametrize(("odd", "name"), SERVERS.values(), ids=SERVERS)
def test_no_server_gets_a_second_channel(odd: Callable[[str], str], name: str) -> None:
    with odd_server(odd) as api:
        file = manifest(name, extra=", theme: dark")
        first = api.invoke("apply", file, "--auto-approve")
        codes = [api.invoke("apply", file, "--auto-approve").code for _ in range(3)]
        assert len(api.store.channels("acme")) == 1
        if first.code == 0:
            assert codes == [0, 0, 0]
        else:
            assert (first.code, codes) == (3, [5, 5, 5])
            assert "the server stored the name as" in first.out
            assert "declare it like that" in first.out


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


def test_two_lookalikes_in_one_manifest_are_an_error(api: Emulated) -> None:
    checked = api.invoke("validate", manifest("Sales", "sales"))
    assert checked.code == 1
    assert 'this name is easily confused with "Sales" at all.yaml' in checked.out + checked.err


@pytest.mark.parametrize(("name", "code"), [("\u200b", 1), ("\u3164", 1), ("Sup\u200bport", 0), ("👩\u200d💻", 0)])
def test_names_that_cannot_be_seen(api: Emulated, name: str, code: int) -> None:
    checked = api.invoke("validate", manifest(name))
    assert checked.code == code, checked.out + checked.err
    said = checked.out + checked.err
    assert ("nothing to see" in said, "cannot be seen" in said) == (code == 1, name.startswith("Sup"))


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
        assert 'If this is a rename, add `renamedFrom: "Old"`' in planned.out


def test_a_pinned_rename_onto_a_name_that_is_live_is_told(api: Emulated) -> None:
    api.store.seed("acme", [{"name": "Help", "id": "c-2"}])
    planned = api.invoke("plan", manifest("Help", extra=", sync: {id: c-1}"))
    assert "another live channel already has this name: c-2" in planned.out
