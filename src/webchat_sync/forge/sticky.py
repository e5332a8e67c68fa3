"""The one comment on a pull or merge request that later runs find again and bring up to date."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from webchat_sync.create_once import create_once
from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiStatusError
from webchat_sync.forge.ports import Comment, Forge, first_line
from webchat_sync.forge.session import is_gone

Action: TypeAlias = Literal["posted", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Stuck:
    """What became of the comment: ``deleted`` is how many more of ours there were, ``foreign`` how many of others."""

    action: Action
    url: str
    deleted: int = 0
    foreign: int = 0


async def stick(forge: Forge, number: int, body: str, *, is_marker: Callable[[str], bool], sleep: Sleep) -> Stuck:
    """Make ``body`` the one comment of ours on the request whose first line ``is_marker``, as that of ``body`` is.

    The newest is brought up to date, those beside it are deleted. What others wrote is left alone, whatever it begins
    with: who could edit the plan later could show reviewers another one. Raises the errors of ApiError.
    """
    me = await forge.me()

    async def marked() -> list[Comment]:
        comments = [comment for comment in await forge.list_comments(number) if is_marker(first_line(comment.body))]
        return sorted(comments, key=lambda comment: -comment.id)

    def newest_but(gone: Comment | None) -> Callable[[object], Awaitable[Comment | None]]:
        async def look(_: object) -> Comment | None:
            ours = (comment for comment in await marked() if comment.author == me and comment != gone)
            return next(ours, None)

        return look

    comments = await marked()
    action: Action = "unchanged"
    posted: list[Comment] = []
    if all(comment.author != me for comment in comments):
        posted = [await create_once(lambda: forge.add_comment(number, body), newest_but(None), sleep)]
        action = "posted"
        # Looked at again: another run may have posted in the same moment, and a lost request may arrive late.
        comments = await marked()
    kept, *others = [comment for comment in comments if comment.author == me] or posted
    if _plain(kept.body) != _plain(body):
        action = "posted" if posted else "updated"
        try:
            kept = await forge.edit_comment(number, kept, body)
        except ApiStatusError as error:
            if not is_gone(error):
                raise
            # Somebody deleted it since it was listed. Where the token just may not write, posting will say so.
            kept, action = await create_once(lambda: forge.add_comment(number, body), newest_but(kept), sleep), "posted"
    for other in others:
        await forge.delete_comment(number, other)
    return Stuck(action, kept.url, len(others), sum(comment.author != me for comment in comments))


def _plain(body: str) -> str:
    """The body without what hosts change when they store it."""
    return body.replace("\r\n", "\n").strip()
