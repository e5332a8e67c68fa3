"""Every command line of the README and of docs/ is run, page by page, and prints what the page shows.

How pages are written for this is told in CONTRIBUTING.md. ``UPDATE_EXPECTED=1`` writes into the pages what the commands
print now.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from documented import NOT_RUN, PAGES, ROOT, RUN, Fence, Live, Shell, named, read_page, same, shows
from planning import catalogue
from variations import variation
from webchat_sync.cli import COMMANDS, webchat_sync
from webchat_sync.cli.runtime import Runtime
from webchat_sync.emulator import Store, build_app, read_faults, serve

pytestmark = pytest.mark.slow

NO_COMMANDS = {"", "diff", "go", "ini", "javascript", "json", "php", "python", "rego", "ruby", "text", "yaml"}
"""The fences that hold no command lines."""

ELSEWHERE = {
    (readme, f"python3 -m venv .venv && .venv/bin/pip install --quiet {what}"): "run by .ci/run"
    for readme in ("README.md", "README.es.md")
    for what in ("'.[emulator]'", "--editable '.[dev]'")
}
"""Command lines in fences that are run, which are run elsewhere: the page and how the line begins."""

COMMON = {"cat", "chmod", "cp", "echo", "env", "exit", "export", "git", "grep", "mkdir", "rm", "sed"}
"""The programs, besides ours and Python, that a fence that is run may start: every machine has them."""

HELP = "docs/reference/commands.md"
"""The page of the help of every command: its examples are not run, and each must be a command line that is accepted."""

LEFT_OUT = {
    ("docs/contributing/act.md", "mkdir actions"): "it clones repositories",
    (
        "docs/contributing/mutants.md",
        (
            "python scripts/mutants.py --jobs 2 --seconds 2 secrets.sinks secrets.sign plan.guard plan.requests "
            "plan.make plan.impact plan.channel \\"
        ),
    ): "it takes hours",
    (
        "docs/contributing/mutants.md",
        "pipx run nox -s mutants                                # all of plan, apply, create_once.py and secrets",
    ): "it takes hours",
    ("docs/contributing/podman.md", "sudo pipx run nox -s podman"): "it needs podman and builds an image",
    (
        "docs/contributing/podman.md",
        "sudo scripts/container_base.sh /var/tmp/base",
    ): "it needs root, and installs a system in a folder",
    ("docs/contributing/debugging.md", "webchat-sync emulator --faults faults.yaml"): "it serves until it is stopped",
    (
        "docs/contributing/debugging.md",
        ".venv/bin/pytest -n0 -x tests/test_apply_doubt.py -k lost",
    ): "these are the tests of a checkout",
    (
        "docs/how-to/editor.md",
        'eval "$(_WEBCHAT_SYNC_COMPLETE=bash_source webchat-sync)"     # bash',
    ): "it is for a shell that someone types in",
    (
        "docs/how-to/policies.md",
        "webchat-sync plan channels/ --format json > plan.json",
    ): "conftest is no part of this project",
    ("docs/how-to/install.md", "uv tool install '.[preview]'"): "it needs a package index",
    (
        "docs/how-to/install.md",
        "pip install --require-hashes --requirement requirements.txt",
    ): "it needs a package index",
    ("docs/how-to/install.md", "docker build --tag webchat-sync ."): "it needs docker and builds an image",
    ("docs/how-to/preview.md", "pip install --quiet '.[preview]'"): "it serves until it is stopped",
    ("docs/how-to/site.md", "webchat-sync avatar set Support logo.png"): "it needs a picture",
    **{
        (
            f"docs/{folder}how-to/adopt.md",
            "export MOSEND_API_KEY=…",
        ): "the tests have a key and an organisation of their own"
        for folder in ("", "es/")
    },
    **{
        (f"docs/{folder}tutorial.md", first): reason
        for folder in ("", "es/")
        for first, reason in (
            ("python3 -m venv .venv", "it needs a package index; .ci/run installs the same way"),
            ("mkdir ~/chat", "the tests begin in an empty folder"),
        )
    },
}
"""Each fence of commands that no test can run: the page and its first line, and why."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def fences(page: Path) -> Iterator[Fence]:
    return (each for each in read_page(page.read_text(encoding="utf-8")) if isinstance(each, Fence))


def is_run_elsewhere(page: Path, command: str) -> bool:
    return any(name_of(page) == name and command.startswith(begin) for name, begin in ELSEWHERE)


def steps(page: Path) -> list[Fence | Live]:
    """What a reader does on the page, in order."""
    return [
        each
        for each in read_page(page.read_text(encoding="utf-8"))
        if isinstance(each, Live) or each.title or each.language in RUN
    ]


RUNNING = [page for page in PAGES if any(isinstance(each, Fence) and each.language in RUN for each in steps(page))]


@contextmanager
def organisation(page: Sequence[Fence | Live], folder: Path) -> Iterator[tuple[Store, dict[str, str]]]:
    """The emulator behind a page that says what is live, and the environment that leads to it; else neither."""
    store = Store(catalogue=catalogue())
    named = next((each for each in page if isinstance(each, Live)), None)
    if named is None:
        yield store, {}
        return
    orders = folder / "faults.json"
    orders.write_text(json.dumps(named.faults), encoding="utf-8")
    with serve(build_app(store, faults=read_faults(orders))) as url:
        key = {"MOSEND_BASE_URL": url, "MOSEND_API_KEY": "mk_test_docs.docs"}
        yield store, {**key, "MOSEND_ORG_ID": next(iter(named.channels))}


def put(live: Live, store: Store) -> None:
    """Make the channels as the page says: the one of that id, without an id that of the name, else a new one."""
    for organization, channels in live.channels.items():
        for channel in channels:
            key = "id" if "id" in channel else "name"
            found = [each["id"] for each in store.channels(organization) if each[key] == channel[key]]
            if found:
                store.update(organization, str(found[0]), channel)
            else:
                store.seed(organization, [channel])


# A page in Spanish holds the fences of its source page, which `test_translations.py` compares.
@pytest.mark.alike
@pytest.mark.parametrize(
    "page",
    [
        variation(page, id=name_of(page))
        if "es" in page.relative_to(ROOT).parts
        else pytest.param(page, id=name_of(page))
        for page in RUNNING
    ],
)
def test_the_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    todo = steps(page)
    folder = tmp_path / "folder"
    folder.mkdir()
    wrong: list[str] = []
    updated: list[tuple[Fence, str]] = []
    names: dict[str, str] = {}
    with organisation(todo, tmp_path) as (store, environ), Shell(folder, environ, os.environ) as shell:
        for step in todo:
            if isinstance(step, Live):
                put(step, store)
            elif step.title:
                path = folder / step.title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(step.text, encoding="utf-8")
            else:
                found, told = carry_out(step, shell, page, names)
                wrong += told
                updated.append((step, found))
    if os.environ.get("UPDATE_EXPECTED") and not any("exits with" in each for each in wrong):
        for fence, found in reversed(updated):
            text = text[: fence.start] + found + text[fence.start + len(fence.text) :]
        page.write_text(text, encoding="utf-8")
    else:
        assert not wrong, "\n\n".join(wrong)


def carry_out(fence: Fence, shell: Shell, page: Path, names: dict[str, str]) -> tuple[str, list[str]]:
    """Run the commands of a fence: its text as it should be, and what is wrong with it as it is.

    ``names`` is what the page calls each id and commit of this run so far.
    """
    wrong: list[str] = []
    updated = ""
    commands = list(fence.commands)
    for index, (command, expected) in enumerate(commands):
        if is_run_elsewhere(page, command):
            continue
        where = f"{name_of(page)}:{fence.line}: $ {command}"
        printed, code = shell.run(command)
        if code and not (index + 1 < len(commands) and commands[index + 1][0] == "echo $?"):
            wrong.append(f"{where}\nexits with {code}; a command that fails is followed by `echo $?`:\n{printed}")
        right = fence.language != "console" or shows(expected, printed)
        if not right:
            wrong.append(f"{where}\nprints:\n{same(printed)}\nand not:\n{same(expected)}")
        elif fence.language == "console":
            for shown, name in named(expected, printed):
                if names.setdefault(name, shown) != shown:
                    wrong.append(f"{where}\nshows {shown} for what the page called {names[name]} before")
        updated += "$ " + command.replace("\n", "\n> ") + "\n" + (expected if right else printed)
    return (updated if fence.language == "console" else fence.text), wrong


def test_every_fence_is_run_or_holds_no_command() -> None:
    for page in PAGES:
        for fence in fences(page):
            assert fence.language in {*RUN, NOT_RUN, *NO_COMMANDS}, (name_of(page), fence.line, fence.language)
            if fence.language in NO_COMMANDS and name_of(page) != HELP:
                assert not re.search(r"^\$? ?webchat-sync ", fence.text, re.MULTILINE), (name_of(page), fence.line)
        indented = re.search(r"^[ \t>]+```", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert indented is None, f"{name_of(page)} has a fence that is not read, since it is indented"


def test_what_is_not_run_is_listed_with_its_reason() -> None:
    found = {
        (name_of(page), fence.text.splitlines()[0]): fence.reason
        for page in PAGES
        for fence in fences(page)
        if fence.language == NOT_RUN
    }
    assert found == LEFT_OUT
    lines = [(name_of(page), line) for page in PAGES for fence in fences(page) for line in fence.text.splitlines()]
    for name, begin in ELSEWHERE:
        assert any(page == name and line.startswith(begin) for page, line in lines), begin


def test_what_is_run_needs_no_program_that_a_new_machine_lacks() -> None:
    lacking = {
        (name_of(page), program)
        for page in PAGES
        for fence in fences(page)
        if fence.language in RUN
        for command, _ in fence.commands
        for program in re.findall(r"(?:^|&&|\||;)\s*((?!\w+=)[\w./-]+)(?=\s|$)", command, re.MULTILINE)
        if program not in {"webchat-sync", "python3", *COMMON} and not program.startswith(("./", ".venv/bin/"))
    }
    assert not lacking


def spans() -> list[tuple[str, str]]:
    """The command lines that stand inside sentences and tables."""
    found: list[tuple[str, str]] = []
    for page in PAGES:
        prose = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        found += [(name_of(page), span) for span in re.findall(r"`(webchat-sync [^`\n]+)`", prose)]
    return found


def test_the_commands_and_options_inside_sentences_exist() -> None:
    assert spans()
    for page, span in spans():
        words = [word.strip("[]…,") for word in span.split()[1:]]
        command: click.Command = webchat_sync
        while isinstance(command, click.Group) and words and words[0] != "COMMAND":
            found = command.get_command(click.Context(command), words.pop(0))
            if found is None:
                break
            command = found
        else:
            options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
            unknown = [
                word
                for word in words
                if word.startswith("-") and word.partition("=")[0] not in {*options, "--help", "--version"}
            ]
            assert not unknown, (page, span)
            continue
        assert span.split()[1].startswith("-"), (page, span)


def test_the_examples_of_the_help_are_accepted_as_command_lines() -> None:
    lines = [line for fence in fences(ROOT / HELP) for line in fence.text.splitlines()]
    examples = [line for line in lines if "webchat-sync " in line and "[OPTIONS]" not in line]
    assert len(examples) > len(COMMANDS)
    for line in examples:
        words = shlex.split(re.split(r" [|>] |  #", line.partition("webchat-sync ")[2])[0])
        command: click.Command = webchat_sync
        context = click.Context(command)
        while isinstance(command, click.Group):
            name, found, words = command.resolve_command(context, words)
            assert found is not None, line
            context, command = click.Context(found, parent=context, info_name=name, obj=Runtime({})), found
        command.make_context("webchat-sync", words, parent=context)


def test_what_is_another_in_each_run_is_compared_as_the_same() -> None:
    one = "295a7e3f-8855-47bf-bd11-64c00925589a at 2026-11-02T12:00:00Z on http://127.0.0.1:1, less than a minute old\n"
    other = "e0af1fb4-c650-4781-997d-38b570c127c1 at 2027-01-01T00:00:01+00:00 on http://127.0.0.1:9, 2 minutes old\n"
    assert shows(one, other)
    assert not shows(one, other.replace("on", "at"))
    assert shows("first\n…\nlast\n", "first\n2\n3\nlast\n")
    assert not shows("first\n…\nlast\n", "first\n2\n3\n")


def test_each_id_and_commit_on_a_page_is_matched_to_that_of_the_run() -> None:
    one, other = "295a7e3f-8855-47bf-bd11-64c00925589a", "e0af1fb4-c650-4781-997d-38b570c127c1"
    expected = f'"Support" ({one}) at 2026-11-02T12:00:00Z\n…\nHEAD (8375a00e73), {one}\n'
    actual = f'"Support" ({other}) at 2027-01-01T00:00:01Z\n2\n3\nHEAD (cdc4c746e5), {one}\n'
    assert named(expected, actual) == [(one, other), ("8375a00e73", "cdc4c746e5"), (one, one)]
