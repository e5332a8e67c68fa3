"""A plan as text for a terminal or a log, in Terraform's style."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from webchat_sync.flat import flat
from webchat_sync.frozen import frozen
from webchat_sync.model import Impact, Plan, moment_text
from webchat_sync.plan.summary import has_changes, summarize
from webchat_sync.render.failed import failed_line, none_reached, notices
from webchat_sync.render.paint import Paint, paint
from webchat_sync.render.text_diff import columns, compare, wrap
from webchat_sync.render.values import block, inline
from webchat_sync.render.walk import Channel, Line, Section, Side, Words, walk
from webchat_sync.sentences import counted, in_a_row

WIDTH: Final = 80
"""The default width in columns."""

_VERBS: Final = {"create": "will be created", "update": "will be updated in place", "delete": "will be destroyed"}
_INDENT: Final = " " * 10
_MARKS: Final = {"[-": "\\u005b-", "-]": "-\\u005d", "{+": "\\u007b+", "+}": "+\\u007d"}
"""What looks like the marks of a difference, and its replacement."""


@frozen
class _Style:
    paint: Paint
    width: int
    verbose: bool


def _style(*, color: bool, width: int, verbose: bool) -> _Style:
    return _Style(paint(color=color), max(width, 40), verbose)


def render_plan(plan: Plan, *, color: bool = False, width: int = WIDTH, verbose: bool = False) -> str:
    """The whole plan, ending in ``Plan: N to add, N to change, N to destroy.`` or ``No changes. …``.

    ``width`` is that of the terminal in columns; ``verbose`` shows unchanged managed fields.
    """
    return "\n".join([*change_lines(plan, color=color, width=width, verbose=verbose), render_end(plan)])


def change_lines(plan: Plan, *, color: bool = False, width: int = WIDTH, verbose: bool = False) -> list[str]:
    """What :func:`render_plan` says of the channels, as lines."""
    style = _style(color=color, width=width, verbose=verbose)
    return [line for section in walk(plan) for line in _section(section, style)]


def render_section(section: Section, *, color: bool = False, width: int = WIDTH, verbose: bool = False) -> str:
    """What :func:`render_plan` says of one organisation, every line with its end; :func:`render_end` says the rest."""
    lines = _section(section, _style(color=color, width=width, verbose=verbose))
    return "".join(f"{line}\n" for line in lines)


def render_end(plan: Plan) -> str:
    """What :func:`render_plan` says below all organisations."""
    return "\n".join([*([partial_line(plan)] if plan.partial else []), last_line(plan)])


def plan_notices(plan: Plan) -> list[str]:
    """What the plan doesn't cover or isn't based on, one line each, for output without stderr."""
    partial = [partial_line(plan)] if plan.partial else []
    listed = [_listing_line(plan.live_created_at)] if plan.live_created_at else []
    return [*notices(plan), *partial, *listed]


def partial_line(plan: Plan) -> str:
    """The notice for a plan, or a drift, that's limited to some channels."""
    patterns = in_a_row([inline(pattern) for pattern in plan.partial], last="or")
    return f"Only channels matching {patterns} were considered."


def _listing_line(created_at: datetime) -> str:
    """The notice for a plan, or a drift, that was made against a snapshot of that time."""
    return f"Compared with a snapshot of {moment_text(created_at)}, not with what is live."


def last_line(plan: Plan) -> str:
    """The line that sums the plan up."""
    if none_reached(plan):
        return none_reached(plan)
    if not has_changes(plan):
        return f"No changes. {considered(plan)} match the manifest.{failed_line(plan)}"
    summary = summarize(plan)
    counts = f"{summary.create:,} to add, {summary.update:,} to change, {summary.delete:,} to destroy"
    numbers = {"create": summary.generate, "rotate": summary.rotate, "revoke": summary.revoke}
    secrets = [f"{number:,} to {verb}" for verb, number in numbers.items() if number]
    return f"Plan: {counts}{'; identity secrets: ' if secrets else ''}{', '.join(secrets)}.{failed_line(plan)}"


def considered(plan: Plan) -> str:
    """What was compared if there are no changes."""
    return "The live channels that were considered" if plan.partial or plan.failed else "The live channels"


def unchanged_line(count: int) -> str:
    """The number of managed fields that aren't shown."""
    return f"({counted(count, 'unchanged field')})"


def _section(section: Section, style: _Style) -> Iterator[str]:
    if section.named and (section.channels or section.undeclared or section.remarks):
        yield f"Organisation {flat(section.organization)}:"
        yield ""
    for channel in section.channels:
        yield from _channel(channel, style)
        yield ""
    for remark in section.remarks:
        head = f"{'DANGER' if remark.level == 'danger' else 'Note'}: {inline(remark.address)}: "
        yield from _wrapped(head, f"{remark.text}.", style, indent="    ")
        yield ""
    if section.undeclared:
        told = "says why" if section.kept else "lists it" if len(section.undeclared) == 1 else "lists them"
        yield f"{section.left_alone}{':' if style.verbose else f' (-v {told}).'}"
        if style.verbose:
            for live, reason in section.stays:
                yield f"    {inline(live.name)} ({flat(live.id)}){f': {flat(reason)}' if reason else ''}"
        yield ""


def _channel(channel: Channel, style: _Style) -> Iterator[str]:
    change = channel.change
    name = inline(change.address)
    former = f", renamed from {inline(change.renamed_from)}" if change.renamed_from is not None else ""
    title = f"  # {name} {_VERBS[change.action]}{former}"
    place = f"({flat(change.place.file)}:{change.place.line})" if change.place else ""
    fits = columns(f"{title}  {place}") <= style.width
    yield f"{title}  {place}" if place and fits else title
    if place and not fits:
        yield f"  # {place}"
    if change.note:
        yield f"  # ({flat(change.note)})"
    for impact in change.impact:
        yield from _impact(impact, style)
    yield f"  {style.paint.mark(channel.symbol)} channel {name} {{"
    for line in channel.lines:
        yield _line(line, style)
    for beside in channel.beside:
        yield from _wrapped(f"      {style.paint.mark(beside.symbol)} ", beside.text, style)
        for sentence in beside.below:
            yield from _wrapped(_INDENT, sentence, style, indent=f"{_INDENT}  ")
    if channel.unchanged and not style.verbose:
        yield f"      # {unchanged_line(len(channel.unchanged))}"
    for field, value in channel.unchanged if style.verbose else ():
        yield f"        {flat(field)}:{_value(value, style, used=10 + columns(field))}"
    yield "    }"


def _impact(impact: Impact, style: _Style) -> Iterator[str]:
    level = style.paint.level(impact.level)
    yield from _wrapped(f"  ! {level}: ", impact.text, style, indent=" " * 6)


def _wrapped(head: str, text: str, style: _Style, *, indent: str = _INDENT) -> Iterator[str]:
    """``text`` after ``head``, continued on lines that start with ``indent``."""
    room = style.width - columns(head)
    # The text may be empty in a plan that someone else wrote.
    lines = wrap([(" ", flat(text))], lambda piece: piece[1], width=style.width - columns(indent), first=room)
    first, *rest = lines or [""]
    yield f"{head}{first}"
    yield from (f"{indent}{line}" for line in rest)


def _line(line: Line, style: _Style) -> str:
    head = f"      {style.paint.mark(line.symbol)} {flat(line.path)}:"
    used = 10 + columns(line.path)
    place = f"  ({flat(line.place.file)}:{line.place.line})" if line.place else ""
    remark = (f", {line.remark}" if line.remark else "") + place
    if line.symbol != "~":
        return f"{head}{_value(line.after if line.symbol == '+' else line.before, style, used=used)}{remark}"
    whole = f"{_one_line(line.before)} -> {_one_line(line.after)}{remark}"
    if isinstance(line.before, Words) or line.remark:
        return "\n".join(_wrapped(f"{head} ", whole, style))
    if isinstance(line.before, str) and isinstance(line.after, str) and used + columns(whole) > style.width:
        return f"{head}\n{_INDENT}{_word_by_word(line.before, line.after, style)}"
    before = _value(line.before, style, used=used)
    return f"{head}{before} ->{_value(line.after, style, used=used)}{remark}"


def _one_line(value: Side) -> str:
    return flat(value.text) if isinstance(value, Words) else inline(value)


def _value(value: Side, style: _Style, *, used: int) -> str:
    """The value after a space, or on lines of its own if it's a long text."""
    if isinstance(value, Words):
        return f" {flat(value.text)}"
    if isinstance(value, str) and used + columns(inline(value)) > style.width:
        return f"\n{_INDENT}{block(value, indent=_INDENT, width=style.width)}"
    return " " + block(value, indent=" " * 8, width=style.width, used=used)


def _word_by_word(before: str, after: str, style: _Style) -> str:
    pieces = compare(_unmarked(inline(before)), _unmarked(inline(after)))
    room = style.width - len(_INDENT)
    return f"\n{_INDENT}".join(wrap(pieces, style.paint.piece, width=room, first=room))


def _unmarked(text: str) -> str:
    for mark, escape in _MARKS.items():
        text = text.replace(mark, escape)
    return text
