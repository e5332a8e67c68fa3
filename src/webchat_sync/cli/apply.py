"""``webchat-sync apply``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.apply import DEFAULT_PARALLELISM
from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, key_variables
from webchat_sync.cli.debug import json_lines
from webchat_sync.cli.files import in_use, output_path
from webchat_sync.cli.fleet import FleetOptions, exit_codes, fleet_options, read_fleet
from webchat_sync.cli.guards import guard_options
from webchat_sync.cli.manifests import overlay_option, paths_argument, quoting
from webchat_sync.cli.memory import MemoryOptions, holding, memory_options, memory_place
from webchat_sync.cli.old_commit import old_commit_option, refuse_old_commit
from webchat_sync.cli.output import Output
from webchat_sync.cli.report import page_option, print_report, write_page, write_report
from webchat_sync.cli.rotations import (
    adopt_secret_option,
    remove_twins_option,
    rotate_option,
    secret_rules,
    strict_option,
    take_over_option,
    verify_option,
)
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.saved import saved_source, split_saved_plans
from webchat_sync.cli.targets import target_option
from webchat_sync.errors import (
    ApplyError,
    InputError,
    LockedError,
    MemoryUnavailableError,
    WebchatSyncError,
    machine_fault,
    worst_exit_code,
)

if TYPE_CHECKING:
    from webchat_sync.cli.events import Write
    from webchat_sync.memory.ports import Holder
    from webchat_sync.model import ApplyReport, Manifest, OrganizationPlan, Outcome
    from webchat_sync.plan.guard import GuardOptions
    from webchat_sync.workflow.apply import Screen
    from webchat_sync.workflow.run import ApplyRun
    from webchat_sync.workflow.sources import Source

EXIT_CODES: Final[Mapping[Outcome, int]] = {
    "converged": 0,
    "incomplete": 3,
    "not_converged": 3,
    "interrupted": 130,
    "refused": 1,
}
"""By outcome; stale plans and guards raise errors with their own codes."""

_LOOK: Final = "The report above lists what was done, what wasn't and what is in doubt, and what to do next."
_UNRECORDED: Final = (
    "The report above is complete. Once the memory can be written again, run apply again: it records what is live, and "
    "repeats nothing that's done."
)


@click.command("apply", short_help="Change the live channels to match the manifests or a saved plan.")
@paths_argument
@overlay_option
@connection_options
@click.option("--auto-approve", is_flag=True, help="Make the changes without asking.")
@click.option(
    "--parallelism",
    metavar="N",
    type=click.IntRange(min=1),
    default=DEFAULT_PARALLELISM,
    show_default=True,
    help="How many channels to write to at once.",
)
@click.option("--fail-fast", is_flag=True, help="Stop starting new calls after the first failure.")
@click.option(
    "--report",
    metavar="FILE",
    type=output_path,
    help="Once the manifests or the saved plan have been read without errors, write the report of the run to FILE as "
    "JSON, however the run ends.",
)
@click.option(
    "--events",
    metavar="FILE",
    type=output_path,
    help="Write events to FILE as they happen, one JSON object per line. With `-`, they go to stdout, and all text to "
    "stderr.",
)
@page_option
@fleet_options
@target_option
@rotate_option
@adopt_secret_option
@verify_option
@take_over_option
@memory_options
@remove_twins_option
@strict_option
@guard_options
@old_commit_option
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
    events: Path | None,
    files: Sequence[tuple[str, Path]],
    fleet: FleetOptions,
    targets: tuple[str, ...],
    rotate: tuple[str, ...],
    adopt_secrets: tuple[str, ...],
    verify_secrets: bool,
    take_over_sinks: bool,
    memory: MemoryOptions,
    remove_twins: bool,
    strict: bool,
    guards: GuardOptions,
    allow_old_commit: bool,
) -> int:
    """Change the live channels to match the manifests, or apply a saved plan.

    Shows the plan, asks for `yes`, makes the changes, then reads the channels again and checks that they're as
    declared. Deletes run last, and only if everything else in the organisation succeeded. Outside a terminal, for
    example in a pipeline, --auto-approve is required.

    PATH is a manifest file or a folder of them, or a plan saved with `plan --out`; without one, the current directory.
    A saved plan is applied exactly as it was reviewed. If the live channels or the manifests given with it have changed
    since, it's refused.

    A failure stops only its own channel, and an organisation that can't be reached doesn't stop the others. Run
    apply again to continue. Ctrl-C lets calls in flight finish.

    \b
    Examples:
      webchat-sync apply channels/
      webchat-sync apply plan.json --auto-approve --report report.json
      webchat-sync apply plan.json --auto-approve --render html=report.html
      webchat-sync apply channels/ --auto-approve --events -
      webchat-sync apply plan-1.json plan-2.json --auto-approve
      webchat-sync apply channels/ --target 'Support*'
      webchat-sync apply channels/ --rotate Support --verify-secrets
      webchat-sync apply examples/quickstart --sandbox --auto-approve
    """
    if not auto_approve and not runtime.interactive:
        raise click.UsageError("apply can't ask for approval here: use --auto-approve, or run it in a terminal.")
    plan_files, manifest_paths = split_saved_plans(paths)
    if plan_files:
        limits = {"--target": targets, "--target-org": fleet.organizations, "--shard": fleet != FleetOptions()}
        decided = {"--rotate": rotate, "--adopt-secret": adopt_secrets, "--remove-twins": remove_twins}
        _refuse_beside_plan(limits, () if manifest_paths else overlays, decided)
    pages = {f"--render {name}={file}": file for name, file in files}
    others = {"--report": report, "--events": events, "--debug-http": connection.debug_http, **pages}
    output = Output("text", ()).checked(others, paths or [Path()], overlays)
    from webchat_sync.cli.events import EventScreen
    from webchat_sync.cli.screen import CommandScreen
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.render.events import ended
    from webchat_sync.workflow.apply import ApplyOptions, apply
    from webchat_sync.workflow.plan import PlanOptions
    from webchat_sync.workflow.run import ApplyRun
    from webchat_sync.workflow.sources import FromManifests

    if not allow_old_commit and runtime.environ.get("GITHUB_ACTIONS") == "true":
        refuse_old_commit(runtime)
    catalogue = load_catalogue()
    source: Source
    settings: Sequence[Manifest | OrganizationPlan]
    if plan_files:
        saved = saved_source(plan_files, manifest_paths, overlays, connection, catalogue, runtime)
        source, settings = saved, saved.saved.organizations
    else:
        manifests, selection = read_fleet(manifest_paths, connection, catalogue, runtime, overlays, fleet)
        planning = PlanOptions(
            targets=targets,
            rotate=rotate,
            adopt_secrets=adopt_secrets,
            remove_twins=remove_twins,
            with_digests=False,
            selection=selection,
        )
        source, settings = FromManifests(manifests=manifests, options=planning), manifests
    ledgers = {f"settings.ledger of {item.organization}": Path(item.ledger) for item in settings if item.ledger}
    options = ApplyOptions(
        guards=guards,
        secrets=secret_rules(
            runtime,
            verify=verify_secrets,
            take_over_sinks=take_over_sinks,
            reserved=in_use({**others, "--api-key-file": connection.api_key_file, **ledgers}),
        ),
        strict=strict,
        attended=not auto_approve,
        parallelism=parallelism,
        fail_fast=fail_fast,
    )
    progress = ApplyRun()

    def carry_out(screen: Screen, waiting: Callable[[Holder], object]) -> ApplyReport:
        place = memory_place(settings, memory.given, connection, runtime, manifest_paths, overlays)
        # Outside the event loop, which would delay signals during the wait for the lock.
        with (
            holding(place, memory, connection, runtime, waiting, rotates=bool(rotate)) as remembered,
            connect(connection, runtime, key_variables(settings), settings) as connected,
        ):
            return wait_for(lambda: apply(source, connected, runtime, catalogue, options, remembered, screen, progress))

    with quoting(manifest_paths or ([] if plan_files else [Path()])), json_lines("--events", events, runtime) as write:
        plain = CommandScreen(runtime, output, auto_approve=auto_approve)
        screen = EventScreen(plain, write) if write else plain
        try:
            waiting = _lock_event_writer(write)
            return _run(lambda: carry_out(screen, waiting), progress, report, tuple(pages.values()), runtime, output)
        finally:
            if write:
                for event in ended(progress.report):
                    write(event)


def _lock_event_writer(write: Write | None) -> Callable[[Holder], object]:
    """A function that writes the event that another run holds the lock, if events are written."""
    from webchat_sync.render.events import waiting_for_lock

    return lambda holder: write(waiting_for_lock(str(holder))) if write else None


def _refuse_beside_plan(limits: Mapping[str, object], overlays: Sequence[Path], decided: Mapping[str, object]) -> None:
    """Raise UsageError for options that only apply to manifests, and not to a saved plan."""
    if option := next((option for option, given in limits.items() if given), None):
        raise click.UsageError(
            f"{option} can only be used when the plan is made; a saved plan is always applied as a whole."
        )
    if overlays:
        raise click.UsageError("--overlay applies to manifests: also give their paths, or remove it.")
    if option := next((option for option, given in decided.items() if given), None):
        raise click.UsageError(
            f"{option} can only be used when the plan is made, with plan --out; apply then follows the saved plan."
        )


def _run(
    carry_out: Callable[[], ApplyReport],
    run: ApplyRun,
    report: Path | None,
    pages: Sequence[Path],
    runtime: Runtime,
    output: Output,
) -> int:
    """Carry it out, print the report, write the report and the pages however it ends, and return the exit code.

    No pages are written if it's interrupted, since an interrupted job is killed soon after.
    """
    reported = True
    try:
        ended = carry_out()
        code = worst_exit_code([EXIT_CODES[ended.outcome], *exit_codes(ended.failed)])
        if run.began:
            print_report(run, output)
    except (KeyboardInterrupt, click.Abort):
        run.outcome = "interrupted"
        raise
    except Exception as error:
        if not run.began and isinstance(error, MemoryUnavailableError) and not isinstance(error, LockedError):
            error.hint = f"Nothing was written. {error.hint}"
        if run.began and (reason := _early_end(error)):
            print_report(run, output)
            what, hint = (
                ("what was done can't be recorded", _UNRECORDED) if run.ended else ("the run stopped early", _LOOK)
            )
            raise ApplyError(f"{what}: {reason}", hint=hint) from error
        raise
    finally:
        if report is not None:
            reported = write_report(report, run, runtime)
        for page in pages if run.report.outcome != "interrupted" else ():
            reported = write_page(page, run, runtime) and reported
    if reported:
        return code
    return code or (EXIT_CODES["incomplete"] if run.began else 1)


def _early_end(error: Exception) -> str:
    """Why a run that had begun was ended by ``error``; empty if it's reported otherwise or is a bug."""
    if isinstance(error, WebchatSyncError):
        return error.message if isinstance(error, InputError | MemoryUnavailableError) else ""
    return machine_fault(error)
