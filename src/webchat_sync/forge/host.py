"""Opens the API of the host that a run belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from webchat_sync.environment import Environment
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.forge import azure, bitbucket, github, gitlab
from webchat_sync.forge.azure import AzureDevOps
from webchat_sync.forge.bitbucket import Bitbucket
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.github import GitHub
from webchat_sync.forge.gitlab import GitLab
from webchat_sync.forge.ports import Comments, Forge
from webchat_sync.forge.session import Session


def most_characters(run: PipelineRun) -> int:
    """The maximum length of a comment or an issue on the host."""
    return {
        "github": github.MOST_CHARACTERS,
        "gitlab": gitlab.MOST_CHARACTERS,
        "bitbucket": bitbucket.MOST_CHARACTERS,
        "azure": azure.MOST_CHARACTERS,
    }[run.host]


def knows_html(run: PipelineRun) -> bool:
    """Whether comments on the host can contain HTML, in particular HTML comments."""
    return run.host != "bitbucket"


@asynccontextmanager
async def open_comments(run: PipelineRun, environment: Environment) -> AsyncIterator[Comments]:
    """The run's host, for comments on pull and merge requests, closed after the block.

    Raises InputError if the token is missing or the API's address is invalid.
    """
    match run.host:
        case "github":
            async with Session(github.access(run, github.COMMENT_PERMISSION), environment) as session:
                yield GitHub(session, run)
        case "gitlab":
            async with Session(gitlab.access(run), environment) as session:
                yield GitLab(session, run)
        case "bitbucket":
            async with Session(bitbucket.access(run), environment) as session:
                yield Bitbucket(session, run)
        case "azure":
            async with Session(azure.access(run), environment) as session:
                yield AzureDevOps(session, run)


@asynccontextmanager
async def open_forge(
    run: PipelineRun, environment: Environment, *, to_write: Literal["issues", "requests"]
) -> AsyncIterator[Forge]:
    """The run's host, closed after the block; ``to_write`` is what the token needs a permission for.

    Raises InputError if the token is missing, the API's address is invalid, or the host doesn't support it.
    """
    match run.host:
        case "github":
            permission = github.REQUEST_PERMISSION if to_write == "requests" else github.ISSUE_PERMISSION
            async with Session(github.access(run, permission), environment) as session:
                yield GitHub(session, run)
        case "gitlab":
            permission = gitlab.REQUEST_PERMISSION if to_write == "requests" else gitlab.PERMISSION
            async with Session(gitlab.access(run, permission), environment) as session:
                yield GitLab(session, run)
        case _:
            raise unsupported(to_write)


def unsupported(to_write: Literal["issues", "requests"]) -> InputError:
    """The error on a host where nothing of the kind is written."""
    what, hint = {
        "issues": (
            "issues are",
            "Let the job fail instead: `webchat-sync drift --detailed-exitcode` exits with 2.",
        ),
        "requests": (
            "adopt requests are",
            "Run `webchat-sync adopt`, which edits the files, and commit them yourself.",
        ),
    }[to_write]
    return InputError([Diagnostic(f"{what} supported on GitHub and GitLab only", hint=hint)])
