"""What other tools call our commands and options, so that whoever types their words is told ours."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

COMMANDS_ELSEWHERE: Final = {
    "check": "validate",
    "diff": "plan",
    "dump": "import",
    "export": "import",
    "lint": "validate",
    "log": "history",
    "refresh": "drift",
    "sync": "apply",
}
"""Our command for one of Terraform, decK, octoDNS or Git."""

_DELETING: Final = "To delete a channel, declare it with `sync: {state: absent}`, and apply that. "

INSTEAD_OF_COMMANDS: Final = dict.fromkeys(("delete", "destroy", "remove"), _DELETING)
"""What to do instead of a command that we don't have."""

OPTIONS_ELSEWHERE: Final = {
    "-o": "--out",
    "-y": "--auto-approve",
    "--doit": "--auto-approve",
    "--dry-run": "--check",
    "--json": "--format json",
    "--non-zero-exit-code": "--detailed-exitcode",
    "--organisation": "--org",
    "--organization": "--org",
    "--yes": "--auto-approve",
}
"""Our option for one of other tools, for commands that have it."""

_FILES: Final = ("-f", "--config", "--file")
"""How other tools are given the files that our commands take as arguments."""


def option_elsewhere(option: str, known: Collection[str]) -> str:
    """Our word for the option of another tool if it's ``known`` to the command, or else nothing."""
    ours = OPTIONS_ELSEWHERE.get(option, "")
    return ours if ours.partition(" ")[0] in known else ""


def instead_of_option(option: str, command: str | None, known: Collection[str]) -> str:
    """What to do instead of using the option with ``command``, which knows others; empty if that isn't known."""
    if option == "--sandbox":
        return "This command doesn't call Mosend's API, so it needs no sandbox. "
    if option == "--dry-run" and command == "apply":
        return "`webchat-sync plan` shows what apply would change. "
    if option == "--prune":
        return "Set `settings.prune` in the manifests. "
    if option in _FILES and "--overlay" in known:
        return "Give the files or folders as arguments, without an option. "
    return ""
