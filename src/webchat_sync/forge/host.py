"""The way to the host that a run belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from webchat_sync.forge import github, gitlab
from webchat_sync.forge.drift_issue import LABEL
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.github import GitHub
from webchat_sync.forge.gitlab import GitLab
from webchat_sync.forge.ports import Comments, Issues
from webchat_sync.forge.session import Session, World


def most_characters(run: PipelineRun) -> int:
    """How many characters the host takes in a comment or an issue."""
    return github.MOST_CHARACTERS if run.host == "github" else gitlab.MOST_CHARACTERS


@asynccontextmanager
async def open_comments(run: PipelineRun, world: World) -> AsyncIterator[Comments | None]:
    """The comments on the run's pull or merge request while the block runs; None when it is about none.

    Raises InputError when the token is missing or the API's address is none, ApiError when the host must be asked for
    the pull request and does not answer.
    """
    if run.number is None and not run.head:
        yield None
    elif run.host == "gitlab":
        async with Session(gitlab.access(run), world) as session:
            yield GitLab(session, run, number=run.number or 0)
    else:
        async with Session(github.access(run, github.COMMENT_PERMISSION), world) as session:
            number = run.number or await GitHub(session, run).pull_request_of(run.head)
            yield GitHub(session, run, number=number) if number else None


@asynccontextmanager
async def open_issues(run: PipelineRun, world: World) -> AsyncIterator[Issues]:
    """The project's issues about drift while the block runs. Raises InputError as :func:`open_comments` does."""
    if run.host == "gitlab":
        async with Session(gitlab.access(run), world) as session:
            yield GitLab(session, run, label=LABEL)
    else:
        async with Session(github.access(run, github.ISSUE_PERMISSION), world) as session:
            yield GitHub(session, run, label=LABEL)
