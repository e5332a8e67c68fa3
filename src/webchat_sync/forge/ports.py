"""What hosts have in common: comments on a pull or merge request; requests and issues where they are kept here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull or merge request, or on an issue; later ones have a higher ``id``."""

    id: int
    author: str
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue; later ones have a higher ``number``."""

    number: int
    author: str
    title: str
    body: str
    url: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A pull or merge request; later ones have a higher ``number``. ``merged``: it is closed, and was taken.

    ``head`` is the commit that its branch was at last.
    """

    number: int
    author: str
    title: str
    body: str
    url: str
    is_open: bool
    merged: bool
    head: str


def first_line(body: str) -> str:
    """The first line of a comment or an issue, whatever line ends and blanks the host stores."""
    return body.lstrip().split("\n", 1)[0].rstrip()


class Comments(Protocol):
    """The pull or merge requests of one project on a host of code. All may raise the errors of ApiError."""

    @property
    def takes_pictures(self) -> bool:
        """Whether the host keeps pictures for comments."""

    async def keep_picture(self, name: str, svg: str) -> str:
        """Keep a picture; gives its address for Markdown of this project. Only where the host takes pictures."""

    async def me(self) -> str:
        """The author that comments and issues made with this token have; empty where the token may not know."""

    async def request_of(self, head: str) -> int | None:
        """The number of the newest open pull request whose head is ``owner:branch``."""

    async def list_comments(self, number: int) -> list[Comment]:
        """Every comment on the pull or merge request, whoever wrote it."""

    async def add_comment(self, number: int, body: str) -> Comment:
        """Post one more."""

    async def edit_comment(self, number: int, comment: Comment, body: str) -> Comment:
        """Replace the body of a comment."""

    async def delete_comment(self, number: int, comment: Comment) -> None:
        """Delete a comment; one that is gone already is well."""


class Forge(Comments, Protocol):
    """A host where requests and issues are kept, too, as far as a pipeline of one project speaks to it."""

    async def list_requests(self, branch: str, base: str) -> list[Request]:
        """Every request, open or not, to take ``branch`` of this project into ``base``, whoever made it."""

    async def add_request(self, branch: str, base: str, title: str, body: str) -> Request:
        """Ask to take ``branch`` into ``base``."""

    async def edit_request(self, request: Request, *, title: str, body: str, is_open: bool) -> Request:
        """Replace title and body, and close it when it is not to be open."""

    async def list_issues(self, label: str) -> list[Issue]:
        """Every issue with the label, open or closed, whoever wrote it."""

    async def list_own_issues(self, author: str) -> list[Issue]:
        """Issues with any labels or none, the newest first, those of ``author`` (see ``me``) among them."""

    async def add_issue(self, label: str, title: str, body: str) -> Issue:
        """Open an issue with the label, which both hosts make when there is none, or drop when the token may not."""

    async def edit_issue(self, issue: Issue, *, title: str, body: str, is_open: bool) -> Issue:
        """Replace title and body, and close or reopen it."""

    async def list_notes(self, issue: Issue) -> list[Comment]:
        """Every comment on the issue."""

    async def add_note(self, issue: Issue, body: str) -> Comment:
        """Comment on the issue."""
