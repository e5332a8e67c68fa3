"""The common interface of hosts: comments on pull or merge requests; requests and issues where they're supported."""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from webchat_sync.frozen import frozen

_MARK: Final = "<!-- webchat-sync "
"""How our markers begin."""


@frozen
class Comment:
    """A comment on a pull or merge request, or on an issue; later ones have a higher ``id``."""

    id: int
    author: str
    body: str
    url: str


@frozen
class Issue:
    """An issue; later ones have a higher ``number``."""

    number: int
    author: str
    title: str
    body: str
    url: str
    is_open: bool


@frozen
class Request(Issue):
    """A pull or merge request. ``merged``: it was merged, and is closed. ``head`` is the last commit of its branch."""

    merged: bool
    head: str

    @classmethod
    def of(cls, issue: Issue, *, merged: bool, head: str) -> Request:
        """The request that has ``issue`` in common with issues."""
        return cls(issue.number, issue.author, issue.title, issue.body, issue.url, issue.is_open, merged, head)


def first_line(body: str) -> str:
    """The first line of a comment or an issue, however the host stores line ends and spaces."""
    return body.lstrip().split("\n", 1)[0].rstrip()


def marker(body: str) -> str:
    """The line by which we recognise an issue or a request of ours, also below what people wrote; empty if it's gone.

    In comments, it has to be the first line: people quote comments, and we delete our superfluous ones.
    """
    return next((line for line in map(str.strip, body.split("\n")) if line.startswith(_MARK)), "")


def with_marker(body: str, line: str) -> str:
    """``body`` with that marker instead of its own, or as its first line if it has none."""
    before = marker(body)
    return body.replace(before, line, 1) if before else f"{line}\n{body}"


class Comments(Protocol):
    """The pull or merge requests of one project. All methods may raise the errors of ApiError."""

    async def me(self) -> str:
        """The author of comments and issues made with this token; empty if the token isn't allowed to read it."""

    async def request_of(self, head: str) -> int | None:
        """The number of the newest open pull request whose head is ``owner:branch``."""

    async def list_comments(self, number: int) -> list[Comment]:
        """Every comment on the pull or merge request, by any author."""

    async def add_comment(self, number: int, body: str) -> Comment:
        """Post a comment."""

    async def edit_comment(self, number: int, comment: Comment, body: str) -> Comment:
        """Replace the body of a comment."""

    async def delete_comment(self, number: int, comment: Comment) -> None:
        """Delete a comment; succeeds if it's already gone."""


@runtime_checkable
class Pictures(Protocol):
    """A host that stores pictures for comments, as only GitLab does. May raise the errors of ApiError."""

    async def keep_picture(self, name: str, svg: str) -> str:
        """Store a picture, and return its address for Markdown in this project."""


class Forge(Comments, Protocol):
    """A host with support for requests and issues of one project, too."""

    async def list_requests(self, branch: str, base: str) -> list[Request]:
        """Every request, open or not, from ``branch`` of this project to ``base``, by any author."""

    async def add_request(self, branch: str, base: str, title: str, body: str) -> Request:
        """Request to merge ``branch`` into ``base``."""

    async def edit_request(self, request: Request, *, title: str, body: str, is_open: bool) -> Request:
        """Replace title and body, and close it unless ``is_open``."""

    async def list_issues(self, label: str) -> list[Issue]:
        """Every issue with the label, open or closed, by any author."""

    async def list_own_issues(self, author: str) -> list[Issue]:
        """Issues with any labels or none, newest first, including those of ``author`` (see ``me``)."""

    async def add_issue(self, label: str, title: str, body: str) -> Issue:
        """Open an issue with the label, which hosts create if it's missing, or drop if the token isn't allowed to."""

    async def edit_issue(self, issue: Issue, *, title: str, body: str, is_open: bool) -> Issue:
        """Replace title and body, and close or reopen it."""

    async def list_notes(self, issue: Issue) -> list[Comment]:
        """Every comment on the issue."""

    async def add_note(self, issue: Issue, body: str) -> Comment:
        """Comment on the issue."""
