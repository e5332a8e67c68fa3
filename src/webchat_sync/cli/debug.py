"""The --debug-http option: what was sent and what came back, without secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import InputError, Problem

if TYPE_CHECKING:
    from webchat_sync.model import Json


@contextmanager
def http_log(path: Path | None, runtime: Runtime) -> Iterator[Callable[[Mapping[str, Json]], object] | None]:
    """The function that writes one transcript as a line of JSON into a new file, mode 0600; None without a path.

    Raises InputError when the file cannot be written.
    """
    if path is None:
        yield None
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise InputError([Problem(f"{path} cannot be written: {error.strerror}")]) from None
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:

        def write(transcript: Mapping[str, Json]) -> None:
            line = {"at": runtime.now().isoformat(timespec="milliseconds"), **transcript}
            file.write(json.dumps(line) + "\n")
            file.flush()

        yield write
