"""A file as the sink of a secret: proven writable before the secret exists, readable by its owner only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from webchat_sync.errors import InputError, Problem, WebchatSyncError
from webchat_sync.files import fill, new_file_beside
from webchat_sync.model import Secret


@contextmanager
def secret_file(path: Path) -> Iterator[Callable[[Secret], None]]:
    """Yields the function that puts a secret into ``path``, mode 0600, in one atomic step.

    The file is prepared beside ``path`` first: a folder that is missing or not writable is an InputError before
    the block runs. When the block ends without a secret, nothing is left behind. Raises WebchatSyncError, with
    the place where the secret lies instead, when the last step fails.
    """
    try:
        descriptor, prepared = new_file_beside(path)
    except OSError as error:
        raise InputError([Problem(f"{path} cannot be written: {error.strerror}")]) from None

    def deliver(secret: Secret) -> None:
        fill(descriptor, secret.reveal() + "\n")
        try:
            prepared.replace(path)
        except OSError as error:
            raise WebchatSyncError(
                f"{path} cannot be replaced: {error.strerror}", hint=f"The new secret lies in {prepared}; move it."
            ) from None

    try:
        yield deliver
    finally:
        os.close(descriptor)
        if prepared.exists() and prepared.stat().st_size == 0:
            prepared.unlink()
