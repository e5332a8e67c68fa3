"""The way to the host that a run belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from webchat_sync.environment import Environment
from webchat_sync.forge import github, gitlab
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.github import GitHub
from webchat_sync.forge.gitlab import GitLab
from webchat_sync.forge.ports import Forge
from webchat_sync.forge.session import Session


def most_characters(run: PipelineRun) -> int:
    """How many characters the host takes in a comment or an issue."""
    return github.MOST_CHARACTERS if run.host == "github" else gitlab.MOST_CHARACTERS


@asynccontextmanager
async def open_forge(
    run: PipelineRun, environment: Environment, *, to_write: Literal["comments", "issues", "requests"]
) -> AsyncIterator[Forge]:
    """The run's host while the block runs; ``to_write`` is what the token needs a permission for.

    Raises InputError when the token is missing or the API's address is none.
    """
    if run.host == "gitlab":
        permission = gitlab.REQUEST_PERMISSION if to_write == "requests" else gitlab.PERMISSION
        async with Session(gitlab.access(run, permission), environment) as session:
            yield GitLab(session, run)
    else:
        permission = {
            "comments": github.COMMENT_PERMISSION,
            "issues": github.ISSUE_PERMISSION,
            "requests": github.REQUEST_PERMISSION,
        }[to_write]
        async with Session(github.access(run, permission), environment) as session:
            yield GitHub(session, run)
