"""Refuses a run of an old commit, which would roll back what is live to it."""

from __future__ import annotations

from typing import Final

from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, GuardError
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.github import GitHub, access
from webchat_sync.forge.session import Session

_PERMISSION: Final = "The token needs `contents: read`."


def may_be_old(run: PipelineRun) -> bool:
    """Whether the commit may be another than its branch's last one by mistake.

    A push is applied although the next one has come: it waited for its turn. Not so when somebody repeats it later.
    """
    return run.host == "github" and bool(run.commit and run.branch) and (run.event != "push" or run.repeated)


async def refuse_old_commit(run: PipelineRun, environment: Environment) -> bool:
    """Raise GuardError when the run's commit is not its branch's head; whether the host told what that is.

    Raises the errors of ApiError when the host does not answer.
    """
    async with Session(access(run, _PERMISSION), environment) as session:
        head = await GitHub(session, run).head_of(run.branch)
    if head is not None and head != run.commit:
        raise GuardError(
            [
                Diagnostic(
                    f"this run is for {run.commit[:12]}, but {run.branch} is at {head[:12]}: it would roll "
                    "back newer changes",
                    hint="Start a new run instead of repeating an old one. If you want to roll back, use "
                    "--allow-old-commit (the Action's input allow-old-commit).",
                )
            ]
        )
    return head is not None
