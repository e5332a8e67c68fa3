"""The --allow-old-commit option, and the check that a pipeline runs for its branch's head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note

if TYPE_CHECKING:
    from webchat_sync.forge.environment import PipelineRun

old_commit_option = click.option(
    "--allow-old-commit",
    is_flag=True,
    help="In GitHub Actions, apply even if the commit isn't the latest of its branch, which rolls back newer changes.",
)
"""Passed to the command as ``allow_old_commit``."""


def refuse_old_commit(run: PipelineRun, runtime: Runtime) -> None:
    """Raise GuardError for a run of an old commit; if that isn't known, say so on stderr.

    Raises the errors of ApiError if the host doesn't respond.
    """
    import anyio

    from webchat_sync.forge import old_commit

    if not old_commit.may_be_old(run):
        return
    if not run.token or not anyio.run(old_commit.refuse_old_commit, run, runtime):
        why = "GITHUB_TOKEN isn't allowed to read the branch" if run.token else "GITHUB_TOKEN isn't set"
        note(f"Could not check whether {run.commit[:12]} is the latest commit of {run.branch}: {why}.")
