"""An extension of Markdown for the build of the site: only ``$`` is a prompt in a `console` fence."""

from __future__ import annotations

import re
from importlib import import_module


def makeExtension(**_: object) -> object:  # noqa: N802 - Python-Markdown looks for this name
    """Let Pygments take the lines of a plan that begin with ``#`` for output; Markdown itself stays as it is."""
    lexer = import_module("pygments.lexers.shell").BashSessionLexer
    lexer._ps1rgx = re.compile(r"^(\$ )(.*\n?)")  # noqa: SLF001 - there is no public way
    return type("ConsolePrompts", (import_module("markdown").Extension,), {"extendMarkdown": lambda *_: None})()
