"""Where results go: stdout or a file, and nothing else to stdout."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import click

from webchat_sync.cli.files import STDOUT, check_outputs, echo_pieces, write_private_text
from webchat_sync.cli.pages import for_host
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import use_color
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import show
from webchat_sync.render.formats import FORMATS, PIECES, Rendered
from webchat_sync.render.text import last_line, render_plan
from webchat_sync.sentences import in_a_row

if TYPE_CHECKING:
    from webchat_sync.model import Plan

T = TypeVar("T")
In = TypeVar("In", contravariant=True)


class TextRenderer(Protocol[In]):
    """Renders as text for a terminal of ``width`` columns."""

    def __call__(self, what: In, /, *, color: bool, width: int, verbose: bool) -> str:
        """The text."""


@frozen
class Output:
    """How a plan is shown: on stdout in ``stdout_format``, and in ``files``, pairs of a format and a file.

    ``aside``: stdout is one of the files that an option names, so that text for people goes to stderr.
    """

    stdout_format: str
    files: Sequence[tuple[str, Path]]
    aside: bool = False

    def checked(
        self, others: Mapping[str, Path | None], inputs: Sequence[Path], overlays: Sequence[Path] = ()
    ) -> Output:
        """This output, once it is sure that its files and those of ``others``, by option, can be written.

        ``inputs`` and ``overlays`` are what is read. Raises InputError as :func:`check_outputs` does.
        """
        rendered = {f"--render {name}={file}": file for name, file in self.files}
        shown = {} if self.stdout_format == "text" else {f"--format {self.stdout_format}": STDOUT}
        aside = check_outputs({**shown, **others, **rendered}, inputs, overlays=overlays)
        return replace(self, aside=aside and not shown)

    @property
    def written(self) -> bool:
        """Whether the plan leaves in a form that is kept, and not only as text for somebody who looks on."""
        return bool(self.files) or self.stdout_format != "text"

    def emit(
        self,
        plan: Plan,
        runtime: Runtime,
        *,
        formats: Mapping[str, Callable[[Plan], Rendered]] = PIECES,
    ) -> None:
        """Write the files, then stdout. Raises InputError when a file cannot be written."""
        self.emit_as(plan, runtime, for_host(formats, runtime), render_text=render_plan, last_line=last_line)

    def write_files(self, plan: Plan, runtime: Runtime) -> None:
        """The first half of :meth:`emit`: write the files, but nothing to stdout."""
        self._write_files(plan, for_host(PIECES, runtime))

    def emit_as(
        self,
        what: T,
        runtime: Runtime,
        formats: Mapping[str, Callable[[T], Rendered]],
        *,
        render_text: TextRenderer[T],
        last_line: Callable[[T], str],
    ) -> None:
        """As :meth:`emit`, for what is not a plan."""
        self._write_files(what, formats)
        if self.stdout_format != "text":
            echo_pieces(formats[self.stdout_format](what))
        elif runtime.quiet:
            click.echo(last_line(what), err=self.aside)
        else:
            color = use_color(runtime) and not self.aside
            text = render_text(what, color=color, width=runtime.columns, verbose=runtime.verbose)
            click.echo(text, color=color, err=self.aside)

    def _write_files(self, what: T, formats: Mapping[str, Callable[[T], Rendered]]) -> None:
        for name, file in self.files:
            write_private_text(file, formats[name](what))


def _renders(
    formats: Collection[str], context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> tuple[tuple[str, Path], ...]:
    """Each ``FORMAT=FILE``."""
    renders: list[tuple[str, Path]] = []
    for value in values:
        name, _, file = value.partition("=")
        if name not in formats or not file:
            wrong = f"{show(value)} isn't FORMAT=FILE, where FORMAT is {in_a_row([*formats], last='or')}."
            raise click.BadParameter(wrong, context, parameter)
        if Path(file) in [path for _, path in renders]:
            raise click.BadParameter(f"{show(file)} is used twice.", context, parameter)
        renders.append((name, Path(file)))
    return tuple(renders)


def render_option(
    formats: Collection[str], use: str = "Also write the output to FILE in that format. May be repeated."
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """``--render FORMAT=FILE``, which hands the command its ``files``: pairs of a format and a file.

    ``use`` is its help.
    """
    return click.option(
        "--render",
        "files",
        metavar="FORMAT=FILE",
        multiple=True,
        callback=partial(_renders, formats),
        help=use,
    )


def output_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the options of showing a plan and hand them to it as ``output``."""
    return output_options_of(FORMATS)(command)


def output_options_of(formats: Collection[str]) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """As :func:`output_options`, for a command that knows these formats; ``text`` is one of them."""

    def decorate(command: Callable[..., object]) -> Callable[..., object]:
        @click.option("--format", "stdout_format", type=click.Choice(list(formats)), default="text", show_default=True)
        @render_option(formats)
        @wraps(command)
        def wrapped(
            *arguments: object,
            stdout_format: str,
            files: Sequence[tuple[str, Path]],
            **rest: object,
        ) -> object:
            return command(*arguments, output=Output(stdout_format, files), **rest)

        return wrapped

    return decorate
