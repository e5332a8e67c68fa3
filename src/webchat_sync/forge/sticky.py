"""The one comment on a pull or merge request that later runs find again and bring up to date."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from webchat_sync.create_once import create_once
from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiStatusError
from webchat_sync.forge.ports import Comment, Comments, first_line
from webchat_sync.forge.session import is_gone

Action: TypeAlias = Literal["posted", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Stuck:
    """What became of the comment: ``deleted`` is how many more of ours there were, ``foreign`` how many of others."""

    action: Action
    url: str
    deleted: int = 0
    foreign: int = 0


async def stick(forge: Comments, number: int, body: str, *, is_marker: Callable[[str], bool], sleep: Sleep) -> Stuck:
    """Make ``body`` the one comment of ours on the request whose first line ``is_marker``, as that of ``body`` is.

    The newest is brought up to date, those beside it are deleted. What others wrote is left alone, whatever it begins
    with: who could edit the plan later could show reviewers another one. Where the token may not know whose comments
    are ours, the author of a new one tells: it replaces those before it. Raises the errors of ApiError.
    """
    marked = _Marked(forge, number, body, is_marker, await forge.me())

    async def post(gone: Comment | None = None) -> Comment:
        return await create_once(lambda: forge.add_comment(number, body), marked.looking(comments, gone), sleep)

    comments = await marked.comments()
    action: Action = "unchanged"
    posted: list[Comment] = []
    if not any(marked.is_ours(comment) for comment in comments):
        posted = [await post()]
        action = "posted"
        marked.author = marked.author or posted[0].author
        # Looked at again: another run may have posted in the same moment, and a lost request may arrive late.
        comments = await marked.comments()
    kept, *others = [comment for comment in comments if marked.is_ours(comment)] or posted
    if _plain(kept.body) != _plain(body):
        action = "posted" if posted else "updated"
        try:
            kept = await forge.edit_comment(number, kept, body)
        except ApiStatusError as error:
            if not is_gone(error):
                raise
            # Somebody deleted it since it was listed. Where the token just may not write, posting will say so.
            kept, action = await post(kept), "posted"
    for other in others:
        await forge.delete_comment(number, other)
    return Stuck(action, kept.url, len(others), sum(not marked.is_ours(comment) for comment in comments))


@dataclass(slots=True)
class _Marked:
    """The comments on a request that have such a marker; an empty ``author`` is one that we don't know."""

    forge: Comments
    number: int
    body: str
    is_marker: Callable[[str], bool]
    author: str

    async def comments(self) -> list[Comment]:
        """All of them, the newest first."""
        listed = await self.forge.list_comments(self.number)
        return sorted(
            (comment for comment in listed if self.is_marker(first_line(comment.body))),
            key=lambda comment: -comment.id,
        )

    def is_ours(self, comment: Comment) -> bool:
        """Whether it is known to be."""
        return self.author != "" and comment.author == self.author

    def looking(self, before: list[Comment], gone: Comment | None) -> Callable[[object], Awaitable[Comment | None]]:
        """Looks for what may have been posted since ``before`` was listed, beside a comment that is ``gone``."""
        listed = {comment.id for comment in before}

        async def look(_: object) -> Comment | None:
            comments = (comment for comment in await self.comments() if comment != gone)
            return next((comment for comment in comments if self.is_ours(comment) or new(comment)), None)

        def new(comment: Comment) -> bool:
            return not self.author and comment.id not in listed and _plain(comment.body) == _plain(self.body)

        return look


def _plain(body: str) -> str:
    """The body without what hosts change when they store it."""
    return body.replace("\r\n", "\n").strip()
