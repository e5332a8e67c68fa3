"""The one issue of a project that reports drift: opened, updated, closed and reopened."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Literal, TypeAlias

from webchat_sync.create_once import create_once
from webchat_sync.environment import Sleep
from webchat_sync.errors import ApiStatusError
from webchat_sync.forge.comment import comment_once
from webchat_sync.forge.ports import Forge, Issue, first_line, marker
from webchat_sync.forge.session import is_gone
from webchat_sync.frozen import frozen

LABEL: Final = "webchat-sync-drift"
"""The label by which such an issue is found."""

Action: TypeAlias = Literal["opened", "updated", "unchanged", "reopened", "closed", "absent"]


@frozen
class Report:
    """What the issue should say. The marker in ``body`` identifies the drift.

    ``is_marker`` recognises such a line for any drift.
    """

    is_marker: Callable[[str], bool]
    title: str
    body: str


@frozen
class IssueResult:
    """What was done with the issue; ``absent``: there is none, and none is needed."""

    action: Action
    url: str = ""


async def upsert_issue(
    forge: Forge, report: Report, *, drifted: bool | None, farewell: str, sleep: Sleep
) -> IssueResult:
    """Update our issue, recognised by its marker, to match ``report``, or close it if nothing ``drifted``.

    ``drifted`` None: it isn't known, so an open issue stays as it is. The newest one is updated; other open ones are
    closed. ``farewell`` is the comment for closing it, with a unique marker. Issues by other authors are left
    alone. Raises the errors of ApiError.
    """
    me = await forge.me()

    async def ours() -> list[Issue]:
        # Hosts silently drop the label if the token isn't allowed to set one; then only the marker identifies it.
        labelled = marked(await forge.list_issues(LABEL), marker)
        return labelled or marked(await forge.list_own_issues(me), first_line)

    def marked(issues: list[Issue], line_of: Callable[[str], str]) -> list[Issue]:
        mine = [issue for issue in issues if issue.author == me and report.is_marker(line_of(issue.body))]
        return sorted(mine, key=lambda issue: -issue.number)

    async def newest(_: object) -> Issue | None:
        return next(iter(await ours()), None)

    issues = await ours()
    if drifted is None:
        still_open = next((issue for issue in issues if issue.is_open), None)
        return IssueResult("unchanged", still_open.url) if still_open else IssueResult("absent")
    if not drifted:
        return await _close(forge, [issue for issue in issues if issue.is_open], farewell, sleep)
    result = await _renew(forge, issues[0], report) if issues else None
    if result is None:
        opened = await create_once(lambda: forge.add_issue(LABEL, report.title, report.body), newest, sleep)
        result = IssueResult("opened", opened.url)
        # List again, since another run may have opened one at the same time, and a lost request may arrive late.
        issues = await ours() or [opened]
    await _close(forge, [issue for issue in issues[1:] if issue.is_open], farewell="", sleep=sleep)
    return result


async def _renew(forge: Forge, issue: Issue, report: Report) -> IssueResult | None:
    """Leave the rest of the body alone while the drift is the same, since people may have edited it.

    Returns None if the issue was deleted since it was listed.
    """
    if issue.is_open and marker(issue.body) == marker(report.body):
        return IssueResult("unchanged", issue.url)
    try:
        renewed = await forge.edit_issue(issue, title=report.title, body=report.body, is_open=True)
    except ApiStatusError as error:
        if not is_gone(error):
            raise
        return None
    return IssueResult("updated" if issue.is_open else "reopened", renewed.url)


async def _close(forge: Forge, still_open: list[Issue], farewell: str, sleep: Sleep) -> IssueResult:
    """Close them first and then comment, so that a run that's killed in between doesn't comment twice."""
    for issue in still_open:
        await forge.edit_issue(issue, title=issue.title, body=issue.body, is_open=False)
        if farewell:
            await comment_once(
                farewell,
                list_comments=partial(forge.list_notes, issue),
                add=partial(forge.add_note, issue, farewell),
                sleep=sleep,
            )
    return IssueResult("closed", still_open[0].url) if still_open else IssueResult("absent")
