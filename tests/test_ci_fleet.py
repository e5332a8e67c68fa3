"""The plans of shards in one comment and in one issue, on both hosts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commands import invoke
from pipelines import GITHUB, GITLAB, Host, run_ci
from planning import declare, live, plan_for
from webchat_sync.errors import Diagnostic
from webchat_sync.model import FailedOrganization, OrganizationPlan, Plan, Shard
from webchat_sync.plan.guard import GuardOptions, judged
from webchat_sync.plan.organizations import refused
from webchat_sync.plan.undo import Moved
from webchat_sync.planfile.writer import render_plan
from webchat_sync.render.adopt_request import AdoptSummary, adopt_marker, adopt_title, render_adopt
from webchat_sync.render.comment import about_the_same, comment_marker, render_comment, render_drift
from webchat_sync.render.formats import FORMATS

both = pytest.mark.parametrize("host", [GITHUB, GITLAB], ids=repr)

FAILED = FailedOrganization("org-9", 6, (Diagnostic("GET /organizations/org-9: HTTP 401", hint="Check the key."),))


def plan_of(organizations: Sequence[str], *, changed: bool = True, failed: bool = False) -> Plan:
    declared, listed = declare(color="#0f766e" if changed else "#ffffff"), live(color="#ffffff")
    plans = [plan_for([declared], [listed], organization=organization) for organization in organizations]
    parts = tuple(plan.organizations[0] for plan in plans)
    return replace(plans[0], organizations=parts, failed=(FAILED,) if failed else ())


def over(plan: Plan, organizations: Sequence[str]) -> Plan:
    """The plan of one organisation, as if each of many had the same channels."""
    (one,) = plan.organizations
    return replace(plan, organizations=tuple(replace(one, organization=organization) for organization in organizations))


def save(folder: Path, *plans: Plan) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = [folder / f"plan-{number}.json" for number, _ in enumerate(plans)]
    for file, plan in zip(files, plans, strict=True):
        file.write_text(render_plan(plan), encoding="utf-8")
    return files


@both
def test_the_plans_of_all_shards_are_one_comment(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        environ = fake.environ(tmp_path)
        files = save(tmp_path, plan_of(["org-1", "org-2"]), plan_of(["org-3"], failed=True))
        posted = run_ci("comment", *files, environ=environ)
        assert posted.out.startswith("Posted the comment: https://")
        (body,) = fake.bodies
        assert "Plan: 0 to add, 3 to change, 0 to destroy. 1 organisation failed and is left out." in body
        assert "Failed: " in body
        assert "HTTP 401" in body
        assert 'Error: organisation "org-9"' in posted.err
        other = save(tmp_path, plan_of(["org-1"]), plan_of(["org-2", "org-3", "org-9"]))
        assert run_ci("comment", *other, environ=environ).out.startswith("Updated the comment: ")
        assert len(fake.bodies) == 1
        twice = run_ci("comment", *other, other[0], environ=environ)
        assert twice.code == 0
        Path(tmp_path, "copy.json").write_bytes(other[0].read_bytes())
        doubled = run_ci("comment", *other, tmp_path / "copy.json", environ=environ)
        assert (doubled.code, 'organisation "org-1" is in ' in doubled.err) == (1, True)


@both
def test_the_drift_of_all_shards_is_one_issue(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        environ = fake.environ(tmp_path, number=None)

        def drift(*plans: Plan) -> str:
            return run_ci("drift", *save(tmp_path, *plans), environ=environ).out.partition(": https://")[0].rstrip()

        assert drift(plan_of(["org-1"]), plan_of(["org-2", "org-9"], changed=False)) == "Opened the issue"
        assert drift(plan_of(["org-1"], changed=False), plan_of(["org-2"])) == "Updated the issue"
        quiet = plan_of(["org-1", "org-2"], changed=False)
        assert drift(replace(quiet, failed=(FAILED,))) == "The issue is already up to date"
        assert fake.states[0][0]
        assert drift(quiet) == "Closed the issue, since nothing has drifted"
        assert drift(replace(quiet, failed=(FAILED,))) == "No drift in what could be read, but 1 organisation failed."


PARTS = [{"shard": Shard(1, 2)}, {"limited": True}]


@pytest.mark.alike
@pytest.mark.slow
@both
@pytest.mark.parametrize("part", PARTS, ids=["shard", "target-org"])
def test_a_part_does_not_speak_for_the_whole(host: Host, part: dict[str, Any], tmp_path: Path) -> None:
    """A shard without drift closed the issue about all organisations, and its plan replaced their comment."""
    whole, some = ["org-1", "org-2", "org-3"], ["org-2"]
    with host.begin(None) as fake:
        environ = fake.environ(tmp_path, number=None)

        def drift(plan: Plan) -> str:
            return run_ci("drift", *save(tmp_path, plan), environ=environ).out.partition(": https://")[0].rstrip()

        assert drift(plan_of(whole)) == "Opened the issue"
        assert drift(replace(plan_of(some, changed=False), **part)) == "No drift, and no open issue."
        assert drift(replace(plan_of(some), **part)) == "Opened the issue"
        assert drift(replace(plan_of(["org-3", *some], changed=False), **part)) == (
            "Closed the issue, since nothing has drifted"
        )
        assert [is_open for is_open, _ in fake.states] == [True, False]
        assert drift(plan_of(whole, changed=False)) == "Closed the issue, since nothing has drifted"
        environ = fake.environ(tmp_path)
        farewells = len(fake.bodies)
        for plan, said in (
            (plan_of(whole), "Posted"),
            (replace(plan_of(some), **part), "Posted"),
            (replace(plan_of(["org-3", *some], changed=False), **part), "Updated"),
            (plan_of(whole[:2], changed=False), "Updated"),
        ):
            assert run_ci("comment", *save(tmp_path, plan), environ=environ).out.startswith(f"{said} the comment")
        assert len(fake.bodies) == farewells + 2


@both
def test_all_shards_together_are_the_whole_in_any_order(host: Host, tmp_path: Path) -> None:
    with host.begin(None) as fake:
        environ = fake.environ(tmp_path, number=None)
        files = save(
            tmp_path,
            replace(plan_of(["org-5", "org-1"]), shard=Shard(1, 2)),
            replace(plan_of(["org-4", "org-2"]), shard=Shard(2, 2)),
        )
        assert run_ci("drift", *files, environ=environ).out.startswith("Opened the issue")
        assert fake.issues[0]["title"].endswith(": org-1, org-2, org-4, org-5")
        assert run_ci("drift", *reversed(files), environ=environ).out.startswith("The issue is already up to date")
        quiet = save(tmp_path / "quiet", plan_of(["org-1", "org-2", "org-4"], changed=False))
        assert run_ci("drift", *quiet, environ=environ).out.startswith("Closed the issue")
        shown = invoke("show", *files, "--format", "json").json()
        assert (shown["limited"], shown["complete"]) == (False, True)


def test_a_comment_on_thousands_of_organisations_is_found_again_and_fits() -> None:
    names = [f"00000000-0000-4000-8000-{number:012}" for number in range(1_000)]
    one, unchanged = plan_of(names[:1]), plan_of(names[:1], changed=False)
    plan, later = over(unchanged, names), over(unchanged, [*names[5:], "one-more"])
    assert len(comment_marker(plan, "")) < 2_000
    assert about_the_same(comment_marker(plan, ""), comment_marker(later, ""))
    elsewhere = over(unchanged, [f"elsewhere-{number}" for number in range(1_000)])
    assert not about_the_same(comment_marker(plan, ""), comment_marker(elsewhere, ""))
    failing = tuple(replace(FAILED, organization=name) for name in names)
    for shown in (plan, over(one, names), replace(plan, failed=failing)):
        assert len(render_comment(shown, label="", run_url="", longest=65_536)) <= 65_536


class Counted(tuple[OrganizationPlan, ...]):
    """Organisations that count how often one of them is looked at."""

    looks = 0

    def __iter__(self) -> Iterator[OrganizationPlan]:
        for organization in super().__iter__():
            Counted.looks += 1
            yield organization


@pytest.mark.parametrize("name", [*FORMATS, "a comment", "an issue", "the guards"])
def test_each_organisation_is_looked_at_as_often_in_a_large_plan_as_in_a_small_one(name: str) -> None:
    def look_over(plan: Plan) -> None:
        if name in FORMATS:
            FORMATS[name](plan)
        elif name == "the guards":
            refused(judged(plan, GuardOptions(), strict=True))
        else:
            (render_comment if name == "a comment" else render_drift)(plan, label="", run_url="", longest=65_536)

    def looks(count: int) -> int:
        Counted.looks = 0
        plan = over(plan_of(["org-1"]), [f"org-{number}" for number in range(count)])
        look_over(replace(plan, organizations=Counted(plan.organizations)))
        return Counted.looks

    assert 0 < looks(60) <= 2.2 * looks(30)


def test_a_request_about_a_thousand_of_organisations_is_found_again_fits_and_says_whose_channels_moved() -> None:
    names = [f"00000000-0000-4000-8000-{number:012}" for number in range(1_000)]
    moved = [Moved(name, "Support", "c-1", ("color",), pinned=True) for name in names]
    changed = over(plan_of(names[:1]), names)
    summary = AdoptSummary(changed, moved, left=["this can't be adopted"] * 60)
    assert adopt_title(summary, "").startswith(f'Adopt what was changed live: "Support" of {names[0]} (color), ')
    body = render_adopt(summary, label="", run_url="", longest=65_536)
    assert len(body) <= 65_536
    assert f'`"Support" of {names[0]}`' in body
    assert "- and 10 more" in body
    later = replace(changed, organizations=changed.organizations[5:])
    assert about_the_same(body.splitlines()[0], adopt_marker(later, ""))
    assert not about_the_same(body.splitlines()[0], adopt_marker(later, "production"))
    alone = AdoptSummary(plan_of(names[:1]), moved[:1])
    assert adopt_title(alone, "") == 'Adopt what was changed live: "Support" (color)'
    pinned = AdoptSummary(plan_of(names[:1]), [replace(moved[0], fields=())])
    assert adopt_title(pinned, "staging") == 'Pin a channel to its id in staging: "Support"'
    added = replace(pinned, added=[(names[0], "Sales")])
    assert adopt_title(added, "") == 'Adopt a live channel that no file declares: "Sales" (new) and "Support" (its id)'
    added = replace(added, added=[(names[0], "Sales"), (names[0], "Help")])
    assert adopt_title(added, "").startswith('Adopt live channels that no file declares: "Sales" (new), "Help" (new)')


@pytest.mark.parametrize(
    ("fields", "one", "several"),
    [
        (
            ("color",),
            ("Adopt what was changed live", "This channel was changed", "who changed it.", "Pinned to its id: "),
            (
                "Adopt what was changed live",
                "These channels were changed",
                "who changed them.",
                "Pinned to their ids: ",
            ),
        ),
        ((), ("Pin a channel to its id", "Pinned to its id: "), ("Pin channels to their ids", "Pinned to their ids: ")),
    ],
    ids=["edited", "pinned"],
)
def test_a_request_says_channel_for_one_and_channels_for_several(
    fields: tuple[str, ...], one: Sequence[str], several: Sequence[str]
) -> None:
    moved = [Moved("acme", name, name, fields, pinned=True) for name in ("Support", "Sales")]
    for expected, other, channels in ((one, several, moved[:1]), (several, one, moved)):
        summary = AdoptSummary(plan_of(["acme"]), channels)
        text = adopt_title(summary, "") + render_adopt(summary, label="", run_url="", longest=65_536)
        assert all(words in text for words in expected)
        assert not any(words in text for words in other if words not in expected)


def test_a_request_that_only_pins_says_that_the_rest_matches_if_it_does() -> None:
    pinned = AdoptSummary(plan_of(["acme"]), [Moved("acme", "Support", "c-1", (), pinned=True)])
    left = replace(pinned, left=['`color` of "Support" isn\'t changed: it looks like an API key'])
    for summary, matches in ((pinned, True), (left, False)):
        body = render_adopt(summary, label="", run_url="", longest=65_536)
        assert "This request pins each channel to its id, so that" in body
        assert ("The live channels match the files." in body) is matches


def test_a_request_for_a_single_new_channel_speaks_of_one() -> None:
    summary = AdoptSummary(plan_of(["acme"]), [], added=[("acme", "Sales")])
    assert adopt_title(summary, "") == 'Adopt a live channel that no file declares: "Sales" (new)'
    body = render_adopt(summary, label="", run_url="", longest=65_536)
    assert "This channel is live, but no file declares it. This request adds a file; " in body
    assert "**Merge it** to manage the channel with the file. **Leave it open** and the channel stays as it is" in body
    edited = replace(summary, moved=[Moved("acme", "Support", "c-1", ("color",), pinned=False)])
    body = render_adopt(edited, label="", run_url="", longest=65_536)
    assert "Without a file, an apply leaves it alone" in body


def test_plans_that_overlap_are_told_in_one_line_for_each_pair_of_files(tmp_path: Path) -> None:
    files = save(tmp_path, plan_of([f"org-{number}" for number in range(9)]), plan_of(["org-1"]), plan_of(["org-2"]))
    one = invoke("show", files[0], files[1])
    assert (one.code, one.err.splitlines()[0]) == (1, f'Error: organisation "org-1" is in {files[0]} and in {files[1]}')
    copy = tmp_path / "copy.json"
    copy.write_bytes(files[0].read_bytes())
    all_of_them = invoke("show", files[0], copy)
    assert all_of_them.err.splitlines()[0] == (
        f'Error: organisations "org-0", "org-1", "org-2", "org-3", "org-4" and 4 more are in {files[0]} and in {copy}'
    )
    assert len(all_of_them.err.splitlines()) == 2


@pytest.mark.parametrize("command", [["show"], ["apply", "--auto-approve"]], ids=lambda words: words[0])
def test_a_plan_that_was_cut_off_is_told_as_such(tmp_path: Path, command: list[str]) -> None:
    (file,) = save(tmp_path, plan_of(["org-1", "org-2"]))
    file.write_text(file.read_text(encoding="utf-8")[:-300], encoding="utf-8")
    cut = invoke(*command, file)
    assert (cut.code, "it isn't valid JSON" in cut.err, "written by `plan --out FILE`" in cut.err) == (1, True, True)
