"""The report of an apply: on the screen, in a file and on a page, however the run ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.files import write_private_text
from webchat_sync.cli.output import Output, render_option
from webchat_sync.cli.pages import apply_page
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.streams import discard_stdout, unread
from webchat_sync.errors import InputError
from webchat_sync.flat import flat

if TYPE_CHECKING:
    from webchat_sync.workflow.run import ApplyRun

page_option = render_option(
    ("html",),
    "Once there's a plan, also write a page with it and its outcome to FILE, unless the run is interrupted. FORMAT is "
    "html. May be repeated.",
)
"""Passed to the command as ``files``."""


def print_report(run: ApplyRun, output: Output) -> None:
    """Print the current report; if that fails, the exit code still says how the run ended."""
    from webchat_sync.render.report import render_report

    if run.plan is None:
        return
    text = render_report(run.plan, run.report)
    try:
        click.echo(text, err=output.aside)
        reason = "" if output.aside else unread()
    except OSError as error:
        reason = error.strerror or str(error)
        discard_stdout()
    if reason:
        click.echo(f"Can't print the report: {reason}. The report:\n{text}", err=True)


def write_report(path: Path, run: ApplyRun, runtime: Runtime) -> bool:
    """Write the report; if that fails, say so, and if changes were made, print it to stderr instead."""
    from webchat_sync.render import report_json
    from webchat_sync.render.problems.text import render_error

    text = report_json.render_report(run.report, created_at=runtime.now())
    try:
        write_private_text(path, text)
    except InputError as error:
        click.echo(render_error(error), err=True)
        if run.began:
            heading = flat(f"The report, which couldn't be written to {path}:")
            click.echo(f"{heading}\n{text}", err=True)
        return False
    return True


def write_page(path: Path, run: ApplyRun, runtime: Runtime) -> bool:
    """Write the page of the run if there is a plan to show; if that fails, say so."""
    from webchat_sync.render.problems.text import render_error

    if run.plan is None:
        return True
    try:
        write_private_text(path, apply_page(run.plan, run.report, runtime))
    except InputError as error:
        click.echo(render_error(error), err=True)
        return False
    return True
