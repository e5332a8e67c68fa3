"""``webchat-sync adopt``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.approval import approved
from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, key_variables
from webchat_sync.cli.files import read_bytes, unwritable
from webchat_sync.cli.fleet import FleetOptions, exit_codes, fleet_options, read_fleet, say_failed
from webchat_sync.cli.manifests import manifest_environ, overlay_option, paths_argument, quoting
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.tone import note, use_color
from webchat_sync.errors import Diagnostic, InputError, worst_exit_code
from webchat_sync.flat import flat
from webchat_sync.frozen import frozen
from webchat_sync.sentences import counted, in_a_row

if TYPE_CHECKING:
    from webchat_sync.manifest.adopt import Edited
    from webchat_sync.model import LiveChannel
    from webchat_sync.workflow.adopt import Adopted, Subject

FEW: Final = 5
"""How many undeclared channels to name in the suggested command that imports them."""

NOTHING: Final = "Nothing to adopt: the files match what is live."
NONE_READ: Final = "Nothing to adopt: none of the run's organisations is in this shard."
NOTHING_MORE: Final = "Nothing to adopt: the differences above remain."
NOTHING_ELSE: Final = "Nothing to adopt from the other organisations."
QUESTION: Final = "Do you want to write these changes to the files?"
_FAILS: Final = "with this live value, `validate` and `plan` will fail"
_WARNS: Final = "with this live value, `validate` will warn"
_FIX: Final = "Change it live, then run adopt again."
_FIX_POLICY: Final = "Change it live, then run adopt again; or change the policy."
REFUSED: Final = "Adopt cancelled. No files were changed."


@frozen
class Asked:
    """The files to update, and where the live channels are."""

    paths: Sequence[Path]
    overlays: Sequence[Path]
    connection: ConnectionOptions
    fleet: FleetOptions


def adopt_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the options of what an adopt reads, and hand them to it as ``asked``."""

    @paths_argument
    @overlay_option
    @connection_options
    @fleet_options
    @wraps(command)
    def wrapped(
        *arguments: object,
        paths: tuple[Path, ...],
        overlays: tuple[Path, ...],
        connection: ConnectionOptions,
        fleet: FleetOptions,
        **rest: object,
    ) -> object:
        return command(*arguments, asked=Asked(paths or (Path(),), overlays, connection, fleet), **rest)

    return wrapped


@click.command("adopt")
@adopt_options
@click.option("--auto-approve", is_flag=True, help="Write the files without asking.")
@click.option("--check", is_flag=True, help="Only show what would change, and exit with 2 if anything would.")
@click.pass_obj
def command(runtime: Runtime, *, asked: Asked, auto_approve: bool, check: bool) -> int:
    """Update the files to match what is live, in place. Nothing is written to the server.

    PATH is a manifest file or a folder of them (*.yaml, *.yml, *.json); without one, the current directory.

    Channels are pinned to their ids, and declared fields get their live values. Fields that aren't declared, or are
    listed in sync.ignore, don't change, nor do channels that aren't live or are declared absent. Comments, order,
    quotes and anchors are kept, and so is every ${VARIABLE} that still gives the live value. A file that's
    formatted with `fmt` stays formatted. If a value came from the defaults, an anchor or a variable and no longer
    matches, the channel gets its own value.

    With --overlay, a value goes back to the file that it came from, unless that file is shared. Values from a
    manifest that doesn't name its organisation go into the last overlay, ids included, so that other environments
    don't change. If overlays apply to a shared manifest and you don't give one, adopt refuses.

    A live value that breaks a policy, or another rule that `validate` checks, is adopted too, with a warning.

    If one of several organisations fails, it's reported and left out, and the exit code is the most severe one.

    Shows the changes as a diff, asks for `yes`, then writes the files. Outside a terminal, for example in a pipeline,
    --auto-approve or --check is required.

    \b
    Examples:
      webchat-sync adopt channels/
      webchat-sync adopt channels/support.yaml --auto-approve
      webchat-sync adopt channels/ --check > drift.diff
      webchat-sync adopt channels/ --overlay staging.yaml
      webchat-sync adopt channels/ --target-org 'acme-*'
    """
    if not (auto_approve or check or runtime.interactive):
        raise click.UsageError(
            "adopt can't ask for approval here: use --auto-approve or --check, or run it in a terminal."
        )
    adopted = adopt_live(asked, runtime)
    say_left(adopted, sandbox=asked.connection.sandbox)
    codes = exit_codes(adopted.undo.failed)
    if not adopted.edited:
        note(_nothing(adopted))
        return worst_exit_code(codes)
    _show(adopted.edited, color=use_color(runtime))
    say_broken(find_broken({file: edited.data for file, edited in adopted.edited}, asked, runtime))
    if check:
        return worst_exit_code([*codes, 2])
    if not auto_approve and not approved(QUESTION, refused=REFUSED):
        return worst_exit_code([*codes, 1])
    for file, edited in adopted.edited:
        _write(file, edited)
    return worst_exit_code(codes)


def adopt_live(asked: Asked, runtime: Runtime) -> Adopted:
    """The edits that make the files match the live channels. Raises the errors of reading and planning."""
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.workflow.adopt import adopt, refuse_shared
    from webchat_sync.workflow.listings import list_readings

    catalogue, paths, overlays, connection = load_catalogue(), asked.paths, asked.overlays, asked.connection
    # Files that break a policy must still be able to follow a fix made live.
    manifests, selection = read_fleet(
        paths, connection, catalogue, runtime, overlays, asked.fleet, policies=False, planning=False
    )
    subject = _subject(asked, runtime)
    with quoting([*paths, *overlays]):
        refuse_shared(subject)
        with connect(connection, runtime, key_variables(manifests), manifests) as connected:
            readings = wait_for(lambda: list_readings(connected, runtime, single=len(manifests) == 1))
        return adopt(manifests, subject, readings, catalogue, runtime.now(), limited=selection.limited)


def find_broken(files: Mapping[Path, bytes], asked: Asked, runtime: Runtime) -> list[Diagnostic]:
    """What `validate` will say about live values once ``files`` are written, and what to do about each."""
    from webchat_sync.check.policy import CODE
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.workflow.adopt import broken_rules

    problems = broken_rules(_subject(asked, runtime), files, load_catalogue())
    return [
        replace(problem, hint=f"{problem.hint} {_FIX_POLICY if problem.code == CODE else _FIX}".lstrip())
        for problem in problems
    ]


def say_broken(problems: Sequence[Diagnostic]) -> None:
    """Print what breaks a rule to stderr, as warnings: someone else may decide what to change."""
    _print_problems(
        [
            replace(
                problem,
                message=f"{_FAILS if problem.severity == 'error' else _WARNS}: {problem.message}",
                severity="warning",
            )
            for problem in problems
        ]
    )


def _subject(asked: Asked, runtime: Runtime) -> Subject:
    from webchat_sync.workflow.adopt import Subject

    organization, variables = (
        asked.connection.default_organization(runtime),
        manifest_environ(asked.connection, runtime),
    )
    return Subject(asked.paths, asked.overlays, organization, variables)


def say_left(adopted: Adopted, *, sandbox: bool, undeclared: bool = True) -> None:
    """Print failures and remaining differences to stderr; with ``undeclared``, also channels in no file."""
    say_failed(adopted.undo.failed, adopted.undo.names)
    _print_problems(adopted.left)
    for organization, channels in adopted.undeclared.items() if undeclared else ():
        _print_undeclared(organization, channels, sandbox=sandbox, several=len(adopted.undeclared) > 1)


def _nothing(adopted: Adopted) -> str:
    if adopted.undo.failed:
        return NOTHING_ELSE
    if not adopted.undo.names:
        return NONE_READ
    return NOTHING_MORE if adopted.left else NOTHING


def _show(edited: Sequence[tuple[Path, Edited]], *, color: bool) -> None:
    from webchat_sync.render.edits import render_edit

    for _, document in edited:
        _print_problems(document.notes)
        before, after = (data.decode("utf-8-sig") for data in (document.source.data, document.data))
        click.echo(render_edit(document.source.name, before, after, color=color), nl=False, color=color)


def _print_problems(problems: Sequence[Diagnostic]) -> None:
    from webchat_sync.render.problems.text import render_problems

    if problems:
        click.echo(render_problems(problems), err=True)


def _print_undeclared(organization: str, undeclared: Sequence[LiveChannel], *, sandbox: bool, several: bool) -> None:
    from webchat_sync.render.values import inline

    few = undeclared[:FEW]
    names = in_a_row([inline(channel.name) for channel in undeclared], most=FEW)
    words = ["webchat-sync", "import", "--org", organization, *(["--sandbox"] if sandbox else [])]
    words += [word for channel in few for word in ("--only", channel.id)]
    left_out = counted(len(undeclared), "live channel isn't", "live channels aren't")
    of = f" of organisation {inline(organization)}" if several else ""
    them = "it" if len(undeclared) == 1 else "each" if len(undeclared) <= FEW else f"each of the first {FEW}"
    note(f"{left_out} in any file{of}: {names}. To write a file for {them}:")
    note(f"  {flat(shlex.join([*words, '--out', 'imported/']))}")


def _write(file: Path, edited: Edited) -> None:
    """Write one file; raises InputError if that's impossible or if it has changed since it was read."""
    from webchat_sync.files import replace_bytes

    if read_bytes(file) != edited.source.data:
        raise InputError(
            [Diagnostic(f"{file} has changed since it was read, so it's left as it is", hint="Run adopt again.")]
        )
    try:
        replace_bytes(file, edited.data)
    except OSError as error:
        raise InputError([unwritable(file, error)]) from None
    note(f"Wrote {file}.")
