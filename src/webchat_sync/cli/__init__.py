"""The command line: parsing, wiring, renderers, and errors as exit codes."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Final

import click

from webchat_sync import __version__
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.signals import ENDING
from webchat_sync.cli.streams import flush_stdout, prepare_streams
from webchat_sync.cli.tone import with_tone
from webchat_sync.environment import COMPLETE_VARIABLE, OWN_FOLDER
from webchat_sync.errors import WebchatSyncError

USAGE: Final = 64
"""Wrong command-line usage (EX_USAGE of sysexits); click's own 2 would mean that the plan has changes."""

INTERRUPTED: Final = 130
"""Ended by Ctrl-C, as shells report SIGINT."""

CRASHED: Final = 70
"""A bug of the program (EX_SOFTWARE of sysexits)."""

COMMANDS: Final = {
    "plan": "plan",
    "apply": "apply",
    "show": "show",
    "drift": "drift",
    "ci": "ci",
    "snapshot": "snapshot",
    "shapes": "shapes",
    "validate": "validate",
    "fmt": "fmt",
    "preview": "preview",
    "schema": "schema",
    "init": "init",
    "import": "import_",
    "adopt": "adopt",
    "hours": "hours",
    "snippet": "snippet",
    "secret": "secret",
    "history": "history",
    "unlock": "unlock",
    "avatar": "avatar",
    "message": "message",
    "media": "media",
    "emulator": "emulator",
    "help": "help",
    "version": "version",
}
"""Each command and the module of this package that contains it, in the order of the help."""


class LazyGroup(click.Group):
    """Imports a command's module when it's needed, so that start-up doesn't import all of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"webchat_sync.cli.{COMMANDS[cmd_name]}").command
        return with_tone(command)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="webchat-sync", message="%(prog)s %(version)s")
def webchat_sync() -> None:
    """Keep the web-chat channels of Mosend organisations in sync with YAML files in Git.

    \b
    Example:
      webchat-sync init channels       # start with an example and a pipeline
      export MOSEND_API_KEY=mk_live_… MOSEND_ORG_ID=…
      webchat-sync plan channels/      # what would change
      webchat-sync apply channels/     # change it, after asking

    Add --sandbox to try a command without an account: it uses a built-in emulator of the API.

    \b
    Exit codes:
      0    success; for plan, also if there are changes
      1    invalid input (manifest, option value or file), or you didn't approve; nothing was written to the API
      2    plan or drift --detailed-exitcode: there are changes; adopt or fmt --check: the files would change
      3    apply or a secret command didn't finish, or apply didn't converge; the output says what was done
      4    the plan is stale: the live channels or the manifests have changed since it was made
      5    a guard refused the plan, for example because of too many deletes
      6    the API (for ci, the code host) can't be reached or refused the key; apply wrote nothing to the API
      7    another run holds the lock, or the memory can't be reached; nothing was written
      64   command-line usage error
      70   a bug in webchat-sync
      130  interrupted

    If a run covers several organisations, exit codes 1 and 6 may only be about some of them: nothing was written to
    those, but the others may be done.
    """
    if os.path.lexists(OWN_FOLDER):  # before the imports below, which need it
        from webchat_sync.workflow.state import refuse_planted

        refuse_planted()


with_tone(webchat_sync)


def run(arguments: Sequence[str], runtime: Runtime) -> int:
    """Run a command line (without the program's name) and return its exit code; errors go to stderr."""
    try:
        if os.environ.get(COMPLETE_VARIABLE):
            from webchat_sync.cli.completion import check_request

            check_request(os.environ)
        outcome = webchat_sync.main(list(arguments), prog_name="webchat-sync", standalone_mode=False, obj=runtime)
    except click.ClickException as error:
        return _refused(error, arguments)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except WebchatSyncError as error:
        from webchat_sync.render.problems.text import render_error

        click.echo(render_error(error), err=True)
        return error.exit_code
    except Exception as crash:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        return _failed(crash, runtime)
    return outcome if isinstance(outcome, int) else 0


def _refused(error: click.ClickException, arguments: Sequence[str]) -> int:
    """Report an error of click like any other problem; without a command, show the help."""
    from webchat_sync.cli.usage import usage_problem
    from webchat_sync.render.problems.text import render_problems

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return USAGE
    if isinstance(error, click.UsageError) and error.ctx is None:
        error.ctx = _context(arguments)
    click.echo(render_problems([usage_problem(error, arguments)]), err=True)
    return USAGE if isinstance(error, click.UsageError) else 1


def _context(arguments: Sequence[str]) -> click.Context:
    """The context of the command in ``arguments``, which click leaves out of some errors."""
    context = click.Context(webchat_sync, info_name="webchat-sync")
    for word in arguments:
        group = context.command
        command = group.get_command(context, word) if isinstance(group, click.Group) else None
        if command is None:
            break
        context = click.Context(command, parent=context, info_name=word)
    return context


def _failed(error: Exception, runtime: Runtime) -> int:
    """Report what the machine lacks as such, and anything else as a bug of the program."""
    from webchat_sync.errors import machine_fault
    from webchat_sync.flat import flat

    fault = machine_fault(error)
    if not fault or runtime.environ.get("WEBCHAT_SYNC_DEBUG"):
        return _crashed(error, runtime)
    click.echo(flat(f"Error: {fault}"), err=True)
    click.echo(
        "  webchat-sync can't continue. Check the working directory, the disk and the resource limits of the process.",
        err=True,
    )
    return 1


def _crashed(crash: Exception, runtime: Runtime) -> int:
    import traceback

    debugging = bool(runtime.environ.get("WEBCHAT_SYNC_DEBUG"))
    if debugging:
        traceback.print_exception(crash)
    report = "Report the traceback" if debugging else "Set WEBCHAT_SYNC_DEBUG=1 to see a traceback, and report it"
    click.echo(f"Error: webchat-sync failed with {type(crash).__name__}. This is a bug.", err=True)
    click.echo(f"  {report} together with the command that you ran.", err=True)
    return CRASHED


def _interrupt(*_: object) -> None:
    """Treat other terminating signals like Ctrl-C, since asyncio only shuts down cleanly on SIGINT."""
    signal.raise_signal(signal.SIGINT)


def main() -> None:
    """The ``webchat-sync`` command."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # ignored in a script's background jobs
        for ending in ENDING:
            if signal.getsignal(ending) is signal.SIG_DFL:  # nohup ignores SIGHUP
                signal.signal(ending, _interrupt)
    prepare_streams()
    # httpx imports rich and pygments for its own command line, unless that module is empty: 10% of the CPU time of a
    # whole `plan --sandbox`.
    sys.modules.setdefault("httpx._main", ModuleType("httpx._main"))
    code = run(sys.argv[1:], Runtime.real())
    if (unprinted := flush_stdout()) and code == 0:
        click.echo(f"Error: can't write to stdout: {unprinted}", err=True)
        code = 1
    # Python would look for cycles in everything once more at exit: 15% of the CPU time of a plan of 300 channels.
    gc.freeze()
    sys.exit(code)
