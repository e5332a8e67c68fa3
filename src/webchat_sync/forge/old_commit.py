"""Refuses a run for an old commit, which would roll the live channels back."""

from __future__ import annotations

from typing import Final

from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, GuardError
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.github import GitHub, access
from webchat_sync.forge.session import Session

_PERMISSION: Final = "The token needs `contents: read`."


def may_be_old(run: PipelineRun) -> bool:
    """Whether the commit may not be its branch's head by mistake.

    A push is applied even if the next one has arrived, since it waited for its turn. A restart may be of an old commit.
    """
    return run.host == "github" and bool(run.commit and run.branch) and (run.event != "push" or run.repeated)


async def refuse_old_commit(run: PipelineRun, environment: Environment) -> bool:
    """Raise GuardError if the run's commit isn't its branch's head; returns whether the host knows the head.

    Raises the errors of ApiError if the host doesn't respond.
    """
    async with Session(access(run, _PERMISSION), environment) as session:
        head = await GitHub(session, run).head_of(run.branch)
    if head is not None and head != run.commit:
        raise GuardError(
            [
                Diagnostic(
                    f"this run is for {run.commit[:12]}, but {run.branch} is at {head[:12]}: it could roll "
                    "back newer changes",
                    hint="Start a new run instead of repeating an old one. If you want to roll back, use "
                    "--allow-old-commit (the Action's input allow-old-commit).",
                )
            ]
        )
    return head is not None
