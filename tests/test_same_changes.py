"""What was reviewed counts only when it says the same as what is planned now, in every field."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from runpy import run_path
from typing import Any, Final, TypeAlias

import pytest

from action_runner import ROOT
from planning import NOW, catalogue, declare, live
from sizes import size
from webchat_sync.model import Declaration, Listing, LiveChannel, Manifest
from webchat_sync.plan.make import make_plan
from webchat_sync.planfile.digest import document_digest
from webchat_sync.planfile.writer import render_plan

script = run_path(str(ROOT / "scripts" / "action" / "same_changes.py"))
main, apart = script["main"], script["apart"]

PLANS: Final = {path.parent.name: path for path in sorted((ROOT / "tests" / "data" / "plans").glob("*/expected.json"))}
OF_THE_RUN: Final = {("created_at",), ("digest",)}

Way: TypeAlias = tuple[str | int, ...]


def leaves(value: Any, way: Way = ()) -> Iterator[Way]:
    """The way to each value that holds no other, and to each list and object, which could lose or gain an entry."""
    if way:
        yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, entry in inner:
        yield from leaves(entry, (*way, name))


def mutations(value: Any) -> list[Any]:
    """Other values of the same type where there are any, and of another."""
    match value:
        case bool():
            return [not value, int(value)]
        case int():
            return [value + 1]
        case str():
            return [value + "x", ""] if value else ["x"]
        case None:
            return ["x", False]
        case list():
            return [value[1:], [*value, value[-1]]] if value else [["x"]]
        case dict():
            return [{**value, "x": 1}, {name: value[name] for name in list(value)[1:]}] if value else [{"x": "y"}]
    raise AssertionError(value)


def sealed(document: dict[str, Any]) -> str:
    """The document with a digest that fits, as whoever forges it would write it."""
    rest = {name: value for name, value in document.items() if name != "digest"}
    return json.dumps({**rest, "digest": document_digest(rest)})


def forgeries(document: dict[str, Any]) -> Iterator[tuple[Way, dict[str, Any]]]:
    """The document with one thing changed, and where; it is the same object each time."""
    forged = copy.deepcopy(document)
    for way in leaves(document):
        around = at(forged, way[:-1])
        for value in mutations(at(document, way)):
            around[way[-1]] = value
            yield way, forged
        around[way[-1]] = copy.deepcopy(at(document, way))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PLANS if name != "hundred"])
def test_each_field_counts(name: str) -> None:
    document = json.loads(PLANS[name].read_text(encoding="utf-8"))
    assert list(apart([document], document)) == []
    taken = {way for way, forged in forgeries(document) if not list(apart([forged], document))}
    assert {way for way in taken if "refused" not in way} == OF_THE_RUN


@pytest.mark.slow
def test_forged_files_are_refused_with_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(PLANS["secrets"].read_text(encoding="utf-8"))
    forged, planned = tmp_path / "forged.json", tmp_path / "planned.json"
    planned.write_text(sealed(document), encoding="utf-8")
    telling = (forged for way, forged in forgeries(document) if way not in OF_THE_RUN)
    for other in islice(telling, 2, None, size(20, thorough=3)):
        forged.write_text(sealed(other), encoding="utf-8")
        assert main(str(forged), str(planned)) in {1, 4}
        assert capsys.readouterr().err.startswith("Error: ")


def at(document: Any, way: Way) -> Any:
    for step in way:
        document = document[step]
    return document


def test_what_is_of_the_run_does_not_count(tmp_path: Path) -> None:
    document = json.loads(PLANS["nested"].read_text(encoding="utf-8"))
    early, late = tmp_path / "early.json", tmp_path / "late.json"
    early.write_text(sealed({**document, "created_at": "2026-01-01T00:00:00Z"}), encoding="utf-8")
    late.write_text(sealed({**document, "created_at": "2026-02-01T00:00:00Z"}), encoding="utf-8")
    assert main(str(early), str(late)) == 0


def test_what_the_guards_said_then_does_not_count(tmp_path: Path) -> None:
    document = json.loads(PLANS["refused"].read_text(encoding="utf-8"))
    reviewed, planned = tmp_path / "reviewed.json", tmp_path / "planned.json"
    reviewed.write_text(sealed(document), encoding="utf-8")
    assert document["organizations"][0].pop("refused")
    planned.write_text(sealed(document), encoding="utf-8")
    assert main(str(reviewed), str(planned)) == 0
    assert main(str(planned), str(reviewed)) == 0


def test_what_differs_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(PLANS["nested"].read_text(encoding="utf-8"))
    planned, forged = tmp_path / "planned.json", tmp_path / "forged.json"
    planned.write_text(sealed(document), encoding="utf-8")
    document["organizations"][0]["prune"] ^= True
    forged.write_text(sealed(document), encoding="utf-8")
    assert main(str(forged), str(planned)) == 4
    assert "no longer match the reviewed plan ($.organizations[0].prune)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", "can't read {}: it isn't UTF-8\n"),
        (b"[]", "{} isn't a plan\n"),
        (b"{}", "{} isn't a plan\n"),
        (None, "can't read {}: No such file or directory\n"),
    ],
)
def test_what_is_no_plan_is_an_error_with_words(
    content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.json"
    if content is not None:
        file.write_bytes(content)
    assert main(str(file), str(PLANS["nested"])) == 1
    assert capsys.readouterr().err.startswith(f"Error: {said.format(file)}")


def plan(
    folder: Path, name: str, declarations: list[Declaration], channels: list[LiveChannel], *, prune: bool = False
) -> str:
    made = make_plan(
        [(Manifest("acme", tuple(declarations), prune), Listing("https://api.example", tuple(channels)))],
        catalogue=catalogue(),
        created_at=NOW,
    )
    file = folder / f"{name}.json"
    file.write_text(render_plan(made), encoding="utf-8")
    return str(file)


LIVE: Final = [live("A", "a", theme="auto"), live("B", "b", theme="auto")]
OLD: Final = {"theme": "auto"}
NEW: Final = {"theme": "dark"}


@pytest.mark.parametrize(
    ("first", "second", "together", "code", "said"),
    [
        pytest.param(
            [declare("A", **NEW), declare("B", **OLD)],
            [declare("A", **OLD), declare("B", **NEW)],
            [declare("A", **NEW), declare("B", **NEW)],
            *(0, ""),
            id="a channel each",
        ),
        pytest.param(
            [declare("A", **NEW)], [declare("A", **NEW)], [declare("A", **NEW)], *(0, ""), id="the same change twice"
        ),
        pytest.param(
            [declare("A", **NEW)], [declare("A", **OLD)], [declare("A", **NEW)], *(0, ""), id="one changes nothing"
        ),
        pytest.param(
            [declare("A", **NEW)],
            [declare("A", color="#111111", **OLD)],
            [declare("A", color="#111111", **NEW)],
            *(4, 'channel "A" of acme: two of the requests change it in different ways'),
            id="two changes of a channel",
        ),
        pytest.param(
            [declare("A", **NEW)],
            [declare("B", **OLD)],
            [declare("A", **NEW), declare("B", **NEW)],
            *(4, 'channel "B" of acme: none of the requests had this change in its plan'),
            id="more than was reviewed",
        ),
        pytest.param(
            [declare("A", **NEW)],
            [declare("B", **NEW)],
            [declare("A", **NEW), declare("B", **OLD)],
            *(4, 'channel "B" of acme: one of the requests changes it, but together they don\'t'),
            id="less than was reviewed",
        ),
        pytest.param(
            [declare("A", **NEW)],
            [declare("B", **OLD)],
            [declare("A", theme="light")],
            *(4, 'channel "A" of acme: fields[0].after'),
            id="something else",
        ),
    ],
)
def test_several_plans_count_when_together_they_ask_for_the_same_calls(
    first: list[Declaration],
    second: list[Declaration],
    together: list[Declaration],
    code: int,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [plan(tmp_path, name, each, LIVE) for name, each in (("1", first), ("2", second), ("3", together))]
    assert main(*files) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reviewed", "now", "said"),
    [
        (
            [declare("A", **OLD)],
            [declare("A", **NEW)],
            'channel "A" of acme: the reviewed plan didn\'t have this change',
        ),
        (
            [declare("A", **NEW)],
            [declare("A", **OLD)],
            'channel "A" of acme: the reviewed plan changes it, but the new',
        ),
        ([declare("A", **NEW)], [declare("A", theme="light")], 'channel "A" of acme: fields[0].after'),
        ([declare("A", **OLD)], [declare("A", **OLD), declare("B", **OLD)], "$.manifest_digest;"),
    ],
)
def test_a_stale_plan_is_told_by_its_channels(
    reviewed: list[Declaration], now: list[Declaration], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(plan(tmp_path, "1", reviewed, LIVE), plan(tmp_path, "2", now, LIVE)) == 4
    assert f"no longer match the reviewed plan ({said}" in capsys.readouterr().err


def test_several_plans_with_other_settings_do_not_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        plan(tmp_path, name, [declare("A", **OLD), declare("B", **OLD)], LIVE, prune=prune)
        for name, prune in (("1", False), ("2", True), ("3", False))
    ]
    assert main(*files) == 4
    assert "[0].prune" in capsys.readouterr().err


def test_a_request_for_another_shard_changes_nothing_in_this_one(tmp_path: Path) -> None:
    document = json.loads(PLANS["creates"].read_text(encoding="utf-8"))
    files = []
    for name, digest in (("reviewed", "0"), ("planned", "1")):
        shard = {"shard": {"index": 1, "total": 2}, "fleet_digest": f"sha256:{digest * 64}"}
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(sealed({**document, **shard}), encoding="utf-8")
    assert main(*map(str, files)) == 0
