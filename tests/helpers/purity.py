"""Detects what the pure rooms open, connect to or start, by Python's audit events."""

from __future__ import annotations

import sys
import threading
from enum import Enum, auto
from functools import cache
from pathlib import Path
from types import FrameType

import webchat_sync

ROOT = Path(webchat_sync.__file__).parent
PURE = ("domain", "plan", "planfile", "render", "yaml12")
"""The rooms that do no input or output."""

_PURE = tuple(f"{ROOT / room}/" for room in PURE)
_OURS = (f"{ROOT}/", f"{Path(__file__).parents[1]}/")
_EVENTS = ("os.", "shutil.", "socket.", "subprocess.", "tempfile.")
_ALLOWED = (
    "<frozen importlib",  # a late import
    "/weakref.py",  # garbage collection of other objects, which can happen anywhere
    f"{ROOT / 'domain' / 'catalogue.py'}",  # the package's schema file
    f"{ROOT / 'render' / 'html' / 'document.py'}",  # the package's templates
    f"{ROOT / 'render' / 'html' / 'templates'}",
)
_TIME_ZONES = ("/zoneinfo", "/tzdata")
"""Time zone data, which opening hours need."""
_seen: list[str] = []
_watching = threading.Lock()


def watch() -> None:
    """Start watching; this can't be undone, since audit hooks can't be removed."""
    if _watching.acquire(blocking=False):
        sys.addaudithook(_hear)


def taken() -> list[str]:
    """What was detected since the last call: the event, its subject, and the line of the pure room."""
    seen = list(_seen)
    _seen.clear()
    return seen


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" and not event.startswith(_EVENTS):
        return
    place = _pure_caller(sys._getframe(1))  # noqa: SLF001 - there is no public way to the caller in a hook
    if place and not any(folder in str(arguments[:1]) for folder in _TIME_ZONES):
        _seen.append(f"{event} {arguments[:1]} at {place}")


def _pure_caller(frame: FrameType | None) -> str:
    """The line of a pure room that does it, directly or through libraries; empty if there is none."""
    while frame is not None and (kind := _kind_of(frame.f_code.co_filename)) is _Kind.LIBRARY:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None and kind is _Kind.PURE else ""


class _Kind(Enum):
    """Whose file it is that has a line of the program."""

    PURE = auto()
    FREE = auto()
    """It's allowed to read, or one of the other rooms or tests does it."""
    LIBRARY = auto()
    """So that the caller counts."""


@cache  # without which the hook takes 4% of the CPU time of all tests
def _kind_of(file: str) -> _Kind:
    if any(allowed in file for allowed in _ALLOWED):
        return _Kind.FREE
    if file.startswith(_OURS):
        return _Kind.PURE if file.startswith(_PURE) else _Kind.FREE
    return _Kind.LIBRARY
