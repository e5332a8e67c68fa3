"""The one comment on a pull or merge request that later runs find again and bring up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from webchat_sync.environment import Sleep
from webchat_sync.forge.once import once
from webchat_sync.forge.ports import Comment, Forge, first_line

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
        found = [each for each in await forge.list_comments(number) if is_marker(first_line(each.body))]
        return sorted(found, key=lambda each: -each.id)

    async def newest() -> Comment | None:
        return next((each for each in await marked() if each.author == me), None)

    found = await marked()
    action: Action = "unchanged"
    posted: list[Comment] = []
    if all(each.author != me for each in found):
        posted = [await once(lambda: forge.add_comment(number, body), newest, sleep)]
        action = "posted"
        # Looked at again: another run may have posted in the same moment, and a lost request may arrive late.
        found = await marked()
    kept, *others = [each for each in found if each.author == me] or posted
    if _plain(kept.body) != _plain(body):
        kept = await forge.edit_comment(number, kept, body)
        action = "posted" if posted else "updated"
    for each in others:
        await forge.delete_comment(number, each)
    return Stuck(action, kept.url, len(others), sum(each.author != me for each in found))


def _plain(body: str) -> str:
    """The body without what hosts change when they store it."""
    return body.replace("\r\n", "\n").strip()
