"""The page of a plan: its contents, and the file made from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from webchat_sync.errors import Diagnostic, Place
from webchat_sync.frozen import frozen
from webchat_sync.leaks import redact_text
from webchat_sync.model import Impact, Json, Plan
from webchat_sync.plan.organizations import refused
from webchat_sync.plan.summary import summarize
from webchat_sync.render.html.diff import Row, label_of, row_of
from webchat_sync.render.html.document import render_page
from webchat_sync.render.html.domains import Sites, sites_of
from webchat_sync.render.html.paints import Paints
from webchat_sync.render.html.standing import Standing, standing_of
from webchat_sync.render.html.week import WeekPicture, week_picture
from webchat_sync.render.html.widget import SceneTab, Widget, scene_tabs, widget_of
from webchat_sync.render.rank import rank
from webchat_sync.render.refusal import REFUSAL, places
from webchat_sync.render.sides import sides_of
from webchat_sync.render.text import last_line, plan_notices
from webchat_sync.render.walk import Channel, Remark, Section, Stay, walk

LOUD: Final = 12
"""How many dangers and warnings are listed before the rest is folded."""

_SIGNED: Final = "identityRequired"


@frozen
class Source:
    """The place of a declaration; ``link`` is the web page that shows it, empty if unknown."""

    text: str
    link: str


@frozen
class Article:
    """One channel that changes. ``number`` is unique on the page; ``level`` is that of the worst impact, or empty."""

    number: int
    name: str
    action: str
    level: str
    organization: str
    renamed_from: str | None
    note: str
    source: Source | None
    impact: tuple[Impact, ...]
    tabs: tuple[SceneTab, ...]
    before: Widget | None
    after: Widget | None
    week: WeekPicture | None
    sites: Sites | None
    standing: tuple[Standing, ...]
    signing: tuple[str, ...]
    beside: tuple[str, ...]
    rows: tuple[Row, ...]
    unchanged: tuple[str, ...]

    @property
    def alike(self) -> bool:
        """Whether both sides look the same."""
        return self.before is not None and self.after is not None and not any(tab.changed for tab in self.tabs)


@frozen
class Chapter:
    """Some channels of one organisation under a heading."""

    heading: str
    organization: str
    articles: tuple[Article, ...]
    undeclared: tuple[Stay, ...]
    left_alone: str


@frozen
class Count:
    """A number and what it counts."""

    number: int
    what: str
    key: str


@frozen
class ApplyVerdict:
    """The report of an apply, above the plan: ``verdict`` is one line, ``lines`` are the details.

    ``more`` are the numbers of the lines that add to the one above them.
    """

    good: bool
    verdict: str
    lines: tuple[str, ...]
    more: frozenset[int] = frozenset()


@frozen
class Page:
    """Everything for the template. ``refused`` are the reasons not to apply the plan, with hints.

    ``places`` says where their options go.
    """

    title: str
    verdict: str
    notices: tuple[str, ...]
    counts: tuple[Count, ...]
    chapters: tuple[Chapter, ...]
    created_at: datetime
    applied: ApplyVerdict | None
    refused: tuple[tuple[str, str], ...]
    places: str
    organizations: tuple[str, ...]
    remarks: tuple[Remark, ...]
    loud: int = LOUD
    refusal: str = REFUSAL

    @property
    def articles(self) -> tuple[Article, ...]:
        """Every channel that changes."""
        return tuple(article for chapter in self.chapters for article in chapter.articles)

    @property
    def made(self) -> str:
        """The creation time of the plan for people."""
        moment = self.created_at.astimezone(UTC)
        return f"{moment.day} {moment:%B %Y}, {moment:%H:%M} UTC"

    @property
    def alarms(self) -> list[tuple[Article, Impact]]:
        """Every danger and warning with its channel, dangers first."""
        loud = [(article, impact) for article in self.articles for impact in article.impact if impact.level != "info"]
        return sorted(loud, key=lambda alarm: rank([alarm[1]]))


def render_plan(plan: Plan, *, sources: str = "", host: str = "") -> str:
    """The plan as one HTML file.

    ``sources`` is the web address below which the pipeline's ``host``, empty if unknown, shows its files.
    """
    return render_parts(
        plan,
        [("", walk(plan))],
        verdict=last_line(plan),
        title="Plan",
        sources=sources,
        reasons=refused(plan),
        host=host,
    )


def render_parts(
    plan: Plan,
    parts: Iterable[tuple[str, Sequence[Section]]],
    *,
    verdict: str,
    title: str,
    sources: str = "",
    applied: ApplyVerdict | None = None,
    reasons: Sequence[Diagnostic] = (),
    host: str = "",
) -> str:
    """The page of ``plan`` that shows it in ``parts``, which are sections with a heading.

    ``reasons`` are those not to apply it, and ``host`` is the pipeline's.
    """
    paints = Paints()
    maker = _Maker(paints, sources, plan.created_at)
    chapters = tuple(
        maker.chapter(heading, section, first=number == 0)
        for heading, sections in parts
        for number, section in enumerate(sections)
    )
    page = Page(
        title=title,
        verdict=verdict,
        notices=tuple(plan_notices(plan)),
        counts=tuple(_counts(plan)),
        chapters=chapters,
        created_at=plan.created_at,
        applied=applied,
        refused=tuple((redact_text(problem.message), redact_text(problem.hint)) for problem in reasons),
        places=places(plan, host),
        organizations=tuple(planned.organization for planned in plan.organizations),
        remarks=tuple(sorted((remark for section in walk(plan) for remark in section.remarks), key=_remark_level)),
    )
    return render_page(page, paints)


class _Maker:
    """Makes and numbers the articles of one page."""

    def __init__(self, paints: Paints, sources: str, at: datetime) -> None:
        self._paints, self._sources, self._at = paints, sources, at
        self._made = 0

    def chapter(self, heading: str, section: Section, *, first: bool) -> Chapter:
        channels = sorted(section.channels, key=lambda channel: rank(channel.change.impact))
        articles = tuple(self._article(channel, section.organization) for channel in channels)
        return Chapter(
            heading if first else "",
            section.organization,
            articles,
            section.stays,
            section.left_alone,
        )

    def _article(self, channel: Channel, organization: str) -> Article:
        self._made += 1
        change, sides = channel.change, sides_of(channel.change)
        changed, week, sites = sides.changed, week_picture(sides, self._at), sites_of(sides)
        signed = [None if side is None else side.get(_SIGNED) for side in (sides.before, sides.after)]
        return Article(
            number=self._made,
            name=change.address,
            action=change.action,
            level=change.impact[0].level if change.impact else "",
            organization=organization,
            renamed_from=change.renamed_from,
            note=change.note,
            source=None if change.place is None else source_of(change.place, self._sources),
            impact=change.impact,
            tabs=scene_tabs(sides),
            before=widget_of(sides.before, changed, self._paints),
            after=widget_of(sides.after, changed, self._paints),
            week=week,
            sites=sites,
            standing=standing_of(sides, sites=sites is None, hours=week is None),
            signing=tuple(map(_signing, signed)) if signed[0] != signed[1] else (),
            beside=tuple(text for beside in channel.beside for text in (beside.text, *beside.below)),
            rows=tuple(map(row_of, channel.lines)),
            unchanged=tuple(label_of(name) for name, _ in channel.unchanged),
        )


def source_of(place: Place, sources: str) -> Source:
    """``place`` as text, with a link below ``sources`` if it's a file there."""
    text = f"{place.file}:{place.line}"
    parts = place.file.replace("\\", "/").removeprefix("./").split("/")
    inside = not place.file.startswith("/") and ".." not in parts and ":" not in place.file
    if not sources or not inside:
        return Source(text, "")
    return Source(text, f"{sources}/{quote('/'.join(parts), errors='replace')}#L{place.line}")


def _remark_level(remark: Remark) -> str:
    return remark.level  # "danger" sorts before "note"


def _signing(required: Json) -> str:
    if required is True:
        return "Only visitors whose id is signed with the identity secret"
    if required is False:
        return "Everyone, without a signature"
    return "Not specified"


def _counts(plan: Plan) -> Iterable[Count]:
    summary = summarize(plan)
    yield Count(summary.create, "to create", "create")
    yield Count(summary.update, "to change", "update")
    yield Count(summary.delete, "to delete", "delete")
    yield Count(summary.unchanged, "unchanged, not shown", "unchanged")
    yield Count(summary.undeclared, "undeclared, left alone", "undeclared")
