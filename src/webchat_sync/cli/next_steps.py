"""What a user does after ``init``, as texts."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from webchat_sync.cli.repository import Repository
from webchat_sync.cli.starter import ACTION, GITLAB_FILE, GITLAB_MAIN, Host, Needs
from webchat_sync.environment import ORGANIZATION_VARIABLE
from webchat_sync.frozen import frozen
from webchat_sync.sentences import in_a_row
from webchat_sync.tree import read_regular

_HOSTS: Final = {"bitbucket": "Bitbucket", "azure": "Azure DevOps"}


@frozen
class Start:
    """A folder that was set up: ``inside`` is its path from the root of the repository.

    ``organization`` is what it was set up for, and ``example`` names one of ``examples/`` for the repository's host.
    ``is_new`` says that it contains the example of a manifest, ``reads_organization`` that its manifests have the
    variable for the organisation in them.
    """

    folder: Path
    inside: str
    repository: Repository
    host: Host | None
    needs: Needs
    organization: str | None = None
    example: str = ""
    is_new: bool = False
    reads_organization: bool = False


@frozen
class Step:
    """What to do, the command for it, and what to do after that."""

    text: str
    command: str = ""
    then: Step | None = None


def next_steps(start: Start) -> Iterator[Step]:
    """Three steps from the new files to the first plan in a pull request."""
    yield _try_it(start)
    if start.host == "github":
        yield Step(_set_up_github(start))
        yield Step(
            f"{_push(start, 'GitHub')} and open a pull request. The plan appears there as a comment, and the merge "
            f"into {start.repository.branch} applies it."
        )
    elif start.host == "gitlab":
        yield Step(_set_up_gitlab(start))
        yield Step(
            f"{_push(start, 'GitLab')} and open a merge request. The plan appears there as a comment. After the merge, "
            "start the job webchat-sync-apply."
        )
    else:
        yield Step(
            f"Set {in_a_row(_variables(start))}, and compare your channels with what's live:",
            f"webchat-sync plan{_manifests(start)}",
        )
        yield _write_pipeline(start)


def _try_it(start: Start) -> Step:
    organization = f"{ORGANIZATION_VARIABLE}=example " if start.reads_organization else ""
    command = f"{organization}webchat-sync plan{_manifests(start)} --sandbox"
    if not start.is_new:
        return Step("Try it without an account:", command)
    file = (start.folder / "channels.yaml").as_posix()
    org = f" --org {shlex.quote(start.organization)}" if start.organization else ""
    out = shlex.quote(file if start.inside == "." else f"{start.folder.as_posix()}/")
    own = Step(
        "Then replace it with your own channels. If you already have some, set "
        f"{in_a_row(_variables(start))}, and import them:",
        f"rm {shlex.quote(file)} && webchat-sync import{org} --out {out}",
    )
    return Step(f"Try the example in {file} without an account:", command, own)


def _set_up_github(start: Start) -> str:
    replace = f"Replace {ACTION[:22]}… with the Action's repository and commit. " if _lacks_action(start) else ""
    noun = "secret" if len(start.needs.keys) == 1 else "secrets"
    variable = f" and the variable {ORGANIZATION_VARIABLE}" if start.needs.organization == "" else ""
    return (
        f"{replace}In Settings > Environments, create webchat-sync-plan and production, each with the {noun} "
        f"{in_a_row(start.needs.keys)}{variable}."
    )


def _set_up_gitlab(start: Start) -> str:
    include = "" if _includes(start) else f"Include {GITLAB_FILE} in {GITLAB_MAIN}. "
    masked = in_a_row([*start.needs.keys, "GITLAB_TOKEN"])
    variable = f", and the variable {ORGANIZATION_VARIABLE}" if start.needs.organization == "" else ""
    return (
        f"{include}In Settings > CI/CD > Variables, add the masked variables {masked} (a project access token with the "
        f"scopes api and write_repository and the role Developer or above){variable}. In Build > Pipeline schedules, "
        "add one that runs every night, with the variable WEBCHAT_SYNC_SCHEDULE set to drift."
    )


def _write_pipeline(start: Start) -> Step:
    if start.example:
        return Step(
            f"Set up a pipeline for {_HOSTS[start.example]}: examples/{start.example} in webchat-sync's own repository "
            "has one, and a README about it."
        )
    folder = "" if start.folder == Path() else f" {shlex.quote(start.folder.as_posix())}"
    return Step("Write a pipeline for GitHub or GitLab, for example:", f"webchat-sync init{folder} --host github")


def _push(start: Start, host: str) -> str:
    create = "" if start.repository.exists else f"Create a repository on {host}. "
    if not start.repository.is_empty:
        return f"{create}Push the files to a branch"
    request = "pull request" if host == "GitHub" else "merge request"
    return (
        f"{create}Push a first commit to {start.repository.branch}, for example with a README, since a {request} needs "
        "a branch to merge into. Then push the files to another branch"
    )


def _lacks_action(start: Start) -> bool:
    """Whether a workflow, new or old, still has the placeholder for the Action."""
    folder = start.repository.root / ".github" / "workflows"
    return any(ACTION in _text(file) for file in folder.glob("webchat-sync-*.yml"))


def _includes(start: Start) -> bool:
    return GITLAB_FILE in _text(start.repository.root / GITLAB_MAIN)


def _text(file: Path) -> str:
    try:
        return read_regular(file).decode("utf-8", "replace")
    except OSError:
        return ""


def _manifests(start: Start) -> str:
    """The argument for the manifests; empty if they're in the current directory."""
    file = start.folder / "channels.yaml"
    if start.inside == "." and file.exists():
        return f" {shlex.quote(file.as_posix())}"
    return "" if start.folder == Path() else f" {shlex.quote(f'{start.folder.as_posix()}/')}"


def _variables(start: Start) -> list[str]:
    return [*start.needs.keys, *([ORGANIZATION_VARIABLE] if start.needs.organization is not None else [])]
