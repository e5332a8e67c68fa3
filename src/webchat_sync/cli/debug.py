"""The --debug-http option: what was sent and what came back, without secrets."""

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
def http_log(path: Path | None, runtime: Runtime) -> Iterator[Callable[[Mapping[str, Json]], object] | None]:
    """The function that writes one transcript as a line of JSON into a new file, mode 0600; None without a path.

    ``-`` is stdout. Raises InputError when the file cannot be written. What fails later on, on a disk that is full,
    ends the log and not the run.
    """
    if path is None:
        yield None
        return
    check_outputs({"--debug-http": path})
    failed: list[OSError] = []

    def write(transcript: Mapping[str, Json]) -> None:
        if failed:
            return
        line = {"at": runtime.now().isoformat(timespec="milliseconds"), **transcript}
        try:
            write_line(visible(json.dumps(line)) + "\n")
        except OSError as error:
            failed.append(error)
            click.echo(
                flat(f"Warning: {path} is not whole: {error.strerror}. Nothing more is written to it."), err=True
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
