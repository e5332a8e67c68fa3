"""The errors of webchat-sync: one tree, with exit codes, places and hints.

WebchatSyncError           1
├── InputError             1    everything wrong with the manifests and files
├── ApplyError             3    an apply didn't finish or didn't converge
│   ├── CutOffError      130    a call that a person asked for was interrupted
│   └── RotatedError       3    a new identity secret was created, but something is wrong
│       └── UndeliveredError    it didn't reach every sink, or the server rejects it
├── StalePlanError         4    live or the manifest changed since the plan was saved
├── GuardError             5    refused by a guard
├── ApiError               6    a call to the API failed
│   ├── ApiConnectionError      there was no response
│   ├── NotSentError            the run was interrupted before it could be sent
│   ├── ApiStatusError          the response is an error or a redirect
│   └── ApiAnswerError          the response can't be relied on
├── CombinedApiError       6    concurrent calls failed
├── PushError              6    a branch of the Git remote couldn't be read or pushed
└── MemoryUnavailableError 7    the memory can't be reached or written
    ├── LockedError        7    another run holds the lock
    └── LockLostError      7    this run held the lock, and no longer does
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, Final, Literal, Self, TypeAlias

from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import show
from webchat_sync.lazy_pattern import lazy_pattern

_BARE_KEY: Final = lazy_pattern(r"[\w$-]{1,60}")


@frozen
class Place:
    """A position in a file; ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int

    def __lt__(self, other: Place) -> bool:
        return (self.file, self.line, self.column) < (other.file, other.line, other.column)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Severity: TypeAlias = Literal["error", "warning"]

Step: TypeAlias = "str | int"
Path: TypeAlias = "tuple[Step, ...]"
"""The path to a value inside a document: keys of mappings, and positions in lists, which count from 0."""


@frozen
class Diagnostic:
    """One error or warning, from the code that notices it to every format that shows it.

    ``steps`` lead to the value in the document, or with ``at_key`` to its key; ``hint`` is what to do. ``code``
    identifies the kind of problem, and is stable between releases. ``line`` is the text of the line at ``place``: None
    until it's looked up, empty if it mustn't be printed.
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
        """The same for an outer value that contains this one at ``steps``."""
        return replace(self, steps=(*steps, *self.steps))


def dotted(path: Iterable[Step]) -> str:
    """``path`` as text, such as ``channels[2].prechatFields[0].label``; long keys are shortened."""
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
    """What the machine lacked: a file, disk space, memory; empty for any other error."""
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
"""Exit codes: a partial change is worse than nothing started, which is worse than a plan with changes."""


def worst_exit_code(codes: Iterable[int]) -> int:
    """The exit code of a run whose parts end with ``codes``."""
    return min(
        codes, key=lambda code: _WORST_FIRST.index(code) if code in _WORST_FIRST else len(_WORST_FIRST), default=0
    )


class WebchatSyncError(Exception):
    """The root of the tree. ``message`` says what is wrong and why, ``hint`` what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ProblemsError(WebchatSyncError):
    """An error with all its ``problems``."""

    def __init__(self, problems: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class InputError(ProblemsError):
    """The input is wrong; ``problems`` has every problem, sorted by place."""


class ApplyError(WebchatSyncError):
    """An apply didn't finish or didn't converge."""

    exit_code = 3


class RotatedError(ApplyError):
    """A new identity secret was created, but something is wrong. ``status`` and ``request_id`` are the server's."""

    def __init__(self, message: str, *, hint: str, status: int | None, request_id: str | None, attempts: int) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.request_id = request_id
        self.attempts = attempts


class UndeliveredError(RotatedError):
    """A sink doesn't have the new secret, or the server rejects signatures made with it."""


class CutOffError(ApplyError):
    """A call that a person asked for was interrupted; says what is known about its outcome."""

    exit_code = 130


class StalePlanError(ProblemsError):
    """A plan is stale; ``problems`` has every reason."""

    exit_code = 4


class GuardError(ProblemsError):
    """A guard refused the plan before anything was written; ``problems`` has every reason."""

    exit_code = 5


class ApiError(WebchatSyncError):
    """A call to the API failed.

    ``method`` and ``path`` identify the call; ``status`` is the HTTP status, None without a response; ``messages`` are
    the server's texts; ``request_id`` is the response's ``x-request-id``. ``in_doubt``: the request may have taken
    effect although there was no reliable response. ``transient``: another attempt may succeed. ``retry_after`` is how
    many seconds the server asks to wait before it; ``attempts`` is how many times the request was sent.
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
        # Servers like to repeat the name of the status, which may be followed by more in the reason.
        said = (reason.casefold(), reason.casefold().partition(", ")[0])
        new = [message for message in messages if not any(text.endswith(message.casefold()) for text in said)]
        texts = f": {'; '.join(new)}" if new else ""
        facts = [f"{attempts} attempts"] if attempts > 1 else []
        facts += [f"request id {request_id}"] if request_id else []
        more = f" ({', '.join(facts)})" if facts else ""
        super().__init__(f"{method} {path}: {reason}{texts}{more}", hint=hint)
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

    def counted(self, attempts: int, *, in_doubt: bool, hint: str) -> Self:
        """The same error after so many attempts, without its cause."""
        return type(self)(
            self.reason,
            method=self.method,
            path=self.path,
            status=self.status,
            messages=self.messages,
            request_id=self.request_id,
            in_doubt=in_doubt,
            transient=self.transient,
            retry_after=self.retry_after,
            attempts=attempts,
            hint=hint,
        )


class ApiConnectionError(ApiError):
    """There was no response: refused, reset, timed out, or the name didn't resolve."""


class NotSentError(ApiError):
    """The run was interrupted while the call waited to be sent."""


class ApiStatusError(ApiError):
    """The response had a status of 300 or more."""


class ApiAnswerError(ApiError):
    """The response was a 2xx, but its body is empty, truncated, not JSON, or not in the API's envelope."""


class CombinedApiError(WebchatSyncError):
    """Concurrent parts of a run failed; the message has a line for every failure, and no hint twice."""

    exit_code = 6

    def __init__(self, errors: Sequence[WebchatSyncError]) -> None:
        hints = dict.fromkeys(error.hint for error in errors if error.hint)
        super().__init__("\n".join(error.message for error in errors), hint="\n".join(hints))
        self.errors = tuple(errors)


class PushError(WebchatSyncError):
    """A branch of the Git remote couldn't be read or pushed."""

    exit_code = 6


class MemoryUnavailableError(WebchatSyncError):
    """The memory can't be read or written, so nothing that must be remembered may be done."""

    exit_code = 7


class LockedError(MemoryUnavailableError):
    """Another run holds the lock; the message says which one and since when."""


class LockLostError(MemoryUnavailableError):
    """This run didn't renew its lock in time, or someone released it: it must write nothing more."""
