"""Files on the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import click

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.tree import is_file, read_regular, real_path
from webchat_sync.workflow.state import STATE_FOLDER

_EMPTY: Final = "the value is empty. Check the variable that it comes from."


class FilledPath(click.Path):
    """The type of a path that isn't empty: that of an unset variable would mean the current directory."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """The path; a usage error if it's empty."""
        if not os.fspath(value):
            self.fail(_EMPTY, param, ctx)
        return super().convert(value, param, ctx)


class FilledText(click.types.StringParamType):
    """The type of a text that isn't empty: that of an unset variable would mean the default."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text; a usage error if it's empty."""
        if not value:
            self.fail(_EMPTY, param, ctx)
        return super().convert(value, param, ctx)


input_path = FilledPath(path_type=Path, readable=False)
"""The type of paths to read: whoever reads one reports that it can't be read, together with all other problems."""

output_path = FilledPath(path_type=Path, allow_dash=True)
"""The type of options for output files; :func:`check_outputs` validates them."""

STDOUT: Final = Path("-")

OUTPUT: Final = "output"
"""The code of problems with an option's output."""

_ANOTHER: Final = "Choose another file."

_CHECK: Final = "Check the path, that its folder exists, and the permissions."


class KeptFile(FilledPath):
    """The type of options for files that are kept, so that ``-`` can't mean stdout; ``instead`` says what to do."""

    def __init__(self, instead: str) -> None:
        super().__init__(path_type=Path, dir_okay=False)
        self._instead = instead

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """The path; a usage error for ``-``."""
        if value == "-":
            self.fail(f"`-` isn't a file. {self._instead}", param, ctx)
        return super().convert(value, param, ctx)


def read_bytes(path: Path) -> bytes:
    """The bytes of the file; raises InputError if it can't be read."""
    try:
        return read_regular(path)
    except OSError as error:
        raise InputError(
            [Diagnostic(f"can't read {path}: {error.strerror}", hint="Check the path and the permissions.")]
        ) from None


def read_text(path: Path) -> str:
    """The UTF-8 text of the file; raises InputError if it can't be read."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError([Diagnostic(f"can't read {path}: it isn't UTF-8", hint="Save it as UTF-8.")]) from None


def write_private_text(path: Path, text: str | Iterable[str]) -> None:
    """Make ``text``, in one or in pieces, and a line feed the file, in one step and for its owner only.

    ``-`` is stdout, and what is no file is written into. Raises InputError if it cannot be.
    """
    from webchat_sync.files import write_private

    try:
        if path == STDOUT:
            echo_pieces(text)
        else:
            write_private(path, chain(pieces_of(text), ["\n"]))
    except OSError as error:
        raise InputError([unwritable(path, error)]) from None


def pieces_of(text: str | Iterable[str]) -> Iterable[str]:
    """``text`` in pieces."""
    return [text] if isinstance(text, str) else text


def echo_pieces(text: str | Iterable[str]) -> None:
    """Print ``text``, in one or in pieces, and a line feed on stdout."""
    for piece in pieces_of(text):
        click.echo(piece, nl=False)
    click.echo()


def unwritable(path: str | Path, error: OSError) -> Diagnostic:
    """The problem with ``path``, which can't be written."""
    return Diagnostic(f"can't write {path}: {error.strerror}", hint=_CHECK)


def in_use(files: Mapping[str, Path | None]) -> dict[str, str]:
    """The resolved files that a run uses, and for what, by option or setting; no secret may be written there."""
    return {os.path.realpath(path): option for option, path in files.items() if path not in (None, STDOUT)}


def refuse_written(ledgers: Iterable[str | None]) -> None:
    """Raise InputError if an option of this command would overwrite a ledger."""
    context = click.get_current_context(silent=True)
    if context is None:
        return
    ledger_paths = {os.path.realpath(ledger) for ledger in ledgers if ledger}
    values = [(parameter, context.params.get(parameter.name or "")) for parameter in context.command.params]
    outputs = {parameter.opts[-1]: value for parameter, value in values if parameter.type is output_path and value}
    outputs |= {f"--render {name}={file}": file for name, file in context.params.get("files") or ()}
    problems = [
        Diagnostic(
            f"webchat-sync keeps its memory in {path}, and {option} would overwrite it",
            hint=_ANOTHER,
            code=OUTPUT,
        )
        for option, path in outputs.items()
        if path != STDOUT and os.path.realpath(path) in ledger_paths
    ]
    if problems:
        raise InputError(problems)


def _key_file() -> list[Path]:
    """The file in this command's --api-key-file."""
    context = click.get_current_context(silent=True)
    file = context.params.get("api_key_file") if context else None
    return [file] if isinstance(file, Path) else []


def check_outputs(
    outputs: Mapping[str, Path | None], inputs: Sequence[Path] = (), *, overlays: Sequence[Path] = ()
) -> bool:
    """Check, before anything is sent, that ``outputs`` can be written; returns whether one is stdout.

    ``outputs`` are files by option; ``inputs`` and ``overlays`` are the files and folders to read. Raises InputError
    with each output that can't be written, is used by two options, or is also read.
    """
    named = {option: path for option, path in outputs.items() if path is not None}
    problems: list[Diagnostic] = []
    users: dict[object, str] = {}
    for option, path in named.items():
        problem = _problem_with(option, path)
        if problem is None and (key := _key(path)) is not None:
            first = users.setdefault(key, option)
            if first != option:
                hint = "Use a different file for each."
                problem = Diagnostic(f"{path} is used twice: for {first} and for {option}", hint=hint)
        if problem is not None:
            problems.append(problem)
    problems += _read_as_well(named, inputs, overlays)
    if problems:
        raise InputError(problems)
    return any(_is_stdout(path) for path in named.values())


def _problem_with(option: str, path: Path) -> Diagnostic | None:
    from webchat_sync.files import check_target

    if path == STDOUT:
        return Diagnostic(f"{option}: stdout is closed", hint="Use a file instead.") if sys.stdout is None else None
    if real_path(path).is_relative_to(real_path(STATE_FOLDER)):
        return Diagnostic(f"{path} is in the folder where webchat-sync keeps its memory", hint=_ANOTHER)
    try:
        check_target(path)
    except OSError as error:
        return unwritable(path, error)
    except ValueError as error:
        return Diagnostic(f"{option}: {error}", hint=_CHECK)
    return None


def _is_stdout(path: Path) -> bool:
    from webchat_sync.files import descriptor_of

    return path == STDOUT or descriptor_of(path) == 1


def _key(path: Path) -> object:
    from webchat_sync.files import identity

    return STDOUT if _is_stdout(path) else identity(path)


def _read_as_well(named: Mapping[str, Path], inputs: Sequence[Path], overlays: Sequence[Path]) -> list[Diagnostic]:
    """The problems with outputs that would overwrite inputs. A file that doesn't exist yet isn't an input."""
    existing = {option: path for option, path in named.items() if path != STDOUT and is_file(path)}
    if not existing:
        return []
    from webchat_sync.files import identity
    from webchat_sync.manifest.files import find_files

    read = {identity(file) for file in [*find_files(inputs)[0], *overlays, *inputs, *_key_file()]} - {None}
    return [
        Diagnostic(f"this run reads {path}, and {option} would overwrite it", hint=_ANOTHER)
        for option, path in existing.items()
        if identity(path) in read
    ]
