"""``webchat-sync apply``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, open_apis
from webchat_sync.cli.files import write_text
from webchat_sync.cli.lock import apply_lock
from webchat_sync.cli.manifests import paths_argument, read_manifests
from webchat_sync.cli.output import no_color_option, use_color
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import GuardError

if TYPE_CHECKING:
    from webchat_sync.apply.account import Task
    from webchat_sync.apply.ports import ChannelApi
    from webchat_sync.cli.progress import Display
    from webchat_sync.fields import Catalogue
    from webchat_sync.model import ApplyReport, Manifest, Outcome, Plan
    from webchat_sync.plan.make import Listing

EXIT_CODES: Final[Mapping[Outcome, int]] = {
    "converged": 0,
    "incomplete": 3,
    "not_converged": 3,
    "interrupted": 130,
    "refused": 1,
}
"""By outcome; stale plans and guards come as errors with codes of their own."""


@click.command("apply")
@paths_argument
@connection_options
@click.option("--auto-approve", is_flag=True, help="Do not ask before the changes are made.")
@click.option(
    "--parallelism",
    metavar="N",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="How many channels are written to at once.",
)
@click.option("--fail-fast", is_flag=True, help="After a failure, start nothing more.")
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the account of the run to FILE as JSON, however it ends.",
)
@no_color_option
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    connection: ConnectionOptions,
    auto_approve: bool,
    parallelism: int,
    fail_fast: bool,
    report: Path | None,
    no_color: bool,
) -> int:
    """Make the live channels equal to the manifests.

    Shows the plan, asks for `yes`, makes the changes, then reads the channels again and says whether they are
    as declared. Deletes come last, and only when everything else worked. Where nobody can be asked, in a
    pipeline, --auto-approve is required.

    A failure stops its own channel only; run apply again to go on. Ctrl-C lets what is in flight finish.

    \b
    Examples:
      webchat-sync apply channels/
      webchat-sync apply channels/ --auto-approve --report report.json
      webchat-sync apply examples/quickstart --sandbox --auto-approve
    """
    if not auto_approve and not runtime.interactive:
        raise click.UsageError("apply cannot ask for approval here: give --auto-approve, or run it in a terminal.")
    import anyio

    from webchat_sync.fields import load_catalogue

    catalogue = load_catalogue()
    manifests = read_manifests(paths, connection, catalogue, runtime)
    course = _Course(runtime, catalogue, manifests, auto_approve, parallelism, fail_fast, use_color(no_color, runtime))

    async def whole() -> ApplyReport:
        with apply_lock(runtime), connect(connection, runtime) as connected:
            organizations = [manifest.organization for manifest in manifests]
            async with open_apis(connected, organizations, runtime, on_wait=course.waiting) as apis:
                return await course.run(apis, connected.label)

    try:
        ended = anyio.run(whole)
    finally:
        if report is not None and course.plan is not None:
            _write_report(report, course, runtime)
    return EXIT_CODES[ended.outcome]


@dataclass(slots=True)
class _Course:
    """One apply on its way: ``plan``, ``tasks`` and ``outcome`` tell how far it came, also when an error ends it."""

    runtime: Runtime
    catalogue: Catalogue
    manifests: Sequence[Manifest]
    auto_approve: bool
    parallelism: int
    fail_fast: bool
    color: bool
    plan: Plan | None = None
    tasks: Sequence[Task] = ()
    ended: ApplyReport | None = None
    display: Display | None = None

    def waiting(self, seconds: float) -> None:
        """A call is held back that long for the rate limit."""
        if self.display is not None:
            self.display.waiting(seconds)

    async def run(self, apis: Mapping[str, ChannelApi], base_url: str) -> ApplyReport:
        """Read, plan, show, ask, apply, verify; raises GuardError when the plan is refused."""
        from webchat_sync.apply.account import open_account, results
        from webchat_sync.apply.read import read_listings
        from webchat_sync.model import ApplyReport
        from webchat_sync.plan.make import has_changes, make_plan
        from webchat_sync.render.report import render_report
        from webchat_sync.render.text import render_plan

        listings = await read_listings(apis, apis, base_url=base_url)
        sides = [(manifest, listings[manifest.organization]) for manifest in self.manifests]
        self.plan = make_plan(sides, catalogue=self.catalogue, created_at=self.runtime.now())
        self.tasks = open_account(self.plan)
        self.ended = ApplyReport("refused", results(self.tasks))
        click.echo(render_plan(self.plan, color=self.color), color=self.color)
        if self.plan.refusals:
            raise GuardError(self.plan.refusals)
        if not has_changes(self.plan):
            self.ended = ApplyReport("converged", ())
        elif self.auto_approve or _approved():
            self.ended = None
            self.ended = await self._converge(apis, listings)
            click.echo(render_report(self.plan, self.ended))
        return self.ended

    async def _converge(self, apis: Mapping[str, ChannelApi], listings: Mapping[str, Listing]) -> ApplyReport:
        from anyio import create_task_group

        from webchat_sync.apply.converge import converge
        from webchat_sync.apply.run import Interrupt, Settings
        from webchat_sync.cli.progress import show_progress
        from webchat_sync.cli.signals import watch_signals

        runtime, interrupt = self.runtime, Interrupt()
        settings = Settings(runtime.new_id, runtime.sleep, self.parallelism, self.fail_fast)
        with show_progress(sum(len(task.results) for task in self.tasks), runtime) as self.display:
            async with create_task_group() as beside:
                beside.start_soon(watch_signals, interrupt)
                beside.start_soon(self.display.tick)
                report = await converge(
                    self.tasks,
                    self.manifests,
                    apis,
                    listings=listings,
                    catalogue=self.catalogue,
                    settings=settings,
                    observer=self.display,
                    interrupt=interrupt,
                    now=runtime.now,
                )
                beside.cancel_scope.cancel()
        return report


def _approved() -> bool:
    click.echo("\nDo you want to perform these actions? Only 'yes' will be accepted.", err=True)
    answer: str = click.prompt("  Enter a value", default="", show_default=False, err=True)
    if answer == "yes":
        return True
    click.echo("Apply cancelled. Nothing was changed.", err=True)
    return False


def _write_report(path: Path, course: _Course, runtime: Runtime) -> None:
    from webchat_sync.apply.account import results
    from webchat_sync.model import ApplyReport
    from webchat_sync.render.report_json import render_report

    ended = course.ended or ApplyReport("incomplete", results(course.tasks))
    write_text(path, render_report(ended, created_at=runtime.now()) + "\n")
