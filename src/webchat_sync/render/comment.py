"""What a pipeline writes about a plan: the comment on a pull request, the job summary, the issue about drift."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from webchat_sync.flat import flat
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Plan
from webchat_sync.plan.summary import summarize
from webchat_sync.planfile.writer import plan_digest
from webchat_sync.render import plain_markdown
from webchat_sync.render.markdown import NO_PICTURES, in_marker, render_plan, sketch
from webchat_sync.sentences import counted

LONGEST_TITLE: Final = 200
"""Characters in the title of an issue; both hosts reject more than about 255."""

_SHORTEST: Final = 2_000
"""The minimum number of characters for a plan: what must be said in any case."""

_STATE: Final = 40
"""Characters reserved for the rest of the first line, and for line feeds."""

_MARKER: Final = lazy_pattern(
    r"((?:<!-- |\[//\]: # \()webchat-sync \w+ )organization=(\S*) (label=[^\s)]*(?: targets=[^\s)]*)?(?: part)?)[ )]"
)
"""The kind, the organisations, and the label with the targets; ``part``: others were left out on purpose."""

_URL: Final = lazy_pattern(r"https?://[^\s<>()\[\]`\"'\\]+")


def comment_marker(plan: Plan, label: str, *, with_html: bool = True) -> str:
    """The first line of the comment, the same for every plan of these organisations with this label.

    Without HTML, it's an unused link definition of Markdown, which isn't shown either.
    """
    said = f"webchat-sync comment {_scope(plan, label)}"
    return f"<!-- {said} -->" if with_html else f"[//]: # ({said})"


def about_the_same(line: str, marker: str) -> bool:
    """Whether ``line``, the marker of a comment, an issue or a request, has the same subject as ``marker``.

    One common organisation is enough, since plans may cover more or fewer of them over time. But what's about a part of
    them on purpose doesn't speak for the whole.
    """
    one, other = _MARKER.match(line), _MARKER.match(marker)
    if one is None or other is None or one.group(1, 3) != other.group(1, 3):
        return False
    return not set(one[2].split(",")).isdisjoint(other[2].split(","))


def render_comment(
    plan: Plan,
    *,
    label: str,
    run_url: str,
    longest: int,
    report_url: str = "",
    pictures: Mapping[tuple[str, str], str] = NO_PICTURES,
    with_html: bool = True,
    host: str = "",
) -> str:
    """The body of the comment in at most ``longest`` characters.

    ``run_url`` is the run that wrote it, ``report_url`` the page that draws the channels before and after. ``pictures``
    are addresses by organisation and channel. ``host`` is the pipeline's, empty if unknown.
    """
    foot = _foot(run_url, report_url)
    if not with_html:
        marker = comment_marker(plan, label, with_html=False)
        room = longest - len(marker) - len(foot) - 5
        shown = plain_markdown.render_plan(plan, label=label, longest=room, host=host)
        return "\n".join([marker, "", shown, *_foot_lines(foot)])
    marker = comment_marker(plan, label)
    room = longest - len(marker) - len(foot) - 4
    shown = render_plan(plan, label=label, longest=room, pictures=pictures, host=host)
    return "\n".join([marker, shown, *_foot_lines(foot)])


def render_summary(plan: Plan, *, label: str, room: int, report_url: str = "", host: str = "") -> str:
    """The text for the job summary in at most ``room`` bytes of UTF-8; empty if that's too little.

    ``report_url`` and ``host`` are as for the comment.
    """
    longest, foot = room, _foot("", report_url)
    while longest >= _SHORTEST:
        shown = render_plan(plan, label=label, longest=longest - len(foot) - 2, host=host)
        text = "\n".join([shown, *_foot_lines(foot)])
        taken = len(text.encode()) + 1
        if taken <= room:
            return f"{text}\n"
        longest = min(longest * room // taken, longest - 1)
    return ""


def drift_marker(plan: Plan, label: str) -> str:
    """The start of the issue's first line, whatever drifts in these organisations with this label."""
    return f"<!-- webchat-sync drift {_scope(plan, label)} "


def drift_title(plan: Plan, label: str) -> str:
    """The title of the issue: one line."""
    of = label or ", ".join(plan.names)
    title = flat(f"Web-chat channels have drifted from Git: {of}")
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def render_drift(plan: Plan, *, label: str, run_url: str, longest: int, report_url: str = "") -> str:
    """The body of the issue; its first line identifies the drift.

    ``report_url`` is as for the comment.
    """
    foot = _foot(run_url, report_url)
    lead = (
        "The live channels differ from Git. Below is what `webchat-sync apply` would change; `webchat-sync "
        "adopt` updates the files to match what is live instead. This issue is closed once both agree again."
    )
    taken = len(drift_marker(plan, label)) + len(lead) + len(foot) + _STATE
    marked = render_plan(plan, label=label, longest=longest - taken)
    # Not the plan's marker, whose digest depends on the time.
    shown = marked.split("\n", 1)[1]
    state = hashlib.sha256(shown.encode()).hexdigest()[:16]
    return "\n".join([f"{drift_marker(plan, label)}state={state} -->", lead, "", shown, *_foot_lines(foot)])


def render_farewell(plan: Plan, *, run_url: str) -> str:
    """The comment for closing the issue, with a first line that's unique to this plan."""
    marker = f"<!-- webchat-sync clean digest={plan_digest(plan)} -->"
    count = summarize(plan).unchanged
    channels = counted(count, "declared channel is", "declared channels are")
    said = f"No more drift: {channels} live as declared in Git."
    return "\n".join([marker, said, *_foot_lines(_foot(run_url))])


def _scope(plan: Plan, label: str) -> str:
    organizations = ",".join(sorted(map(in_marker, sketch(plan))))
    targets = f" targets={','.join(map(in_marker, plan.partial))}" if plan.partial else ""
    part = " part" if plan.is_part else ""
    return f"organization={organizations} label={in_marker(label)}{targets}{part}"


def is_address(text: str) -> bool:
    """Whether ``text`` is a valid address for a Markdown link."""
    return _URL.fullmatch(text) is not None


def _foot(run_url: str, report_url: str = "") -> str:
    links = (("See it before and after", report_url), ("The run that reported this", run_url))
    return " · ".join(f"[{text}]({url})" for text, url in links if is_address(url))


def foot_lines(run_url: str) -> Iterator[str]:
    """The last lines of a text, with a link to the run that wrote it, if that's known."""
    return _foot_lines(_foot(run_url))


def _foot_lines(foot: str) -> Iterator[str]:
    """The footer after an empty line, if there is one."""
    if foot:
        yield ""
        yield foot
