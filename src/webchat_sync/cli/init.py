"""``webchat-sync init``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync import __version__
from webchat_sync.cli.files import read_bytes
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.files import create
from webchat_sync.flat import flat
from webchat_sync.tree import escape
from webchat_sync.workflow.state import STATE_FOLDER

if TYPE_CHECKING:
    from webchat_sync.cli.starter import Host


@dataclass(frozen=True, slots=True)
class Repository:
    """The git repository around a folder: its root, the URL of its remote and its main branch."""

    root: Path
    remote: str
    branch: str


@click.command("init")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.pass_obj
def command(runtime: Runtime, *, folder: Path) -> None:
    """Begin a new folder: a manifest with comments, a .gitignore, and a pipeline.

    DIR is made when it does not exist; without it, the current directory is meant. The pipeline is for the host
    that the git repository is on, by its remote or by the files it has: plan on a pull request, apply on merge.
    It goes to the root of the repository, everything else to DIR.

    What exists is never overwritten; a line is added to a .gitignore. Run it again to get what is missing.

    \b
    Examples:
      webchat-sync init
      webchat-sync init channels
    """
    from webchat_sync.cli.starter import MANIFEST, host_of, ignoring, pipeline
    from webchat_sync.domain.catalogue import schema_path

    try:
        folder.mkdir(parents=True, exist_ok=True)
        repository = read_repository(folder, runtime.environ)
        for name in ("manifest.schema.json", "channel.schema.json"):
            schema = schema_path(name.partition(".")[0]).read_text(encoding="utf-8")
            _create(folder / STATE_FOLDER / name, schema, silently=True)
        _create(folder / "channels.yaml", MANIFEST)
        _ignore(folder / ".gitignore", ignoring)
        host = host_of(repository.remote) or _host_by_files(repository.root)
        if host is None:
            click.echo("No pipeline: this is on neither GitHub nor GitLab yet. Run init again when it is.", err=True)
        else:
            inside = folder.resolve().relative_to(repository.root).as_posix()
            made = pipeline(host, folder=inside, branch=repository.branch, version=__version__)
            _create(repository.root / made.path, made.text)
    except OSError as error:
        raise InputError([Diagnostic(f"{error.filename or folder} cannot be written: {error.strerror}")]) from None
    first = (
        "webchat-sync validate channels.yaml"
        if folder.resolve() == Path().resolve()
        else f"cd {shlex.quote(folder.as_posix())}"
    )
    click.echo("\nNext:", err=True)
    for line in (first, "webchat-sync plan channels.yaml --sandbox", "webchat-sync apply channels.yaml --sandbox"):
        click.echo(flat(f"  {line}"))


def read_repository(folder: Path, environ: Mapping[str, str]) -> Repository:
    """What git says of ``folder``; where there is no repository, or no git, the folder itself without a remote."""
    root = _git(folder, environ, "rev-parse", "--show-toplevel")
    if not root:
        return Repository(folder.resolve(), "", "main")
    urls = _git(folder, environ, "config", "--get-regexp", r"^remote\..*\.url$")
    remotes = dict(line.split(" ", 1) for line in urls.splitlines())
    head = _git(folder, environ, "rev-parse", "--abbrev-ref", "origin/HEAD")
    remote = remotes.get("remote.origin.url") or next(iter(remotes.values()), "")
    return Repository(Path(root).resolve(), remote, head.removeprefix("origin/") or "main")


def _git(folder: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """What git prints, without the line break at its end; nothing when it fails or is not there."""
    import shutil
    import subprocess

    git = shutil.which("git", path=environ.get("PATH"))
    if git is None:
        return ""
    command = [git, "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, env=dict(environ), check=False)  # noqa: S603 - no shell
    return done.stdout.decode("utf-8", "replace").removesuffix("\n") if done.returncode == 0 else ""


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
        said = f"{_shown(path)} exists already, and stays as it is."
    if not silently:
        click.echo(flat(said), err=True)


def _ignore(path: Path, ignoring: Callable[[str], str | None]) -> None:
    """Add the line to the ``.gitignore``, which need not exist; all other bytes of it stay."""
    _refuse_link(path)
    before = read_bytes(path) if path.exists() else b""
    after = ignoring(before.decode("utf-8", "surrogateescape"))
    if after is not None:
        with path.open("ab") as file:
            file.write(after.encode("utf-8", "surrogateescape")[len(before) :])
        click.echo(flat(f"{'Added .webchat-sync/ to' if before else 'Wrote'} {_shown(path)}."), err=True)


def _refuse_link(path: Path) -> None:
    """Raise InputError where a link would lead out of the repository what is written."""
    if link := escape(path, path.parent):
        hint = "Remove the link, or begin in another folder."
        raise InputError([Diagnostic(f"{path} is not written: the link {link} leads out of the repository", hint=hint)])


def _shown(path: Path) -> str:
    return os.path.relpath(path)
