"""``webchat-sync ci``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli import ci_adopt
from webchat_sync.cli.fleet import say_failed
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.saved import plans_argument, read_merged_plan
from webchat_sync.cli.targets import label_option
from webchat_sync.cli.tone import note
from webchat_sync.flat import flat
from webchat_sync.jsonvalue import show
from webchat_sync.sentences import counted

if TYPE_CHECKING:
    from webchat_sync.forge.comment import CommentResult
    from webchat_sync.forge.drift_issue import IssueResult
    from webchat_sync.forge.environment import PipelineRun
    from webchat_sync.model import Plan

SUMMARY_BYTES: Final = 1024 * 1024
"""The limit of a step's job summary in GitHub Actions; above it, nothing is shown."""

MOST_PICTURES: Final = 10
"""The maximum number of drawings in a comment."""

_COMMENT: Final = {
    "posted": "Posted the comment",
    "updated": "Updated the comment",
    "unchanged": "The comment is already up to date",
}
_ABSENT: Final = "No drift, and no open issue."
_ISSUE: Final = {
    "opened": "Opened the issue",
    "updated": "Updated the issue",
    "unchanged": "The issue is already up to date",
    "reopened": "Reopened the issue",
    "closed": "Closed the issue, since nothing has drifted",
}


def _address(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Validates an address for a link, or none."""
    from webchat_sync.render.comment import is_address

    if value and not is_address(value):
        raise click.BadParameter(f"{show(value)} isn't a URL that begins with https:// or http://.", context, parameter)
    return value


report_option = click.option(
    "--report-url",
    metavar="URL",
    default="",
    callback=_address,
    help="The page to link to. Make it with `show --render html=FILE`, and have the pipeline keep it.",
)


@click.group("ci")
def command() -> None:
    """Post plans, and maintain issues and requests, in pipelines.

    Works on GitHub and GitLab; comments also on Bitbucket and Azure DevOps.

    The host is detected from the variables that it sets. GITHUB_TOKEN, GITLAB_TOKEN, BITBUCKET_TOKEN or
    SYSTEM_ACCESSTOKEN must contain a token.

    \b
    Example:
      webchat-sync ci comment plan.json --label production
    """


@command.command(short_help="Post the plan as a comment and in the job summary.")
@plans_argument
@label_option
@report_option
@click.option("--no-summary", is_flag=True, help="Don't write to the job summary of GitHub Actions.")
@click.option("--no-pictures", is_flag=True, help="Don't upload images of the widget to GitLab.")
@click.pass_obj
def comment(
    runtime: Runtime, *, plans: tuple[Path, ...], label: str, report_url: str, no_summary: bool, no_pictures: bool
) -> None:
    """Post the plan as a comment on the pull or merge request, and in the job summary.

    PLAN is a file saved with `plan --out`. Several plans of different organisations become one comment. A later run
    finds the comment by its organisations and label, and replaces it. A plan without changes is posted too. Outside a
    pull or merge request, only the job summary is written.

    GitHub Actions: needs `permissions: pull-requests: write` and GITHUB_TOKEN. GitLab CI: needs GITLAB_TOKEN, a
    project access token with the scope api, since a job token can't write notes. On GitLab, the comment shows the
    widget before and after for up to ten channels; the images are uploaded to the project. Bitbucket Pipelines: needs
    BITBUCKET_TOKEN, a repository access token with the scope pullrequest:write. Azure Pipelines: needs
    SYSTEM_ACCESSTOKEN.

    \b
    Examples:
      webchat-sync ci comment plan.json
      webchat-sync ci comment plan.json --label production
      webchat-sync ci comment plan-*.json
      webchat-sync ci comment plan.json --report-url https://github.com/acme/site/actions/runs/1/artifacts/2
    """
    import anyio

    from webchat_sync.forge.environment import read_run

    plan = read_merged_plan(plans)
    say_failed(plan.failed, plan.names)
    run = read_run(runtime.environ, elsewhere="Elsewhere, print the text with `show --format markdown`.")
    summarized = not no_summary and _summarize(run, plan, label, report_url)
    result = anyio.run(_comment, run, plan, label, report_url, 0 if no_pictures else MOST_PICTURES, runtime)
    if result is None:
        wrote = "only the job summary was written" if summarized else "nothing was written"
        click.echo(f"This run isn't for a pull or merge request, so {wrote}.")
        return
    if result.deleted:
        note(f"Deleted {_comments(result.deleted, 'older')} with the same marker.")
    if result.foreign:
        them = "it" if result.foreign == 1 else "them"
        note(f"Left {_comments(result.foreign)} with the same marker alone because someone else wrote {them}.")
    click.echo(flat(f"{_COMMENT[result.action]}: {result.url}"))


def _comments(count: int, kind: str = "") -> str:
    return counted(count, f"{kind} comment".lstrip())


@command.command()
@plans_argument
@label_option
@report_option
@click.pass_obj
def drift(runtime: Runtime, *, plans: tuple[Path, ...], label: str, report_url: str) -> None:
    """Maintain one issue that lists what has drifted.

    PLAN is a file saved with `drift --out` or `plan --out`. Several plans of different organisations share one issue.
    If there are changes, the issue is opened, updated or reopened; if there are none, it's closed with a comment.
    It's found by its organisations and --label, and the host lists it under the label webchat-sync-drift. As long as
    an organisation fails, no issue is closed.

    GitHub Actions: needs `permissions: issues: write` and GITHUB_TOKEN. GitLab CI: needs GITLAB_TOKEN. Other hosts
    aren't supported.

    \b
    Examples:
      webchat-sync ci drift drift.json
      webchat-sync ci drift drift.json --label production
    """
    import anyio

    from webchat_sync.forge.environment import read_run
    from webchat_sync.render.walk import walk

    plan = read_merged_plan(plans)
    say_failed(plan.failed, plan.names)
    run = read_run(runtime.environ, elsewhere="Elsewhere, print the text with `drift --format markdown`.")
    result = anyio.run(_upsert_issue, run, plan, label, report_url, runtime)
    for section in walk(plan):
        for remark in section.remarks:
            click.echo(flat(f"{remark.level.capitalize()}: {remark.name}: {remark.text}."), err=True)
    if result.action == "absent":
        failed = f"No drift in what could be read, but {counted(len(plan.failed), 'organisation')} failed."
        click.echo(failed if plan.failed else _ABSENT)
    else:
        click.echo(flat(f"{_ISSUE[result.action]}: {result.url}"))


def _summarize(run: PipelineRun, plan: Plan, label: str, report_url: str) -> bool:
    """Append the plan to the job summary; returns whether there was one, with enough room."""
    from webchat_sync.errors import Diagnostic, InputError
    from webchat_sync.render.comment import render_summary

    if run.summary is None:
        return False
    try:
        size = run.summary.stat().st_size if run.summary.exists() else 0
        text = render_summary(plan, label=label, room=SUMMARY_BYTES - size, report_url=report_url, host=run.host)
        with run.summary.open("a", encoding="utf-8") as summary:
            summary.write(text)
    except OSError as error:
        hint = "Check GITHUB_STEP_SUMMARY, or use --no-summary."
        problem = Diagnostic(f"can't write the job summary {run.summary}: {error.strerror}", hint=hint)
        raise InputError([problem]) from None
    if not text:
        note("The job summary has no room left for the plan.")
    return bool(text)


async def _comment(
    run: PipelineRun, plan: Plan, label: str, report_url: str, most_pictures: int, runtime: Runtime
) -> CommentResult | None:
    """The result of the comment; None if the run isn't for a pull or merge request."""
    from webchat_sync.forge.comment import place_pictures, upsert_comment
    from webchat_sync.forge.host import knows_html, most_characters, open_comments
    from webchat_sync.render.comment import about_the_same, comment_marker, render_comment
    from webchat_sync.render.picture import pictures_of

    if run.number is None and not run.head:
        return None
    is_marker = partial(about_the_same, marker=comment_marker(plan, label, with_html=knows_html(run)))
    async with open_comments(run, runtime) as forge:
        number = run.number or await forge.request_of(run.head)
        if number is None:
            return None
        pictures = pictures_of(plan, most=most_pictures)
        to_place = [(picture.name, picture.svg) for picture in pictures.values()]
        placed = await place_pictures(forge, number, to_place, is_marker=is_marker)
        if placed.failure is not None:
            click.echo(flat(f"The comment has no images: {placed.failure}"), err=True)
        body = render_comment(
            plan,
            label=label,
            run_url=run.run_url,
            longest=most_characters(run),
            report_url=report_url,
            with_html=knows_html(run),
            host=run.host,
            pictures={
                channel: placed.addresses[picture.name]
                for channel, picture in pictures.items()
                if picture.name in placed.addresses
            },
        )
        return await upsert_comment(forge, number, body, is_marker=is_marker, sleep=runtime.sleep)


async def _upsert_issue(run: PipelineRun, plan: Plan, label: str, report_url: str, runtime: Runtime) -> IssueResult:
    from webchat_sync.forge.drift_issue import Report, upsert_issue
    from webchat_sync.forge.host import most_characters, open_forge
    from webchat_sync.plan.summary import has_changes
    from webchat_sync.render.comment import about_the_same, drift_marker, drift_title, render_drift, render_farewell

    report = Report(
        partial(about_the_same, marker=drift_marker(plan, label)),
        drift_title(plan, label),
        render_drift(plan, label=label, run_url=run.run_url, longest=most_characters(run), report_url=report_url),
    )
    farewell = render_farewell(plan, run_url=run.run_url)
    async with open_forge(run, runtime, to_write="issues") as forge:
        drifted = has_changes(plan) or (None if plan.failed else False)
        return await upsert_issue(forge, report, drifted=drifted, farewell=farewell, sleep=runtime.sleep)


command.add_command(ci_adopt.command)
