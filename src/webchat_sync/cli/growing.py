"""Shows the organisations of a plan on stdout as soon as they're planned, before the last one is."""

from __future__ import annotations

import os
import select
import stat
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.output import Output
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import use_color
from webchat_sync.render.formats import ENDS

if TYPE_CHECKING:
    from webchat_sync.model import OrganizationPlan, Plan

_LONGEST_LETTER: Final = 10
"""The most bytes for a character, as an escape if the encoding lacks it."""

_PIECE: Final = getattr(select, "PIPE_BUF", 512) // _LONGEST_LETTER
"""How many characters a writable pipe accepts without waiting."""


class GrowingPlan:
    """Prints organisations when they're planned, and at the end what :meth:`Output.emit` prints below them."""

    def __init__(self, output: Output, runtime: Runtime) -> None:
        self._output, self._runtime = output, runtime
        self._grows = output.stdout_format in ENDS and not (output.stdout_format == "text" and runtime.quiet)
        self._color = output.stdout_format == "text" and use_color(runtime) and not output.aside
        self._stream = _Patient(err=output.aside, color=self._color)
        self._shown = 0

    def planned(self, organization: OrganizationPlan, *, created_at: datetime, several: bool) -> None:
        """As PlanObserver says."""
        if not self._grows:
            return
        from webchat_sync.render.text import WIDTH, render_section
        from webchat_sync.render.walk import walk_organization

        section = walk_organization(organization, created_at, several=several)
        text = self._output.stdout_format == "text"
        width, verbose = (self._runtime.columns, self._runtime.verbose) if text else (WIDTH, False)
        self._stream.put(render_section(section, color=self._color, width=width, verbose=verbose))
        self._shown += 1

    def emit(self, plan: Plan) -> None:
        """As :meth:`Output.emit`, without the organisations that were already shown."""
        if not self._shown:
            self._output.emit(plan, self._runtime)
            return
        self._output.write_files(plan, self._runtime)
        self._stream.end(f"{ENDS[self._output.stdout_format](plan)}\n")


class _Patient:
    """Text for stdout or stderr that never makes API calls wait, even for a pager that no one scrolls."""

    def __init__(self, *, err: bool, color: bool) -> None:
        self._err, self._color = err, color
        self._waiting = ""

    def put(self, text: str) -> None:
        """Write as much as is accepted at once; the rest waits for :meth:`end`, even after an error."""
        text, written = self._waiting + text, 0
        while written < len(text) and (room := _room(self._err)):
            try:
                self._write(text[written : written + room])
            except OSError:
                break
            written += room
        self._waiting = text[written:]

    def end(self, text: str) -> None:
        """Write the rest."""
        self._write(self._waiting + text)

    def _write(self, text: str) -> None:
        click.echo(text, nl=False, err=self._err, color=self._color)


def _room(err: bool) -> int:
    """How many characters can be written without waiting."""
    stream = sys.stderr if err else sys.stdout
    try:
        descriptor = stream.fileno()
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return sys.maxsize
        return _PIECE if select.select((), (descriptor,), (), 0)[1] else 0
    except (AttributeError, OSError, ValueError):  # it is closed or in the memory, or a system asks sockets only
        return sys.maxsize
