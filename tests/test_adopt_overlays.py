"""Adopting one of several environments: each value goes back to its file, and the others' plans stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import Emulated, emulated
from webchat_sync.jsonvalue import Json
from webchat_sync.manifest.give_back import Layers, Part, give_back, merged
from webchat_sync.model import UNKNOWN

BASE = """\
version: 1
organization: ${MOSEND_ORG_ID}
channels:
  # Who comes first.
  - name: Support
    theme: dark
    welcomeMessage: Hi!
    allowedDomains: [www.example.com]
    operatingHours:
      timezone: UTC
      days: {mon: ["09:00-13:00"], sat: ["10:00-12:00"]}
  - name: Sales
    theme: dark
"""
STAGING = """\
version: 1
channels:
  - name: Support # a test
    welcomeMessage: "This is a test."
    allowedDomains: [staging.example.com]
"""
PRODUCTION = "version: 1\n"
HOURS = {"timezone": "UTC", "days": {"mon": ["09:00-13:00"], "sat": ["10:00-12:00"]}}


def channels(prefix: str, **support: Any) -> list[dict[str, Any]]:
    fields: dict[str, Any] = {
        "theme": "dark",
        "welcomeMessage": "Hi!",
        "allowedDomains": ["www.example.com"],
        "operatingHours": HOURS,
    }
    return [
        {"name": "Support", "id": f"{prefix}-1", **fields, **support},
        {"name": "Sales", "id": f"{prefix}-2", "theme": "dark"},
    ]


@pytest.fixture
def api() -> Iterator[Emulated]:
    with emulated() as running:
        running.store.seed("acme", channels("p"))
        yield running


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "channels").mkdir()
    (tmp_path / ".git").mkdir()
    for name, text in {"channels/support.yaml": BASE, "staging.yaml": STAGING, "production.yaml": PRODUCTION}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(api: Emulated, site: Path, environment: str, *arguments: str) -> tuple[int, str, str]:
    organization = {"staging": "acme-staging", "production": "acme"}[environment]
    overlay = ["--overlay", site / f"{environment}.yaml"]
    done = api.invoke(*arguments[:1], site / "channels", *overlay, "--org", organization, *arguments[1:])
    return done.code, done.out, done.err


def test_after_the_adopt_of_staging_the_plan_of_production_is_what_it_was(api: Emulated, site: Path) -> None:
    staged: dict[str, Any] = {
        "welcomeMessage": "Just a test.",
        "theme": "light",
        "allowedDomains": ["staging.example.com", "s2.example.com"],
        "operatingHours": {"timezone": "UTC", "days": {"mon": ["09:00-14:00"], "tue": ["09:00-10:00"]}},
    }
    api.store.seed("acme-staging", channels("s", **staged))
    before = run(api, site, "production", "plan")
    assert before[1].endswith("No changes. The live channels match the manifest.\n")
    assert run(api, site, "staging", "adopt", "--auto-approve")[0] == 0
    assert (site / "channels/support.yaml").read_text(encoding="utf-8") == BASE
    assert (site / "staging.yaml").read_text(encoding="utf-8") == (
        """\
version: 1
channels:
  - name: Support # a test
    welcomeMessage: "Just a test."
    allowedDomains: [staging.example.com, s2.example.com]
    operatingHours:
      days:
        mon: ["09:00-14:00"]
        sat: null
        tue: ["09:00-10:00"]
    theme: light
    sync: { id: s-1 }
  - name: Sales
    sync: { id: s-2 }
"""
    )
    assert run(api, site, "staging", "plan", "--detailed-exitcode")[0] == 0
    assert run(api, site, "staging", "adopt", "--check")[0] == 0
    assert run(api, site, "production", "plan") == before
    assert run(api, site, "production", "adopt", "--auto-approve")[0] == 0
    assert run(api, site, "staging", "plan", "--detailed-exitcode")[0] == 0
    assert "p-1" in (site / "production.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "overlay",
    [
        STAGING,
        "version: 1\ndefaults: {theme: dark}\n",
        f"{STAGING}organization: b\n",
        "version: 1\n",
        "version: 1\norganization: b\n",
    ],
)
def test_without_overlays_a_shared_base_is_refused_before_anything_is_read(
    api: Emulated, site: Path, overlay: str
) -> None:
    (site / "production.yaml").unlink()
    (site / "staging.yaml").write_text(overlay, encoding="utf-8")
    for path in (site / "channels", site / "channels" / "support.yaml"):
        for flag in ("--check", "--auto-approve"):
            refused = api.invoke("adopt", path, flag)
            assert (refused.code, api.taken_calls(), refused.out) == (1, [], "")
            assert "channels/support.yaml:2:15: error: organization: this manifest is shared: " in refused.err
            assert "staging.yaml applies to it" in " ".join(refused.err.split())
            assert "--overlay" in refused.err
    (site / "channels/support.yaml").write_text(BASE.replace("${MOSEND_ORG_ID}", "acme"), encoding="utf-8")
    assert api.invoke("adopt", site / "channels", "--check").code == 2


@pytest.mark.parametrize(
    "other",
    [
        BASE,  # a manifest of its own, of another run
        "version: 1\norganization: b\nchannels: [{name: Support}, {name: Shop}]\n",
        "version: 1\nchannels: [{name: Shop}]\n",
        "version: 2\nchannels: [\n",
        "kind: Deployment\nspec: {version: 1}\n",
        "version: 1\nchannels: [{name: Support, sync: {state: present}}]\n",
    ],
)
def test_what_lies_beside_and_is_no_overlay_of_it_is_in_nobodys_way(api: Emulated, site: Path, other: str) -> None:
    (site / "production.yaml").unlink()
    (site / "staging.yaml").write_text(other, encoding="utf-8")
    assert api.invoke("adopt", site / "channels", "--check").code == 2


SALES = "version: 1\nchannels:\n  - name: Sales\n    theme: dark\n    color: '#0f766e'\n"
SUPPORT = SALES.replace("Sales", "Support")
VARIABLE = "version: 1\norganization: ${MOSEND_ORG_ID}\n"
BOTH = "version: 1\nchannels: [{name: Support, theme: auto}, {name: Sales, theme: auto}]\n"


@pytest.mark.parametrize(
    ("files", "path", "shares"),
    [
        pytest.param(
            {"base/s.yaml": SUPPORT, "overlays/a/s.yaml": "version: 1\nchannels: [{name: Support, theme: auto}]\n"},
            "base",
            True,
            id="overlays by folder",
        ),
        pytest.param(
            {"s.yaml": SUPPORT, "s.staging.yaml": "version: 1\nchannels: [{name: Support, theme: auto}]\n"},
            "s.yaml",
            True,
            id="overlays by file name",
        ),
        pytest.param(
            {"s.yaml": SUPPORT, "s.json": '{"version": 1, "channels": [{"name": "Support", "theme": "auto"}]}'},
            "s.yaml",
            True,
            id="an overlay in JSON",
        ),
        pytest.param(
            {"base/a.yaml": SUPPORT, "base/b.yaml": SALES, "staging.yaml": BOTH}, "base", True, id="several bases"
        ),
        pytest.param(
            {"base/a.yaml": SUPPORT, "base/b.yaml": SALES, "staging.yaml": BOTH},
            "base/a.yaml",
            True,
            id="one of several bases that share an overlay",
        ),
        pytest.param(
            {"base/a.yaml": f"{SUPPORT}  - {{name: Sales}}\n", "o/s.yaml": SUPPORT}, "base", True, id="a whole channel"
        ),
        pytest.param(
            {"base/a.yaml": SUPPORT, "o/s.yaml": "version: 1\nsettings: {prune: true}\n"},
            "base",
            True,
            id="an overlay of settings",
        ),
        pytest.param(
            {"staging/s.yaml": SUPPORT, "production/s.yaml": SUPPORT.replace("dark", "auto")},
            "staging",
            False,
            id="a manifest for each environment, whose organisation the pipeline names",
        ),
        pytest.param(
            {
                "staging/s.yaml": SUPPORT.replace("version: 1\n", VARIABLE),
                "production/s.yaml": SUPPORT.replace("version: 1\n", VARIABLE),
            },
            "staging",
            False,
            id="the same by a variable",
        ),
        pytest.param(
            {"a/s.yaml": SUPPORT, "b/s.yaml": SUPPORT.replace("version: 1\n", "version: 1\norganization: b\n")},
            "a",
            False,
            id="another organisation's manifest",
        ),
        pytest.param(
            {"a/s.yaml": SUPPORT, "b/s.yaml": f"{SALES}defaults: {{theme: dark}}\n"}, "a", False, id="other channels"
        ),
        pytest.param({"s.yaml": SUPPORT, "deploy.yaml": "version: 1\nsteps: []\n"}, "s.yaml", False, id="one alone"),
    ],
)
def test_a_folder_is_shared_where_overlays_lie_over_it(
    tmp_path: Path, api: Emulated, files: dict[str, str], path: str, *, shares: bool
) -> None:
    (tmp_path / ".git").mkdir()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = api.invoke("adopt", tmp_path / path, "--org", "acme", "--check")
    assert (done.code, "this manifest is shared" in done.err) == ((1, True) if shares else (2, False)), done.err


def test_a_base_that_names_its_organisation_takes_what_came_from_it(api: Emulated, site: Path) -> None:
    base, overlay = site / "channels/support.yaml", site / "production.yaml"
    base.write_text(BASE.replace("${MOSEND_ORG_ID}", "acme"), encoding="utf-8")
    overlay.write_text("version: 1\nchannels:\n  - {name: Support, welcomeMessage: Hi!}\n", encoding="utf-8")
    api.store.seed("acme", channels("p", theme="light", welcomeMessage="Hello!"))
    assert run(api, site, "production", "adopt", "--auto-approve")[0] == 0
    text = base.read_text(encoding="utf-8")
    assert "theme: light\n    welcomeMessage: Hi!\n" in text
    assert "sync: { id: p-1 }" in text
    assert overlay.read_text(encoding="utf-8").endswith("- {name: Support, welcomeMessage: Hello!}\n")
    assert run(api, site, "production", "plan", "--detailed-exitcode")[0] == 0


def test_a_name_that_others_share_stays_and_one_of_its_own_changes_in_every_file(api: Emulated, site: Path) -> None:
    overlay = site / "production.yaml"
    overlay.write_text("version: 1\nchannels:\n- {name: Sales, sync: {id: p-2}}\n", encoding="utf-8")
    api.store.seed("acme", [*channels("p")[:1], {"name": "Shop", "id": "p-2", "theme": "light"}])
    code, _, err = run(api, site, "production", "adopt", "--auto-approve")
    assert code == 0
    assert '`name` of "Sales" isn\'t changed: the files match the channel by its name' in err
    assert "{name: Sales, sync: {id: p-2}, theme: light}" in overlay.read_text(encoding="utf-8").replace(
        "theme: light, sync: {id: p-2}", "sync: {id: p-2}, theme: light"
    )
    (site / "channels/support.yaml").write_text(BASE.replace("${MOSEND_ORG_ID}", "acme"), encoding="utf-8")
    assert run(api, site, "production", "adopt", "--auto-approve")[0] == 0
    assert "- name: Shop\n" in (site / "channels/support.yaml").read_text(encoding="utf-8")
    assert "{name: Shop, " in overlay.read_text(encoding="utf-8")
    assert run(api, site, "production", "plan", "--detailed-exitcode")[0] == 0


def test_an_overlay_over_several_organisations_is_nobodys_to_write_to(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(
            f"version: 1\norganization: {name}\nchannels: [{{name: Support, color: '#000'}}]\n", encoding="utf-8"
        )
    overlay = tmp_path / "season.yaml"
    text = "version: 1\nchannels: [{name: Support, theme: dark}]\n"
    overlay.write_text(text, encoding="utf-8")
    with emulated() as api:
        api.store.seed("a", [{"name": "Support", "id": "1", "theme": "light", "color": "#fff"}])
        api.store.seed("b", [{"name": "Support", "id": "2", "theme": "dark", "color": "#000"}])
        done = api.invoke("adopt", tmp_path, "--overlay", overlay, "--auto-approve")
    assert (done.code, overlay.read_text(encoding="utf-8")) == (0, text)
    assert "isn't changed: its value comes from" in done.err
    assert """'#fff', sync: {id: "1"}""" in (tmp_path / "a.yaml").read_text(encoding="utf-8")
    assert """'#000', sync: {id: "2"}""" in (tmp_path / "b.yaml").read_text(encoding="utf-8")


def test_an_id_that_no_file_can_contain_is_not_pinned_and_the_reason_is_where_the_channel_is_declared(
    tmp_path: Path,
) -> None:
    for name in ("A", "B"):
        text = f"version: 1\norganization: ${{WEBCHAT_{name}}}\nchannels: [{{name: Support}}]\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    overlay = tmp_path / "season.yaml"
    overlay.write_text("version: 1\nchannels: [{name: Support, theme: dark}]\n", encoding="utf-8")
    with emulated() as api:
        for name in ("a", "b"):
            api.store.seed(name, [{"name": "Support", "id": name, "theme": "dark"}])
        environ = {"WEBCHAT_A": "a", "WEBCHAT_B": "b"}
        done = api.invoke("adopt", tmp_path, "--overlay", overlay, "--auto-approve", environ=environ)
    declared = f"the channel is declared in {tmp_path}/A.yaml, which may also apply to other organisations"
    assert f'`sync.id` of "Support" isn\'t changed: {declared}' in done.err


values = st.recursive(
    st.sampled_from([None, 1, 2]) | st.just([1]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
parts = st.lists(st.tuples(st.one_of(st.just(UNKNOWN), values), st.booleans()), min_size=1, max_size=4)


def without_nulls(value: Part) -> Part:
    if not isinstance(value, dict):
        return value
    return {key: entry for key, part in value.items() if (entry := without_nulls(part)) is not None}  # type: ignore[misc]  # no entry is UNKNOWN


@given(parts, values)
def test_parts_say_together_what_is_wanted_and_those_of_others_say_what_they_said(
    layered: list[tuple[Part, bool]], wanted: Json
) -> None:
    own = [mine for _, mine in layered]
    before = [part for part, _ in layered]
    layers = Layers(own)
    after = give_back(before, wanted, layers, layers.from_(0))
    if after is None:
        assert not own[-1]
        return
    assert without_nulls(merged(after)) == without_nulls(wanted)
    assert [part for part, mine in zip(after, own, strict=True) if not mine] == [
        part for part, mine in zip(before, own, strict=True) if not mine
    ]
    assert give_back(after, merged(after), layers, layers.from_(0)) == after
