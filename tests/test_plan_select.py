"""Which organisations a run is about: patterns of ids, and shares by hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import emulated, invoke
from planning import declare
from webchat_sync.cli.fleet import MOST_SHARDS
from webchat_sync.domain.catalogue import load_schema
from webchat_sync.errors import InputError
from webchat_sync.model import Manifest, Shard
from webchat_sync.plan.select import WHOLE, select

ids = st.lists(st.text(min_size=1), unique=True)


def manifests(organizations: list[str]) -> list[Manifest]:
    return [Manifest(organization, (declare(f"of {organization}"),)) for organization in organizations]


def chosen(organizations: list[str], patterns: list[str], shard: Shard = WHOLE) -> list[str]:
    return [manifest.organization for manifest in select(manifests(organizations), patterns, shard)[0]]


@settings(deadline=None)
@given(ids, st.integers(1, 9))
def test_every_organisation_is_in_one_shard(organizations: list[str], total: int) -> None:
    shards = [chosen(organizations, [], Shard(index, total)) for index in range(1, total + 1)]
    assert sorted(organization for shard in shards for organization in shard) == sorted(organizations)


@settings(deadline=None)
@given(ids, st.text(min_size=1), st.integers(1, 9), st.data())
def test_who_comes_or_goes_moves_nobody_else(
    organizations: list[str], other: str, total: int, data: st.DataObject
) -> None:
    shard = Shard(data.draw(st.integers(1, total)), total)
    before = chosen(organizations, [], shard)
    after = chosen([*organizations, other], [], shard) if other not in organizations else before
    assert [organization for organization in after if organization != other or other in organizations] == before


def test_the_shares_of_a_release_are_those_of_the_next() -> None:
    """A plan of one version may be applied by another, so the hash is part of the interface."""
    organizations = [f"org-{number}" for number in range(12)]
    assert [chosen(organizations, [], Shard(index, 3)) for index in (1, 2, 3)] == SHARES


SHARES = [
    ["org-3", "org-4", "org-5", "org-11"],
    ["org-0", "org-2", "org-8"],
    ["org-1", "org-6", "org-7", "org-9", "org-10"],
]


def test_a_pattern_chooses_and_a_wrong_one_names_what_there_is() -> None:
    assert chosen(["acme-1", "acme-2", "other"], ["acme-*"]) == ["acme-1", "acme-2"]
    assert chosen(["acme-[1]"], ["acme-[1]"]) == ["acme-[1]"]
    with pytest.raises(InputError, match=r'"acne-1" matches no organisation') as refused:
        chosen(["acme-1", "acme-2", "other"], ["acne-1", "other"])
    assert '"acme-1"' in refused.value.problems[0].hint


def test_a_hint_names_at_most_ten_organisations_if_none_is_similar() -> None:
    known = [f"acme-{letter}" for letter in "abcdefghijkl"]
    with pytest.raises(InputError) as refused:
        chosen(known, ["zzz"])
    named = ", ".join(f'"{name}"' for name in known[:10])
    assert refused.value.problems[0].hint == f"Organisations: {named} and 2 more."


@pytest.mark.parametrize(
    ("patterns", "shard", "named", "limited"),
    [
        ([], WHOLE, False, False),
        (["acme-*"], WHOLE, False, True),
        (["*"], WHOLE, False, True),
        ([], Shard(1, 2), False, True),
        ([], WHOLE, True, True),
    ],
)
def test_a_run_is_limited_if_organisations_are_named_or_there_are_other_shards(
    patterns: list[str], shard: Shard, named: bool, limited: bool
) -> None:
    organizations = manifests(["acme-1", "acme-2", "other"])
    assert select(organizations, patterns, shard, named=named)[1].limited == limited
    if not named:
        assert select(organizations, patterns, shard)[1].limited == limited


def test_what_other_shards_have_is_known() -> None:
    organizations = [f"org-{number}" for number in range(9)]
    mine, selection = select(manifests(organizations), [], Shard(1, 2))
    assert selection.limited
    assert selection.elsewhere == {f"of {name}" for name in organizations} - {f"of {one.organization}" for one in mine}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    fleet = tmp_path / "fleet"
    fleet.mkdir()
    for number in range(9):
        text = f"version: 1\norganization: org-{number}\nchannels: [{{name: Of {number}}}]\n"
        (fleet / f"{number}.yaml").write_text(text, encoding="utf-8")
    return fleet


SOURCES: dict[str, tuple[Mapping[str, str], list[str], str]] = {
    "option": ({}, ["--shard", "2/3"], "Shard 2/3: "),
    "option first": ({"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "9"}, ["--shard", "2/3"], "Shard 2/3: "),
    "gitlab": ({"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}, [], "Shard 2/3, from CI_NODE_INDEX and CI_NODE_TOTAL: "),
    "gitlab's name": (
        {"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3", "CI_JOB_NAME": "plan 2/3"},
        [],
        "Shard 2/3, from CI_",
    ),
    "kubernetes": (
        {"JOB_COMPLETION_INDEX": "1", "WEBCHAT_SYNC_SHARDS": "3"},
        [],
        "Shard 2/3, from JOB_COMPLETION_INDEX",
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_share_comes_from_the_option_or_from_the_pipeline(folder: Path, name: str) -> None:
    environ, options, said = SOURCES[name]
    with emulated() as api:
        planned = api.invoke("plan", folder, "--format", "json", *options, environ=environ)
    document = planned.json()
    assert said in planned.err
    assert f"{len(document['organizations'])} of 9 organisations." in planned.err
    # The shard says so; it isn't limited otherwise.
    assert (document["limited"], document["complete"], document["shard"]["total"] > 1) == (False, False, True)
    organizations = {part["organization"] for part in document["organizations"]}
    assert organizations == set(chosen([f"org-{number}" for number in range(9)], [], Shard(2, 3)))


def test_a_share_of_one_organization_is_not_of_several(folder: Path) -> None:
    with emulated() as api:
        planned = [api.invoke("plan", folder / "0.yaml", "--shard", f"{index}/2").err for index in (1, 2)]
    assert sorted(line.partition(": ")[2] for err in planned for line in err.splitlines() if "Shard" in line) == [
        "0 of 1 organisation.",
        "1 of 1 organisation.",
    ]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CI_NODE_TOTAL": "1"},
        {"CI_NODE_TOTAL": "1", "CI_NODE_INDEX": "1", "CI_JOB_NAME": "plan"},
        {"JOB_COMPLETION_INDEX": "1"},
        {"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3", "CI_JOB_NAME": "plan: [production, eu]"},
        {"WEBCHAT_SYNC_SHARDS": "1", "JOB_COMPLETION_INDEX": "0"},
    ],
)
def test_a_job_that_is_no_share_takes_all(folder: Path, environ: Mapping[str, str]) -> None:
    with emulated() as api:
        planned = api.invoke("plan", folder, "--format", "json", environ=environ)
    assert len(planned.json()["organizations"]) == 9
    assert planned.json()["complete"]
    assert ("matrix" in planned.err) == ("[" in environ.get("CI_JOB_NAME", ""))


@pytest.mark.parametrize(
    "environ",
    [
        {"WEBCHAT_SYNC_SHARDS": "3"},
        {"WEBCHAT_SYNC_SHARDS": "3", "JOB_COMPLETION_INDEX": "3"},
        {"WEBCHAT_SYNC_SHARDS": "three", "JOB_COMPLETION_INDEX": "0"},
        {"CI_NODE_INDEX": "0", "CI_NODE_TOTAL": "3"},
        {"CI_NODE_INDEX": "4", "CI_NODE_TOTAL": "3"},
    ],
)
def test_half_a_share_is_refused(folder: Path, environ: Mapping[str, str]) -> None:
    refused = invoke("plan", folder, environ={**environ, "MOSEND_API_KEY": "mk_test_a.b"})
    assert refused.code == 1
    assert "isn't a valid shard" in refused.err
    assert ("JOB_COMPLETION_INDEX isn't set and" in refused.err) == (len(environ) == 1)


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "a/b", "-1/3", "1/0", "1/999999"])
def test_a_share_that_is_none_is_wrong_usage(folder: Path, shard: str) -> None:
    refused = invoke("plan", folder, "--shard", shard)
    assert (refused.code, "isn't a shard such as 1/4" in refused.err) == (64, True)


def test_a_target_of_another_share_is_no_mistake(folder: Path) -> None:
    with emulated() as api:
        plans = [
            api.invoke("plan", folder, "--format", "json", "--target", "Of 3", "--shard", f"{n}/2") for n in (1, 2)
        ]
        assert [plan.code for plan in plans] == [0, 0]
        changes = [
            change["address"] for plan in plans for part in plan.json()["organizations"] for change in part["changes"]
        ]
        assert changes == ["Of 3"]
        wrong = api.invoke("plan", folder, "--target", "Of 33", "--shard", "1/2")
        assert (wrong.code, '"Of 33" matches no channel' in wrong.err) == (1, True)


def test_a_share_without_organisations_is_a_plan_of_none(folder: Path) -> None:
    with emulated() as api:
        empty = api.invoke("plan", folder / "3.yaml", "--format", "json", "--shard", "1/2")
        other = api.invoke("plan", folder / "3.yaml", "--format", "json", "--shard", "2/2")
    assert (empty.code, other.code) == (0, 0)
    assert sorted(len(planned.json()["organizations"]) for planned in (empty, other)) == [0, 1]


def test_the_option_for_the_organisation_limits_the_run(folder: Path) -> None:
    with emulated() as api:
        planned = api.invoke("plan", folder, "--format", "json", "--org", "org-4")
        assert [part["organization"] for part in planned.json()["organizations"]] == ["org-4"]
        assert planned.json()["limited"]
        refused = api.invoke("plan", folder, "--org", "elsewhere")
        assert (refused.code, '--org is "elsewhere", but the files name "' in refused.err) == (1, True)


def test_a_plan_has_no_more_shards_than_a_run() -> None:
    assert load_schema("plan")["properties"]["shard"]["properties"]["total"]["maximum"] == MOST_SHARDS


@pytest.mark.parametrize("command", ["show", "apply --auto-approve", "ci comment", "ci drift"])
def test_the_plans_of_some_shards_are_not_taken_for_those_of_all(folder: Path, command: str) -> None:
    with emulated() as api:
        for shard in ("1/3", "2/3", "3/3", "1/2"):
            out = f"{shard.replace('/', '-')}.json"
            assert api.invoke("plan", folder, "--out", out, "--shard", shard).code == 0
        for files, why in (
            (["1-3.json", "3-3.json"], "the plan of shard 2/3 is missing"),
            (
                ["1-3.json", "2-3.json", "1-2.json"],
                "the plans come from runs with different numbers of shards: 2 and 3",
            ),
        ):
            refused = api.invoke(*command.split(), *files)
            assert (refused.code, f"Error: {why}\n" in refused.err) == (1, True), refused.err
        assert set(api.taken_calls()) == {"GET"}
        assert api.invoke("show", "2-3.json").code == 0


@pytest.mark.parametrize("command", ["show", "apply --auto-approve", "ci comment", "ci drift"])
def test_the_plans_of_shards_of_different_manifests_are_not_taken_for_one_run(folder: Path, command: str) -> None:
    first = next(iter(sorted(folder.glob("*.yaml"))))
    text = first.read_text(encoding="utf-8")
    with emulated() as api:
        for out, edited, options in (
            ("1.json", text, ["--shard", "1/2"]),
            ("2.json", f"# a comment\n{text}", ["--shard", "2/2"]),
            ("later.json", text.replace("channels:", "settings: {prune: owned}\nchannels:"), ["--shard", "2/2"]),
            ("less.json", text, ["--shard", "2/2", "--target-org", "org-[1-3]"]),
        ):
            first.write_text(edited, encoding="utf-8")
            assert api.invoke("plan", folder, "--out", out, *options).code == 0
        for other in ("later.json", "less.json"):
            refused = api.invoke(*command.split(), "1.json", other)
            assert refused.code == 1
            assert f"the plans of the shards were made from different manifests: 1.json / {other}\n" in refused.err
        assert set(api.taken_calls()) == {"GET"}
        assert api.invoke("show", "1.json", "2.json").code == 0
        assert api.invoke("show", "later.json").code == 0


def test_the_plans_of_all_shares_are_applied_together(folder: Path) -> None:
    files = [f"plan-{index}.json" for index in (1, 2, 3)]
    with emulated() as api:
        for index, file in enumerate(files, 1):
            assert api.invoke("plan", folder, "--out", file, "--shard", f"{index}/3").code == 0
        shown = api.invoke("show", *files, "--format", "json")
        assert shown.json()["summary"]["create"] == 9
        Path("whole.json").write_text(shown.out, encoding="utf-8")
        assert api.invoke("show", "whole.json").out == api.invoke("show", *files).out
        twice = api.invoke("apply", *files, "whole.json", "--auto-approve")
        assert (twice.code, twice.err.count(" in plan-"), twice.err.count(" and in whole.json")) == (1, 3, 3)
        missing = api.invoke("apply", *files, "none.json", "--auto-approve")
        assert missing.code == 1
        applied = api.invoke("apply", *files, files[0], folder, "--auto-approve", "--report", "report.json")
        assert applied.code == 0, applied.err
        assert json.loads(Path("report.json").read_text(encoding="utf-8"))["summary"]["done"] == 9
        limited = api.invoke("apply", *files, "--shard", "1/3", "--auto-approve")
        assert (limited.code, "--shard can only be used when the plan is made" in limited.err) == (64, True)


def test_a_share_is_stale_when_a_manifest_of_its_own_changed(folder: Path) -> None:
    with emulated() as api:
        for index in (1, 2):
            api.invoke("plan", folder, "--out", f"plan-{index}.json", "--shard", f"{index}/2")
        owned = [part["organization"] for part in json.loads(Path("plan-1.json").read_text("utf-8"))["organizations"]]
        edited = folder / f"{owned[0].removeprefix('org-')}.yaml"
        edited.write_text(edited.read_text("utf-8").replace("Of", "New of"), encoding="utf-8")
        assert api.invoke("apply", "plan-1.json", folder, "--auto-approve").code == 4
        assert api.invoke("apply", "plan-2.json", folder, "--auto-approve").code == 0
        assert api.invoke("apply", "plan-1.json", "plan-2.json", folder, "--auto-approve").code == 4
