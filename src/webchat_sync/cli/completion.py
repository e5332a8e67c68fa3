"""Channel names for the completion of bash, zsh and fish, which click supports."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.environment import COMPLETE_VARIABLE
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.jsonvalue import show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.sentences import in_a_row

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_SHELLS: Final = ("bash", "zsh", "fish")
_SPECIAL: Final = lazy_pattern(r"([^\w@%+=:,./-])")


def check_request(environ: Mapping[str, str]) -> None:
    """Raise InputError for a request that click can't answer: it would end without a word, or fail."""
    order = environ.get(COMPLETE_VARIABLE)
    scripts = [f"{shell}_source" for shell in _SHELLS]
    if not order or order in scripts:
        return
    shell, _, kind = order.partition("_")
    position = environ.get("COMP_CWORD")
    counted = shell == "fish" or (position is not None and re.fullmatch(r"[0-9]{1,9}", position))
    if shell in _SHELLS and kind == "complete" and "COMP_WORDS" in environ and position is not None and counted:
        return
    message = f"the variable {COMPLETE_VARIABLE} is set to {show(order)}, which is no request for shell completion"
    hint = f"Set it to {in_a_row(scripts, last='or')} for the script of your shell; otherwise unset it."
    raise InputError([Diagnostic(message, hint=hint)])


def complete_channel(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The declared channels whose names start with ``incomplete``.

    They're looked up in the PATHs on the command line, or else in the current directory.
    """
    from click.shell_completion import CompletionItem

    from webchat_sync.domain.names import stored_form
    from webchat_sync.manifest.glance import channel_names
    from webchat_sync.tree import exists

    # If an option still lacks its value, click doesn't parse the arguments before it.
    searched = context.params.get("paths") or [Path(argument) for argument in context.args if exists(Path(argument))]
    paths: Sequence[Path] = searched or [Path()]
    begun = stored_form(incomplete) if incomplete else ""
    # A name with line breaks can't be completed; no name may reach the shell as a command.
    names = (name for name in channel_names(paths, os.environ) if name.isprintable())
    matching = [name for name in names if name.startswith(incomplete) or stored_form(name).startswith(begun)]
    bash = os.environ.get(COMPLETE_VARIABLE) == "bash_complete"
    return [CompletionItem(_for_bash(name) if bash else name) for name in matching]


def _for_bash(name: str) -> str:
    """``name`` as one word, with backslashes doubled, since click's script removes one of two."""
    return _SPECIAL.sub(r"\\\1", name).replace("\\", "\\\\")


name_argument = click.argument("name", shell_complete=complete_channel)
"""The NAME of a channel."""
