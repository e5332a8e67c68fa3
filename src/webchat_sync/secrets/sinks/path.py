"""Files that a secret goes into: where they are, and what speaks against writing them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from webchat_sync.files import writable
from webchat_sync.model import Sink
from webchat_sync.secrets.sinks.kind import SinkSettings
from webchat_sync.tree import escape, special


def target(sink: Sink) -> Path:
    """The file itself: through links, since what they lead to is replaced and not the link."""
    path = Path(sink.folder, sink.path)
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        return path  # it is no path here, which the probe tells


def file_flaw(sink: Sink, settings: SinkSettings) -> str:
    """Why the file cannot be written or may not be; empty when nothing is against it."""
    try:
        return _flaw(Path(sink.folder, sink.path).expanduser(), sink, settings)
    except OSError as error:
        return f"can't write {sink.path}: {error.strerror}"
    except (RuntimeError, ValueError) as error:
        return f"{sink.path!a} isn't a valid path: {error}"


def _flaw(named: Path, sink: Sink, settings: SinkSettings) -> str:
    with suppress(FileNotFoundError, NotADirectoryError):
        named.stat()  # unlike pathlib's questions, it raises for what can be no path, such as links in a circle
    if link := escape(named, named.parent):
        return f"{named} isn't written because the link {link} leads outside the repository"
    path = target(sink)
    if flaw := special(path):
        return f"can't write {path}: {flaw}"
    if not path.parent.is_dir():
        return f"can't write {path}: no such folder"
    if path.is_dir():
        return f"can't write {path}: it's a folder"
    if flaw := writable(path.parent):
        return f"can't write {path}: {flaw}"
    if path.exists() and not os.access(path, os.R_OK):
        return f"can't read {path}"
    return settings.unallowed(path)
