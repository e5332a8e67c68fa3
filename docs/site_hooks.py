"""What the build of the site does besides: a hook of mkdocs."""

from __future__ import annotations

import re
from importlib import import_module


def on_startup(**_: object) -> None:
    """Let only ``$`` be a prompt in a `console` fence: plans print lines that begin with ``#``."""
    prompt = re.compile(r"^(\$ )(.*\n?)")
    import_module("pygments.lexers.shell").BashSessionLexer._ps1rgx = prompt  # noqa: SLF001 - there is no public way
