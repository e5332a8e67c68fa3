"""GitLab's REST API: merge requests, their notes, issues and uploads (docs.gitlab.com, the pages with these names)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import httpx

from webchat_sync.api.exchange import Call
from webchat_sync.api.types import Upload
from webchat_sync.forge.access import Access
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.ports import Comment, Issue, Request
from webchat_sync.forge.session import Session, text_of
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json

_DRAFT: Final = lazy_pattern(r"(?:\[draft\]|\(draft\)|draft:)\s*", re.IGNORECASE)
"""How the title of a draft begins."""

MOST_CHARACTERS: Final = 1_000_000
"""The length of a note; the description of an issue can be a bit longer."""

PERMISSION: Final = (
    "Set the masked CI/CD variable GITLAB_TOKEN to a project access token with the scope `api` and the role "
    "Reporter or above. A job token (CI_JOB_TOKEN) can't write notes or issues, and pipelines of forks don't "
    "get the variable."
)

REQUEST_PERMISSION: Final = (
    "Set the masked CI/CD variable GITLAB_TOKEN to a project access token with the scopes `api` and "
    "`write_repository` and the role Developer or above. A job token (CI_JOB_TOKEN) can't open merge "
    "requests."
)


def access(run: PipelineRun, permission: str = PERMISSION) -> Access:
    """The access to GitLab in this run."""
    return Access(
        run.api_url,
        "CI_API_V4_URL",
        run.token,
        "GITLAB_TOKEN",
        headers=lambda token: {"PRIVATE-TOKEN": token},
        permission=permission,
    )


class GitLab:
    """The merge requests and issues of one project, and pictures for them.

    See :class:`webchat_sync.forge.ports.Forge` and :class:`webchat_sync.forge.ports.Pictures`.
    """

    def __init__(self, session: Session, run: PipelineRun) -> None:
        self._session = session
        self._project = f"/projects/{quote(run.project, safe='')}"
        self._page = f"{run.page}/-"

    async def keep_picture(self, name: str, svg: str) -> str:
        """Upload it to the project for its comments."""
        upload = Upload(name, svg.encode(), "image/svg+xml")
        # Retried even if the response is lost, since an unused picture does no harm.
        call = Call("POST", f"{self._project}/uploads", upload=upload, asks=True)
        return await self._session.send(call, partial(_address, name=name))

    async def me(self) -> str:
        """The id of the token's user; a project access token has its own."""
        return await self._session.send(Call("GET", "/user"), lambda user: str(user["id"]))

    async def request_of(self, _head: str) -> int | None:
        """None: pipelines of merge requests have its number."""
        return None

    async def list_requests(self, branch: str, base: str) -> list[Request]:
        """Every merge request, open or not, from ``branch`` of this project to ``base``."""
        branches = f"source_branch={quote(branch, safe='')}&target_branch={quote(base, safe='')}"
        query = f"state=all&scope=all&per_page=100&{branches}"
        return await self._session.pages(f"{self._project}/merge_requests", query, _request, _follower(query))

    async def add_request(self, branch: str, base: str, title: str, body: str) -> Request:
        """Open a merge request; its branch is removed when it's merged."""
        fields: dict[str, Json] = {"source_branch": branch, "target_branch": base, "title": title, "description": body}
        call = Call("POST", f"{self._project}/merge_requests", {**fields, "remove_source_branch": True})
        return await self._session.send(call, _request)

    async def edit_request(self, request: Request, *, title: str, body: str, is_open: bool) -> Request:
        """Replace title and description, and close it unless ``is_open``. A draft stays one, which its title says."""
        draft = _DRAFT.match(request.title)
        kept = draft[0] if draft and not _DRAFT.match(title) else ""
        fields: dict[str, Json] = {"title": f"{kept}{title}", "description": body}
        if is_open != request.is_open:
            fields["state_event"] = "reopen" if is_open else "close"
        call = Call("PUT", f"{self._project}/merge_requests/{request.number}", fields)
        return await self._session.send(call, _request)

    async def list_comments(self, number: int) -> list[Comment]:
        """Every note on the merge request."""
        return await self._notes(f"/merge_requests/{number}")

    async def add_comment(self, number: int, body: str) -> Comment:
        """Post a note on the merge request."""
        return await self._add_note(f"/merge_requests/{number}", body)

    async def edit_comment(self, number: int, comment: Comment, body: str) -> Comment:
        """Replace the body of a note."""
        on = f"/merge_requests/{number}"
        call = Call("PUT", f"{self._project}{on}/notes/{comment.id}", {"body": body})
        return await self._session.send(call, partial(_comment, self._page + on))

    async def delete_comment(self, number: int, comment: Comment) -> None:
        """Delete a note; succeeds if it's already gone."""
        await self._session.delete(f"{self._project}/merge_requests/{number}/notes/{comment.id}")

    async def list_issues(self, label: str) -> list[Issue]:
        """Every issue with the label."""
        query = f"scope=all&per_page=100&labels={quote(label, safe='')}"
        return await self._session.pages(f"{self._project}/issues", query, _issue, _follower(query))

    async def list_own_issues(self, _author: str) -> list[Issue]:
        """None: the token's role can always set labels, so none of its issues lacks one."""
        return []

    async def add_issue(self, label: str, title: str, body: str) -> Issue:
        """Open an issue with the label."""
        fields: dict[str, Json] = {"title": title, "description": body, "labels": label}
        return await self._session.send(Call("POST", f"{self._project}/issues", fields), _issue)

    async def edit_issue(self, issue: Issue, *, title: str, body: str, is_open: bool) -> Issue:
        """Replace title and body, and close or reopen it."""
        fields: dict[str, Json] = {"title": title, "description": body}
        if is_open != issue.is_open:
            fields["state_event"] = "reopen" if is_open else "close"
        return await self._session.send(Call("PUT", f"{self._project}/issues/{issue.number}", fields), _issue)

    async def list_notes(self, issue: Issue) -> list[Comment]:
        """Every note on the issue."""
        return await self._notes(f"/issues/{issue.number}")

    async def add_note(self, issue: Issue, body: str) -> Comment:
        """Comment on the issue."""
        return await self._add_note(f"/issues/{issue.number}", body)

    async def _notes(self, on: str) -> list[Comment]:
        """The notes by people and programs, without GitLab's own system notes."""
        query = "per_page=100"
        read = partial(_written, self._page + on)
        return await self._session.pages(f"{self._project}{on}/notes", query, read, _follower(query))

    async def _add_note(self, on: str, body: str) -> Comment:
        call = Call("POST", f"{self._project}{on}/notes", {"body": body})
        return await self._session.send(call, partial(_comment, self._page + on))


def _follower(query: str) -> Callable[[httpx.Response], str]:
    """Finds the next page by GitLab's header ``X-Next-Page``, which is empty on the last one."""

    def following(response: httpx.Response) -> str:
        page = response.headers.get("x-next-page", "")
        return f"{query}&page={page}" if page.isdecimal() else ""

    return following


def _written(page: str, entry: Mapping[str, Any]) -> Comment | None:
    return None if entry.get("system") else _comment(page, entry)


def _comment(page: str, entry: Mapping[str, Any]) -> Comment:
    number = int(entry["id"])
    return Comment(number, _author(entry), text_of(entry, "body"), f"{page}#note_{number}")


def _issue(entry: Mapping[str, Any]) -> Issue:
    """The issue, or what a merge request has in common with issues."""
    return Issue(
        int(entry["iid"]),
        _author(entry),
        text_of(entry, "title"),
        text_of(entry, "description"),
        text_of(entry, "web_url"),
        entry.get("state") == "opened",
    )


def _request(entry: Mapping[str, Any]) -> Request:
    return Request.of(_issue(entry), merged=entry.get("state") == "merged", head=text_of(entry, "sha"))


def _address(answer: Mapping[str, Any], name: str) -> str:
    """The URL of the upload; any other text would be Markdown in our comment."""
    address = text_of(answer, "url")
    if not re.fullmatch(rf"/uploads/[0-9a-f]{{32}}/{re.escape(name)}", address):
        raise ValueError(address)
    return address


def _author(entry: Mapping[str, Any]) -> str:
    """The author; empty if the account was deleted."""
    return str((entry.get("author") or {}).get("id", ""))
