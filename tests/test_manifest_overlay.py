from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from commands import emulated, invoke
from manifest_files import HEAD
from planning import catalogue
from webchat_sync.errors import InputError
from webchat_sync.manifest import Loaded, load_manifests

BASE = """\
version: 1
organization: acme
settings: {prune: true}
defaults: {theme: dark, operatingHours: {timezone: UTC}}
channels:
  - name: Support
    color: "#000"
    operatingHours: {timezone: Europe/Madrid, days: {mon: ["09:00-13:00"], sat: ["10:00-12:00"]}}
    allowedDomains: [www.example.com]
    departments: [{name: A}, {name: B}]
    offlineMessage: Closed
    sync: {protect: true}
  - name: Sales
"""


def laid(folder: Path, base: str | Sequence[str], *overlays: str, **options: str) -> Loaded:
    """What the documents ``base`` declare with ``overlays`` over them."""
    bases = [base] if isinstance(base, str) else base
    for name, texts in (("base", bases), ("over", overlays)):
        for number, text in enumerate(texts, 1):
            (folder / f"{name}{number}.yaml").write_text(text, encoding="utf-8")
    return load_manifests(
        [folder],
        catalogue=catalogue(),
        environ={"WEBCHAT_NAME": "Support"},
        organization=options.get("organization"),
        overlays=[folder / f"over{number}.yaml" for number in range(1, len(overlays) + 1)],
    )


def refused(folder: Path, base: str | Sequence[str], *overlays: str, **options: str) -> list[str]:
    """``file:line:column path: message | hint`` of each problem."""
    with pytest.raises(InputError) as caught:
        laid(folder, base, *overlays, **options)
    return [
        f"{Path(each.place.file).name}:{each.place.line}:{each.place.column} {each.path}: {each.message} | {each.hint}"
        for each in caught.value.problems
        if each.place
    ]


def test_mappings_are_merged_channels_by_name_and_all_else_is_replaced(tmp_path: Path) -> None:
    overlay = """\
settings: {prune: false}
defaults: {operatingHours: {timezone: America/Bogota}}
channels:
  - name: Sales
    welcomeMessage: Hi
  - name: ${WEBCHAT_NAME}
    operatingHours: {days: {mon: [], sun: ["10:00-11:00"]}}
    allowedDomains: [staging.example.com]
    departments: [{name: C}]
    offlineMessage: null
    sync: {id: c-9}
"""
    (manifest,) = laid(tmp_path, BASE, overlay).manifests
    support, sales = manifest.declarations
    assert manifest.prune is False
    assert support.fields == {
        "name": "Support",
        "color": "#000",
        "allowedDomains": ["staging.example.com"],
        "operatingHours": {
            "timezone": "Europe/Madrid",
            "days": {"mon": [], "sat": ["10:00-12:00"], "sun": ["10:00-11:00"]},
        },
        "offlineMessage": None,
        "departments": [{"name": "C"}],
        "theme": "dark",
    }
    assert (support.protect, support.id) == (True, "c-9")
    assert sales.fields["operatingHours"] == {"timezone": "America/Bogota"}
    assert sales.fields["welcomeMessage"] == "Hi"


def test_every_value_remembers_the_file_that_it_came_from(tmp_path: Path) -> None:
    overlay = 'channels:\n  - name: Sales\n  - name: Support\n    color: "#111"\n    operatingHours: {days: {}}\n'
    support, sales = laid(tmp_path, BASE, overlay).manifests[0].declarations
    places = {name: (Path(place.file).name, place.line) for name, place in support.field_places.items()}
    assert places["color"] == ("over1.yaml", 4)
    assert places["name"] == ("over1.yaml", 3)
    assert places["allowedDomains"] == ("base1.yaml", 9)
    assert places["operatingHours"] == ("base1.yaml", 8)
    assert places["theme"] == ("base1.yaml", 4)
    assert (Path(support.place.file).name, support.place.line) == ("base1.yaml", 6)
    assert (Path(sales.place.file).name, sales.place.line) == ("base1.yaml", 13)


def test_problems_point_into_the_overlay_by_its_own_paths(tmp_path: Path) -> None:
    overlay = """\
settings: {prun: true}
channels:
  - name: Sales
    colour: red
  - name: Support
    operatingHours: [mon]
    allowedDomains: [a.example, [7]]
    sync: {state: absent}
"""
    found = [line.split(" | ")[0] for line in refused(tmp_path, BASE + "    theme: drak\n", overlay)]
    assert found == [
        "base1.yaml:12:21 channels[0].sync.protect: a protected channel can't be absent",
        'base1.yaml:14:12 channels[1].theme: "drak" isn\'t accepted; it can be `light`, `dark` or `auto`',
        "over1.yaml:1:12 settings.prun: `prun` isn't a known key here",
        "over1.yaml:4:5 channels[0].colour: `colour` isn't a known key here",
        "over1.yaml:6:21 channels[1].operatingHours: expected a mapping or null, but this is a list",
        "over1.yaml:7:33 channels[1].allowedDomains[1]: expected text, but this is a list",
    ]


def test_overlays_go_over_each_other_in_their_order(tmp_path: Path) -> None:
    overlays = [f'channels: [{{name: Support, color: "#{digit}"}}]\n' for digit in ("111", "222")]
    (manifest,) = laid(tmp_path, BASE, *overlays, "channels: [{name: Support, theme: light}]\n").manifests
    fields, places = manifest.declarations[0].fields, manifest.declarations[0].field_places
    assert (fields["color"], fields["theme"]) == ("#222", "light")
    files = [Path(places[name].file).name for name in ("color", "theme", "allowedDomains")]
    assert files == ["over2.yaml", "over3.yaml", "base1.yaml"]


def test_a_slip_in_a_name_makes_no_new_channel(tmp_path: Path) -> None:
    overlay = "channels:\n  - name: Suport\n  - name: Zzz\n  - color: '#000'\n  - 7\n"
    assert [line.split(" | ") for line in refused(tmp_path, BASE, overlay)][:2] == [
        [
            'over1.yaml:2:11 channels[0].name: no manifest declares a channel "Suport"',
            "Did you mean `Support`? To add a new channel here, give it `sync: {state: present}`.",
        ],
        [
            'over1.yaml:3:11 channels[1].name: no manifest declares a channel "Zzz"',
            "To add a new channel here, give it `sync: {state: present}`.",
        ],
    ]
    assert [line.split(" | ")[0] for line in refused(tmp_path, BASE, overlay)][2:] == [
        "over1.yaml:4:5 channels[2]: `name` is missing",
        "over1.yaml:5:5 channels[3]: expected a mapping, but `7` is read as a number",
    ]


def test_a_channel_is_added_when_the_overlay_says_so(tmp_path: Path) -> None:
    overlay = "channels:\n  - name: New\n    color: '#123'\n    sync: {state: present}\n"
    *_, new = laid(tmp_path, BASE, overlay).manifests[0].declarations
    assert (new.name, new.fields["theme"], Path(new.place.file).name) == ("New", "dark", "over1.yaml")
    only = laid(tmp_path, HEAD, overlay).manifests[0].declarations
    assert [each.name for each in only] == ["New"]


def test_a_channel_is_added_once_to_the_files_of_one_organisation(tmp_path: Path) -> None:
    head, defaults = "version: 1\norganization: {0}\n", "defaults: {{theme: dark}}\n"
    overlay = "channels:\n  - name: New\n    sync: {state: present}\n"
    several = [(head + defaults).format("one") + f"channels: [{{name: {name}}}]\n" for name in ("A", "B")]
    manifests = laid(tmp_path, several, overlay).manifests
    names = [declaration.name for manifest in manifests for declaration in manifest.declarations]
    themes = {declaration.fields["theme"] for manifest in manifests for declaration in manifest.declarations}
    assert (sorted(names), themes) == (["A", "B", "New"], {"dark"})
    (problem,) = refused(tmp_path, [head.format("one"), head.format("two")], overlay)
    assert problem == (
        "over1.yaml:2:11 channels[0].name: this overlay applies to 2 organisations, so it can't add a channel |"
        " Add it in another overlay that names the `organization`, or declare it in a manifest."
    )
    (unequal,) = refused(tmp_path, [(head + defaults).format("one"), head.format("one")], overlay)
    assert unequal == (
        "over1.yaml:2:11 channels[0].name: the files that this overlay applies to have different `defaults`, so it"
        " can't add a channel | Declare the channel in one of these files instead."
    )


def test_an_overlay_goes_over_the_documents_of_its_organisation(tmp_path: Path) -> None:
    bases = [f"version: 1\norganization: {name}\nchannels: [{{name: Support}}]\n" for name in ("one", "two")]
    bases.append("version: 1\nchannels: [{name: Support}]\n")
    everywhere = laid(tmp_path, bases, "channels: [{name: Support, theme: dark}]\n", organization="two-b")
    assert [each.declarations[0].fields["theme"] for each in everywhere.manifests] == ["dark", "dark", "dark"]
    one = "organization: {0}\nchannels: [{{name: Support, theme: dark}}]\n"
    loaded = laid(tmp_path, bases, one.format("two"), organization="three")
    assert [(each.organization, "theme" in each.declarations[0].fields) for each in loaded.manifests] == [
        ("one", False),
        ("two", True),
        ("three", False),
    ]
    # A document that names no organisation, when nothing else does either, takes that of the overlay.
    named = laid(tmp_path, [bases[0], "x-nothing: 1\nversion: 1\n", bases[2]], one.format("four"))
    assert [(each.organization, len(each.declarations)) for each in named.manifests] == [("one", 1), ("four", 1)]
    (problem,) = refused(tmp_path, bases, one.format("tow"), organization="three")
    assert problem == (
        'over1.yaml:1:15 organization: no manifest belongs to organisation "tow", so this overlay changes nothing |'
        " Did you mean `one`, `three` or `two`?"
    )


def test_an_overlay_that_cannot_be_told_apart_is_a_problem(tmp_path: Path) -> None:
    base = HEAD + "channels: [{name: A, sync: {id: x}}, {name: A, sync: {id: y}}]\n"
    (problem,) = refused(tmp_path, base, "channels: [{name: A, theme: dark}]\n")
    assert problem == (
        "over1.yaml:1:19 channels[0].name: 2 channels with this name are declared |"
        " Identify the right one by the `sync.id` that it's pinned to."
    )
    both = "channels: [{name: A, theme: dark, sync: {id: y}}, {name: A, theme: light, sync: {id: x}}]\n"
    declarations = laid(tmp_path, base, both).manifests[0].declarations
    assert [each.fields["theme"] for each in declarations] == ["light", "dark"]
    (twice,) = refused(tmp_path, BASE, "channels:\n  - name: Sales\n  - name: Sales\n")
    assert twice.startswith("over1.yaml:3:11 channels[1].name: this overlay already changes this channel, at ")


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ("[]\n", "1:1 : expected a mapping such as `channels: [...]`, but this is a list"),
        ("", "1:1 : this file is empty"),
        ("channels: {Support: {}}\n", "1:11 channels: expected a list, but this is a mapping"),
        ("channels: null\n", "1:11 channels: expected a list, but there's no value (null)"),
        ("channels: [{name: Support, sync: x}]\n", "1:34 channels[0].sync: expected a mapping, but `x` is read"),
        ("settings: 7\n", "1:11 settings: expected a mapping, but `7` is read as a number"),
        ("channels: [\n", "2:1 : a value is missing here"),
        ("version: 2\n", "1:10 version: 2 isn't accepted"),
    ],
)
def test_an_overlay_of_a_wrong_shape_is_told_where(tmp_path: Path, overlay: str, expected: str) -> None:
    (line,) = refused(tmp_path, BASE, overlay)
    assert line.startswith(f"over1.yaml:{expected}")


@pytest.mark.parametrize("base", ["[]\n", HEAD + "channels: 7\n", "a: [\n"])
def test_an_overlay_over_what_is_no_manifest_adds_and_hides_no_problem(tmp_path: Path, base: str) -> None:
    (problem,) = refused(tmp_path, base, "settings: {prune: true}\nchannels: []\n")
    assert problem.startswith("base1.yaml")


def test_a_name_in_two_files_may_be_one_of_an_overlay(tmp_path: Path) -> None:
    again = "  - name: Support\n"
    one = f"{HEAD}channels:\n{again}"
    ways = ["Remove one of them, or pin each to its own channel with `sync.id`."]
    assert [problem.partition(" | ")[2] for problem in refused(tmp_path, one + again)] == ways
    ways = [f"{ways[0]} If one of the files is an overlay, use it with `--overlay`."]
    assert [problem.partition(" | ")[2] for problem in refused(tmp_path, [one, one])] == ways


def test_an_overlay_is_a_file_and_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "over.yaml").write_text("channels: []\n", encoding="utf-8")

    def messages(paths: list[Path], overlays: list[Path]) -> list[str]:
        with pytest.raises(InputError) as caught:
            load_manifests(paths, catalogue=catalogue(), environ={}, overlays=overlays)
        return [each.message for each in caught.value.problems]

    over = tmp_path / "over.yaml"
    assert messages([tmp_path / "base.yaml", over], [over]) == [
        f"{over.as_posix()} is given both as a manifest and as an overlay"
    ]


@pytest.mark.parametrize(
    ("overlay", "message", "hint"),
    [
        ("none.yaml", "the overlay {}/none.yaml doesn't exist", "repeat `--overlay FILE`"),
        (".", "{} is a folder, not an overlay", "repeat `--overlay FILE`"),
        ("plan.json", "this is a saved plan, not an overlay", "use `show FILE`"),
        ("report.json", "this is the report of an apply, not an overlay", "repeat `--overlay FILE`"),
        ("odd.yaml", "this isn't an overlay", "An overlay is a mapping that begins with `version: 1`."),
        ("empty.yaml", "this file is empty", "Add `version: 1`"),
    ],
)
def test_what_is_no_overlay_is_told_with_what_an_overlay_is(
    tmp_path: Path, overlay: str, message: str, hint: str
) -> None:
    files = {
        "base.yaml": BASE,
        "plan.json": '{"format_version": 1, "organizations": [], "manifest_digest": ""}',
        "report.json": '{"format_version": 1, "operations": []}',
        "odd.yaml": "a: 1\n",
        "empty.yaml": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_manifests([tmp_path / "base.yaml"], catalogue=catalogue(), environ={}, overlays=[tmp_path / overlay])
    told = {problem.message: problem for problem in caught.value.problems}
    problem = told[message.format(tmp_path.as_posix())]
    assert (problem.code, hint in problem.hint) == ("overlay", True)


def test_plan_apply_validate_and_snapshot_take_overlays_and_the_plan_says_where_a_value_is_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(HEAD + "channels:\n  - name: Support\n    theme: light\n", encoding="utf-8")
    Path("over.yaml").write_text("channels:\n  - name: Support\n    theme: dark\n", encoding="utf-8")
    assert invoke("validate", "base.yaml", "--overlay", "over.yaml").code == 0
    with emulated({"name": "Support", "theme": "light"}) as api:
        assert api.invoke("plan", "base.yaml", "--detailed-exitcode").code == 0
        plan = api.invoke("plan", "base.yaml", "--overlay", "over.yaml")
        assert '  # "Support" will be updated in place  (base.yaml:4)' in plan.out
        assert '      ~ theme: "light" -> "dark"  (over.yaml:3)' in plan.out
        document = api.invoke(
            "plan", "base.yaml", "--overlay", "over.yaml", "--format", "json", "--out", "p.json"
        ).json()
        (field,) = document["organizations"][0]["changes"][0]["fields"]
        assert field["place"] == {"file": "over.yaml", "line": 3, "column": 12}
        assert "(over.yaml:3)" in api.invoke("show", "p.json").out
        assert api.invoke("snapshot", "base.yaml", "--overlay", "over.yaml", "--out", "live.json").code == 0
        offline = api.invoke("plan", "base.yaml", "--overlay", "over.yaml", "--live", "live.json")
        assert "(over.yaml:3)" in offline.out
        assert api.invoke("apply", "p.json", "--overlay", "over.yaml", "--auto-approve").code == 64
        assert api.invoke("apply", "base.yaml", "--overlay", "over.yaml", "--auto-approve").code == 0
        assert api.store.channels("acme")[0]["theme"] == "dark"
