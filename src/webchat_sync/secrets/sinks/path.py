"""Files for secrets: where they are, and why they can't be written."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from webchat_sync.files import writable
from webchat_sync.model import Sink
from webchat_sync.secrets.sinks.kind import SinkSettings
from webchat_sync.tree import escape_named, left_by, special


def target(sink: Sink) -> Path:
    """The file itself, with links resolved, since the target of a link is replaced rather than the link."""
    path = Path(sink.folder, sink.path)
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        return path  # it isn't valid on this system, which the probe reports


def file_flaw(sink: Sink, settings: SinkSettings) -> str:
    """Why the file can't or mustn't be written; empty if nothing is wrong."""
    try:
        return _flaw(Path(sink.folder, sink.path).expanduser(), sink, settings)
    except OSError as error:
        return f"can't write {sink.path}: {error.strerror}"
    except RuntimeError:
        return f"{json.dumps(sink.path)} isn't a valid path: the home directory that `~` refers to isn't known"
    except ValueError:
        return f"{json.dumps(sink.path)} isn't a valid path: it contains a character that no path can have"


def _flaw(named: Path, sink: Sink, settings: SinkSettings) -> str:
    with suppress(FileNotFoundError, NotADirectoryError):
        named.stat()  # unlike `exists`, it raises for invalid paths, such as circular links
    if link := escape_named(named, [Path(sink.folder)]):
        return f"{named} isn't written because the link {link} leads outside {left_by(link)}"
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
