"""A plan as Markdown without HTML, for hosts that show HTML as text."""

from __future__ import annotations

from collections.abc import Iterator

from webchat_sync.model import Plan
from webchat_sync.render import refusal
from webchat_sync.render.markdown_diff import diff_lines
from webchat_sync.render.markdown_escape import code_span, fence, phrase
from webchat_sync.render.rank import rank
from webchat_sync.render.text import last_line, plan_notices
from webchat_sync.render.values import inline
from webchat_sync.render.walk import Channel, walk

_MOST = 600
"""The length after which an impact is cut; the details show all of it."""

_NOTE = 200
"""Characters reserved for the note on what is left out."""


def render_plan(plan: Plan, *, label: str, longest: int, host: str = "") -> str:
    """The plan in at most ``longest`` characters: what affects visitors least is left out first, with a note.

    ``host`` is the pipeline's, empty if unknown.
    """
    sections = walk(plan)
    title = f"{code_span(label)}: {last_line(plan)}" if label else last_line(plan)
    parts = [f"### {title}"]
    parts += [phrase(notice, most=_MOST) for notice in plan_notices(plan)]
    if lines := list(refusal.markdown_lines(plan)):
        parts.append("\n".join(lines))
    parts += [
        f"**{remark.level}**: {phrase(f'{remark.name}: {remark.text}', most=_MOST)}"
        for section in sections
        for remark in section.remarks
    ]
    if said := refusal.places(plan, host):
        parts.append(said)
    channels = [channel for section in sections for channel in section.channels]
    channels.sort(key=lambda channel: rank(channel.change.impact))
    shown, room = list[str](), longest - _NOTE
    for part in [*parts, *map(_channel, channels)]:
        if len(part) + 2 > room:
            break
        room -= len(part) + 2
        shown.append(part)
    if missing := len(parts) + len(channels) - len(shown):
        shown.append(f"**{missing:,} more left out to stay within {longest:,} characters.** {refusal.SEE_ALL}")
    return "\n\n".join(shown)


def _channel(channel: Channel) -> str:
    change = channel.change
    of = f" of {code_span(inline(channel.owner))}" if channel.owner else ""
    place = f", {code_span(f'{change.place.file}:{change.place.line}')}" if change.place else ""
    return "\n\n".join(
        [
            f"**{change.action}** {code_span(inline(change.address))}{of}{place}",
            *_impact(channel),
            fence((line for block in diff_lines(channel) for line in block.split("\n")), "diff"),
        ]
    )


def _impact(channel: Channel) -> Iterator[str]:
    lines = [f"- **{effect.level}**: {phrase(effect.text, most=_MOST)}" for effect in channel.change.impact]
    if lines:
        yield "\n".join(lines)
