"""For any declarations and any drift: after adopt the plan changes nothing, and what people wrote is still there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_files import HEAD
from manifest_styles import Writer
from planning import catalogue, plan_for
from sizes import examples
from test_convergence import fields, free_form, values
from webchat_sync.manifest import load_manifests
from webchat_sync.manifest.adopt import Edited, Files, edit, refusals
from webchat_sync.manifest.place_edits import Edit
from webchat_sync.model import Json, LiveChannel, Manifest
from webchat_sync.plan.sync_from_live import adoptions
from webchat_sync.yaml12.document import Source

pytestmark = pytest.mark.slow

NAMES = ["A", "B", "C", "D"]


@dataclass(frozen=True)
class Case:
    text: str
    environ: Mapping[str, str]
    comments: tuple[str, ...]
    channels: tuple[LiveChannel, ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    writer = Writer(draw)
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=3))
    declared: list[dict[str, Any]] = [{"name": name, **draw(fields)} for name in names]
    hours = draw(values("operatingHours").filter(bool))
    default = draw(fields)
    text = HEAD
    if draw(st.booleans()):
        text += "x-shared:\n" + writer.entry("hours", hours, 2).replace("hours:", "hours: &hours", 1)
        shared = True
    else:
        shared = False
    if default:
        text += "defaults:\n" + "".join(writer.entry(name, value, 2) for name, value in default.items())
    text += f"channels: {writer.kept_comment()}\n"
    dashes = draw(st.sampled_from(["", "  "]))
    for position, channel in enumerate(declared):
        indent = len(dashes) + 2
        lines = "".join(writer.entry(name, value, indent) for name, value in channel.items())
        if shared and draw(st.booleans()) and "operatingHours" not in channel:
            lines += f"{' ' * indent}operatingHours: *hours {writer.kept_comment()}\n"
            channel["operatingHours"] = hours
        if position == 0 and draw(st.booleans()):
            lines = f"{' ' * indent}<<: {{theme: dark, color: '#abc'}}\n" + lines
            channel.update(
                {name: value for name, value in (("theme", "dark"), ("color", "#abc")) if name not in channel}
            )
        sync = draw(st.sampled_from(["", "sync: {protect: true}", "sync:\n  protect: true # kept"]))
        if sync:
            lines += "".join(f"{' ' * indent}{line}\n" for line in sync.splitlines())
        text += f"{dashes}-\n{lines}"
    channels = []
    for number, name in enumerate(draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))):
        base = next(({**default, **each} for each in declared if each["name"] == name), {})
        live = {**{key: drifted(draw, value) for key, value in base.items()}, **draw(fields)}
        live |= {"name": name, "id": f"live-{number}", "createdAt": "2026-01-01T00:00:00Z"}
        channels.append(LiveChannel(f"live-{number}", name, live))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return Case(text, writer.environ, tuple(writer.comments), tuple(channels))


def drifted(draw: st.DrawFn, value: Json) -> Json:
    """``value`` with something inside it changed, added, removed or moved; or as it is."""
    kind = draw(st.integers(0, 3))
    if isinstance(value, dict) and value and kind:
        key = draw(st.sampled_from(sorted(value)))
        return {
            1: {**value, key: drifted(draw, value[key])},
            2: {name: each for name, each in value.items() if name != key},
            3: {**value, "added": draw(free_form)},
        }[kind]
    if isinstance(value, list) and value and kind:
        at = draw(st.integers(0, len(value) - 1))
        return {
            1: [*value[:at], drifted(draw, value[at]), *value[at + 1 :]],
            2: value[:at] + value[at + 1 :],
            3: [*value[at:], *value[:at], draw(st.sampled_from([value[0], value[-1]]))],
        }[kind]
    return value


def adopted(manifest: Manifest, case: Case, source: Source) -> Edited:
    found, _ = adoptions(manifest, case.channels, catalogue=catalogue())
    edits = [
        Edit(each.declaration.place, each.fields, each.live.id if each.pin else None)
        for each in found
        if each.fields or each.pin
    ]
    assert not any(refusals(each.fields, catalogue=catalogue()) for each in found)
    made = edit(Files([source]), edits, environ=case.environ)
    assert made.left == ()
    return made.edited[0] if made.edited else Edited(source, source.data, ())


@settings(
    max_examples=examples(40, thorough=400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases())
def test_after_adopt_a_plan_changes_nothing_that_adopt_can_settle(tmp_path: Path, case: Case) -> None:
    file = tmp_path / "channels.yaml"
    file.write_bytes(case.text.encode())

    def read() -> Manifest:
        (manifest,) = load_manifests([file], catalogue=catalogue(), environ=case.environ).manifests
        return manifest

    before = read()
    edited = adopted(before, case, Source.of(file.as_posix(), case.text.encode()))
    file.write_bytes(edited.data)
    after = read()
    plan = plan_for(after.declarations, case.channels).organizations[0]
    wanted = {declaration.name for declaration in before.declarations} - {channel.name for channel in case.channels}
    assert {change.address: change.action for change in plan.changes if change.action != "none"} == dict.fromkeys(
        wanted, "create"
    ), [change.fields for change in plan.changes if change.action == "update"]
    assert [list(each.fields) for each in after.declarations] == [list(each.fields) for each in before.declarations]
    text = edited.data.decode()
    assert [comment for comment in case.comments if comment not in text] == []
    assert ("\n" in text.replace("\r\n", "")) == ("\n" in case.text.replace("\r\n", ""))
    assert adopted(after, case, Source.of(file.as_posix(), edited.data)).data == edited.data
