"""What GitHub knows about a push: the merged pull requests, their runs, and the runs' artifacts.

According to "Actions" and "Commits" in the reference of its REST API; documents are returned as GitHub sends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from webchat_sync.api.exchange import Call
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.github import following
from webchat_sync.forge.session import Session

READ_PERMISSION: Final = "The token needs `actions: read`, `contents: read` and `pull-requests: read`."

Document: TypeAlias = Mapping[str, Any]
"""A JSON object from GitHub."""


class GitHubRuns:
    """One repository. All methods may raise the errors of ApiError."""

    def __init__(self, session: Session, run: PipelineRun) -> None:
        self._session = session
        self._repository = f"/repos/{quote(run.project)}"

    async def pulls_of(self, commit: str) -> list[Document]:
        """The pull requests that contain the commit."""
        return await self._listed(f"commits/{commit}/pulls", {}, "")

    async def commits_between(self, before: str, after: str) -> list[Document]:
        """The commits that are in ``after`` and not in ``before``."""
        return await self._listed(f"compare/{before}...{after}", {}, "commits")

    async def runs_of(self, head: str) -> list[Document]:
        """The successful runs for the head of a pull request."""
        filters = {"head_sha": head, "event": "pull_request", "status": "success"}
        return await self._listed("actions/runs", filters, "workflow_runs")

    async def artifacts_of(self, run: int, name: str) -> list[Document]:
        """The run's artifacts with that name."""
        return await self._listed(f"actions/runs/{run}/artifacts", {"name": name}, "artifacts")

    async def archive_url(self, artifact: int) -> str:
        """The URL of an artifact's zip, valid for a minute without a token."""
        call = Call("GET", f"{self._repository}/actions/artifacts/{artifact}/zip")
        return await self._session.redirect(call)

    async def _listed(self, path: str, query: Mapping[str, str], name: str) -> list[Document]:
        """All entries of a listing, which are under ``name`` or are the whole response."""
        text = "&".join(f"{key}={quote(value, safe='')}" for key, value in {**query, "per_page": "100"}.items())
        return await self._session.pages(
            f"{self._repository}/{path}",
            text,
            lambda entry: entry,
            following,
            entries=lambda answer: list(answer[name] if name else answer),
        )
