"""The text of the pull or merge request of an adopt: what moved live, and what undoing it would mean for visitors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from webchat_sync.errors import Diagnostic
from webchat_sync.flat import flat
from webchat_sync.frozen import frozen
from webchat_sync.leaks import redact_text
from webchat_sync.model import Impact, Plan
from webchat_sync.plan.undo import Moved, inverted
from webchat_sync.render.comment import LONGEST_TITLE, foot_lines
from webchat_sync.render.failed import notices
from webchat_sync.render.markdown import in_marker, sketch
from webchat_sync.render.markdown_diff import diff_lines
from webchat_sync.render.markdown_escape import code_span, fence, html, phrase
from webchat_sync.render.rank import rank
from webchat_sync.render.sides import sides_of
from webchat_sync.render.values import inline, named
from webchat_sync.render.walk import Channel, walk
from webchat_sync.render.week_blocks import week_lines
from webchat_sync.sentences import counted, in_a_row

_NAMED: Final = 3
"""How many channels the title names."""

_MOST: Final = 50
"""The maximum number of lines in a list."""

_LINE: Final = 600
"""The length after which a line of a list is cut."""

_NOTE: Final = 300
"""Characters reserved for the note on what is left out."""

_EDITED: Final = "Adopt what was changed live"
_ADDED: Final = "Adopt live channels that no file declares"
_ADDED_ONE: Final = "Adopt a live channel that no file declares"
_PINNED: Final = "Pin channels to their ids"
_PINNED_ONE: Final = "Pin a channel to its id"
"""What the title says first."""
_LEAD: Final = (
    "{channels} changed outside Git, in the dashboard or through the API. The API doesn't record "
    "who changed {them}. This request updates the files to match what is live; it doesn't change what is live."
)
_ONLY_ONE_NEW: Final = (
    "This channel is live, but no file declares it. This request adds a file; it doesn't change what is live."
)
_CHOICE_ONE_NEW: Final = (
    "**Merge it** to manage the channel with the file. **Leave it open** and the channel stays as it is, unless "
    "`settings.prune` is on: then the next `webchat-sync apply` deletes it. If you close it, it isn't opened again "
    "until something else changes."
)
_ONLY_NEW: Final = (
    "These channels are live, but no file declares them. This request adds a file for each; it doesn't change what is "
    "live."
)
_CHOICE_NEW: Final = (
    "**Merge it** to manage them with the files. **Leave it open** and they stay as they are, unless `settings.prune` "
    "is on: then the next `webchat-sync apply` deletes them. If you close it, it isn't opened again until something "
    "else changes."
)
_MATCH: Final = "The live channels match the files."
_ONLY_IDS: Final = (
    "This request pins each channel to its id, so that a channel renamed in the dashboard is still recognised."
)
_CHOICE: Final = (
    "**Merge it** to keep the changes. **Leave it open** and the next `webchat-sync apply` undoes all of "
    "them. If you close it, it isn't opened again until something else changes."
)
_FAILS: Final = "#### If you merge: `validate` and `plan` will fail, because live values break rules"
_WARNS: Final = "#### If you merge: `validate` will warn about live values"


@frozen
class AdoptSummary:
    """What the files adopt from live.

    ``undo`` is the plan that would revert it, ``moved`` the channels it's about, including those that only get their
    id. ``added`` are new channels, by organisation and name; ``left`` are sentences about what isn't adopted;
    ``broken`` is what `validate` will say about the new files.
    """

    undo: Plan
    moved: Sequence[Moved]
    added: Sequence[tuple[str, str]] = ()
    left: Sequence[str] = ()
    broken: Sequence[Diagnostic] = ()

    @property
    def has_edits(self) -> bool:
        """Whether a value changed, rather than only channels being new or without their id."""
        return any(channel.fields for channel in self.moved)

    def name_of(self, organization: str, channel: str) -> str:
        """A channel, with its organisation if there are several."""
        return named(redact_text(channel), organization if self.undo.several else "")


def adopt_marker(plan: Plan, label: str) -> str:
    """The start of the body's first line, whatever moved in the organisations of ``plan``."""
    organizations = ",".join(sorted(map(in_marker, sketch(plan))))
    return f"<!-- webchat-sync adopt organization={organizations} label={in_marker(label)} "


def closed_marker(plan: Plan, label: str) -> str:
    """The first line of a request that was closed because nothing differs any more."""
    return f"{adopt_marker(plan, label)}state=closed -->"


def adopt_title(summary: AdoptSummary, label: str) -> str:
    """The title: one line with the channels and fields that moved."""
    moved = sorted(summary.moved, key=lambda channel: not channel.fields)
    added = _ADDED if len(summary.added) > 1 else _ADDED_ONE
    pinned = _PINNED if len(moved) > 1 else _PINNED_ONE
    what = _EDITED if summary.has_edits else added if summary.added else pinned
    sentences = [
        summary.name_of(channel.organization, channel.channel) + ("" if what == pinned else f" ({_moved(channel)})")
        for channel in moved
    ]
    new = [f"{summary.name_of(organization, name)} (new)" for organization, name in summary.added]
    sentences = [*new, *sentences] if what == added else [*sentences, *new]
    of = f" in {label}" if label else ""
    title = flat(f"{what}{of}: {in_a_row(sentences, most=_NAMED)}")
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def render_adopt(summary: AdoptSummary, *, label: str, run_url: str, longest: int) -> str:
    """The body in at most ``longest`` characters; its first line identifies what moved."""
    marker, foot = adopt_marker(summary.undo, label), list(foot_lines(run_url))
    head = [*_lead(summary), *_broken(summary.broken), *_impact(summary.undo)]
    tail, unread = list(_others(summary)), list(_unread(summary.undo))
    used = sum(len(block) + 2 for block in (*head, *tail, *unread)) + len(marker) + len("\n".join(foot)) + _NOTE
    shown = "\n\n".join([*head, *_details(inverted(summary.undo), room=longest - used), *tail])
    state = hashlib.sha256(shown.encode()).hexdigest()[:16]
    return "\n".join([f"{marker}state={state} -->", "\n\n".join([shown, *unread]), *foot])


def _lead(summary: AdoptSummary) -> tuple[str, ...]:
    """What happened, and the choice that people have."""
    if summary.has_edits:
        one = sum(bool(channel.fields) for channel in summary.moved) == 1
        channels, them = ("This channel was", "it") if one else ("These channels were", "them")
        return (_LEAD.format(channels=channels, them=them), _CHOICE)
    if len(summary.added) == 1:
        return (_ONLY_ONE_NEW, _CHOICE_ONE_NEW)
    if summary.added:
        return _ONLY_NEW, _CHOICE_NEW
    # What isn't adopted differs, or can't be compared.
    return (_ONLY_IDS if summary.left else f"{_MATCH} {_ONLY_IDS}",)


def _broken(problems: Sequence[Diagnostic]) -> Iterator[str]:
    """The live values that break a rule, errors first."""
    if not problems:
        return
    fails = any(problem.severity == "error" for problem in problems)
    ranked = sorted(problems, key=lambda problem: problem.severity)
    lines = [f"- {_rule(problem)}" for problem in ranked[:_MOST]]
    more = [f"- and {len(ranked) - _MOST:,} more"] if len(ranked) > _MOST else []
    yield "\n".join([_FAILS if fails else _WARNS, "", *lines, *more])


def _rule(problem: Diagnostic) -> str:
    where = f" at {code_span(str(problem.place))}" if problem.place else ""
    path = f" ({code_span(redact_text(problem.path))})" if problem.path else ""
    said, hint = (phrase(redact_text(text), most=_LINE) for text in (problem.message, problem.hint))
    return f"**{problem.severity}**{where}{path}: {said}. {hint}"


def commit_message(summary: AdoptSummary, label: str) -> str:
    """The message of the commit: the title, and an explanation."""
    who = ["The API doesn't record who changed it."] if summary.has_edits else []
    return "\n\n".join([adopt_title(summary, label), *who])


def render_farewell(run_url: str) -> str:
    """The comment for closing the request."""
    text = "There's nothing left to adopt."
    return "\n".join(["<!-- webchat-sync adopted -->", text, *foot_lines(run_url)])


def _moved(channel: Moved) -> str:
    return ", ".join(channel.fields) if channel.fields else "its id"


def _impact(undo: Plan) -> Iterator[str]:
    """What a merge prevents."""
    effects = [
        (channel.name, effect)
        for section in walk(undo)
        for channel in section.channels
        for effect in channel.change.impact
    ]
    if not effects:
        return
    ranked = sorted(effects, key=lambda entry: rank([entry[1]]))
    lines = [f"- {code_span(name)}: {_effect(effect)}" for name, effect in ranked[:_MOST]]
    more = [f"- and {len(ranked) - _MOST:,} more"] if len(ranked) > _MOST else []
    yield "\n".join(["#### If you don't merge: how undoing the changes affects visitors", "", *lines, *more])


def _effect(effect: Impact) -> str:
    return f"**{effect.level}**: {phrase(effect.text, most=_LINE)}"


def _details(moved: Plan, *, room: int) -> Iterator[str]:
    """The changes of every channel, from declared to live values, as far as there is room."""
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
        yield f"**The details of {counted(len(blocks) - len(kept), 'channel')} are left out: see the files.**"


def _block(channel: Channel, organization: str) -> str:
    change = channel.change
    of = f" of <code>{html(inline(organization))}</code>" if organization else ""
    place = f", <code>{html(f'{change.place.file}:{change.place.line}')}</code>" if change.place else ""
    lines = [line for block in diff_lines(channel) for line in block.split("\n")]
    week = week_lines(sides_of(change))
    blocks = "\n\n".join([fence(lines, "diff"), *([fence(week, "text")] if week else [])])
    summary = f"<code>{html(inline(change.address))}</code>{of}{place}"
    return f"<details open>\n<summary>{summary}</summary>\n\n{blocks}\n\n</details>"


def _others(summary: AdoptSummary) -> Iterator[str]:
    pinned = [summary.name_of(channel.organization, channel.channel) for channel in summary.moved if channel.pinned]
    if pinned:
        ids = "its id" if len(pinned) == 1 else "their ids"
        yield f"Pinned to {ids}: {in_a_row([code_span(name) for name in pinned], most=_MOST)}"
    if summary.added:
        added = [code_span(summary.name_of(organization, name)) for organization, name in summary.added]
        them = "it" if len(added) == 1 else "them"
        stay = (
            f". Without a file, an apply leaves {them} alone, unless `settings.prune` is on."
            if summary.has_edits
            else ""
        )
        yield f"New, and not in any file yet: {in_a_row(added, most=_MOST)}{stay}"
    if summary.left:
        lines = [f"- {phrase(redact_text(line), most=_LINE)}" for line in summary.left[:_MOST]]
        more = [f"- and {len(summary.left) - _MOST:,} more"] if len(summary.left) > _MOST else []
        yield "\n".join(["Not adopted:", "", *lines, *more])


def _unread(plan: Plan) -> Iterator[str]:
    """What couldn't be read. It's not part of the identity, since a failure may be temporary."""
    if plan.failed:
        lines = [f"- {phrase(redact_text(notice), most=_LINE)}" for notice in notices(plan)]
        these = "this organisation" if len(plan.failed) == 1 else "these organisations"
        yield "\n".join([f"Nothing was adopted from {these}:", "", *lines])
