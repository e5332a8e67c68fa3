"""Recognises days of the week as people write them: in six languages, abbreviated, and as ranges."""

from __future__ import annotations

from typing import Final
from unicodedata import normalize

from webchat_sync.domain.hours import DAYS
from webchat_sync.lazy_pattern import lazy_pattern

_NAMES: Final = {
    "mon": ("monday", "lunes", "segundafeira", "lundi", "montag", "lunedi"),
    "tue": ("tuesday", "martes", "tercafeira", "mardi", "dienstag", "martedi"),
    "wed": ("wednesday", "miercoles", "quartafeira", "mercredi", "mittwoch", "mercoledi"),
    "thu": ("thursday", "jueves", "quintafeira", "jeudi", "donnerstag", "giovedi"),
    "fri": ("friday", "viernes", "sextafeira", "vendredi", "freitag", "venerdi"),
    "sat": ("saturday", "sabado", "samedi", "samstag", "sabato", "sonnabend"),
    "sun": ("sunday", "domingo", "dimanche", "sonntag", "domenica"),
}
_SHORT: Final = {
    "mo": "mon",
    "tu": "tue",
    "we": "wed",
    "th": "thu",
    "fr": "fri",
    "sa": "sat",
    "su": "sun",
    "lu": "mon",
    "mi": "wed",
}
"""Two letters that can only mean one day."""

_GROUPS: Final = {
    "weekday": DAYS[:5],
    "workday": DAYS[:5],
    "week": DAYS,
    "weekend": DAYS[5:],
    "daily": DAYS,
    "everyday": DAYS,
}
_TO: Final = lazy_pattern(r"[-–—]|\s(?:to|a|à|bis)\s")
_NOT_LETTERS: Final = lazy_pattern(r"[^a-z]+")


def meant_days(text: str) -> tuple[str, ...]:
    """The days that ``text`` means, as ``mon`` to ``sun``: one for ``Monday`` or ``lun.``, five for ``Mo-Fr``."""
    if day := _meant_day(text):
        return (day,)
    if group := _GROUPS.get(_plain(text)):
        return group
    ends = [_meant_day(end) for end in _TO.split(text.strip())]
    if len(ends) != 2 or None in ends:
        return ()
    first, last = (DAYS.index(end) for end in ends if end)
    return DAYS[first : last + 1] if first <= last else (*DAYS[first:], *DAYS[: last + 1])


def _meant_day(text: str) -> str | None:
    word = _plain(text)
    if len(word) < 3:
        return _SHORT.get(word)
    days = [day for day, names in _NAMES.items() if any(_plain(name).startswith(word) for name in names)]
    return days[0] if len(days) == 1 else None  # `Sonn` can be two


def _plain(text: str) -> str:
    """The letters of ``text`` without case, accents and the ending of a plural."""
    return _NOT_LETTERS.sub("", normalize("NFKD", text).lower()).removesuffix("s")
