"""Goes through a page of the documentation like a reader: files to write, commands to run, output to compare."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from threading import Timer
from typing import Any, Final

import yaml

from programs import PACKAGE, write_program

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [ROOT / "README.md", ROOT / "README.es.md", *sorted((ROOT / "docs").rglob("*.md"))]

RUN: Final = ("console", "sh")
"""Fences whose commands are run: with the output shown below each, and without."""

NOT_RUN: Final = "bash"
"""The fence of commands that a test can't run; the comment above it says why."""

ELISION: Final = "…"
"""A line of output with nothing else stands for any lines."""

FOLDER: Final = "/home/you/channels"
"""The pages' name for the folder in which commands run."""

_SAME: Final = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\bwct_[0-9a-f]{32}\b"), "<token>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<64 hex digits>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"(?<=\()[0-9a-f]{10}(?=\))"), "<commit>"),
    (re.compile(r"\b(?:less than a minute|\d+ minutes?) (old|ago)"), r"<age> \1"),
    (re.compile(r"(?<==)[\w-]{43}$", re.MULTILINE), "<secret>"),
    (re.compile(r"(?<=/recovery/)[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"\bprocess \d+ on \S+"), "<process>"),
    (re.compile(r"\bwebchat-sync \d+\.\d+\.\d+\S*"), "webchat-sync <version>"),
)
"""What differs in each run, and what to replace it by."""

_NAMES: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<=\()[0-9a-f]{10}(?=\))")
"""What names a thing, the same each time in one run: the ids of channels and requests, and commits."""

_FENCE: Final = re.compile(
    r"^(?P<ticks>`{3,})(?P<language>\w*)(?P<options>[^\n`]*)\n(?P<text>.*?)^(?P=ticks)$", re.MULTILINE | re.DOTALL
)
_LIVE: Final = "<!-- live -->\n"
"""The line above a fence that shows what is live."""

_COMMENT: Final = re.compile(r"^<!-- (?P<kind>live|not run):? ?(?P<text>.*?)-->$", re.MULTILINE | re.DOTALL)
_TITLE: Final = re.compile(r'\btitle="([^"]+)"')


@dataclass(frozen=True)
class Fence:
    """A fenced block. ``start`` is the start of its text in the page; ``reason`` is why it isn't run."""

    language: str
    title: str
    text: str
    line: int
    start: int
    reason: str = ""

    @property
    def commands(self) -> Iterator[tuple[str, str]]:
        """Each command and the output below it; without ``$``, every line is a command without output."""
        if self.language != "console":
            yield from ((line, "") for line in self.text.splitlines() if line and not line.startswith("#"))
            return
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            lines = part.splitlines(keepends=True)
            more = 1
            while more < len(lines) and lines[more].startswith("> "):
                more += 1
            command = "".join([lines[0], *(line[2:] for line in lines[1:more])]).rstrip("\n")
            yield command, "".join(lines[more:])


@dataclass(frozen=True)
class Live:
    """What is live, or changes there, by organisation and channel name.

    It's in a comment `<!-- live: … -->`, or in a visible fence below `<!-- live -->`. ``faults`` is how the server
    misbehaves, in the format of `webchat-sync emulator --faults`.
    """

    channels: Mapping[str, Sequence[Mapping[str, Any]]]
    faults: Sequence[Mapping[str, Any]] = ()


def read_page(text: str) -> list[Fence | Live]:
    """The fences and the comments of a page, in order."""
    found: list[tuple[int, Fence | Live]] = []
    reasons: dict[int, str] = {}
    for comment in _COMMENT.finditer(text):
        if comment["kind"] == "live" and comment["text"]:
            said = yaml.safe_load(comment["text"])
            found.append((comment.start(), Live(said, said.pop("faults", ()))))
        else:
            reasons[comment.end() + 1] = comment["text"].strip()
    for fence in _FENCE.finditer(text):
        if text.endswith(_LIVE, 0, fence.start()):
            found.append((fence.start(), Live(yaml.safe_load(fence["text"]))))
            continue
        title = _TITLE.search(fence["options"])
        line = text.count("\n", 0, fence.start()) + 1
        reason = reasons.get(fence.start(), "")
        name = title[1] if title else ""
        found.append((fence.start(), Fence(fence["language"], name, fence["text"], line, fence.start("text"), reason)))
    return [each for _, each in sorted(found, key=lambda each: each[0])]


def same(text: str) -> str:
    """``text`` without what differs in each run."""
    for pattern, placeholder in _SAME:
        text = pattern.sub(placeholder, text)
    return text


def shows(expected: str, actual: str) -> bool:
    """Whether the page shows this output, except for what it omits."""
    pieces = [re.escape(same(piece)) for piece in re.split(rf"^ *{ELISION}\n", expected, flags=re.MULTILINE)]
    return re.fullmatch(r"(?:.*\n)+".join(pieces), same(actual)) is not None


def named(expected: str, actual: str) -> list[tuple[str, str]]:
    """Each id and commit that the page shows in this output, and what it was in this run; ``shows`` holds."""
    pieces: list[str] = []
    for piece in re.split(rf"^ *{ELISION}\n", expected, flags=re.MULTILINE):
        texts = _NAMES.split(piece)
        pieces.append(f"({_NAMES.pattern})".join(_like(text) for text in texts))
    found = re.fullmatch(r"(?:.*\n)+".join(pieces), actual)
    assert found, actual
    return list(zip(_NAMES.findall(expected), found.groups(), strict=True))


def _like(text: str) -> str:
    """A pattern for ``text`` with anything where it differs in each run, or shows a placeholder for that."""
    return ".*?".join(re.escape(each) for each in re.split(r"<[\w ]+>", same(text)))


class Shell:
    """One bash for a whole page, so that `cd`, `export` and `$?` carry over; a context manager.

    ``webchat-sync`` is that of this interpreter. ``environ`` is added to an environment without Mosend's variables.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], inherited: Mapping[str, str]) -> None:
        programs = folder.parent / "bin"
        write_program(programs / "webchat-sync", PACKAGE)
        kept = {name: value for name, value in inherited.items() if name in ("LANG", "PYTHONPATH", "VIRTUAL_ENV")}
        git = {
            f"GIT_{role}_{what}": "docs@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        self._process = Popen(
            ["/usr/bin/env", "bash", "--noprofile", "--norc"],
            cwd=folder,
            env={
                **kept,
                **git,
                **environ,
                "HOME": str(folder.parent),
                "PATH": f"{programs}:{Path(sys.executable).parent}:{inherited['PATH']}",
                "PYTHONIOENCODING": "utf-8",
            },
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            encoding="utf-8",
        )
        self._folder = str(folder)
        self._timer = Timer(120, self._process.kill)

    def __enter__(self) -> Shell:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.communicate()

    def run(self, command: str) -> tuple[str, int]:
        """The output of the command, stdout and stderr, and its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # Restores the exit code at the end, so that the next command sees it in `$?`.
        end = 'code=$?; printf \'\\036%d\\n\' "$code"; (exit "$code")'
        self._process.stdin.write(f"{{\n{command}\n}} < /dev/null\n{end}\n")
        self._process.stdin.flush()
        output = ""
        for line in self._process.stdout:
            text, mark, code = line.partition("\036")
            output += text
            if mark:
                return output.replace(self._folder, FOLDER), int(code)
        raise AssertionError(f"the shell ended in `{command}`:\n{output}")
