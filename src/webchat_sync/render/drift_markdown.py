"""Drift as Markdown: grouped by what moved, with what an apply would do."""

from __future__ import annotations

from typing import Final

from webchat_sync.plan.drift import Drift, Revision
from webchat_sync.render.drift import heading, last_line, remarks
from webchat_sync.render.markdown import LONGEST, change_blocks, notices
from webchat_sync.render.markdown_escape import code_span, phrase
from webchat_sync.render.values import inline
from webchat_sync.render.walk import walk
from webchat_sync.sentences import counted

MOST_REMARKS: Final = 20
"""The maximum number of remarks about secrets."""

_SEE_ALL: Final = "The text and JSON formats list all of them."
"""Where to see what's left out, since there may be no saved plan."""

_HEADING: Final = 400
"""Characters reserved for the heading of the next group."""


def render_drift(drift: Drift, *, longest: int = LONGEST) -> str:
    """The drift in at most ``longest`` characters: what affects visitors least is left out first, with a note."""
    blocks = ["\n".join([f"### {last_line(drift, show=_shown)}", *notices(drift.plan)])]
    all_remarks = remarks(drift.plan)
    for section, remark in all_remarks[:MOST_REMARKS]:
        text = phrase(f"{inline(remark.address)} of {section.organization}: {remark.text}", most=_HEADING)
        blocks.append(f"**{remark.level}**: {text}")
    if len(all_remarks) > MOST_REMARKS:
        more = counted(len(all_remarks) - MOST_REMARKS, "more remark is", "more remarks are")
        blocks.append(f"{more} left out. {_SEE_ALL}")
    # Each group gets at least its share; unused room goes to the next ones.
    for index, group in enumerate(drift.groups):
        blocks.append(f"#### {heading(group, drift, show=_shown)}")
        room = longest - len("\n\n".join(blocks)) - _HEADING
        share = room // (len(drift.groups) - index)
        blocks += change_blocks(walk(group.plan), room=share, longest=longest, see_all=_SEE_ALL)
    return "\n\n".join(blocks)


def _shown(revision: Revision) -> str:
    return f"{code_span(revision.name)} ({revision.commit[:10]})"
