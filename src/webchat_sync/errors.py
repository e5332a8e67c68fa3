"""The errors of webchat-sync: one tree, with their exit codes, places and ways out.

WebchatSyncError           1
├── InputError             1    every problem of the manifests and files, at once
├── ApplyError             3    apply did not finish or did not converge
│   └── RotatedError       3    a new identity secret was made, and something is wrong with it
│       └── UndeliveredError    it did not reach every sink, or the server refuses it
├── StalePlanError         4    live or the manifest changed since the plan was saved
├── GuardError             5    refused by a guard
├── ApiError               6    a call to the API failed
│   ├── ApiConnectionError      no answer came back
│   ├── ApiStatusError          the server answered with an error or a redirect
│   └── ApiAnswerError          the server answered, but the answer cannot be trusted
├── CombinedApiError       6    calls that ran side by side failed
├── PushError              6    a branch of the git remote could not be read or pushed
└── MemoryUnavailableError 7    the memory cannot be reached or written
    ├── LockedError        7    another run holds the lock
    └── LockLostError      7    this run held the lock, and no longer does
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal, TypeAlias

from webchat_sync.jsonvalue import show

_BARE_KEY: Final = re.compile(r"[\w$-]{1,60}")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Severity: TypeAlias = Literal["error", "warning"]

Step: TypeAlias = "str | int"
Path: TypeAlias = "tuple[Step, ...]"
"""The way to a value inside a document: keys of mappings and positions in lists, which count from 0."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong, or unwise, from where it is noticed to every format that shows it.

    ``steps`` lead to the value inside the document, or with ``at_key`` to its key; ``hint`` is what to do about it.
    ``code`` names the kind of problem and stays as it is from release to release. ``line`` is the text of the line
    at ``place``: None until somebody looked for it, empty when it must not be printed.
    """

    message: str
    place: Place | None = None
    steps: Path = ()
    hint: str = ""
    severity: Severity = "error"
    code: str = ""
    line: str | None = None
    at_key: bool = False

    @property
    def path(self) -> str:
        """``steps`` as text: ``channels[2].color``."""
        return dotted(self.steps)

    def at(self, place: Place, steps: Path = ()) -> Diagnostic:
        """The same at ``place``, and at ``steps`` from the root of its document."""
        return replace(self, place=place, steps=steps)

    def below(self, *steps: Step) -> Diagnostic:
        """The same for a value that has the one it is about at ``steps`` in it."""
        return replace(self, steps=(*steps, *self.steps))


def dotted(path: Iterable[Step]) -> str:
    """``path`` as text, such as ``channels[2].prechatFields[0].label``; long keys are cut short."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _BARE_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{show(step)}]"
    return text


def machine_fault(error: BaseException) -> str:
    """What the machine did not have for the program: a file, room on a disk, memory; empty for every other error."""
    if isinstance(error, BaseExceptionGroup):
        faults = [machine_fault(inner) for inner in error.exceptions]
        return "; ".join(dict.fromkeys(faults)) if all(faults) else ""
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "can't start any more threads"
    if not isinstance(error, OSError) or error.strerror is None:
        return ""
    place = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return f"{place}{error.strerror}"


_WORST_FIRST: Final = (70, 130, 3, 7, 5, 4, 6, 1, 2)
"""Exit codes: what may have been done by halves is worse than what was not begun, and that is worse than changes."""


def worst_exit_code(codes: Iterable[int]) -> int:
    """The exit code of a run whose parts would end with ``codes``."""
    return min(
        codes, key=lambda code: _WORST_FIRST.index(code) if code in _WORST_FIRST else len(_WORST_FIRST), default=0
    )


class WebchatSyncError(Exception):
    """The root of the tree. ``message`` says what and why, ``hint`` what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(WebchatSyncError):
    """The input is wrong; ``problems`` holds every problem found, sorted by place."""

    def __init__(self, problems: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class ApplyError(WebchatSyncError):
    """Apply didn't finish or did not converge."""

    exit_code = 3


class RotatedError(ApplyError):
    """A new identity secret was made, and not all is well; ``status`` and ``request_id`` are the server's."""

    def __init__(self, message: str, *, hint: str, status: int | None, request_id: str | None, attempts: int) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.request_id = request_id
        self.attempts = attempts


class UndeliveredError(RotatedError):
    """A sink does not have the new secret, or the server refuses what is signed with it."""


class StalePlanError(WebchatSyncError):
    """The saved plan no longer describes what applying it would do; ``problems`` holds every reason."""

    exit_code = 4

    def __init__(self, problems: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class GuardError(WebchatSyncError):
    """A guard refused the plan before anything was written; ``problems`` holds every reason."""

    exit_code = 5

    def __init__(self, problems: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class ApiError(WebchatSyncError):
    """A call to the API failed.

    ``method`` and ``path`` name the call; ``status`` is the HTTP status or None when no answer came;
    ``messages`` are the server's own words; ``request_id`` is the answer's ``x-request-id``; ``in_doubt`` is
    true when the request may have taken effect although no trustworthy answer came back; ``transient`` when
    another attempt may go better; ``retry_after`` is how many seconds the server asks to wait before it;
    ``attempts`` is how often the request was sent.
    """

    exit_code = 6

    def __init__(
        self,
        reason: str,
        *,
        method: str,
        path: str,
        status: int | None = None,
        messages: Sequence[str] = (),
        request_id: str | None = None,
        in_doubt: bool = False,
        transient: bool = False,
        retry_after: float | None = None,
        attempts: int = 1,
        hint: str = "",
    ) -> None:
        new = [message for message in messages if not reason.casefold().endswith(message.casefold())]
        said = f": {'; '.join(new)}" if new else ""
        facts = [f"{attempts} attempts"] if attempts > 1 else []
        facts += [f"request id {request_id}"] if request_id else []
        more = f" ({', '.join(facts)})" if facts else ""
        super().__init__(f"{method} {path}: {reason}{said}{more}", hint=hint)
        self.reason = reason
        self.method = method
        self.path = path
        self.status = status
        self.messages = tuple(messages)
        self.request_id = request_id
        self.in_doubt = in_doubt
        self.transient = transient
        self.retry_after = retry_after
        self.attempts = attempts


class ApiConnectionError(ApiError):
    """No answer came back: refused, reset, timed out, or the name did not resolve."""


class ApiStatusError(ApiError):
    """The server answered with a status of 300 or more."""


class ApiAnswerError(ApiError):
    """The server answered 2xx, but the body is empty, cut short, not JSON, or not of the API's envelope."""


class CombinedApiError(WebchatSyncError):
    """Parts of a run that went side by side failed; the message has one line for each, the hint each way out once."""

    exit_code = 6

    def __init__(self, errors: Sequence[WebchatSyncError]) -> None:
        hints = dict.fromkeys(error.hint for error in errors if error.hint)
        super().__init__("\n".join(error.message for error in errors), hint="\n".join(hints))
        self.errors = tuple(errors)


class PushError(WebchatSyncError):
    """A branch of the git remote could not be read or pushed."""

    exit_code = 6


class MemoryUnavailableError(WebchatSyncError):
    """What is remembered between runs cannot be read or written, so nothing may be done that has to be remembered."""

    exit_code = 7


class LockedError(MemoryUnavailableError):
    """Another run holds the lock; the message says which one and since when."""


class LockLostError(MemoryUnavailableError):
    """This run did not renew its lock in time, or somebody took it away: it must write nothing more."""
