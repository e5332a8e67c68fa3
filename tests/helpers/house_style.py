"""Finds what `docs/contributing/glossary.md` rules out, in pages and in the program's messages.

``python tests/helpers/house_style.py`` lists remaining violations in the program.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
GLOSSARY: Final = ROOT / "docs" / "contributing" / "glossary.md"
SOURCES: Final = ROOT / "src" / "webchat_sync"

EVERYWHERE: Final = "Don't write"
IN_MESSAGES: Final = "Don't write in messages"
"""The headings of the glossary's tables: for pages and messages, and for messages only."""


@cache
def unwanted(*headings: str) -> re.Pattern[str]:
    """The first columns of the glossary's tables under ``headings``."""
    phrases: list[str] = []
    for heading in headings:
        table = GLOSSARY.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
        rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", table, re.MULTILINE)[1:]
        assert len(rows) > 10
        phrases += [phrase.strip() for row in rows for phrase in row.split(",")]
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b", re.IGNORECASE)


def prose(text: str) -> str:
    """``text`` with fences, comments and code blanked, so that line numbers stay the same."""
    hidden = r"^(`{3,}).*?^\1$|<!--.*?-->|`[^`\n]+`|<code>.*?</code>"
    return re.sub(hidden, lambda code: re.sub(r"[^\n]", " ", code[0]), text, flags=re.MULTILINE | re.DOTALL)


def breaches(text: str, *, message: bool = False) -> list[tuple[int, str]]:
    """The lines with something unwanted, and what it is; a phrase can span two lines."""
    plain = prose(text)
    rules = unwanted(*(EVERYWHERE, IN_MESSAGES) if message else (EVERYWHERE,))
    phrases = rules.finditer(re.sub(r"\s", " ", plain))
    return [(plain.count("\n", 0, phrase.start()) + 1, phrase[0]) for phrase in phrases]


def spoken(module: Path) -> str:
    """What a module can print: its strings, and the docstrings that are the help of a command."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    strings = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return "\n\n".join([*_helps(tree), *(str(node.value) for node in strings if id(node) not in alone)])


def quotes_as_python(module: Path) -> bool:
    """Whether a module puts the ``repr`` of a value into a text."""
    nodes = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
    return any(isinstance(node, ast.FormattedValue) and node.conversion in {ord("r"), ord("a")} for node in nodes)


def _helps(tree: ast.Module) -> list[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    commands = [node for node in functions if any("command" in ast.unparse(mark) for mark in node.decorator_list)]
    return [ast.get_docstring(command) or "" for command in commands]


def described(schema: Path) -> str:
    """The descriptions in a schema."""

    def below(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            for name, value in node.items():
                if name in ("description", "text") and isinstance(value, str):
                    yield value
                else:
                    yield from below(value)
        elif isinstance(node, list):
            for value in node:
                yield from below(value)

    return "\n\n".join(below(json.loads(schema.read_text(encoding="utf-8"))))


def program() -> Iterator[tuple[str, str]]:
    """Every module, schema and pipeline, by path, with its texts; a pipeline with its comments."""
    for module in sorted([*SOURCES.rglob("*.py"), *(ROOT / "scripts" / "action").glob("*.py")]):
        yield module.relative_to(ROOT).as_posix(), spoken(module)
    for schema in sorted((ROOT / "schemas").glob("*.json")):
        yield schema.relative_to(ROOT).as_posix(), described(schema)
    copied = [*(ROOT / "templates").glob("*.yml"), *(ROOT / "examples").rglob("*.y*ml"), *SOURCES.rglob("*.yml")]
    for pipeline in sorted([ROOT / "action.yml", *copied]):
        yield pipeline.relative_to(ROOT).as_posix(), pipeline.read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, text in program():
        for _, phrase in breaches(text, message=True):
            sys.stdout.write(f"{name}: {phrase}\n")
