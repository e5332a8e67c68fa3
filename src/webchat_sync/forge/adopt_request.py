"""The one pull or merge request that updates the files to the live values: opened, updated, closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, TypeAlias

from anyio.to_thread import run_sync

from webchat_sync.create_once import create_once
from webchat_sync.environment import Sleep
from webchat_sync.forge.branch import Branch, Tip
from webchat_sync.forge.comment import comment_once
from webchat_sync.forge.ports import Forge, Request, marker, with_marker
from webchat_sync.frozen import frozen

Action: TypeAlias = Literal["opened", "updated", "unchanged", "closed", "incomplete", "absent", "declined", "foreign"]
"""What was done with the request.

``declined``: someone closed it, and nothing changed since. ``foreign``: someone committed to its branch.
``incomplete``: no difference was found, but not everything could be read.
"""


@frozen
class Proposal:
    """What the request should say and change. The marker in ``body`` identifies what moved.

    ``closed`` is the marker of a request that this program closed itself; ``is_marker`` recognises either. Without
    ``files``, nothing is proposed; ``whole``: then nothing differs.
    """

    branch: str
    base: str
    title: str
    body: str
    closed: str
    is_marker: Callable[[str], bool]
    files: Mapping[str, bytes]
    message: str
    whole: bool = True


@frozen
class RequestResult:
    """What was done with the request; ``absent``: there is none, and none is needed."""

    action: Action
    url: str = ""


async def upsert_request(
    forge: Forge, branch: Branch, proposal: Proposal, *, farewell: str, sleep: Sleep
) -> RequestResult:
    """Update our request to match ``proposal``, or close it if nothing is proposed.

    ``farewell`` is the comment for closing it. A branch that someone else committed to is left alone, and so is the
    text of a request that someone else opened. Raises the errors of ApiError, PushError and InputError.
    """
    me = await forge.me()
    tip = await run_sync(branch.tip)
    requests = await _newest_first(forge, proposal)
    still_open = [request for request in requests if request.is_open]
    if tip is not None and not tip.ours and not _was_merged(requests, tip):
        if not still_open and not proposal.files:
            return RequestResult("absent")
        return RequestResult("foreign", still_open[0].url if still_open else "")
    if not proposal.files:
        mine = [request for request in still_open if _is_ours(request, me, proposal)]
        if mine and not proposal.whole:
            return RequestResult("incomplete", mine[0].url)
        return await _close(forge, branch, mine, tip, proposal, farewell, sleep)
    if not still_open and (closed_by_other := _declined(requests, me, proposal)):
        return RequestResult("declined", closed_by_other.url)
    pushed = await run_sync(branch.put, proposal.files, proposal.message, tip)
    if still_open:
        return await _renew(forge, still_open[0], me, proposal, pushed=pushed)

    async def look(_: object) -> Request | None:
        return next((request for request in await _newest_first(forge, proposal) if request.is_open), None)

    opened = await create_once(
        lambda: forge.add_request(proposal.branch, proposal.base, proposal.title, proposal.body), look, sleep
    )
    return RequestResult("opened", opened.url)


async def _newest_first(forge: Forge, proposal: Proposal) -> list[Request]:
    """Our requests for the proposal, newest first."""
    listed = await forge.list_requests(proposal.branch, proposal.base)
    return sorted(listed, key=lambda request: -request.number)


def _is_ours(request: Request, me: str, proposal: Proposal) -> bool:
    """Whether it's ours; without a marker too, since it's from our branch: then people wrote another text."""
    line = marker(request.body)
    return request.author == me and (not line or proposal.is_marker(line))


def _declined(requests: list[Request], me: str, proposal: Proposal) -> Request | None:
    """The last request if someone closed it without merging it, and it proposed the same."""
    last = requests[0] if requests else None
    if last is None or last.merged or last.author != me:
        return None
    return last if marker(last.body) == marker(proposal.body) else None


def _was_merged(requests: list[Request], tip: Tip) -> bool:
    """Whether the last request merged everything on the branch, so nothing is lost."""
    return bool(requests) and requests[0].merged and requests[0].head == tip.commit


async def _renew(forge: Forge, request: Request, me: str, proposal: Proposal, *, pushed: bool) -> RequestResult:
    """Leave the text alone while the same things moved, since people may have edited it."""
    renewed = marker(request.body) not in {"", marker(proposal.body)} and _is_ours(request, me, proposal)
    if renewed:
        await forge.edit_request(request, title=proposal.title, body=proposal.body, is_open=True)
    return RequestResult("updated" if renewed or pushed else "unchanged", request.url)


async def _close(
    forge: Forge, branch: Branch, mine: list[Request], tip: Tip | None, proposal: Proposal, farewell: str, sleep: Sleep
) -> RequestResult:
    """Close it first and then comment, so that a run that's killed in between doesn't comment twice."""
    for request in mine:
        body = with_marker(request.body, proposal.closed)
        await forge.edit_request(request, title=request.title, body=body, is_open=False)
        await comment_once(
            farewell,
            list_comments=partial(forge.list_comments, request.number),
            add=partial(forge.add_comment, request.number, farewell),
            sleep=sleep,
        )
    if mine and tip is not None:
        await run_sync(branch.remove, tip)
    return RequestResult("closed", mine[0].url) if mine else RequestResult("absent")
