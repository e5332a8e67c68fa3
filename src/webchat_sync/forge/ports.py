"""What both hosts have in common: comments on a pull or merge request, and issues."""

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


def first_line(body: str) -> str:
    """The first line of a comment or an issue, whatever line ends and blanks the host stores."""
    return body.lstrip().split("\n", 1)[0].rstrip()


class Forge(Protocol):
    """A host of code, as far as a pipeline of one project speaks to it. All may raise the errors of ApiError."""

    @property
    def takes_pictures(self) -> bool:
        """Whether the host keeps pictures for comments."""

    async def keep_picture(self, name: str, svg: str) -> str:
        """Keep a picture; gives its address for Markdown of this project. Only where the host takes pictures."""

    async def me(self) -> str:
        """The author that comments and issues made with this token have."""

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
