"""``webchat-sync init``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import click

from webchat_sync import __version__
from webchat_sync.cli.files import FilledPath, read_bytes, unwritable
from webchat_sync.cli.init_organization import asked_organization, checked_organization, needs_of, needs_with
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.environment import ORGANIZATION_VARIABLE
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.files import create
from webchat_sync.flat import flat
from webchat_sync.jsonvalue import show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.sentences import in_a_row
from webchat_sync.tree import escape, left_by, special
from webchat_sync.workflow.state import STATE_FOLDER

if TYPE_CHECKING:
    from webchat_sync.cli.next_steps import Start, Step
    from webchat_sync.cli.starter import Host

_ACTION: Final = lazy_pattern(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def _checked_action(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _ACTION.fullmatch(value):
        raise click.BadParameter(
            f"{show(value)} isn't REPO@COMMIT with all 40 digits of the commit, such as `acme/webchat-sync@0123…`."
        )
    return value


class _HostName(click.Choice[str]):
    """The name of a host; a prompt shows this error as it is, instead of by ``usage.py``."""

    def __init__(self) -> None:
        super().__init__(["github", "gitlab", "none"])

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            self.fail(f"{show(str(value))} isn't one of {in_a_row(self.choices, last='or')}.", param, ctx)
        return str(value)


@click.command("init", short_help="Set up a new folder: a manifest, a .gitignore and a pipeline.")
@click.argument("folder", metavar="[DIR]", type=FilledPath(path_type=Path, file_okay=False), default=Path())
@click.option(
    "--host",
    type=_HostName(),
    help="The host to write a pipeline for.  [default: the host of the repository]",
)
@click.option(
    "--org",
    metavar="ID",
    callback=checked_organization,
    help="Declare the channels of this organisation.  [default: the one that MOSEND_ORG_ID names]",
)
@click.option(
    "--action",
    metavar="REPO@COMMIT",
    callback=_checked_action,
    help="For GitHub: the repository that contains the Action, and the commit, with all 40 digits.  [default: a "
    "placeholder to replace]",
)
@click.pass_obj
def command(runtime: Runtime, *, folder: Path, host: str | None, org: str | None, action: str | None) -> None:
    """Set up a new folder: a commented manifest, a .gitignore and a pipeline.

    DIR is created if it doesn't exist; without it, the current directory is used. If DIR already contains manifests,
    no example is added. The pipeline goes to the root of the Git repository. It posts the plan on pull requests,
    applies the reviewed plan on merge, and checks for drift every night. On GitLab, someone starts the apply by hand
    after the merge, and drift needs a schedule.

    In a terminal, init asks for the host and the organisation if it can't detect them. Existing files are never
    overwritten, except that a line is added to a .gitignore. Run it again to restore missing files.

    \b
    Examples:
      webchat-sync init
      webchat-sync init channels --host github --org 6f1c0e52-8f0a-4f6e-9a53-2d1f0a7c9b11
    """
    try:
        start = _set_up(folder, host, org, action, runtime)
    except OSError as error:
        raise InputError([unwritable(error.filename or folder, error)]) from None
    if start.host is not None and not start.repository.exists:
        note(f"There's no Git repository yet. The pipeline assumes that you create it in {start.repository.root}.")
    _show_steps(start)


def _set_up(folder: Path, host: str | None, org: str | None, action: str | None, runtime: Runtime) -> Start:
    """Write what's missing."""
    from webchat_sync.cli.next_steps import Start
    from webchat_sync.cli.repository import read_repository
    from webchat_sync.cli.starter import ACTION, example_for, host_of, ignoring, manifest
    from webchat_sync.manifest.glance import owners

    folder.mkdir(parents=True, exist_ok=True)
    repository = read_repository(folder, runtime.environ)
    example = example_for(repository.remote)
    implied = "github" if action and not example else None
    chosen = _host(host or host_of(repository.remote) or _host_by_files(repository.root) or implied, example, runtime)
    if action and chosen != "github":
        reason = "the pipeline is for GitLab" if chosen else "no pipeline is written"
        raise click.UsageError(
            f"--action is for a pipeline on GitHub, and {reason}. Leave it out, or use --host github."
        )
    inside = folder.resolve().relative_to(repository.root).as_posix()
    starts = _starts(folder, inside, is_root=repository.exists or chosen is not None)
    organization = asked_organization(org, folder / "channels.yaml", runtime) if starts else org
    _add_schemas(folder)
    # The pipeline keeps its memory there, and what's rotated by hand has to be known to it.
    in_git = chosen is not None and repository.has_origin
    is_new = starts and _create(folder / "channels.yaml", manifest(organization, in_git=in_git))
    _ignore(repository.root / ".gitignore", ignoring)
    owned = owners([folder / "channels.yaml" if inside == "." else folder])
    start = Start(
        folder,
        inside,
        repository,
        chosen,
        needs_of(owned, organization),
        organization=organization,
        example=example,
        is_new=is_new,
        reads_organization=any(f"${{{ORGANIZATION_VARIABLE}}}" in (owner.organization or "") for owner in owned),
    )
    files = _add_pipelines(chosen, start, action or ACTION) if chosen is not None else []
    return replace(start, needs=needs_with(start.needs, files))


def _show_steps(start: Start) -> None:
    from webchat_sync.cli.next_steps import next_steps

    click.echo("\nNext:")
    for number, step in enumerate(next_steps(start), start=1):
        for line in _lines(step, f"  {number}. "):
            click.echo(flat(line))


def _lines(step: Step, begin: str) -> Iterator[str]:
    yield from wrap(step.text, 80, initial_indent=begin, subsequent_indent="     ", break_on_hyphens=False)
    if step.command:
        yield f"       {step.command}"
    if step.then:
        yield from _lines(step.then, "     ")


def _host(known: str | None, example: str, runtime: Runtime) -> Host | None:
    """The host to write a pipeline for; the user is asked if it can't be detected."""
    if known is None and not example and runtime.interactive:
        known = click.prompt("Which host will run the pipeline?", type=_HostName(), default="none", err=True)
    return "github" if known == "github" else "gitlab" if known == "gitlab" else None


def _add_schemas(folder: Path) -> None:
    from webchat_sync.domain.catalogue import schema_path

    for name in ("manifest.schema.json", "channel.schema.json"):
        schema = schema_path(name.partition(".")[0]).read_text(encoding="utf-8")
        _create(folder / STATE_FOLDER / name, schema, silently=True)


def _add_pipelines(host: Host, start: Start, action: str) -> list[Path]:
    """Write the missing files of the pipeline, and return the paths of all that read the manifests."""
    from webchat_sync.cli.starter import GITLAB_INCLUDE, GITLAB_MAIN, pipelines

    repository = start.repository
    made = list(
        pipelines(
            host,
            folder=start.inside,
            branch=repository.branch,
            version=__version__,
            action=action,
            needs=start.needs,
        )
    )
    for pipeline in made:
        _create(repository.root / pipeline.path, pipeline.text, is_renewable=True)
    if host == "gitlab" and not os.path.lexists(repository.root / GITLAB_MAIN):
        _create(repository.root / GITLAB_MAIN, GITLAB_INCLUDE)
    return [repository.root / pipeline.path for pipeline in made]


def _starts(folder: Path, inside: str, *, is_root: bool) -> bool:
    """Whether the folder gets an example: it doesn't need one if it already has manifests.

    Raises InputError if these are in the root of a repository or below it, where a pipeline only uses channels.yaml.
    """
    from webchat_sync.manifest.files import named_files
    from webchat_sync.manifest.glance import MOST_FOLDERS, manifest_files

    file = folder / "channels.yaml"
    if inside != ".":
        return all(path == file for path in named_files(folder, MOST_FOLDERS))
    others = [] if file.exists() else manifest_files([folder], {})
    if not others or not is_root:
        return not others
    common = Path(os.path.commonpath([other.parent.relative_to(folder) for other in others]))
    name = "channels" if common == Path() else common.as_posix()
    move = f"Move it to a folder of its own, such as {name}/. " if common == Path() else ""
    command = f"webchat-sync init {shlex.quote((folder / name).as_posix())}"
    message = f"{_shown(others[0])} is a manifest, but in the root of a repository only channels.yaml is used"
    raise InputError([Diagnostic(message, hint=f"{move}Run init for the folder of the manifests: `{command}`.")])


def _host_by_files(root: Path) -> Host | None:
    from webchat_sync.cli.starter import GITLAB_MAIN

    if (root / ".github").is_dir():
        return "github"
    return "gitlab" if (root / GITLAB_MAIN).exists() else None


def _create(path: Path, text: str, *, silently: bool = False, is_renewable: bool = False) -> bool:
    """Write a file unless it exists, and return whether it was written; ``is_renewable``: say how to renew it."""
    _refuse_odd(path)
    try:
        create(path, text.encode())
    except FileExistsError:
        differs = is_renewable and read_bytes(path) != text.encode()
        renewal = " To get the current version, delete it and run init again." if differs else ""
        if not silently:
            note(f"{_shown(path)} already exists; left unchanged.{renewal}")
        return False
    if not silently:
        note(f"Wrote {_shown(path)}.")
    return True


def _ignore(path: Path, ignoring: Callable[[str], str | None]) -> None:
    """Add the line to ``.gitignore``, which is created if necessary; its other bytes don't change."""
    _refuse_odd(path)
    before = read_bytes(path) if path.exists() else b""
    after = ignoring(before.decode("utf-8", "surrogateescape"))
    if after is not None:
        with path.open("ab") as file:
            file.write(after.encode("utf-8", "surrogateescape")[len(before) :])
        note(f"{'Added .webchat-sync/ to' if before else 'Wrote'} {_shown(path)}.")


def _refuse_odd(path: Path) -> None:
    """Raise InputError if it's a FIFO, a socket or a device, or if a link would lead outside the repository."""
    if flaw := special(path):
        raise InputError([Diagnostic(f"can't use {_shown(path)}: {flaw}", hint="Remove it, or use another folder.")])
    if link := escape(path, path.parent):
        hint = "Remove the link, or use another folder."
        raise InputError(
            [Diagnostic(f"{path} isn't written because the link {link} leads outside {left_by(link)}", hint=hint)]
        )


def _shown(path: Path) -> str:
    return os.path.relpath(path)
