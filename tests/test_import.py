"""For any live state: what is imported, in one file or in a file for each channel, plans nothing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from planning import catalogue, plan_for
from sizes import examples
from webchat_sync.manifest import load_manifests
from webchat_sync.manifest.file_names import file_names
from webchat_sync.manifest.write import write_manifest
from webchat_sync.model import Json, LiveChannel

pytestmark = pytest.mark.slow

HARD = [
    *("no", "Yes", "on", "y", "null", "~", "", "true", "18:00", "1:2:3", "2026-10-01", "1_000", "010", "0o17", "1e3"),
    *("#fff", "a #b", "a: b", "- a", "@x", "*x", "&x", "!x", "|", "'", '"', "{a", "---", "...", "---\na", "<<", "="),
    *(" a", "a ", "\ta", "a\t", "a\n", "\na", "a\n\nb\n\n", " a\nb", "a \nb", "#a\nb", "a\r\nb", "\n", " ", "\u0085"),
    *(
        "a\u2028b",
        "\ufeffa",
        "\x00",
        "\x7f",
        "\ud800",
        "\uffff",
        "😀 ñ",
        "日本",
        "${X}",
        "$${X}",
        "${",
        "mk_live_ab.cd",
    ),
]
texts = st.sampled_from(HARD) | st.text(max_size=20) | st.text(" \n\t#:-a", max_size=8)
anything: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
fields = st.dictionaries(st.sampled_from([*catalogue().declarable, "newField", "id", "token"]), anything, max_size=6)
likely: st.SearchStrategy[dict[str, Json]] = st.fixed_dictionaries(
    {},
    optional={
        "enabled": st.booleans(),
        "color": st.sampled_from(["#FFF", "#0f766e", "red"]),
        "welcomeMessage": texts,
        "allowedDomains": st.lists(texts, max_size=4),
        "operatingHours": st.none() | st.dictionaries(texts, anything, max_size=3),
        "prechatFields": st.none()
        | st.lists(st.dictionaries(st.sampled_from(["id", "name", "label", "x"]), anything), max_size=3),
        "offlineAction": st.dictionaries(texts, anything, max_size=2),
        "bubbleOffsetX": st.none() | st.floats(-1, 401),
    },
)
channels = st.lists(st.tuples(texts, fields, likely), max_size=3).map(
    lambda drawn: [
        LiveChannel(f"{number}e3", name, {**some, **others, "name": name, "id": f"{number}e3"})
        for number, (name, some, others) in enumerate(drawn)
    ]
)


@settings(
    max_examples=examples(40, thorough=400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(channels, st.booleans())
@example(
    [
        LiveChannel("1", name, {"name": name, "welcomeMessage": name, "offlineAction": {name: [name, [], {}]}})
        for name in HARD
    ],
    False,
)
def test_the_plan_of_an_import_is_empty(tmp_path: Path, live: Sequence[LiveChannel], skip_defaults: bool) -> None:
    live = [LiveChannel(str(number), each.name, each.fields) for number, each in enumerate(live)]
    folder = tmp_path / "channels"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    names = file_names(each.name for each in live)
    for name, some in [("../all.yaml", live), *((name, [each]) for name, each in zip(names, live, strict=True))]:
        text = write_manifest("acme", some, catalogue=catalogue(), skip_defaults=skip_defaults)
        with (folder / name).open("x" if name in names else "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    forms = [tmp_path / "all.yaml", *([folder] if live else [])]
    for form in forms:
        (manifest,) = load_manifests([form], catalogue=catalogue(), environ={"X": "wrong"}).manifests
        plan = plan_for(manifest.declarations, live).organizations[0]
        assert [change.fields for change in plan.changes if change.action != "none"] == []
        assert {change.channel_id for change in plan.changes} == {each.id for each in live if is_declarable(each.name)}


def is_declarable(name: str) -> bool:
    """Whether a channel of this name can be declared at all; others are left out, with a comment."""
    return (
        0 < len(name) <= 100 and not any("\ud800" <= each <= "\udfff" for each in name) and "mk_live_ab.cd" not in name
    )
