"""What GitHub knows of a push: the pull requests that it merged, their runs, and what those kept.

As "Actions" and "Commits" in the reference of its REST API have it; documents are given as GitHub sends them.
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
"""An object in JSON, as GitHub describes it."""


class GitHubRuns:
    """One repository. All methods may raise the errors of ApiError."""

    def __init__(self, session: Session, run: PipelineRun) -> None:
        self._session = session
        self._repository = f"/repos/{quote(run.project)}"

    async def pulls_of(self, commit: str) -> list[Document]:
        """The pull requests that brought the commit."""
        return await self._listed(f"commits/{commit}/pulls", {}, "")

    async def commits_between(self, before: str, after: str) -> list[Document]:
        """The commits that ``after`` has and ``before`` has not."""
        return await self._listed(f"compare/{before}...{after}", {}, "commits")

    async def runs_of(self, head: str) -> list[Document]:
        """The runs that succeeded on the last commit of a pull request."""
        asked = {"head_sha": head, "event": "pull_request", "status": "success"}
        return await self._listed("actions/runs", asked, "workflow_runs")

    async def artifacts_of(self, run: int, name: str) -> list[Document]:
        """What the run kept under that name."""
        return await self._listed(f"actions/runs/{run}/artifacts", {"name": name}, "artifacts")

    async def archive_url(self, artifact: int) -> str:
        """Where the zip of an artifact can be had for a minute, without a token."""
        call = Call("GET", f"{self._repository}/actions/artifacts/{artifact}/zip")
        return await self._session.redirect(call)

    async def _listed(self, path: str, query: Mapping[str, str], name: str) -> list[Document]:
        """All entries of a listing, which stands under ``name`` or is the whole answer."""
        asked = "&".join(f"{key}={quote(value, safe='')}" for key, value in {**query, "per_page": "100"}.items())

        def entries(answer: Any) -> list[Any]:  # noqa: ANN401 - JSON
            return list(answer[name] if name else answer)

        return await self._session.pages(
            f"{self._repository}/{path}", asked, lambda entry: entry, following, entries=entries
        )
