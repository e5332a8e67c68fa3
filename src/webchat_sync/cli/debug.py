"""Files with one JSON line per event, written during a command: --debug-http and --events."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.files import STDOUT, check_outputs, unwritable
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import InputError
from webchat_sync.files import open_log, write_all
from webchat_sync.flat import flat, visible

if TYPE_CHECKING:
    from webchat_sync.model import Json


@contextmanager
def json_lines(
    option: str, path: Path | None, runtime: Runtime
) -> Iterator[Callable[[Mapping[str, Json]], object] | None]:
    """A function that writes an object with the time as a line of the ``option``'s new file; None without a path.

    The file has mode 0600; ``-`` is stdout. Raises InputError if it can't be written. A later failure, such as a full
    disk, ends the file but not the run.
    """
    if path is None:
        yield None
        return
    check_outputs({option: path})
    failed: list[OSError] = []

    def write(document: Mapping[str, Json]) -> None:
        if failed:
            return
        line = {"at": runtime.now().isoformat(timespec="milliseconds"), **document}
        try:
            write_line(visible(json.dumps(line)) + "\n")
        except OSError as error:
            failed.append(error)
            click.echo(
                flat(f"Warning: {path} is incomplete: {error.strerror}. Nothing more will be written to it."), err=True
            )

    with _log(path) as write_line:
        yield write


@contextmanager
def _log(path: Path) -> Iterator[Callable[[str], object]]:
    if path == STDOUT:
        yield lambda text: click.echo(text, nl=False)
        return
    try:
        descriptor = open_log(path)
    except OSError as error:
        raise InputError([unwritable(path, error)]) from None
    try:
        yield lambda text: write_all(descriptor, text.encode())
    finally:
        os.close(descriptor)
