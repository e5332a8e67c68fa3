"""Azure DevOps' REST API: comment threads on pull requests (learn.microsoft.com, "Pull Request Threads", 7.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from webchat_sync.api.exchange import Call
from webchat_sync.errors import ApiStatusError
from webchat_sync.forge.access import Access
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.ports import Comment
from webchat_sync.forge.session import Session, text_of
from webchat_sync.model import Json

MOST_CHARACTERS: Final = 65_536
"""The length of a comment. Microsoft documents no limit for these; this length always fits."""

PERMISSION: Final = (
    "Pass the job's token with `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`, and allow the project's "
    "Build Service to *Contribute to pull requests* in the repository's security settings."
)

_VERSION: Final = "api-version=7.1"
_FIRST: Final = 1
"""The number of the first comment in a thread."""


def access(run: PipelineRun) -> Access:
    """The access to Azure DevOps in this run."""
    return Access(run.api_url, "SYSTEM_COLLECTIONURI", run.token, "SYSTEM_ACCESSTOKEN", PERMISSION)


class AzureDevOps:
    """The pull requests of one repository, where our comment is a thread with one comment in it.

    See :class:`webchat_sync.forge.ports.Comments`; the ``id`` of a comment is that of its thread. Pull requests accept
    attachments, but comments don't show SVG, so it stores no pictures.
    """

    def __init__(self, session: Session, run: PipelineRun) -> None:
        self._session = session
        project, _, repository = run.project.rpartition("/")
        self._requests = f"/{quote(project)}/_apis/git/repositories/{quote(repository)}/pullRequests"
        self._page = run.page

    async def me(self) -> str:
        """The id of the token's user, requested like Microsoft's own client does; empty without permission."""
        call = Call("GET", "/_apis/connectionData?api-version=7.1-preview.1")
        try:
            return await self._session.send(call, lambda data: str(data["authenticatedUser"]["id"]))
        except ApiStatusError as error:
            if error.status in {400, 401, 403, 404}:
                return ""
            raise

    async def request_of(self, _head: str) -> int | None:
        """None: pipelines of pull requests have its number."""
        return None

    async def list_comments(self, number: int) -> list[Comment]:
        """The first comment of every thread by a person that isn't deleted, all in one response."""
        return await self._session.pages(
            self._threads(number),
            _VERSION,
            self._thread(number),
            lambda _response: "",
            entries=lambda answer: list(answer["value"]),
        )

    async def add_comment(self, number: int, body: str) -> Comment:
        """Start a thread, closed, since a policy can require every open one to be resolved before a merge."""
        comment: Json = {"parentCommentId": 0, "content": body, "commentType": "text"}
        call = Call("POST", f"{self._threads(number)}?{_VERSION}", {"comments": [comment], "status": "closed"})
        return await self._session.send(call, _needed(self._thread(number)))

    async def edit_comment(self, number: int, comment: Comment, body: str) -> Comment:
        """Replace the content of the first comment of a thread."""
        path = f"{self._threads(number)}/{comment.id}/comments/{_FIRST}?{_VERSION}"
        call = Call("PATCH", path, {"content": body})

        def edited(answer: Mapping[str, Any]) -> Comment:
            return Comment(comment.id, _author(answer), text_of(answer, "content"), comment.url)

        return await self._session.send(call, edited)

    async def delete_comment(self, number: int, comment: Comment) -> None:
        """Delete the first comment of a thread, and with it the thread; succeeds if it's already gone."""
        await self._session.delete(f"{self._threads(number)}/{comment.id}/comments/{_FIRST}?{_VERSION}")

    def _threads(self, number: int) -> str:
        return f"{self._requests}/{number}/threads"

    def _thread(self, number: int) -> Callable[[Mapping[str, Any]], Comment | None]:
        def read(thread: Mapping[str, Any]) -> Comment | None:
            identifier = int(thread["id"])
            first = next((entry for entry in thread["comments"] or () if entry["id"] == _FIRST), None)
            if thread.get("isDeleted") is True or first is None or first.get("isDeleted") is True:
                return None
            page = f"{self._page}/pullrequest/{number}?discussionId={identifier}" if self._page else ""
            return Comment(identifier, _author(first), text_of(first, "content"), page)

        return read


def _needed(read: Callable[[Mapping[str, Any]], Comment | None]) -> Callable[[Mapping[str, Any]], Comment]:
    def comment(answer: Mapping[str, Any]) -> Comment:
        comment_read = read(answer)
        if comment_read is None:
            raise ValueError(answer)
        return comment_read

    return comment


def _author(entry: Mapping[str, Any]) -> str:
    return str((entry.get("author") or {}).get("id", ""))
