"""``webchat-sync init``."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync import __version__
from webchat_sync.cli.files import read_bytes
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.environment import ORGANIZATION_VARIABLE
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.files import create
from webchat_sync.flat import flat
from webchat_sync.tree import escape
from webchat_sync.workflow.state import STATE_FOLDER

if TYPE_CHECKING:
    from webchat_sync.cli.starter import Host

_GIT: Final = 10.0
"""The time limit of a Git command, in seconds."""

_ACTION: Final = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Repository:
    """The Git repository around a folder: its root, the URL of its remote and its main branch."""

    root: Path
    remote: str
    branch: str


def _checked_action(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _ACTION.fullmatch(value):
        raise click.BadParameter("give the repository and the commit's 40 digits, as in `acme/webchat-sync@0123…`.")
    return value


@click.command("init", short_help="Set up a new folder: a manifest, a .gitignore and a pipeline.")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option(
    "--host",
    type=click.Choice(["github", "gitlab", "none"]),
    help="The host to write a pipeline for.  [default: the host of the repository]",
)
@click.option("--org", metavar="ID", help="Declare the channels of this organisation.")
@click.option(
    "--action",
    metavar="REPO@COMMIT",
    callback=_checked_action,
    help="For GitHub: the repository and commit that contain the Action.",
)
@click.pass_obj
def command(runtime: Runtime, *, folder: Path, host: str | None, org: str | None, action: str | None) -> None:
    """Set up a new folder: a commented manifest, a .gitignore and a pipeline.

    DIR is created if it doesn't exist; without it, the current directory is used. If DIR already contains manifests,
    no example is added. The pipeline goes to the root of the git repository. It posts the plan on pull requests,
    applies the reviewed plan on merge, and checks for drift every night.

    In a terminal, init asks for the host and the organisation if it can't detect them. Existing files are never
    overwritten, except that a line is added to a .gitignore. Run it again to restore missing files.

    \b
    Examples:
      webchat-sync init
      webchat-sync init channels --host github --org 6f1c0e52-8f0a-4f6e-9a53-2d1f0a7c9b11
    """
    from textwrap import wrap

    from webchat_sync.cli.starter import ACTION, host_of, ignoring, manifest, pipelines
    from webchat_sync.domain.catalogue import schema_path

    try:
        folder.mkdir(parents=True, exist_ok=True)
        repository = read_repository(folder, runtime.environ)
        chosen = _host(host or host_of(repository.remote) or _host_by_files(repository.root), runtime)
        organization = _organization(org, folder / "channels.yaml", runtime)
        for name in ("manifest.schema.json", "channel.schema.json"):
            schema = schema_path(name.partition(".")[0]).read_text(encoding="utf-8")
            _create(folder / STATE_FOLDER / name, schema, silently=True)
        inside = folder.resolve().relative_to(repository.root).as_posix()
        if inside == "." or not _has_manifests(folder):
            _create(folder / "channels.yaml", manifest(organization))
        _ignore(folder / ".gitignore", ignoring)
        written: list[Path] = []
        if chosen is not None:
            for made in pipelines(
                chosen,
                folder=inside,
                branch=repository.branch,
                version=__version__,
                action=action or ACTION,
                names_organization=organization is not None,
            ):
                written.append(repository.root / made.path)
                _create(written[-1], made.text)
    except OSError as error:
        raise InputError([Diagnostic(f"can't write {error.filename or folder}: {error.strerror}")]) from None
    click.echo("\nNext:")
    steps = _next_steps(folder, chosen, written, organization=organization, has_action=action is not None)
    for number, (text, example) in enumerate(steps, start=1):
        for line in wrap(text, 80, initial_indent=f"  {number}. ", subsequent_indent="     ", break_on_hyphens=False):
            click.echo(line)
        if example:
            click.echo(flat(f"       {example}"))


def _host(known: str | None, runtime: Runtime) -> Host | None:
    """The host to write a pipeline for; the user is asked if it can't be detected."""
    if known is None and runtime.interactive:
        choice = click.Choice(["github", "gitlab", "none"])
        known = click.prompt("Which host will run the pipeline?", type=choice, default="none", err=True)
    return "github" if known == "github" else "gitlab" if known == "gitlab" else None


def _organization(given: str | None, existing: Path, runtime: Runtime) -> str | None:
    if given or runtime.environ.get(ORGANIZATION_VARIABLE) or not runtime.interactive or existing.exists():
        return given
    question = "The organisation's id (leave empty to use the variable MOSEND_ORG_ID)"
    return click.prompt(question, default="", show_default=False, err=True) or None


def _next_steps(
    folder: Path, host: Host | None, written: Sequence[Path], *, organization: str | None, has_action: bool
) -> Iterator[tuple[str, str]]:
    """Three steps from the new files to the first plan in a pull request, each with or without a command."""
    enter = "" if folder.resolve() == Path().resolve() else f"cd {shlex.quote(folder.as_posix())} && "
    path = "channels.yaml " if (folder / "channels.yaml").exists() else ""
    yield "Try it without an account:", f"{enter}webchat-sync plan {path}--sandbox"
    variable = "" if organization else " and the variable MOSEND_ORG_ID"
    if host == "github":
        place = "" if has_action else "Replace OWNER/webchat-sync@000… with the Action's repository and commit. "
        yield (
            (
                f"{place}In Settings > Environments, create webchat-sync-plan and production, each with the secret "
                f"MOSEND_API_KEY{variable}."
            ),
            "",
        )
    elif host == "gitlab":
        yield (
            (
                f"Include {written[0].name} in .gitlab-ci.yml. In Settings > CI/CD > Variables, add MOSEND_API_KEY and "
                f"GITLAB_TOKEN, both masked{variable.replace(' and the variable', ', and')}."
            ),
            "",
        )
    else:
        yield "Write a pipeline, here for GitHub:", "webchat-sync init --host github"
    if host is None:
        yield "Declare the channels that you already have:", "webchat-sync import --out channels/"
    else:
        request = "pull request" if host == "github" else "merge request"
        yield f"Push the files to a branch and open a {request}. The plan appears there as a comment.", ""


def read_repository(folder: Path, environ: Mapping[str, str]) -> Repository:
    """The repository of ``folder``; without a repository or git, the folder itself without a remote."""
    root = _git(folder, environ, "rev-parse", "--show-toplevel")
    if not root:
        return Repository(folder.resolve(), "", "main")
    urls = _git(folder, environ, "config", "--get-regexp", r"^remote\..*\.url$")
    remotes = dict(line.split(" ", 1) for line in urls.splitlines())
    head = _git(folder, environ, "rev-parse", "--abbrev-ref", "origin/HEAD")
    remote = remotes.get("remote.origin.url") or next(iter(remotes.values()), "")
    return Repository(Path(root).resolve(), remote, head.removeprefix("origin/") or "main")


def _git(folder: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """The output of Git without the final line break; empty if it fails or is missing."""
    from webchat_sync.git import run_git

    try:
        done = run_git(folder, environ, *arguments, timeout=_GIT)
    except (InputError, TimeoutError):
        return ""
    return done.stdout.decode("utf-8", "replace").removesuffix("\n") if done.returncode == 0 else ""


def _has_manifests(folder: Path) -> bool:
    """Whether the folder already has manifests, so that it needs no example."""
    return any(path.suffix in (".yaml", ".yml", ".json") and path.name != "channels.yaml" for path in folder.iterdir())


def _host_by_files(root: Path) -> Host | None:
    if (root / ".github").is_dir():
        return "github"
    return "gitlab" if (root / ".gitlab-ci.yml").exists() else None


def _create(path: Path, text: str, *, silently: bool = False) -> None:
    _refuse_link(path)
    try:
        create(path, text.encode())
        said = f"Wrote {_shown(path)}."
    except FileExistsError:
        said = f"{_shown(path)} already exists; left unchanged."
    if not silently:
        note(said)


def _ignore(path: Path, ignoring: Callable[[str], str | None]) -> None:
    """Add the line to ``.gitignore``, which is created if necessary; its other bytes don't change."""
    _refuse_link(path)
    before = read_bytes(path) if path.exists() else b""
    after = ignoring(before.decode("utf-8", "surrogateescape"))
    if after is not None:
        with path.open("ab") as file:
            file.write(after.encode("utf-8", "surrogateescape")[len(before) :])
        note(f"{'Added .webchat-sync/ to' if before else 'Wrote'} {_shown(path)}.")


def _refuse_link(path: Path) -> None:
    """Raise InputError if a link would lead outside the repository."""
    if link := escape(path, path.parent):
        hint = "Remove the link, or use another folder."
        raise InputError(
            [Diagnostic(f"{path} isn't written because the link {link} leads outside the repository", hint=hint)]
        )


def _shown(path: Path) -> str:
    return os.path.relpath(path)
