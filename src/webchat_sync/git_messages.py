"""What Git says went wrong, as part of a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from subprocess import CompletedProcess
from typing import Final

from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.sentences import ended

NOT_A_REPOSITORY: Final = "not a git repository"
"""What Git says outside a repository."""

_PREFIXES: Final = ("fatal: ", "error: ")
_REMOTE: Final = "remote:"
_EMPTY: Final = lazy_pattern(r"(?:remote:)?[\s=*#-]*")
"""A line that only separates others: hosts draw frames around what they say."""


def in_short(lines: Iterable[str]) -> str:
    """Git's messages on one line, without repetitions, Git's own prefixes and full stops."""
    messages: list[str] = []
    for line in map(str.strip, lines):
        if _EMPTY.fullmatch(line):
            continue
        if messages and _continues(line, messages[-1]):
            messages[-1] += f" {line.removeprefix(_REMOTE).lstrip()}"
        else:
            messages.append(line)
    shown = dict.fromkeys(_bare(message) for message in messages)
    return "; ".join(filter(None, shown))


def why_failed(result: CompletedProcess[bytes]) -> str:
    """What Git said, or else how it ended."""
    return in_short(result.stderr.decode("utf-8", "replace").splitlines()) or f"git {ended(result.returncode)}"


def _continues(line: str, before: str) -> bool:
    """Whether Git wrapped a sentence here: "Please make sure you have the correct access rights / and the …"."""
    if before.endswith(":"):
        return True
    return before[0].isupper() and not before.endswith(".") and line[0].islower() and not line.startswith(_PREFIXES)


def _bare(message: str) -> str:
    for prefix in _PREFIXES:
        message = message.removeprefix(prefix)
    return message.rstrip(".")
