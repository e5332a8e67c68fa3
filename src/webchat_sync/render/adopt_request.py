"""The pull or merge request of an adopt: what moved live, and what undoing it would mean to visitors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from webchat_sync.flat import flat
from webchat_sync.leaks import redact
from webchat_sync.model import Impact, Plan
from webchat_sync.plan.undo import Moved, turned
from webchat_sync.render.comment import LONGEST_TITLE, foot_lines
from webchat_sync.render.failed import notices
from webchat_sync.render.markdown import in_marker
from webchat_sync.render.markdown_diff import diff_lines
from webchat_sync.render.markdown_escape import code_span, fence, html, phrase
from webchat_sync.render.rank import rank
from webchat_sync.render.sides import sides_of
from webchat_sync.render.values import inline
from webchat_sync.render.walk import Channel, walk
from webchat_sync.render.week_blocks import week_lines

_NAMED: Final = 3
"""How many channels the title names."""

_MOST: Final = 50
"""How many lines a list has."""

_LINE: Final = 600
"""After how many characters a line of a list is cut."""

_NOTE: Final = 300
"""Room for saying what is left out."""

_LEAD: Final = (
    "These channels were changed outside Git, in the dashboard or through the API. The API doesn't record "
    "who changed them. This request updates the files to match what is live, and changes nothing live itself."
)
_ONLY_IDS: Final = (
    "The live channels match the files. This request pins each channel to its id, so that a channel renamed "
    "in the dashboard is still recognised."
)
_CHOICE: Final = (
    "**Merge it** to keep the changes. **Leave it open** and the next `webchat-sync apply` undoes all of "
    "them. If you close it, it isn't opened again until something else changes."
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What the files take over from live.

    ``undo`` is the plan that would undo it, ``moved`` what it is about, channels that only get their id among them.
    ``added`` are new channels, by organisation and name, ``left`` what stays as it is, in sentences.
    """

    undo: Plan
    moved: Sequence[Moved]
    added: Sequence[tuple[str, str]] = ()
    left: Sequence[str] = ()


def adopt_marker(plan: Plan, label: str) -> str:
    """What the first line of the body begins with, whatever moved in the organisations of ``plan``."""
    organizations = ",".join(sorted(map(in_marker, plan.names)))
    return f"<!-- webchat-sync adopt organization={organizations} label={in_marker(label)} "


def closed_marker(plan: Plan, label: str) -> str:
    """The first line of a request that was closed because nothing differs any more."""
    return f"{adopt_marker(plan, label)}state=closed -->"


def adopt_title(taken: Taken, label: str) -> str:
    """The title: one line with the channels and the fields that moved."""
    told = [_told(channel) for channel in sorted(taken.moved, key=lambda channel: not channel.fields)]
    told += [f"{inline(redact(name))} (new)" for _, name in taken.added]
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    of = f" in {label}" if label else ""
    title = flat(f"Adopt what was changed live{of}: {', '.join(told[:_NAMED])}{more}")
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def render_adopt(taken: Taken, *, label: str, run_url: str, longest: int) -> str:
    """The body in at most ``longest`` characters; its first line is the same as long as the same moved."""
    marker, foot = adopt_marker(taken.undo, label), list(foot_lines(run_url))
    changed = taken.added or any(channel.fields for channel in taken.moved)
    head = [_LEAD, _CHOICE, *_impact(taken.undo)] if changed else [_ONLY_IDS]
    tail, unread = list(_others(taken)), list(_unread(taken.undo))
    used = sum(len(block) + 2 for block in (*head, *tail, *unread)) + len(marker) + len("\n".join(foot)) + _NOTE
    shown = "\n\n".join([*head, *_details(turned(taken.undo), room=longest - used), *tail])
    state = hashlib.sha256(shown.encode()).hexdigest()[:16]
    return "\n".join([f"{marker}state={state} -->", "\n\n".join([shown, *unread]), *foot])


def commit_message(taken: Taken, label: str) -> str:
    """The message of the commit: the title, and what it is."""
    return f"{adopt_title(taken, label)}\n\nThe API doesn't record who changed it."


def render_farewell(run_url: str) -> str:
    """The comment with which the request is closed."""
    text = "Nothing differs any more: the files match what is live."
    return "\n".join(["<!-- webchat-sync adopted -->", text, *foot_lines(run_url)])


def _told(channel: Moved) -> str:
    fields = ", ".join(channel.fields) if channel.fields else "its id"
    return f"{inline(redact(channel.channel))} ({fields})"


def _impact(undo: Plan) -> Iterator[str]:
    """What a merge prevents."""
    effects = [
        (inline(channel.change.address), effect)
        for section in walk(undo)
        for channel in section.channels
        for effect in channel.change.impact
    ]
    if not effects:
        return
    ranked = sorted(effects, key=lambda entry: rank([entry[1]]))
    lines = [f"- {code_span(name)}: {_effect(effect)}" for name, effect in ranked[:_MOST]]
    more = [f"- and {len(ranked) - _MOST} more"] if len(ranked) > _MOST else []
    yield "\n".join(["#### If you don't merge: how undoing the changes affects visitors", "", *lines, *more])


def _effect(effect: Impact) -> str:
    return f"**{effect.level}**: {phrase(effect.text, most=_LINE)}"


def _details(moved: Plan, *, room: int) -> Iterator[str]:
    """What moved in every channel, from what is declared to what is live, as far as there is room."""
    blocks = [
        _block(channel, section.organization if section.named else "")
        for section in walk(moved)
        for channel in section.channels
    ]
    kept: list[str] = []
    for block in blocks:
        room -= len(block) + 2
        if room > 0:
            kept.append(block)
    if blocks:
        yield "#### What changed: files → live"
        yield from kept
    if len(kept) < len(blocks):
        yield f"**The details of {len(blocks) - len(kept)} channels are left out: see the files.**"


def _block(channel: Channel, organization: str) -> str:
    change = channel.change
    of = f" of <code>{html(inline(organization))}</code>" if organization else ""
    place = f", <code>{html(f'{change.place.file}:{change.place.line}')}</code>" if change.place else ""
    lines = [line for block in diff_lines(channel) for line in block.split("\n")]
    week = week_lines(sides_of(change))
    blocks = "\n\n".join([fence(lines, "diff"), *([fence(week, "text")] if week else [])])
    summary = f"<code>{html(inline(change.address))}</code>{of}{place}"
    return f"<details open>\n<summary>{summary}</summary>\n\n{blocks}\n\n</details>"


def _others(taken: Taken) -> Iterator[str]:
    pinned = [inline(redact(channel.channel)) for channel in taken.moved if channel.pinned]
    if pinned:
        yield f"Pinned to their ids: {', '.join(code_span(name) for name in pinned[:_MOST])}{_more(pinned)}"
    if taken.added:
        added = [code_span(inline(redact(name))) for _, name in taken.added]
        yield f"New, and not in any file yet: {', '.join(added[:_MOST])}{_more(added)}"
    if taken.left:
        lines = [f"- {phrase(redact(line), most=_LINE)}" for line in taken.left[:_MOST]]
        yield "\n".join(["Not adopted:", "", *lines])


def _unread(plan: Plan) -> Iterator[str]:
    """What it says nothing of. It is no part of the state: one that fails today may not fail tomorrow."""
    if plan.failed:
        lines = [f"- {phrase(redact(notice), most=_LINE)}" for notice in notices(plan)]
        yield "\n".join(["Nothing was adopted from these organizations:", "", *lines])


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
