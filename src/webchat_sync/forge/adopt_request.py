"""The one pull or merge request that updates the files to the live values: opened, updated, closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from anyio.to_thread import run_sync

from webchat_sync.create_once import create_once
from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiStatusError
from webchat_sync.forge.branch import Branch, Tip
from webchat_sync.forge.ports import Comment, Forge, Request, first_line
from webchat_sync.forge.session import is_locked

Action: TypeAlias = Literal["opened", "updated", "unchanged", "closed", "kept", "absent", "declined", "taken"]
"""What was done with the request.

``declined``: someone closed it, and nothing changed since. ``taken``: someone committed to its branch. ``kept``: no
difference was found, but not everything could be read.
"""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the request should say and change. The first line of ``body`` identifies what moved.

    ``closed`` is the first line of a request that this program closed itself; ``is_marker`` recognises either. Without
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


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the request; ``absent``: there is none, and none is needed."""

    action: Action
    url: str = ""


async def keep_request(forge: Forge, branch: Branch, proposal: Proposal, *, farewell: str, sleep: Sleep) -> Kept:
    """Bring the request of ours in line with ``proposal``, or close it where nothing is proposed.

    ``farewell`` is the comment with which it is closed. A branch that someone else committed to is left alone, and
    so is the text of a request that someone else opened. Raises the errors of ApiError, PushError and InputError.
    """
    me = await forge.me()
    tip = await run_sync(branch.tip)
    requests = await _newest_first(forge, proposal)
    still_open = [request for request in requests if request.is_open]
    if tip is not None and not tip.ours and not _was_merged(requests, tip):
        return (
            Kept("taken", still_open[0].url if still_open else "") if still_open or proposal.files else Kept("absent")
        )
    if not proposal.files:
        mine = [request for request in still_open if _is_ours(request, me, proposal)]
        if mine and not proposal.whole:
            return Kept("kept", mine[0].url)
        return await _close(forge, branch, mine, tip, proposal, farewell, sleep)
    if not still_open and (declined := _declined(requests, me, proposal)):
        return Kept("declined", declined.url)
    pushed = await run_sync(branch.put, proposal.files, proposal.message, tip)
    if still_open:
        return await _renew(forge, still_open[0], me, proposal, pushed=pushed)

    async def look(_: object) -> Request | None:
        return next((request for request in await _newest_first(forge, proposal) if request.is_open), None)

    opened = await create_once(
        lambda: forge.add_request(proposal.branch, proposal.base, proposal.title, proposal.body), look, sleep
    )
    return Kept("opened", opened.url)


async def _newest_first(forge: Forge, proposal: Proposal) -> list[Request]:
    """Our requests for the proposal, newest first."""
    listed = await forge.list_requests(proposal.branch, proposal.base)
    return sorted(listed, key=lambda request: -request.number)


def _is_ours(request: Request, me: str, proposal: Proposal) -> bool:
    return request.author == me and proposal.is_marker(first_line(request.body))


def _declined(requests: list[Request], me: str, proposal: Proposal) -> Request | None:
    """The last request if someone closed it without merging it, and it proposed the same."""
    last = requests[0] if requests else None
    if last is None or last.merged or last.author != me:
        return None
    return last if first_line(last.body) == first_line(proposal.body) else None


def _was_merged(requests: list[Request], tip: Tip) -> bool:
    """Whether the last request merged everything on the branch, so nothing is lost."""
    return bool(requests) and requests[0].merged and requests[0].head == tip.commit


async def _renew(forge: Forge, request: Request, me: str, proposal: Proposal, *, pushed: bool) -> Kept:
    """Leave the text alone while the same things moved, since people may have edited it."""
    renewed = first_line(request.body) != first_line(proposal.body) and _is_ours(request, me, proposal)
    if renewed:
        await forge.edit_request(request, title=proposal.title, body=proposal.body, is_open=True)
    return Kept("updated" if renewed or pushed else "unchanged", request.url)


async def _close(
    forge: Forge, branch: Branch, mine: list[Request], tip: Tip | None, proposal: Proposal, farewell: str, sleep: Sleep
) -> Kept:
    """Close it first and then comment, so that a run that's killed in between doesn't comment twice."""
    for request in mine:
        _, _, rest = request.body.lstrip().partition("\n")
        await forge.edit_request(request, title=request.title, body=f"{proposal.closed}\n{rest}", is_open=False)
        try:
            await _comment(forge, request, farewell, sleep)
        except ApiStatusError as error:
            if not is_locked(error):  # it is closed, which says enough
                raise
    if mine and tip is not None:
        await run_sync(branch.remove, tip)
    return Kept("closed", mine[0].url) if mine else Kept("absent")


async def _comment(forge: Forge, request: Request, text: str, sleep: Sleep) -> None:
    async def look(_: object) -> Comment | None:
        notes = await forge.list_comments(request.number)
        return next((note for note in notes if first_line(note.body) == first_line(text)), None)

    await create_once(lambda: forge.add_comment(request.number, text), look, sleep)
