"""The one issue of a project that reports drift: opened, updated, closed and reopened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from webchat_sync.create_once import create_once
from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiStatusError
from webchat_sync.forge.ports import Comment, Forge, Issue, first_line
from webchat_sync.forge.session import is_gone, is_locked

LABEL: Final = "webchat-sync-drift"
"""The label by which such an issue is found."""

Action: TypeAlias = Literal["opened", "updated", "unchanged", "reopened", "closed", "absent"]


@dataclass(frozen=True, slots=True)
class Report:
    """What the issue should say. The first line of ``body`` identifies the drift.

    ``is_marker`` recognises such a line for any drift.
    """

    is_marker: Callable[[str], bool]
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the issue; ``absent``: there is none, and none is needed."""

    action: Action
    url: str = ""


async def keep_issue(forge: Forge, report: Report, *, drifted: bool | None, farewell: str, sleep: Sleep) -> Kept:
    """Bring the issue of ours whose first line is such a marker in line with ``report``, or close it without drift.

    ``drifted`` None: that cannot be said, so what is open stays as it is.

    The newest one is kept; others that are open are closed. ``farewell`` is the comment with which it is closed; it
    begins with a line that no other comment begins with. What others wrote is left alone. Raises the errors of
    ApiError.
    """
    me = await forge.me()

    async def ours() -> list[Issue]:
        # Hosts drop the label in silence where the token may not set one: then the marker alone tells.
        labelled = marked(await forge.list_issues(LABEL))
        return labelled or marked(await forge.list_own_issues(me))

    def marked(issues: list[Issue]) -> list[Issue]:
        mine = [issue for issue in issues if issue.author == me and report.is_marker(first_line(issue.body))]
        return sorted(mine, key=lambda issue: -issue.number)

    async def newest(_: object) -> Issue | None:
        return next(iter(await ours()), None)

    issues = await ours()
    if drifted is None:
        still_open = next((issue for issue in issues if issue.is_open), None)
        return Kept("unchanged", still_open.url) if still_open else Kept("absent")
    if not drifted:
        return await _close(forge, [issue for issue in issues if issue.is_open], farewell, sleep)
    kept = await _renew(forge, issues[0], report) if issues else None
    if kept is None:
        opened = await create_once(lambda: forge.add_issue(LABEL, report.title, report.body), newest, sleep)
        kept = Kept("opened", opened.url)
        # Looked at again: another run may have opened one in the same moment, and a lost request may arrive late.
        issues = await ours() or [opened]
    await _close(forge, [issue for issue in issues[1:] if issue.is_open], farewell="", sleep=sleep)
    return kept


async def _renew(forge: Forge, issue: Issue, report: Report) -> Kept | None:
    """Leave the rest of the body alone while the drift is the same, since people may have edited it.

    Returns None if the issue was deleted since it was listed.
    """
    if issue.is_open and first_line(issue.body) == first_line(report.body):
        return Kept("unchanged", issue.url)
    try:
        renewed = await forge.edit_issue(issue, title=report.title, body=report.body, is_open=True)
    except ApiStatusError as error:
        if not is_gone(error):
            raise
        return None
    return Kept("updated" if issue.is_open else "reopened", renewed.url)


async def _close(forge: Forge, still_open: list[Issue], farewell: str, sleep: Sleep) -> Kept:
    """Close them first and then comment, so that a run that's killed in between doesn't comment twice."""
    for issue in still_open:
        await forge.edit_issue(issue, title=issue.title, body=issue.body, is_open=False)
        if farewell:
            try:
                await _comment(forge, issue, farewell, sleep)
            except ApiStatusError as error:
                if not is_locked(error):  # it is closed, which says enough
                    raise
    return Kept("closed", still_open[0].url) if still_open else Kept("absent")


async def _comment(forge: Forge, issue: Issue, text: str, sleep: Sleep) -> None:
    async def look(_: object) -> Comment | None:
        return next((note for note in await forge.list_notes(issue) if first_line(note.body) == first_line(text)), None)

    await create_once(lambda: forge.add_note(issue, text), look, sleep)
