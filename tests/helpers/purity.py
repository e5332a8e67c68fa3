"""Sees what the pure rooms open, connect to or start, by the events that Python itself raises for that."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import FrameType

import webchat_sync

ROOT = Path(webchat_sync.__file__).parent
PURE = ("domain", "plan", "render", "yaml12")
"""The rooms that do no input or output."""

_PURE = tuple(f"{ROOT / room}/" for room in PURE)
_OURS = (f"{ROOT}/", f"{Path(__file__).parents[1]}/")
_EVENTS = ("os.", "shutil.", "socket.", "subprocess.", "tempfile.")
_ALLOWED = (
    "<frozen importlib",  # a module that is imported where it is used
    "/weakref.py",  # what somebody else has let go of, cleaned up wherever the program happens to be
    f"{ROOT / 'domain' / 'catalogue.py'}",  # the schema file that the package ships
    f"{ROOT / 'render' / 'html' / 'document.py'}",  # the templates that the package ships
    f"{ROOT / 'render' / 'html' / 'templates'}",
)
_TIME_ZONES = ("/zoneinfo", "/tzdata")
"""The data of time zones, which opening hours cannot be understood without."""
_seen: list[str] = []
_watching = threading.Lock()


def watch() -> None:
    """Watch from here on; there is no end to it, since an audit hook cannot be removed."""
    if _watching.acquire(blocking=False):
        sys.addaudithook(_hear)


def taken() -> list[str]:
    """What was seen since this was last asked: the event, what it was about, and the line of the pure room."""
    seen = list(_seen)
    _seen.clear()
    return seen


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" and not event.startswith(_EVENTS):
        return
    if any(folder in str(arguments[:1]) for folder in _TIME_ZONES):
        return
    if place := _pure_caller(sys._getframe(1)):  # noqa: SLF001 - there is no public way to the caller in a hook
        _seen.append(f"{event} {arguments[:1]} at {place}")


def _pure_caller(frame: FrameType | None) -> str:
    """The line of a pure room that does it, with the help of libraries or without; empty when it is none's."""
    while frame is not None:
        name = frame.f_code.co_filename
        if any(allowed in name for allowed in _ALLOWED):
            return ""
        if name.startswith(_OURS):
            return f"{name}:{frame.f_lineno}" if name.startswith(_PURE) else ""
        frame = frame.f_back
    return ""
