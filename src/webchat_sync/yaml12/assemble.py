"""Reassembles the entries of a list or mapping, in brackets or on lines, with everything between them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12.document import LINE_BREAK
from webchat_sync.yaml12.gaps import comments_above

_COMMA: Final = lazy_pattern(r"#[^\r\n]*|,")
_EMPTY_LINES: Final = lazy_pattern(r"\A(?:[ \t]*(?:\r\n|\r|\n))+")


class Span(NamedTuple):
    """The start and end of something in a text."""

    start: int
    end: int


@frozen
class _Layout:
    """The parts around the items of a bracketed list or mapping.

    ``head`` is on the line of the opening bracket, ``leads`` are before the items, the last one before the end;
    ``tails`` follow an item's comma on its line. ``own_line`` is the lead of an item on a line of its own, if there is
    one.
    """

    head: str
    leads: list[str]
    tails: list[str]
    trailing_comma: bool
    own_line: str | None

    @property
    def usual_lead(self) -> str:
        return self.own_line if self.own_line is not None and LINE_BREAK.search(self.leads[0]) else " "


def in_brackets(text: str, inside: Span, items: Sequence[Span], order: Sequence[tuple[int | None, str]]) -> str:
    """The new text ``inside`` the brackets, where ``items`` are the old items in ``text``.

    ``order`` has the text of every new item and the index of its old one, None for a new one. Comments on the line of
    an item and right above it belong to it, and are removed with it.
    """
    gaps = [text[start:end] for start, end in _between(inside, items)]
    if [index for index, _ in order] == list(range(len(items))):
        return "".join(gap + new for gap, (_, new) in zip(gaps, order, strict=False)) + gaps[-1]
    if not items:
        return ", ".join(new for _, new in order)
    return _put_together(_layout(gaps), order)


def on_lines(
    text: str, entries: Sequence[Span], order: Sequence[tuple[int | None, str]], *, lead: int, usual_gap: str
) -> str:
    """Like :func:`in_brackets`, for entries on separate lines, each with the comments right above it.

    The lines of those above the first entry start at ``lead``; without any, it's where the entry starts. An entry with
    nothing above it gets ``usual_gap``. The comments above a removed entry go with it; those separated by an empty line
    stay.
    """
    starts_line = lead < entries[0].start
    gaps, orphans = _gaps(text, entries, {index for index, _ in order}, lead=lead, usual_gap=usual_gap)
    put = ""
    for position, (index, new) in enumerate(order):
        gap = usual_gap if index is None else gaps[index]
        if position == 0:
            gap = _EMPTY_LINES.sub("", gap) if starts_line else gap.lstrip()
        put += gap + new
    return put + orphans


def _gaps(
    text: str, entries: Sequence[Span], remaining: Collection[int | None], *, lead: int, usual_gap: str
) -> tuple[dict[int, str], str]:
    """The text above every remaining entry; what stays of the others goes to the next one, or to the end."""
    gaps: dict[int, str] = {}
    carried, end = "", entries[0].start
    above_first = usual_gap if lead == end else usual_gap.rstrip(" ") + text[lead:end]
    for index, entry in enumerate(entries):
        gap = text[end : entry.start] if index else above_first
        end = entry.end
        if index in remaining:
            gaps[index], carried = carried + gap, ""
            continue
        apart = gap[: len(gap) - len(comments_above(gap))]
        if "#" in apart:
            carried += apart.rstrip(" \t").removesuffix("\n").removesuffix("\r")
    return gaps, carried


def _between(inside: Span, items: Sequence[Span]) -> list[Span]:
    starts = [inside.start, *(item.end for item in items)]
    ends = [*(item.start for item in items), inside.end]
    return [Span(start, end) for start, end in zip(starts, ends, strict=True)]


def _layout(gaps: Sequence[str]) -> _Layout:
    opened = LINE_BREAK.search(gaps[0])
    head = gaps[0][: opened.start()] if opened else ""
    leads, tails = [gaps[0][len(head) :]], list[str]()
    for gap in gaps[1:]:
        bare, _ = _without_comma(gap)
        line_end = LINE_BREAK.search(bare)
        at = line_end.start() if line_end else 0
        tails.append(bare[:at])
        leads.append(bare[at:])
    on_lines = [lead for lead in leads[:-1] if LINE_BREAK.search(lead)]
    own_line = f"{LINE_BREAK.findall(on_lines[0])[-1]}{LINE_BREAK.split(on_lines[0])[-1]}" if on_lines else None
    return _Layout(head, leads, tails, _without_comma(gaps[-1])[1], own_line)


def _without_comma(gap: str) -> tuple[str, bool]:
    comma = next((match for match in _COMMA.finditer(gap) if match[0] == ","), None)
    return (gap[: comma.start()] + gap[comma.end() :], True) if comma else (gap, False)


def _put_together(layout: _Layout, order: Sequence[tuple[int | None, str]]) -> str:
    leads = _leads(layout, {index for index, _ in order})
    text = tail = layout.head
    for position, (index, new) in enumerate(order):
        lead = layout.usual_lead if index is None else leads[index]
        if position == 0 and "#" not in lead:
            lead = layout.usual_lead if "#" in layout.leads[0] else layout.leads[0]
        elif position > 0 and index == 0 and "#" not in lead:
            lead = layout.usual_lead
        comma = "," if position < len(order) - 1 or layout.trailing_comma else ""
        text += _after(tail, lead, layout) + new + comma
        tail = "" if index is None else layout.tails[index]
        text += tail
    return text + _after(tail, leads[len(layout.leads) - 1], layout)


def _leads(layout: _Layout, remaining: Collection[int | None]) -> dict[int, str]:
    """The lead of every remaining item, and of the end, with what stays above removed items."""
    leads: dict[int, str] = {}
    orphans = ""
    for index, lead in enumerate(layout.leads):
        if index in remaining or index == len(layout.leads) - 1:
            leads[index], orphans = orphans + _after(orphans, lead, layout), ""
            continue
        apart = lead[: len(lead) - len(comments_above(lead))]
        if "#" in apart:
            orphans += apart.rstrip()
    return leads


def _after(above: str, lead: str, layout: _Layout) -> str:
    """``lead`` below ``above``, which is no value: on a new line if the last one is a comment."""
    is_comment = "#" in LINE_BREAK.split(above)[-1]
    return (layout.own_line or "\n") + lead.lstrip() if is_comment and not LINE_BREAK.search(lead) else lead
