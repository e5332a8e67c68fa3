"""A channel before and after as one SVG picture, for hosts that show pictures but not our page.

It's the drawing of the HTML report with only shapes and text, which every SVG viewer supports. Nothing is fetched or
run.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final, Literal
from xml.sax.saxutils import escape

from webchat_sync.domain.colors import is_color
from webchat_sync.flat import visible
from webchat_sync.frozen import frozen
from webchat_sync.model import Json, Plan
from webchat_sync.render.html.paints import SCALE, Paints, pixels_of
from webchat_sync.render.html.widget import OWN_BOTTOM, OWN_SIDE, SCENES, Question, Said, Widget, widget_of
from webchat_sync.render.rank import rank
from webchat_sync.render.sides import sides_of
from webchat_sync.render.walk import Channel, walk
from webchat_sync.sentences import counted

SIDE: Final = 330
"""The width of one side, in pixels."""

_SHORTEST: Final = 300
_ABOVE: Final = 84
"""The height above the window: the caption, the site, and whether the widget is switched off."""

_BELOW: Final = 112
"""The height below the window: the bubble, the remark on its colour, and the last line."""

_WINDOW: Final = 226
_MARK: Final = "#d97706"
_GREY: Final = "#64748b"
_RED: Final = "#a3151c"


@frozen
class Picture:
    """A picture, and a name that depends on its content."""

    name: str
    svg: str


@frozen
class _Scheme:
    paper: str
    ink: str
    field: str


_LIGHT: Final = _Scheme("#ffffff", "#172033", "#eef1f6")
_DARK: Final = _Scheme("#1e2533", "#f1f4f9", "#303a4d")


def pictures_of(plan: Plan, *, most: int) -> dict[tuple[str, str], Picture]:
    """Pictures by organisation and channel, at most ``most``: of the changes that affect visitors most."""
    channels = [(section.organization, channel) for section in walk(plan) for channel in section.channels]
    channels.sort(key=lambda entry: rank(entry[1].change.impact))
    drawn = ((organization, channel.change.address, picture_of(channel)) for organization, channel in channels)
    shown = (((organization, address), picture) for organization, address, picture in drawn if picture is not None)
    return dict(islice(shown, most))


def picture_of(channel: Channel) -> Picture | None:
    """The drawing of the open widget; None if nothing that it shows changes."""
    sides = sides_of(channel.change)
    shown = SCENES["chat"][1]
    if None not in (sides.before, sides.after) and shown.isdisjoint(sides.changed):
        return None
    halves = [
        _Half(side, fields or {}, widget_of(fields, sides.changed, Paints()))
        for side, fields in (("before", sides.before), ("after", sides.after))
    ]
    height = max(_SHORTEST, *(half.height for half in halves))
    drawn = "\n".join(line for number, half in enumerate(halves) for line in half.drawn(number * SIDE, height))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * SIDE}" height="{height}"'
        f' viewBox="0 0 {2 * SIDE} {height}" font-family="system-ui, sans-serif" font-size="13">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f"{drawn}\n"
        f'<text x="12" y="{height - 10}" font-size="11" fill="{_GREY}">'
        "Drawn from the documented fields; not Mosend's own widget.</text>\n</svg>\n"
    )
    name = f"webchat-sync-{hashlib.sha256(svg.encode()).hexdigest()[:20]}.svg"
    return Picture(name, svg)


@frozen
class _Half:
    """One side; without a channel, there's no widget."""

    side: str
    fields: Mapping[str, Json]
    widget: Widget | None

    @property
    def height(self) -> int:
        """The height that it needs."""
        return 0 if self.widget is None else round(_ABOVE + self.window_height + self.up + _BELOW)

    @property
    def window_height(self) -> int:
        """The height of the open window."""
        return 0 if self.widget is None else 56 + sum(part.height for part in _body(self.widget))

    @property
    def up(self) -> float:
        """The distance of the bubble from the bottom, to scale."""
        pixels = pixels_of(self.fields.get("bubbleOffsetBottom"))
        return (OWN_BOTTOM if pixels is None else pixels) / SCALE

    @property
    def aside(self) -> float:
        """The distance of the bubble from its side, to scale."""
        pixels = pixels_of(self.fields.get("bubbleOffsetX"))
        return min((OWN_SIDE if pixels is None else pixels) / SCALE, SIDE - 48 - _WINDOW)

    def drawn(self, at: int, height: int) -> Iterator[str]:
        frame = f'<rect x="12" y="34" width="{SIDE - 24}" height="{height - 64}" rx="8"'
        yield f'<g transform="translate({at} 0)">'
        yield _text(self.side, 12, 22, _GREY, weight="bold")
        if self.widget is None:
            absence = "There's no channel yet." if self.side == "before" else "The channel is deleted."
            yield f'{frame} fill="none" stroke="#c9d1de" stroke-dasharray="5 4"/>'
            yield _text(absence, 32, 70, _GREY)
        else:
            yield f'{frame} fill="#f5f7fa" stroke="#c9d1de"/>'
            yield _text(_cut(self.widget.site, SIDE - 70), 26, 54, _GREY)
            yield from self._widget(self.widget, height)
        yield "</g>"

    def _widget(self, widget: Widget, height: int) -> Iterator[str]:
        color = self.fields.get("color")
        brand = color.lower() if isinstance(color, str) and is_color(color) else _GREY
        scheme = _DARK if widget.theme == "dark" else _LIGHT
        bubble_y = height - 76 - self.up
        left = 24 + self.aside if widget.left else SIDE - 24 - self.aside - _WINDOW
        top = bubble_y - 28 - self.window_height
        yield f'<g opacity="{0.35 if widget.off else 1}">'
        yield _box(left, top, _WINDOW, self.window_height, 10, scheme.paper, stroke="#c9d1de")
        yield _box(left, top, _WINDOW, 38, 10, brand, stroke=_marked(widget, "name", "color"))
        yield f'<circle cx="{left + 22:.1f}" cy="{top + 19:.1f}" r="11" fill="#ffffff" fill-opacity="0.25"/>'
        yield _text(widget.initial, left + 22, top + 24, "#ffffff", weight="bold", anchor="middle")
        yield _text(_cut(widget.name, _WINDOW - 72), left + 42, top + 24, "#ffffff", weight="bold", width=_WINDOW - 54)
        y = top + 46
        for part in _body(widget):
            yield from part.drawn(left + 10, y, scheme, brand)
            y += part.height
        x = left + 18 if widget.left else left + _WINDOW - 18
        ring = _marked(widget, "color", "bubblePosition", "bubbleOffsetBottom", "bubbleOffsetX") or "none"
        yield f'<circle cx="{x:.1f}" cy="{bubble_y:.1f}" r="18" fill="{brand}" stroke="{ring}" stroke-width="2"/>'
        yield f'<rect x="{x - 8:.1f}" y="{bubble_y - 6:.1f}" width="16" height="11" rx="4" fill="#ffffff"/>'
        yield "</g>"
        if widget.off:
            yield _text("Switched off: hidden from visitors.", 26, 74, _RED, weight="bold")
        if widget.contrast:
            yield _text(f"White on this colour: {widget.contrast}, below 3:1", 26, height - 40, _RED)


@frozen
class _Line:
    """A part of the window, ``height`` high: some lines of text in a box, a button, or text alone."""

    texts: tuple[str, ...]
    kind: Literal["box", "field", "button", "plain"]
    changed: bool = False

    @property
    def height(self) -> int:
        return 17 * len(self.texts) + (16 if self.kind != "plain" else 4)

    def drawn(self, x: float, y: float, scheme: _Scheme, brand: str) -> Iterator[str]:
        width = _WINDOW - 20
        stroke = _MARK if self.changed else ""
        ink = "#ffffff" if self.kind == "button" else scheme.ink
        if self.kind != "plain":
            fill = {"box": scheme.field, "field": scheme.paper, "button": brand}[self.kind]
            border = stroke or ("#9aa5b8" if self.kind == "field" else "")
            yield _box(x, y, width, self.height - 6, 6, fill, stroke=border)
        for number, text in enumerate(self.texts):
            baseline = y + (18 if self.kind != "plain" else 13) + 17 * number
            yield _text(text, x + (9 if self.kind != "plain" else 2), baseline, ink, width=width - 18)


def _body(widget: Widget) -> Iterator[_Line]:
    yield _said(widget.welcome)
    if widget.departments:
        shown = widget.departments[:3]
        changed = widget.marks("departments")
        more = len(widget.departments) - len(shown)
        yield from (_Line((_cut(name, _WINDOW - 54),), "field", changed) for name in shown)
        if more:
            yield _Line((f"and {more:,} more",), "plain")
    questions = widget.form[:3]
    changed = widget.marks("prechatFields", "precaptureEnabled", "requireEmailUpfront")
    for question in questions:
        yield _Line((_asked(question),), "field", changed)
    if len(widget.form) > len(questions):
        yield _Line((f"and {counted(len(widget.form) - len(questions), 'more question')}",), "plain")
    yield _Line(("Start the chat",), "button") if questions else _Line(("Write a message",), "field", changed)


def _asked(question: Question) -> str:
    required = " (required)" if question.required else ""
    return _cut(question.label, _WINDOW - 54 - round(_width(required))) + required


def _said(said: Said) -> _Line:
    lines = [line for text in (said.text or said.missing).splitlines() for line in _wrapped(text)]
    return _Line(tuple(lines[:4] + ["…"] * (len(lines) > 4)), "box" if said.text else "plain", said.changed)


def _wrapped(text: str, width: int = _WINDOW - 40) -> list[str]:
    """``text`` in lines of about this many pixels, broken between words if possible."""
    lines, line = list[str](), ""
    for part in re.findall(r"\S+|\s+", visible(text)):
        if _width(line + part.rstrip()) <= width:
            line += part
            continue
        if line.strip():
            lines.append(line.strip())
        line = ""
        for letter in part.lstrip():
            if _width(line + letter) > width:
                lines.append(line)
                line = ""
            line += letter
    return [*lines, line.strip()] if line.strip() or not lines else lines


def _width(text: str) -> float:
    """The approximate width of the text at 13 pixels in any font, rather too high than too low."""
    return sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF" or letter in "WM@%—…":
        return 14
    if letter in "iljtfrI.,:;'|!()[] ":
        return 5
    return 10 if letter.isupper() or letter in "mw" else 8


def _cut(text: str, width: int) -> str:
    first, *more = _wrapped(" ".join(text.split()), width)
    return f"{first}…" if more else first


def _marked(widget: Widget, *names: str) -> str:
    return _MARK if widget.marks(*names) else ""


def _box(x: float, y: float, width: float, height: float, radius: int, fill: str, *, stroke: str = "") -> str:
    lined = f' stroke="{stroke}" stroke-width="{2 if stroke == _MARK else 1}"' if stroke else ""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} rx="{radius}" fill="{fill}"{lined}/>'


def _text(
    text: str, x: float, y: float, fill: str, *, weight: str = "normal", anchor: str = "start", width: float = 0
) -> str:
    """A line of text; right-to-left text ends where other text starts."""
    direction = ""
    if anchor == "start" and width and _is_rtl(text):
        x, direction = x + width, ' direction="rtl"'
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" font-weight="{weight}" text-anchor="{anchor}"{direction}>'
        f"{escape(visible(text))}</text>"
    )


def _is_rtl(text: str) -> bool:
    """Whether the first letter with a direction runs from right to left."""
    for letter in text:
        if (direction := unicodedata.bidirectional(letter)) in {"L", "R", "AL"}:
            return direction != "L"
    return False
