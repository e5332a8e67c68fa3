"""A plan as Markdown for the comment on a pull request: what it means first, then what it changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from webchat_sync.frozen import frozen
from webchat_sync.model import ActiveChange, Plan
from webchat_sync.planfile.writer import plan_digest
from webchat_sync.render import refusal
from webchat_sync.render.markdown_diff import diff_lines
from webchat_sync.render.markdown_escape import code_span, fence, html, phrase
from webchat_sync.render.rank import rank
from webchat_sync.render.sides import sides_of
from webchat_sync.render.text import last_line, plan_notices
from webchat_sync.render.values import inline
from webchat_sync.render.walk import Channel, Remark, Section, walk
from webchat_sync.render.week_blocks import week_lines
from webchat_sync.sentences import counted, in_a_row

LONGEST: Final = 65_536
"""The length that GitHub accepts for a comment or an issue."""

SHORT: Final = 12
"""The details of a channel are open if they have at most this many lines."""

FEW: Final = 10
"""The details are closed if the plan changes more channels than this."""

NO_PICTURES: Final[Mapping[tuple[str, str], str]] = {}

_CELL: Final = 600
"""The length after which an impact is cut in the table; the details show all of it."""

_NAMED: Final = 20
"""The maximum number of remarks, and of channels that stay."""

_MARKED: Final = 40
"""The number of organisations in the hidden first line."""

_NOTE: Final = 500
"""Characters reserved for the note on what is left out."""

_DROPPED: Final = " (details left out)"


@frozen
class _Entry:
    """One channel: its row in the table, a shorter row for use without details, and its details."""

    change: ActiveChange
    row: str
    bare_row: str
    details: str


def render_plan(
    plan: Plan,
    *,
    label: str = "",
    longest: int = LONGEST,
    pictures: Mapping[tuple[str, str], str] = NO_PICTURES,
    host: str = "",
) -> str:
    """The plan in at most ``longest`` characters: what affects visitors least is left out first, with a note.

    The first line is a hidden marker with the organisations and the digest of the plan. ``label`` distinguishes plans,
    and is part of the heading. ``pictures`` are addresses by organisation and channel. ``host`` is the pipeline's.
    """
    sections = walk(plan)
    title = f"{code_span(label)}: {last_line(plan)}" if label else last_line(plan)
    places = ["", said] if (said := refusal.places(plan, host)) else []
    head = "\n".join([_marker(plan), f"### {title}", *notices(plan), *_refusal(plan), *_remarks(sections), *places])
    foot = "\n".join(line for section in sections for line in _undeclared(section))
    room = longest - len(head) - len(foot)
    changes = change_blocks(sections, room=room, longest=longest, pictures=pictures)
    return "\n\n".join(filter(None, [head, *changes, foot]))


def change_blocks(
    sections: Sequence[Section],
    *,
    room: int,
    longest: int,
    pictures: Mapping[tuple[str, str], str] = NO_PICTURES,
    see_all: str = refusal.SEE_ALL,
) -> list[str]:
    """The table of the channels and their details, in ``room`` of the ``longest`` characters.

    ``see_all`` says where to see what's left out.
    """
    entries = _entries(sections, pictures)
    table = _table_head(named=any(section.named for section in sections))
    rows, detailed = _fitting(entries, room - len(table) - _NOTE)
    blocks: list[str] = []
    if rows:
        with_details = {id(entry) for entry in detailed}
        lines = (entry.row if id(entry) in with_details else entry.bare_row for entry in rows)
        blocks.append("\n".join([table, *lines]))
    blocks += (f"{note} {see_all}" for note in _left_out(entries, rows, detailed, longest))
    return [*blocks, *(entry.details for entry in detailed)]


def in_marker(name: str) -> str:
    """``name`` for a hidden comment, which two adjacent hyphens would end."""
    return quote(name, safe="", errors="replace").replace("--", "-%2D")


def sketch(plan: Plan) -> Sequence[str]:
    """The organisations of the plan; if there are more than :data:`_MARKED`, a sample that rarely changes."""
    if len(plan.names) <= _MARKED:
        return plan.names
    return sorted(plan.names, key=lambda name: sha256(name.encode("utf-8", "surrogatepass")).digest())[:_MARKED]


def _marker(plan: Plan) -> str:
    organizations = ",".join(map(in_marker, sketch(plan)))
    return f"<!-- webchat-sync plan organization={organizations} digest={plan_digest(plan)} -->"


def notices(plan: Plan) -> Iterator[str]:
    """What the plan leaves out, one paragraph per kind."""
    for notice in plan_notices(plan):
        yield ""
        yield phrase(notice, most=_CELL)


def _refusal(plan: Plan) -> Iterator[str]:
    """What :func:`refusal.markdown_lines` says, after an empty line."""
    if lines := list(refusal.markdown_lines(plan)):
        yield ""
        yield from lines


def _remarks(sections: Sequence[Section]) -> Iterator[str]:
    """The remarks about identity secrets, dangers first, limited to :data:`_NAMED`."""
    remarks: list[Remark] = sorted(
        (remark for section in sections for remark in section.remarks), key=lambda remark: remark.level
    )
    for remark in remarks[:_NAMED]:
        yield ""
        yield f"**{remark.level}**: {phrase(f'{remark.name}: {remark.text}', most=_CELL)}"
    if len(remarks) > _NAMED:
        yield ""
        more = counted(len(remarks) - _NAMED, "more remark is", "more remarks are")
        yield f"{more} left out. {refusal.SEE_ALL}"


def _entries(sections: Sequence[Section], pictures: Mapping[tuple[str, str], str]) -> list[_Entry]:
    """All channels, those that affect visitors most first."""
    open_short = sum(len(section.channels) for section in sections) <= FEW
    entries = [
        _entry(
            channel,
            open_short=open_short,
            picture=pictures.get((section.organization, channel.change.address), ""),
        )
        for section in sections
        for channel in section.channels
    ]
    return sorted(entries, key=lambda entry: rank(entry.change.impact))


def _entry(channel: Channel, *, open_short: bool, picture: str) -> _Entry:
    change = channel.change
    cells = [code_span(inline(channel.owner))] if channel.owner else []
    cells.append(code_span(inline(change.address)))
    impact = "<br>".join(f"**{effect.level}**: {phrase(effect.text, most=_CELL)}" for effect in change.impact)
    row, bare = (f"| {' | '.join([*cells, f'{change.action}{note}', impact])} |" for note in ("", _DROPPED))
    lines = [line for block in diff_lines(channel) for line in block.split("\n")]
    opened = " open" if open_short and len(lines) <= SHORT else ""
    of = f" of <code>{html(inline(channel.owner))}</code>" if channel.owner else ""
    place = f", <code>{html(f'{change.place.file}:{change.place.line}')}</code>" if change.place else ""
    summary = f"{change.action} <code>{html(inline(change.address))}</code>{of}{place}"
    week = week_lines(sides_of(change))
    drawn = [f"![The widget before and after]({picture})"] if picture else []
    blocks = "\n\n".join([*drawn, fence(lines, "diff"), *([fence(week, "text")] if week else [])])
    details = f"<details{opened}>\n<summary>{summary}</summary>\n\n{blocks}\n\n</details>"
    return _Entry(change, row, bare, details)


def _table_head(*, named: bool) -> str:
    titles = [*(["organisation"] if named else []), "channel", "action", "impact"]
    return f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}"


def _fitting(entries: Sequence[_Entry], room: int) -> tuple[list[_Entry], list[_Entry]]:
    """The entries whose rows fit, and those of them whose details fit, too."""
    rows: list[_Entry] = []
    for entry in entries:
        room -= len(entry.bare_row) + 1
        if room < 0:
            return rows, []
        rows.append(entry)
    detailed: list[_Entry] = []
    for row in rows:
        if (taken := len(row.details) + 2) <= room:
            room -= taken
            detailed.append(row)
    return rows, detailed


def _left_out(
    entries: Sequence[_Entry], rows: Sequence[_Entry], detailed: Sequence[_Entry], longest: int
) -> Iterator[str]:
    if len(rows) < len(entries):
        actions = Counter(entry.change.action for entry in entries[len(rows) :])
        counts = ", ".join(f"{number:,} to {action}" for action, number in actions.items())
        missing = counted(len(entries) - len(rows), "more channel is", "more channels are")
        yield f"**{missing} left out to stay within {longest:,} characters: {counts}.**"
    if len(detailed) < len(rows):
        missing = counted(len(rows) - len(detailed), "channel")
        yield f"**The details of {missing} are left out to stay within {longest:,} characters.**"


def _undeclared(section: Section) -> Iterator[str]:
    if not section.undeclared:
        return
    of = f"{code_span(inline(section.organization))}: " if section.named else ""
    reasons = [
        f"{code_span(inline(live.name))} ({phrase(reason, most=_CELL)})" for live, reason in section.stays if reason
    ]
    row = f": {in_a_row(reasons, most=_NAMED)}" if reasons else ""
    yield f"{of}{section.left_alone.replace('settings.prune', '`settings.prune`')}{row}."
