"""The --allow-old-commit option, and the check that a pipeline runs for its branch's head."""

from __future__ import annotations

from typing import Final

import click

from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.errors import InputError

old_commit_option = click.option(
    "--allow-old-commit",
    is_flag=True,
    help="In GitHub Actions, apply even if the commit isn't the latest on its branch, which rolls back newer changes.",
)
"""Passed to the command as ``allow_old_commit``."""

_ANYWAY: Final = "The run continues without this check."


def refuse_old_commit(runtime: Runtime) -> None:
    """Raise GuardError for a run of GitHub Actions for an old commit; if that isn't known, say so on stderr.

    Raises the errors of ApiError if the host doesn't respond, and InputError if there's a token but not what it's for.
    """
    import anyio

    from webchat_sync.forge import github
    from webchat_sync.forge.environment import read_run

    try:
        run = read_run(runtime.environ)
    except InputError as error:
        if runtime.environ.get("GITHUB_TOKEN"):
            raise
        note(f"Can't check whether this commit is the latest on its branch: {error.problems[0].message}. {_ANYWAY}")
        return
    if not github.may_be_old(run):
        return
    if not run.token or not anyio.run(github.refuse_old_commit, run, runtime):
        why = "GITHUB_TOKEN isn't allowed to read the branch" if run.token else "GITHUB_TOKEN isn't set or is empty"
        note(f"Can't check whether {run.commit[:12]} is the latest commit on {run.branch}: {why}. {_ANYWAY}")
