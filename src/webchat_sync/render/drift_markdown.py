"""Drift as Markdown: by what moved, and in each part what an apply would do about it."""

from __future__ import annotations

from typing import Final

from webchat_sync.plan.drift import Drift
from webchat_sync.render.drift import heading, last_line
from webchat_sync.render.markdown import LONGEST, change_blocks, notices
from webchat_sync.render.markdown_escape import phrase
from webchat_sync.render.walk import walk

_TITLE: Final = 400
"""After how many characters a heading is cut."""


def render_drift(drift: Drift, *, longest: int = LONGEST) -> str:
    """The drift in at most ``longest`` characters: what means least to visitors is left out first, and that is said."""
    blocks = ["\n".join([f"### {phrase(last_line(drift), most=_TITLE)}", *notices(drift.plan)])]
    # Each group has at least its share; what one does not need is left to those behind it.
    for index, group in enumerate(drift.groups):
        blocks.append(f"#### {phrase(heading(group, drift), most=_TITLE)}")
        left = longest - len("\n\n".join(blocks)) - _TITLE
        share = left // (len(drift.groups) - index)
        blocks += change_blocks(walk(group.plan), room=share, longest=longest)
    return "\n\n".join(blocks)
