"""Our one comment on a pull or merge request, which later runs find and update, and the pictures in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from webchat_sync.create_once import create_once
from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiError, ApiStatusError
from webchat_sync.forge.ports import Comment, Comments, Pictures, first_line
from webchat_sync.forge.session import is_gone, is_locked
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern

Action: TypeAlias = Literal["posted", "updated", "unchanged"]

_PLACED: Final = lazy_pattern(r"/uploads/[0-9a-f]{32}/(webchat-sync-[0-9a-f]{20}\.svg)")
"""The address of one of our pictures; its name says what it shows."""


@frozen
class CommentResult:
    """What was done: ``deleted`` counts other comments of ours, ``foreign`` those by other authors."""

    action: Action
    url: str
    deleted: int = 0
    foreign: int = 0


async def upsert_comment(
    forge: Comments, number: int, body: str, *, is_marker: Callable[[str], bool], sleep: Sleep
) -> CommentResult:
    """Make ``body`` our one comment on the request; its first line, like that of ``body``, ``is_marker``.

    The newest one is updated, others of ours are deleted. Comments by other authors are left alone, whatever their
    first line: someone who could edit the plan later could show reviewers a different one. If the token isn't allowed
    to know its user, a new comment shows the author, and replaces earlier ones. Raises the errors of ApiError.
    """
    marked = _Marked(forge, number, body, is_marker, await forge.me())

    async def post(replaced: Comment | None = None) -> Comment:
        return await create_once(lambda: forge.add_comment(number, body), marked.looking(comments, replaced), sleep)

    comments = await marked.comments()
    action: Action = "unchanged"
    posted: list[Comment] = []
    if not any(marked.is_ours(comment) for comment in comments):
        posted = [await post()]
        action = "posted"
        marked.author = marked.author or posted[0].author
        # List again, since another run may have posted at the same time, and a lost request may arrive late.
        comments = await marked.comments()
    comment, *others = [comment for comment in comments if marked.is_ours(comment)] or posted
    if _plain(comment.body) != _plain(body):
        action = "posted" if posted else "updated"
        try:
            comment = await forge.edit_comment(number, comment, body)
        except ApiStatusError as error:
            if not is_gone(error):
                raise
            # Someone deleted it meanwhile. If the token isn't allowed to write, posting will fail, too.
            comment, action = await post(comment), "posted"
    for other in others:
        await forge.delete_comment(number, other)
    return CommentResult(action, comment.url, len(others), sum(not marked.is_ours(comment) for comment in comments))


async def comment_once(
    text: str,
    *,
    list_comments: Callable[[], Awaitable[list[Comment]]],
    add: Callable[[], Awaitable[Comment]],
    sleep: Sleep,
) -> None:
    """Post ``text`` with ``add``, unless a comment has its first line; nothing if the conversation is locked."""

    async def look(_: object) -> Comment | None:
        return next((other for other in await list_comments() if first_line(other.body) == first_line(text)), None)

    try:
        await create_once(add, look, sleep)
    except ApiStatusError as error:
        if not is_locked(error):
            raise


@dataclass(slots=True)
class _Marked:
    """The comments on a request with such a marker; an empty ``author`` means that ours is unknown."""

    forge: Comments
    number: int
    body: str
    is_marker: Callable[[str], bool]
    author: str

    async def comments(self) -> list[Comment]:
        """All of them, newest first."""
        listed = await self.forge.list_comments(self.number)
        return sorted(
            (comment for comment in listed if self.is_marker(first_line(comment.body))),
            key=lambda comment: -comment.id,
        )

    def is_ours(self, comment: Comment) -> bool:
        """Whether it's known to be ours."""
        return self.author != "" and comment.author == self.author

    def looking(self, before: list[Comment], replaced: Comment | None) -> Callable[[object], Awaitable[Comment | None]]:
        """A function that finds what was posted since ``before`` was listed, other than ``replaced``."""
        listed = {comment.id for comment in before}

        async def look(_: object) -> Comment | None:
            comments = (comment for comment in await self.comments() if comment != replaced)
            return next((comment for comment in comments if self.is_ours(comment) or new(comment)), None)

        def new(comment: Comment) -> bool:
            return not self.author and comment.id not in listed and _plain(comment.body) == _plain(self.body)

        return look


def _plain(body: str) -> str:
    """The body without what hosts change when they store it."""
    return body.replace("\r\n", "\n").strip()


@frozen
class Placed:
    """The addresses of pictures by name; ``failure`` is why some have none."""

    addresses: Mapping[str, str]
    failure: ApiError | None = None


async def place_pictures(
    forge: Comments, number: int, pictures: Iterable[tuple[str, str]], *, is_marker: Callable[[str], bool]
) -> Placed:
    """Upload every picture, given as name and SVG, for the comment on the request.

    None of them has an address if the host stores no pictures. One that our comment already shows isn't uploaded again,
    since hosts keep uploads. A failure isn't an error, because a comment without pictures is better than none.
    """
    if not isinstance(forge, Pictures):
        return Placed({})
    addresses: dict[str, str] = {}
    try:
        me = await forge.me()
        ours = (comment for comment in await forge.list_comments(number) if comment.author == me)
        for comment in ours:
            if is_marker(first_line(comment.body)):
                addresses |= {placed[1]: placed[0] for placed in _PLACED.finditer(comment.body)}
        for name, svg in pictures:
            if name not in addresses:
                addresses[name] = await forge.keep_picture(name, svg)
    except ApiError as error:
        return Placed(addresses, error)
    return Placed(addresses)
