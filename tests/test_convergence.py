"""For any live state and any declarations: apply converges, in the fewest calls, and touches nothing else."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import anyio
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from applying import NOW, plan_and_apply
from planning import catalogue, declare
from sizes import examples
from webchat_sync.emulator import Call, Store, build_app, serve
from webchat_sync.model import Declaration, Json, Manifest
from webchat_sync.plan.summary import has_changes, summarize

ORGANIZATIONS = itertools.count()
NAMES = ["A", "B", "C", "D", "E"]

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
free_form = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
items = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["1", "2", "3"]),
        "label": st.sampled_from(["Name", "Email"]),
        "name": st.sampled_from(["Sales", "Support"]),
        "rest": free_form,
    },
)
objects = st.dictionaries(texts, free_form, max_size=3)


def values(name: str) -> st.SearchStrategy[Any]:
    field = catalogue().fields[name]
    types = field.schema["type"] if isinstance(field.schema["type"], list) else [field.schema["type"]]
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "number": st.integers(0, 400) | st.sampled_from([0.5, 12.0]),
        "null": st.none(),
        "object": objects,
        "array": st.lists(texts if name == "allowedDomains" else items, max_size=4),
        "string": st.sampled_from(field.schema["enum"]) if "enum" in field.schema else texts,
    }
    if name == "color":
        return st.from_regex(r"#[0-9a-fA-F]{3}", fullmatch=True)
    return st.one_of([by_type[each] for each in types])


fields = st.fixed_dictionaries({}, optional={name: values(name) for name in catalogue().declarable if name != "name"})


@dataclass(frozen=True)
class Case:
    channels: list[dict[str, Json]]
    declarations: list[Declaration]
    prune: bool


@st.composite
def cases(draw: st.DrawFn) -> Case:
    live_names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))
    channels: list[dict[str, Json]] = [
        # Somebody has changed these channels since they were created.
        {"name": name, "createdAt": "2026-01-01T00:00:00Z", **draw(fields)}
        for name in live_names
    ]
    pins = iter(draw(st.permutations(range(len(channels)))))
    declarations = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4)):
        declaration = declare(name, **draw(fields))
        kind = draw(st.sampled_from(["name", "pin", "former", "absent", "ignore"]))
        pin = next(pins, None) if kind == "pin" else None
        declarations.append(
            replace(
                declaration,
                id=None if pin is None else f"live-{pin}",
                renamed_from=draw(st.sampled_from(NAMES)) if kind == "former" else None,
                absent=kind == "absent",
                ignore=frozenset(draw(st.sets(st.sampled_from(["theme", "color"]))))
                if kind == "ignore"
                else frozenset(),
            )
        )
    # A rename of which both names are live is refused, and so is one from a channel that is pinned elsewhere.
    assume(not any(unclear(declaration, live_names, declarations) for declaration in declarations))
    return Case(channels, declarations, draw(st.booleans()))


def unclear(declaration: Declaration, live_names: list[str], declarations: list[Declaration]) -> bool:
    former = declaration.renamed_from
    if former is None or former == declaration.name or former not in live_names:
        return False
    pinned = {live_names[int(other.id.removeprefix("live-"))] for other in declarations if other.id}
    declared = {other.name for other in declarations if other.id is None}
    return (declaration.name in live_names and former not in declared) or former in pinned


@dataclass
class Server:
    url: str
    store: Store
    calls: list[Call]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    store, calls = Store(catalogue=catalogue(), now=lambda: NOW), list[Call]()
    with serve(build_app(store, record=calls.append)) as url:
        yield Server(url, store, calls)


@settings(max_examples=examples(30, thorough=300), deadline=None)
@given(case=cases())
def test_apply_converges_in_the_fewest_calls_and_touches_nothing_else(server: Server, case: Case) -> None:
    organization = f"o{next(ORGANIZATIONS)}"
    before = server.store.seed(
        organization, [{**channel, "id": f"live-{index}"} for index, channel in enumerate(case.channels)]
    )
    manifest = Manifest(organization, tuple(case.declarations), case.prune)
    server.calls.clear()

    plan, report = anyio.run(plan_and_apply, server.url, manifest)

    methods = Counter(call.method for call in server.calls)
    summary = summarize(plan)
    patched_creates = sum(
        len(change.operations) - 1 for change in plan.organizations[0].changes if change.action == "create"
    )
    assert report is None or report.outcome == "converged"
    assert methods["GET"] == (1 if report is None else 2)
    assert methods["POST"] == summary.create
    assert methods["PATCH"] == summary.update + patched_creates
    assert methods["DELETE"] == summary.delete

    server.calls.clear()
    again, _ = anyio.run(plan_and_apply, server.url, manifest)
    assert not has_changes(again)
    assert [call.method for call in server.calls] == ["GET"]

    after = {str(channel["id"]): channel for channel in server.store.channels(organization)}
    changed = {change.channel_id: change for change in plan.organizations[0].changes if change.action != "none"}
    for channel in before:
        change = changed.get(str(channel["id"]))
        if change is None:
            assert after[str(channel["id"])] == channel
        elif change.action == "update":
            sent = set(change.operations[0].body or {}) | {"updatedAt"}
            assert {k: v for k, v in after[str(channel["id"])].items() if k not in sent} == {
                k: v for k, v in channel.items() if k not in sent
            }
            declared = next(each for each in case.declarations if each.name == change.address)
            assert sent - {"updatedAt"} <= set(declared.fields) - declared.ignore
        else:
            assert str(channel["id"]) not in after
