"""``webchat-sync apply``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, key_variables, open_apis
from webchat_sync.cli.files import output_path, write_private_text
from webchat_sync.cli.guards import guard_options
from webchat_sync.cli.lock import apply_lock
from webchat_sync.cli.manifests import overlay_option, paths_argument, quoting, read_manifests
from webchat_sync.cli.output import Output, no_color_option, quiet_option, render_option, verbose_option
from webchat_sync.cli.pages import apply_page
from webchat_sync.cli.rotations import adopt_secret_option, open_rotations, rotate_option, strict_option, verify_option
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.saved import read_saved_plan, split_saved_plan
from webchat_sync.cli.targets import target_option
from webchat_sync.errors import ApplyError, InputError, WebchatSyncError, machine_fault

if TYPE_CHECKING:
    from webchat_sync.cli.course import Course
    from webchat_sync.model import ApplyReport, Outcome
    from webchat_sync.plan.guard import GuardOptions

EXIT_CODES: Final[Mapping[Outcome, int]] = {
    "converged": 0,
    "incomplete": 3,
    "not_converged": 3,
    "interrupted": 130,
    "refused": 1,
}
"""By outcome; stale plans and guards come as errors with codes of their own."""

_LOOK: Final = "The account above says what is done, what is not and what is in doubt. Run apply again to go on."


@click.command("apply")
@paths_argument
@overlay_option
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
    type=output_path,
    help="Write the account of the run to FILE as JSON, however it ends.",
)
@render_option(("html",))
@target_option
@rotate_option
@adopt_secret_option
@verify_option
@strict_option
@guard_options
@verbose_option
@quiet_option
@no_color_option
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    overlays: tuple[Path, ...],
    connection: ConnectionOptions,
    auto_approve: bool,
    parallelism: int,
    fail_fast: bool,
    report: Path | None,
    files: Sequence[tuple[str, Path]],
    targets: tuple[str, ...],
    rotate: tuple[str, ...],
    adopt_secrets: tuple[str, ...],
    verify_secrets: bool,
    strict: bool,
    guards: GuardOptions,
    verbose: bool,
    quiet: bool,
    no_color: bool,
) -> int:
    """Make the live channels equal to the manifests, or carry out a saved plan.

    Shows the plan, asks for `yes`, makes the changes, then reads the channels again and says whether they are
    as declared. Deletes come last, and only when everything else worked. Where nobody can be asked, in a
    pipeline, --auto-approve is required.

    PATH is a manifest file or a folder of them, or one plan that `plan --out` saved: that plan is applied as it
    was reviewed or, when what is live or the manifests beside it changed since, not at all.

    A failure stops its own channel only; run apply again to go on. Ctrl-C lets what is in flight finish.

    \b
    Examples:
      webchat-sync apply channels/
      webchat-sync apply plan.json --auto-approve --report report.json
      webchat-sync apply plan.json --auto-approve --render html=report.html
      webchat-sync apply channels/ --target 'Support*'
      webchat-sync apply channels/ --rotate Support --verify-secrets
      webchat-sync apply examples/quickstart --sandbox --auto-approve
    """
    if not auto_approve and not runtime.interactive:
        raise click.UsageError("apply cannot ask for approval here: give --auto-approve, or run it in a terminal.")
    if verbose and quiet:
        raise click.UsageError("--verbose and --quiet contradict each other.")
    plan_file, manifest_paths = split_saved_plan(paths)
    if plan_file is not None and targets:
        raise click.UsageError("--target limits a plan when it is made; a saved plan is applied whole.")
    if plan_file is not None and overlays and not manifest_paths:
        raise click.UsageError("--overlay goes over manifests; give them beside the saved plan, or leave it out.")
    if plan_file is not None and (rotate or adopt_secrets):
        option = "--rotate" if rotate else "--adopt-secret"
        raise click.UsageError(f"{option} is for plan --out when the plan is saved; apply then does what it says.")
    pages = {f"--render {name}={file}": file for name, file in files}
    others = {"--report": report, "--debug-http": connection.debug_http, **pages}
    output = Output("text", (), verbose=verbose, quiet=quiet, no_color=no_color)
    output = output.checked(others, paths or [Path()], overlays)
    from webchat_sync.cli.course import Course
    from webchat_sync.domain.catalogue import load_catalogue

    catalogue = load_catalogue()
    saved = read_saved_plan(plan_file) if plan_file else None
    manifests = None
    if manifest_paths or not saved:
        manifests = read_manifests(manifest_paths, connection, catalogue, runtime, overlays)
    course = Course(
        runtime=runtime,
        catalogue=catalogue,
        saved=saved,
        manifests=manifests,
        organization=connection.organization,
        targets=targets,
        rotate=rotate,
        adopt_secrets=adopt_secrets,
        strict=strict,
        guards=guards,
        auto_approve=auto_approve,
        parallelism=parallelism,
        fail_fast=fail_fast,
        output=output,
    )

    async def whole() -> ApplyReport:
        variables = key_variables(saved.organizations if saved else manifests or ())
        with apply_lock(runtime), connect(connection, runtime, variables) as connected:
            async with open_apis(connected, course.organizations, runtime, on_wait=course.waiting) as apis:
                rotations = open_rotations(apis, connected, course.ledgers, runtime, verify=verify_secrets)
                return await course.run(apis, connected.label, rotations)

    with quoting(manifest_paths or ([] if saved else [Path()])):
        return _run(course, whole, report, tuple(pages.values()))


def _run(
    course: Course, whole: Callable[[], Awaitable[ApplyReport]], report: Path | None, pages: Sequence[Path]
) -> int:
    """Run the course, write the report and the pages however it ends, and return the exit code."""
    reported = True
    try:
        code = EXIT_CODES[wait_for(whole).outcome]
    except (KeyboardInterrupt, click.Abort):
        course.outcome = "interrupted"
        raise
    except Exception as error:
        if course.began and (reason := _broken_off(error)):
            course.tell()
            raise ApplyError(f"the run was broken off: {reason}", hint=_LOOK) from error
        raise
    finally:
        if report is not None:
            reported = _report(report, course)
        for page in pages:
            reported = _page(page, course) and reported
    if reported:
        return code
    return code or (EXIT_CODES["incomplete"] if course.began else 1)


def _broken_off(error: Exception) -> str:
    """Why a run that had begun ended with ``error``, where that is not for exit code 3 or a fault of the program."""
    if isinstance(error, WebchatSyncError):
        return error.message if error.exit_code == 1 else ""
    return machine_fault(error)


def _report(path: Path, course: Course) -> bool:
    """Write the report; where that fails, say so and, after changes were made, put it on stderr instead."""
    from webchat_sync.render.problems import render_error

    text = course.report_json()
    try:
        write_private_text(path, text)
    except InputError as error:
        click.echo(render_error(error), err=True)
        if course.began:
            click.echo(f"The report, which is not in {path}:\n{text}", err=True)
        return False
    return True


def _page(path: Path, course: Course) -> bool:
    """Write the page of the run, once there is a plan to show; where that fails, say so."""
    from webchat_sync.render.problems import render_error

    if course.plan is None:
        return True
    try:
        write_private_text(path, apply_page(course.plan, course.report, course.runtime))
    except InputError as error:
        click.echo(render_error(error), err=True)
        return False
    return True
