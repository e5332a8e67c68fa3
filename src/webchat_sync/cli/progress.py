"""Shows how far an apply is: a bar on a terminal, a line for each finished operation elsewhere. To stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from webchat_sync.cli.runtime import Runtime
from webchat_sync.model import OperationResult, Plan
from webchat_sync.render.report import render_result

OnResult = Callable[[OperationResult], object]


@contextmanager
def show_progress(plan: Plan, runtime: Runtime) -> Iterator[OnResult]:
    """The function to tell each finished operation to."""
    if not runtime.animated:
        yield lambda result: click.echo(render_result(result), err=True)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    total = sum(len(change.operations) for each in plan.organizations for change in each.changes)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Applying", total=total)

        def advance(result: OperationResult) -> None:
            progress.update(task, advance=1, description=escape(result.address))
            if result.status != "done":
                progress.console.print(escape(render_result(result)), soft_wrap=True)

        yield advance
