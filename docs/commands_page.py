"""The page of the commands, from click."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from typing import Final

import click

from webchat_sync.cli import webchat_sync

COMMANDS: Final = """\
# Commands

<!-- Made from the commands themselves by `python docs/generate.py`. -->

In a terminal, `webchat-sync COMMAND --help` shows the same. The [exit codes](exit-codes.md) have a page of their own.

{summary}
## General options

Every command accepts these.

{general}
## Manifest options

Most commands that read manifests accept these, and say so below.

{manifest}
## Connection options

Every command that talks to the API accepts these, and says so below.

{connection}
{commands}
"""

_GENERAL: Final = ("--verbose", "--quiet", "--no-color")
_SHARED: Final = {
    "manifest": ("--allow-env", "--allow-path", "--overlay"),
    "connection": ("--org", "--base-url", "--api-key-file", "--debug-http", "--sandbox"),
}
"""The options that have a table of their own, for commands that have all of them."""
_NOTES: Final = re.compile(r"\s*\[(?:env: (?P<env>.+?))?(?:; )?(?:default: (?P<default>.+))?\]$")
_CODE: Final = re.compile(
    r"(`[^`]+`|(?<![\w-])--[a-z][a-z-]*[a-z]|\b[A-Z]+(?:_[A-Z]+)*(?:_[A-Z]+|_\*)|\b(?:settings|sync)\.\w+"
    r"|(?<!\w)\.webchat-sync/[\w./-]*\w/?|(?<![\w*])\*\.[a-z]+)"
)
"""What is code in a help: options, variables, settings, and names of files."""
_EXIT_CODE: Final = re.compile(r"^\s*(\d+)\s+(.+)$", re.MULTILINE)


def commands_page() -> str:
    """The page of all commands, in Markdown."""
    context = click.Context(webchat_sync, info_name="webchat-sync")
    plan = webchat_sync.get_command(context, "plan")
    assert plan is not None
    tables = {
        title: _table([option for option in _options(plan) if option.opts[-1] in names], click.Context(plan))
        for title, names in {"general": _GENERAL, **_SHARED}.items()
    }
    summary = "\n".join(["| command | what it does |", "|---|---|", *_summary(context)]) + "\n"
    return COMMANDS.format(summary=summary, commands="\n".join(_sections(context)).strip(), **tables)


def exit_codes() -> str:
    """The table of the exit codes, from the help of the program."""
    assert webchat_sync.help is not None
    found = _EXIT_CODE.findall(webchat_sync.help.partition("Exit codes:")[2])
    return (
        "\n".join(["| exit code | meaning |", "|---|---|", *(f"| {code} | {marked(text)} |" for code, text in found)])
        + "\n"
    )


def _summary(context: click.Context) -> Iterator[str]:
    """A row for each command that is no group, with the first sentence of its help and a link to its section."""
    command = context.command
    if not isinstance(command, click.Group):
        name = context.command_path.removeprefix("webchat-sync ")
        first = cleandoc(command.help or "").partition("\n\n")[0].replace("\n", " ")
        yield f"| [`{name}`](#{name.replace(' ', '-')}) | {marked(first)} |"
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from _summary(click.Context(inner, parent=context, info_name=name))


def _sections(context: click.Context) -> Iterator[str]:
    """The section of a command and those of the commands in it."""
    command = context.command
    level = "##" if context.parent is None or context.parent.parent is None else "###"
    if context.parent is not None:
        yield f"{level} {context.command_path.removeprefix('webchat-sync ')}\n"
        yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```\n"
        yield from _help(cleandoc(command.help or ""))
        yield from _option_table(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _sections(click.Context(inner, parent=context, info_name=name))


def _help(text: str) -> Iterator[str]:
    """The paragraphs of a help; those that click leaves as they are become blocks, below their first line."""
    for paragraph in text.split("\n\n"):
        lines = paragraph.splitlines()
        if lines[0] != "\b":
            yield marked(" ".join(lines)) + "\n"
            continue
        first, *others = lines[1:]
        if first.endswith(":"):
            yield marked(first) + "\n"
        else:
            others = [first, *others]
        yield "```text\n" + "\n".join(line.removeprefix("  ") for line in others) + "\n```\n"


def _options(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option)]


def _option_table(command: click.Command, context: click.Context) -> Iterator[str]:
    options = _options(command)
    names = {option.opts[-1] for option in options}
    assert names.issuperset(_GENERAL)
    shared = [title for title, together in _SHARED.items() if names.issuperset(together)]
    elsewhere = {*_GENERAL, *(name for title in shared for name in _SHARED[title])}
    own = [option for option in options if option.opts[-1] not in elsewhere]
    if own:
        yield _table(own, context)
    if shared:
        links = " and the ".join(f"[{title} options](#{title}-options)" for title in shared)
        yield f"{'It also accepts' if own else 'It accepts'} the {links}.\n"


def _table(options: Sequence[click.Option], context: click.Context) -> str:
    rows = [_row(each, context) for each in options]
    return "\n".join(["| option | what it does |", "|---|---|", *rows]) + "\n"


def _row(option: click.Option, context: click.Context) -> str:
    text = "The format of stdout." if option.opts == ["--format"] else str(option.help)
    notes = _NOTES.search(text)
    default = notes["default"] if notes else None
    if default is None and option.show_default:
        default = str(option.get_default(context))
    said = [marked(_NOTES.sub("", text))]
    if isinstance(option.type, click.Choice):
        said.append(f"One of {', '.join(f'`{each}`' for each in option.type.choices)}.")
    if notes and notes["env"]:
        said.append(f"{'Variables' if ' ' in notes['env'] else 'Variable'}: {marked(notes['env'])}.")
    if default:
        said.append(f"Default: {marked(default)}.")
    if option.required:
        said.append("Required.")
    names = ", ".join(as_code(f"{name}{_value(option)}") for name in option.opts)
    return f"| {names} | {' '.join(said)} |"


def as_code(text: str) -> str:
    """Text as code in a table."""
    # Markdown's dialects do not agree on how a bar is written inside code inside a table.
    return f"<code>{text.replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    return f" {option.metavar or option.opts[-1].strip('-').upper()}"


def marked(text: str) -> str:
    """Plain text as Markdown, with what is code as code, and nothing that reads as a mark by chance."""
    parts = _CODE.split(text)
    return "".join(as_code(part.strip("`")) if index % 2 else _escaped(part) for index, part in enumerate(parts))


def _escaped(text: str) -> str:
    return re.sub(r"([*<\[\]_])", r"\\\1", text)
