"""Why Git failed, in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from subprocess import CompletedProcess
from typing import Final

from webchat_sync.git_messages import in_short
from webchat_sync.model import Secret
from webchat_sync.redact import redact

LONGEST_TEXT: Final = 4_000
"""Characters to show of a remote's texts, such as a commit message or a reason."""

_CONTROL: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_SAID_EVERY_TIME: Final = (
    "not read from remote repository.",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
    "error: failed to push some refs to ",
)
"""What's in lines that Git adds to every failure."""


def refusals(porcelain: bytes) -> str:
    """The lines of a push about refs that weren't changed, with the remote's reasons."""
    lines = porcelain.decode("utf-8", "replace").splitlines()
    return "\n".join(line.split("\t")[-1] for line in lines if line.startswith("!"))


def reason(result: CompletedProcess[bytes], secrets: Iterable[Secret]) -> str:
    """What Git and the remote said, without ``secrets`` and without what Git says every time."""
    stderr = _CONTROL.sub("", redact(result.stderr.decode("utf-8", "replace"), secrets))
    lines = [line.strip() for line in (*stderr.splitlines(), *refusals(result.stdout).splitlines())]
    telling = [line for line in lines if line and not any(text in line for text in _SAID_EVERY_TIME)]
    return in_short(telling or lines)[:LONGEST_TEXT] or f"git exited with code {result.returncode}"
