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
        return f"{sink.path} cannot be written: {error.strerror}"
    except (RuntimeError, ValueError) as error:
        return f"{sink.path!a} is no path: {error}"


def _flaw(named: Path, sink: Sink, settings: SinkSettings) -> str:
    with suppress(FileNotFoundError, NotADirectoryError):
        named.stat()  # unlike pathlib's questions, it raises for what can be no path, such as links in a circle
    if link := escape(named, named.parent):
        return f"{named} is not written: the link {link} leads out of the repository"
    path = target(sink)
    if flaw := special(path):
        return f"{path} cannot be written: {flaw}"
    if not path.parent.is_dir():
        return f"{path} cannot be written: No such folder"
    if path.is_dir():
        return f"{path} cannot be written: it is a folder"
    if flaw := writable(path.parent):
        return f"{path} cannot be written: {flaw}"
    if path.exists() and not os.access(path, os.R_OK):
        return f"{path} cannot be read"
    return settings.unallowed(path)
