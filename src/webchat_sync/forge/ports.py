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


class Identity(Protocol):
    """Who the token speaks for."""

    async def me(self) -> str:
        """The author that comments and issues made with this token have."""


class Comments(Identity, Protocol):
    """The comments on one pull or merge request."""

    async def list_comments(self) -> list[Comment]:
        """Every comment, whoever wrote it."""

    async def add_comment(self, body: str) -> Comment:
        """Post one more."""

    async def edit_comment(self, comment: Comment, body: str) -> Comment:
        """Replace the body of a comment."""

    async def delete_comment(self, comment: Comment) -> None:
        """Delete a comment; one that is gone already is well."""


class Issues(Identity, Protocol):
    """The issues of one project that carry one label."""

    async def list_issues(self) -> list[Issue]:
        """Every issue with the label, open or closed, whoever wrote it."""

    async def add_issue(self, title: str, body: str) -> Issue:
        """Open one more, with the label."""

    async def edit_issue(self, issue: Issue, *, title: str, body: str, is_open: bool) -> Issue:
        """Replace title and body, and close or reopen it."""

    async def list_notes(self, issue: Issue) -> list[Comment]:
        """Every comment on the issue."""

    async def add_note(self, issue: Issue, body: str) -> Comment:
        """Comment on the issue."""
