"""Bitbucket Cloud's REST API: comments on pull requests (developer.atlassian.com, "Pullrequests")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from webchat_sync.api.exchange import Call
from webchat_sync.errors import ApiStatusError
from webchat_sync.forge.access import Access
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.ports import Comment
from webchat_sync.forge.session import Session, text_of

MOST_CHARACTERS: Final = 32_768
"""The length of a comment."""

PERMISSION: Final = (
    "Set the secured variable BITBUCKET_TOKEN to a repository access token with the scope "
    "`pullrequest:write`. Pipelines of forks don't get the variable."
)


def access(run: PipelineRun) -> Access:
    """The access to Bitbucket in this run."""
    return Access(run.api_url, "BITBUCKET_API_URL", run.token, "BITBUCKET_TOKEN", PERMISSION)


class Bitbucket:
    """The pull requests of one repository; see :class:`webchat_sync.forge.ports.Comments`."""

    def __init__(self, session: Session, run: PipelineRun) -> None:
        self._session = session
        self._requests = f"/repositories/{quote(run.project)}/pullrequests"

    async def me(self) -> str:
        """The token's user; empty if the token lacks the scope ``account``, like those of a repository."""
        try:
            return await self._session.send(Call("GET", "/user"), lambda user: str(user["uuid"]))
        except ApiStatusError as error:
            if error.status in {401, 403, 404}:
                return ""
            raise

    async def request_of(self, _head: str) -> int | None:
        """None: pipelines of pull requests have its number."""
        return None

    async def list_comments(self, number: int) -> list[Comment]:
        """Every comment that isn't deleted."""
        path, following = f"{self._requests}/{number}/comments", ""

        def entries(answer: Mapping[str, Any]) -> list[Any]:
            """The entries of one page, which also contains the full URL of the next page."""
            nonlocal following
            following = urlsplit(text_of(answer, "next")).query
            return list(answer["values"])

        return await self._session.pages(path, "pagelen=100", _there, lambda _: following, entries=entries)

    async def add_comment(self, number: int, body: str) -> Comment:
        """Post a comment."""
        call = Call("POST", f"{self._requests}/{number}/comments", {"content": {"raw": body}})
        return await self._session.send(call, _comment)

    async def edit_comment(self, number: int, comment: Comment, body: str) -> Comment:
        """Replace the text of a comment."""
        call = Call("PUT", f"{self._requests}/{number}/comments/{comment.id}", {"content": {"raw": body}})
        return await self._session.send(call, _comment)

    async def delete_comment(self, number: int, comment: Comment) -> None:
        """Delete a comment; succeeds if it's already gone."""
        await self._session.delete(f"{self._requests}/{number}/comments/{comment.id}")


def _there(entry: Mapping[str, Any]) -> Comment | None:
    return None if entry.get("deleted") is True else _comment(entry)


def _comment(entry: Mapping[str, Any]) -> Comment:
    page = ((entry.get("links") or {}).get("html") or {}).get("href")
    author = (entry.get("user") or {}).get("uuid", "")
    raw = text_of(entry["content"], "raw")
    return Comment(int(entry["id"]), str(author), raw, page if isinstance(page, str) else "")
