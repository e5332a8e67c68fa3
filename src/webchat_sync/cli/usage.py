"""What click finds wrong with a command line, in the words and quotes of every other problem."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import click

from webchat_sync.cli.other_words import (
    COMMANDS_ELSEWHERE,
    INSTEAD_OF_COMMANDS,
    instead_of_option,
    option_elsewhere,
)
from webchat_sync.domain.spelling import nearest
from webchat_sync.errors import Diagnostic
from webchat_sync.lazy_pattern import lazy_pattern

_NO_COMMAND: Final = lazy_pattern(r"no such command `(.+)`")
"""As click says it; releases before 8.4 have no type for it."""
_QUOTED: Final = lazy_pattern(r"(command |argument |option |value for |:? ?)(?<!\w)'([^']*)'(?!\w)")
_METAVAR: Final = lazy_pattern(r"(?<= ')\[?([A-Z]+)\]?(?:\.\.\.)?(?=')")
_CHOICES: Final = lazy_pattern(r"\. Choose from:\s(.+)", re.DOTALL)
_KIND: Final = lazy_pattern(r"(?:File|Directory) ('.*') is a (file|directory)$", re.DOTALL)
_SUGGESTION: Final = lazy_pattern(r"(?<=')\.? \(?Did you mean .*", re.DOTALL)
_SURPLUS: Final = lazy_pattern(r"Got unexpected extra (arguments?) \((.+)\)", re.DOTALL)
_OURS: Final = {
    " is not ": " isn't ",
    " does not ": " doesn't ",
    ".0 is out of range": " is out of range",
    "a valid integer range": "a whole number",
    "a valid float range": "a number",
}
_RANGE: Final = lazy_pattern(r" is not in the range (?:(\d+)<=)?x(?:<=(\d+)|>=(\d+))?")

_WAY_OUT: Final = lazy_pattern(r"""((?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`])*?)\. ([A-Z].*)""", re.DOTALL)
"""A sentence about what's wrong, and what to do; a full stop in quotes ends no sentence."""

_SHORT: Final = 2
"""The length of an option with one letter, such as ``-v``."""


def usage_problem(error: click.ClickException, arguments: Sequence[str] = ()) -> Diagnostic:
    """What's wrong with ``arguments``, and what to type instead if that's known."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "webchat-sync"
    message, way_out = _in_our_words(error), ""
    if parts := _WAY_OUT.fullmatch(message):
        message, way_out = parts[1], f"{parts[2]}. "
    hint = f"{way_out}{_meant(error, message, context, arguments)}Run `{path} --help` for usage and examples."
    return Diagnostic(message, hint=hint)


def _in_our_words(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        return f"no such option `{error.option_name}`"
    message = error.format_message().rstrip(".")
    for theirs, ours in (
        (_SUGGESTION, ""),
        (_METAVAR, r"\1"),
        (_CHOICES, _one_of),
        (_KIND, _of_the_wrong_kind),
        (_SURPLUS, _unexpected),
        (_RANGE, _out_of_range),
        (_QUOTED, _requoted),
    ):
        message = theirs.sub(ours, message)
    for words, shorter in _OURS.items():
        message = message.replace(words, shorter)
    return message if message[:2].isupper() else message[:1].lower() + message[1:]


def _one_of(choices: re.Match[str]) -> str:
    return "; it can be " + ", ".join(f"'{name.strip()}'" for name in choices[1].split(","))


def _of_the_wrong_kind(path: re.Match[str]) -> str:
    return f"{path[1]} is a {path[2]}, not a {'file' if path[2] == 'directory' else 'directory'}"


def _unexpected(surplus: re.Match[str]) -> str:
    return f"unexpected {surplus[1]}: `{surplus[2]}`"


def _requoted(quoted: re.Match[str]) -> str:
    """Quote names of options, arguments and commands as code, and their values as text."""
    is_code = quoted[1].strip(": ") or quoted[2].startswith("-")
    return f"{quoted[1]}`{quoted[2]}`" if is_code else f'{quoted[1]}"{quoted[2]}"'


def _out_of_range(bounds: re.Match[str]) -> str:
    low, high = bounds[1] or bounds[3], bounds[2]
    return f" is out of range ({f'{low} to {high}' if high else f'at least {low}'})"


def _meant(error: click.ClickException, message: str, context: click.Context | None, arguments: Sequence[str]) -> str:
    """A suggestion for an unknown command or option."""
    if context is None:
        return ""
    if isinstance(error, click.NoSuchOption):
        return _meant_option(error.option_name, context, arguments)
    if isinstance(context.command, click.Group) and (unknown := _NO_COMMAND.match(message)):
        return _meant_command(unknown[1], context.command, context)
    return ""


def _meant_command(name: str, group: click.Group, context: click.Context) -> str:
    if hint := INSTEAD_OF_COMMANDS.get(name):
        return hint
    known = group.list_commands(context)
    translated = COMMANDS_ELSEWHERE.get(name)
    meant = translated if translated in known else _of_subgroup(name, group, context) or nearest(name, known)
    return f"Did you mean `{context.command_path} {meant}`? " if meant else ""


def _of_subgroup(name: str, group: click.Group, context: click.Context) -> str:
    """The command of that name in one of the group's own groups, with the name of that one; empty if none has it."""
    commands = {each: group.get_command(context, each) for each in group.list_commands(context)}
    inside = (each for each, one in commands.items() if isinstance(one, click.Group) and one.get_command(context, name))
    return next((f"{each} {name}" for each in inside), "")


def _meant_option(option: str, context: click.Context, arguments: Sequence[str]) -> str:
    # A pipeline's list of arguments makes one of an option and its value.
    if " " in option:
        name, _, value = option.partition(" ")
        return f"If `{name}` is the option and `{value}` its value, write `{name}={value}`. "
    command = context.command
    if isinstance(command, click.Group) and (hint := _of_command(option, command, context)):
        return hint
    known = [name for parameter in command.get_params(context) for name in parameter.opts if name.startswith("--")]
    typed = _as_typed(option, arguments)
    if typed in known:
        return f"Write `{typed}`, with two dashes. "
    if hint := instead_of_option(typed, command.name, known):
        return hint
    meant = option_elsewhere(typed, known) or nearest(typed, known)
    return f"Did you mean `{meant}`? " if meant else ""


def _as_typed(option: str, arguments: Sequence[str]) -> str:
    """The option that was typed with a single dash, as in ``-out=FILE``, of which click names one letter."""
    if option.startswith("--"):
        return option
    words = (word.partition("=")[0] for word in arguments if word.startswith("-") and not word.startswith("--"))
    return next((f"-{word}" for word in words if len(word) > _SHORT and option[1:] in word), option)


def _of_command(option: str, group: click.Group, context: click.Context) -> str:
    """Where an option goes that one of the group's commands has; empty if none has it."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and any(option in parameter.opts for parameter in command.params):
            return f"Options go after the command, as in `{context.command_path} {name} {option}`. "
    return ""
