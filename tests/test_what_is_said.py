"""What the program says: once, with the organisation where there are several, and no more than was asked for."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from commands import Emulated, Finished, emulated, invoke, manifest_in
from planning import NOW, declare, live, plan_for
from webchat_sync.api.failures import TRANSIENT
from webchat_sync.cli.progress import Bar, Scope
from webchat_sync.cli.runtime import Runtime
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.errors import ApiStatusError
from webchat_sync.model import ApplyReport, FailedOrganization, OperationResult, OperationStatus, Plan
from webchat_sync.render.report import render_report
from webchat_sync.sentences import counted

TWO = """\
version: 1
organization: acme
channels: [{name: Support, welcomeMessage: Hi}]
---
version: 1
organization: beta
channels: [{name: Support, welcomeMessage: Hi}]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return manifest_in(tmp_path, monkeypatch, TWO)


MANY = [f"Channel {number}" for number in range(300)]
FIRST = '"Channel 0", "Channel 1", "Channel 10"'


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["snippet", "?", "--org", "acme"], f"Live channels: {FIRST}"),
        (["hours", "?", "many.yaml"], f"Declared channels: {FIRST}"),
        (["plan", "many.yaml", "--target", "!"], f"Channels: {FIRST}"),
        (["plan", "many.yaml", "--rotate", "!"], f"Channels: {FIRST}"),
        (["plan", "many.yaml", "--adopt-secret", "!"], f"Channels: {FIRST}"),
        (["plan", "none.yaml", "--allow-empty", "--quiet"], '300 live channels would be deleted ("Channel 0", '),
    ],
    ids=["snippet", "hours", "--target", "--rotate", "--adopt-secret", "deletes"],
)
def test_of_many_names_a_few_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    head = "version: 1\norganization: acme\n"
    if "none.yaml" in command:
        Path("none.yaml").write_text(f"{head}settings: {{prune: true}}\nchannels: []\n")
    else:
        declared = [
            f"  - {{name: {name}, sync: {{identitySecret: {{deliver: [{{dotenv: .env, key: K{number}}}]}}}}}}\n"
            for number, name in enumerate(MANY)
        ]
        Path("many.yaml").write_text(f"{head}channels:\n{''.join(declared)}")
    with emulated(*({"name": name, "hasIdentitySecret": True} for name in MANY)) as api:
        refused = api.invoke(*command)
    assert (said in refused.err, " and 290 more" in refused.err) == (True, True)
    assert len(refused.err) < 700


def report(*ended: tuple[OperationStatus, int | None], outcome: str = "incomplete") -> str:
    """The first line of the account of a run whose operations ended so."""
    plan = plan_for([declare(str(number)) for number in range(len(ended))], [])
    (planned,) = plan.organizations
    results = []
    for change, (status, http) in zip(planned.active_changes, ended, strict=True):
        transient = http is not None and (http in TRANSIENT or http >= 500)
        error = ApiStatusError("no", method="POST", path="/x", status=http, transient=transient) if http else None
        results.append(OperationResult("acme", change.address, change.operations[0], status, 1, http, error=error))
    text = render_report(plan, ApplyReport(outcome, tuple(results)))  # type: ignore[arg-type] # an Outcome
    return text.splitlines()[0]


@pytest.mark.parametrize(
    ("reached", "last"),
    [
        ([], "Apply didn't reach every organisation. 1 organisation failed and is left out."),
        (["acme"], "In the other one: 0 added, 0 changed, 0 destroyed."),
        (["acme", "beta"], "In the others: 0 added, 0 changed, 0 destroyed."),
    ],
)
def test_the_last_line_is_about_as_many_organisations_as_were_reached(reached: list[str], last: str) -> None:
    (planned,) = plan_for([], []).organizations
    failed = (FailedOrganization("dead", 6, ()),)
    organizations = tuple(replace(planned, organization=name) for name in reached)
    text = render_report(Plan(NOW, organizations, failed=failed), ApplyReport("converged", (), failed=failed))
    assert text.splitlines()[-1] == last


@pytest.mark.parametrize(
    ("ended", "instruction"),
    [
        ([("failed", 503), ("not_started", None)], "Run apply again to continue."),
        ([("failed", 429)], "Run apply again to continue."),
        ([("failed", 422), ("done", None)], "Fix what failed, then run apply again to continue."),
        ([("failed", 403)], "Fix what failed, then run apply again to continue."),
        ([("failed", 307)], "Fix what failed, then run apply again to continue."),
        (
            [("in_doubt", 500), ("failed", 422)],
            "Check what is in doubt, then run apply again to continue.",
        ),
    ],
)
def test_an_account_has_one_instruction_and_not_two_that_contradict(
    ended: list[tuple[OperationStatus, int | None]], instruction: str
) -> None:
    assert report(*ended) == f"Apply didn't finish. {instruction}"
    assert report(*ended, outcome="interrupted") == f"Apply was interrupted. {instruction}"


def two_organizations(api: Emulated) -> Emulated:
    api.store.seed("beta", [{"name": "Support"}])
    return api


def test_the_organization_is_named_wherever_there_are_several(file: Path) -> None:
    refusing = Faults([Fault(effects.status(422), "PATCH", "*/beta/*")])
    with emulated({"name": "Support"}, faults=refusing) as api:
        two_organizations(api)
        applied = api.invoke("apply", file, "--auto-approve")
    assert applied.code == 3
    assert '  done: "Support" of acme: PATCH ' in applied.out
    assert '  failed: "Support" of beta: PATCH ' in applied.out
    assert '"Support" of acme: updated\n' in applied.err
    assert '"Support" of beta: failed: ' in applied.err


def test_a_guard_names_the_organization_where_there_are_several(file: Path) -> None:
    file.write_text(TWO.replace("welcomeMessage: Hi}", "enabled: false, sync: {protect: true}}"), encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        refused = two_organizations(api).invoke("plan", file)
    assert refused.code == 5
    for organization in ("acme", "beta"):
        assert f'organisation "{organization}": channel "Support" is protected' in refused.err


def test_alone_an_organization_is_not_repeated(file: Path) -> None:
    file.write_text(TWO.partition("---")[0], encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        applied = api.invoke("apply", file, "--auto-approve")
    assert "acme" not in applied.out + applied.err


def test_undeclared_channels_are_a_count_and_with_verbose_a_list(file: Path) -> None:
    file.write_text(TWO.partition("---")[0], encoding="utf-8")
    with emulated({"name": "Support"}, {"name": "One"}, {"name": "Two"}) as api:
        planned, listed = api.invoke("plan", file), api.invoke("plan", file, "-v")
    assert "2 undeclared channels are left alone because settings.prune is off (-v lists them).\n" in planned.out
    assert '"One"' not in planned.out
    assert '    "One" (' in listed.out
    assert '    "Two" (' in listed.out


def test_one_undeclared_channel_is_not_called_them(file: Path) -> None:
    file.write_text(TWO.partition("---")[0], encoding="utf-8")
    with emulated({"name": "Support"}, {"name": "One"}) as api:
        planned, adopted = api.invoke("plan", file), api.invoke("adopt", file, "--check")
    assert "1 undeclared channel is left alone because settings.prune is off (-v lists it).\n" in planned.out
    assert '1 live channel isn\'t in any file: "One". To write a file for it:\n' in adopted.err


def test_undeclared_channels_beyond_the_first_five_are_counted(file: Path) -> None:
    file.write_text(TWO.partition("---")[0], encoding="utf-8")
    with emulated({"name": "Support"}, *({"name": name} for name in "ABCDEF")) as api:
        adopted = api.invoke("adopt", file, "--check")
    left = '6 live channels aren\'t in any file: "A", "B", "C", "D", "E" and 1 more.'
    assert f"{left} To write a file for each of the first 5:\n" in adopted.err


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 channels are"), (1, "1 channel is"), (2, "2 channels are"), (1200, "1,200 channels are")],
)
def test_a_number_has_the_right_noun_and_separators(number: int, said: str) -> None:
    assert counted(number, "channel is", "channels are") == said
    assert counted(number, "channel") == said.rpartition(" ")[0]


def test_a_first_secret_counts_in_the_last_line(file: Path) -> None:
    secret = "sync: {identitySecret: {deliver: [{file: a.secret}]}}"
    file.write_text(f"version: 1\norganization: acme\nchannels: [{{name: Support, {secret}}}]\n", encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        last = api.invoke("plan", file).last_line
    assert last == "Plan: 0 to add, 1 to change, 0 to destroy; identity secrets: 1 to create."


NOISY = """\
version: 1
organization: acme
channels: [{name: Support, color: "#ffff00", allowedDomains: [example.com.]}]
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["plan", "FILE", "--out", "plan.json"],
        ["apply", "FILE", "--auto-approve"],
        ["drift", "FILE"],
        ["snapshot", "FILE", "--out", "live.json"],
        ["validate", "FILE"],
        ["adopt", "FILE", "--auto-approve"],
        ["import", "--out", "other.yaml"],
        ["hours", "Night", "night.yaml", "--at", "2026-03-29T02:30"],
        ["secret", "rotate", "Support", "--to", "a.secret"],
        ["secret", "revoke", "Support", "--auto-approve"],
        ["init", "new"],
    ],
)
def test_quiet_is_quiet_on_stderr_too(file: Path, command: list[str]) -> None:
    file.write_text(NOISY, encoding="utf-8")
    week = '{timezone: Europe/Madrid, days: {sun: ["01:00-05:00"]}}'
    night = f"version: 1\norganization: acme\nchannels: [{{name: Night, operatingHours: {week}}}]\n"
    file.with_name("night.yaml").write_text(night, encoding="utf-8")
    arguments = [str(file) if word == "FILE" else word for word in command]

    def ran(*options: str) -> Finished:
        with emulated({"name": "Support", "welcomeMessage": "other"}) as api:
            return api.invoke(*arguments, *options)

    loud = ran()
    for made in ("other.yaml", "plan.json", "live.json", "new/channels.yaml", "a.secret"):
        Path(made).unlink(missing_ok=True)
    shutil.rmtree(".webchat-sync", ignore_errors=True)
    file.write_text(NOISY, encoding="utf-8")
    quiet = ran("--quiet")
    assert loud.err
    assert (quiet.code, quiet.err) == (loud.code, "")


def test_quiet_still_says_what_is_wrong(file: Path) -> None:
    file.write_text(NOISY.replace("name: Support", "nam: Support"), encoding="utf-8")
    for command in (["plan", file, "--sandbox"], ["validate", file]):
        wrong = invoke(*command, "-q")
        assert wrong.code == 1
        assert "`nam` isn't a known key here" in wrong.err


def test_contrast_is_told_once_and_as_one_number(file: Path) -> None:
    file.write_text(NOISY, encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        planned = api.invoke("plan", file)
    told = re.findall(r"[0-9.]+:1\b", planned.out + planned.err)
    assert told == ["1.07:1", "3:1"]
    assert "1.07:1" in invoke("validate", file).err


class Terminal:
    """A run of ``plan`` on a terminal, operation by operation."""

    def __init__(self, plan: Plan) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress

        self.written = StringIO()
        self.column = BarColumn(complete_style="cyan")
        console = Console(file=self.written, force_terminal=True, width=80, color_system=None)
        self.progress = Progress(self.column, console=console)
        self.bar = Bar(self.progress, self.column, Scope.of(plan), Runtime(now=lambda: NOW))
        self.results = [
            OperationResult(planned.organization, change.address, operation, "done")
            for planned in plan.organizations
            for change in planned.active_changes
            for operation in change.operations
        ]

    @property
    def lines(self) -> list[str]:
        return self.written.getvalue().splitlines()


def test_an_interactive_apply_leaves_a_line_for_each_channel() -> None:
    run = Terminal(plan_for([declare("New", theme="dark"), declare("Old", theme="dark")], [live("Old", theme="light")]))
    for result in run.results:
        run.bar.finished(result)
    assert run.lines == ['"New": created', '"Old": updated']
    assert run.column.complete_style == "cyan"


def test_the_bar_is_red_only_for_failures() -> None:
    run = Terminal(plan_for([declare("New")], []))
    (result,) = run.results
    error = ApiStatusError("no", method="POST", path="/x", status=422)
    run.bar.finished(OperationResult("acme", "New", result.operation, "failed", error=error))
    assert run.lines == ['"New": failed: POST /x: no']
    assert run.column.complete_style == "red"


def test_a_stale_plan_and_a_pin_name_the_organization_where_there_are_several(file: Path) -> None:
    with emulated({"name": "Support"}) as api:
        two_organizations(api)
        assert api.invoke("plan", file, "--out", "plan.json").code == 0
        (other,) = api.store.channels("beta")
        api.store.update("beta", str(other["id"]), {"welcomeMessage": "Hola"})
        stale = api.invoke("apply", "plan.json", "--auto-approve")
        file.write_text(TWO.replace("welcomeMessage: Hi", "sync: {id: none}"), encoding="utf-8")
        pinned = api.invoke("plan", file)
    assert stale.code == 4
    assert 'organisation "beta": channel "Support" would be updated, but it has changed' in stale.err
    assert pinned.code == 1
    for organization in ("acme", "beta"):
        assert f'organisation "{organization}": channel "Support" is pinned to the id none' in pinned.err
