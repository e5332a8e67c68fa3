"""The drawings of the widget in a comment on GitLab: safe, each uploaded once, and never in the way of the comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from browser import opened, running_browser
from fake_github import fake_github
from fake_gitlab import fake_gitlab
from html_plans import hostile_plan, many_channels, rich_plan
from pipelines import changed_plan, run_ci
from planning import declare, live, plan_for
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.model import Json, Plan
from webchat_sync.planfile.writer import render_plan
from webchat_sync.render.picture import Picture, pictures_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CANARY = "http://127.0.0.1:9/canary"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


def saved(folder: Path, plan: Plan) -> Path:
    file = folder / "plan.json"
    file.write_text(render_plan(plan), encoding="utf-8")
    return file


def written(folder: Path, plan: Plan) -> list[Path]:
    """The files of all pictures of a plan."""
    pictures = list(pictures_of(plan, most=100).values())
    for picture in pictures:
        (folder / picture.name).write_text(picture.svg, encoding="utf-8")
    return [folder / picture.name for picture in pictures]


def drawn(before: dict[str, Json], after: dict[str, Json]) -> Picture | None:
    pictures = pictures_of(plan_for([declare(**after)], [live(**before)]), most=1)
    return next(iter(pictures.values()), None)


def texts(picture: Picture) -> str:
    return "\n".join(ElementTree.fromstring(picture.svg).itertext())  # noqa: S314 - our own


def test_the_comment_shows_each_picture_that_it_has_uploaded(tmp_path: Path) -> None:
    with fake_gitlab() as gitlab:
        done = run_ci("comment", saved(tmp_path, rich_plan()), environ=gitlab.environ(tmp_path))
        assert done.code == 0, done.err
        shown = re.findall(r"!\[The widget before and after]\((\S+)\)", gitlab.bodies[0])
        assert sorted(shown) == sorted(gitlab.uploads)
        assert len(shown) == 5
        assert all(content.startswith(b"<svg ") for content in gitlab.uploads.values())


def test_a_picture_that_is_shown_already_is_not_uploaded_again(tmp_path: Path) -> None:
    with fake_gitlab() as gitlab:
        environ = gitlab.environ(tmp_path)
        for said in ("Posted the comment", "The comment is already up to date"):
            assert run_ci("comment", changed_plan(tmp_path), environ=environ).out.startswith(said)
        assert len(gitlab.uploads) == 1
        assert run_ci("comment", changed_plan(tmp_path, "#111111"), environ=environ).out.startswith("Updated")
        assert len(gitlab.uploads) == 2
        assert [*gitlab.uploads][-1] in gitlab.bodies[0]


def test_an_address_in_a_strangers_comment_is_not_taken_over(tmp_path: Path) -> None:
    (picture,) = pictures_of(plan_for([declare(color="#0f766e")], [live(color="#ffffff")]), most=1).values()
    theirs = f"/uploads/{'0' * 32}/{picture.name}"
    with fake_gitlab() as gitlab:
        gitlab.say(
            f"<!-- webchat-sync comment organization=acme label= -->\n![The widget before and after]({theirs})",
            stranger=True,
        )
        assert run_ci("comment", changed_plan(tmp_path), environ=gitlab.environ(tmp_path)).code == 0
        assert theirs not in gitlab.bodies[1]


@pytest.mark.parametrize("fault", [effects.status(403), effects.status(413), effects.html(), effects.status(500)])
def test_without_its_pictures_the_comment_is_posted_all_the_same(fault: effects.Effect, tmp_path: Path) -> None:
    with fake_gitlab(proxy=Faults([Fault(fault, "POST", "*/uploads")])) as gitlab:
        done = run_ci("comment", changed_plan(tmp_path), environ=gitlab.environ(tmp_path))
        assert done.code == 0, done.err
        assert "The comment has no images: " in done.err
        assert "1 to change" in gitlab.bodies[0]
        assert "![" not in gitlab.bodies[0]


def test_github_which_has_no_place_for_pictures_is_sent_none(tmp_path: Path) -> None:
    with fake_github() as github:
        assert run_ci("comment", changed_plan(tmp_path), environ=github.environ(tmp_path)).code == 0
        assert "![" not in github.bodies[0]


def test_the_option_leaves_them_out(tmp_path: Path) -> None:
    with fake_gitlab() as gitlab:
        environ = gitlab.environ(tmp_path)
        assert run_ci("comment", changed_plan(tmp_path), "--no-pictures", environ=environ).code == 0
        assert (gitlab.uploads, "![" in gitlab.bodies[0]) == ({}, False)


def test_there_are_no_more_than_ten(tmp_path: Path) -> None:
    with fake_gitlab() as gitlab:
        assert run_ci("comment", saved(tmp_path, many_channels(30)), environ=gitlab.environ(tmp_path)).code == 0
        assert len(gitlab.uploads) == 10


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"operatingHours": None}, {"operatingHours": {"timezone": "UTC", "days": {"mon": ["09:00-18:00"]}}}),
        ({"allowedDomains": []}, {"allowedDomains": ["www.example.com"]}),
        ({"offlineMessage": "Closed"}, {"offlineMessage": "Closed!"}),
    ],
)
def test_what_does_not_change_the_open_widget_makes_no_picture(before: dict[str, Json], after: dict[str, Json]) -> None:
    assert drawn(before, after) is None


def test_a_picture_says_what_visitors_read() -> None:
    picture = drawn(
        {"welcomeMessage": "Hello", "enabled": True, "color": "#2563eb", "prechatFields": []},
        {"welcomeMessage": "Hi & <b>", "enabled": False, "color": "#fde047", "prechatFields": [{"label": "Order"}]},
    )
    assert picture is not None
    said = texts(picture)
    for text in ("Hello", "Hi & <b>", "Switched off", "Order", "White on this colour: 1.31:1", "not Mosend's own"):
        assert text in said
    assert picture == drawn(
        {"welcomeMessage": "Hello", "enabled": True, "color": "#2563eb", "prechatFields": []},
        {"welcomeMessage": "Hi & <b>", "enabled": False, "color": "#fde047", "prechatFields": [{"label": "Order"}]},
    )


def test_hostile_values_stay_text_in_a_picture() -> None:
    known = {"svg", "g", "rect", "circle", "text"}
    for picture in pictures_of(hostile_plan(CANARY), most=100).values():
        for element in ElementTree.fromstring(picture.svg).iter():  # noqa: S314 - our own
            assert element.tag.removeprefix(SVG) in known
            assert not [name for name in element.attrib if name.startswith("on") or "href" in name or name == "style"]
            assert "canary" not in "".join(element.attrib.values())


def test_a_browser_fetches_nothing_for_hostile_values(browser: Browser, tmp_path: Path) -> None:
    files = written(tmp_path, hostile_plan(CANARY))
    with opened(browser, files[0]) as visit:
        for file in files[1:]:
            visit.page.goto(file.as_uri())
        assert (visit.requests, visit.complaints) == ([file.as_uri() for file in files], [])


@pytest.mark.slow
def test_nothing_of_a_drawing_leaves_it(browser: Browser, tmp_path: Path) -> None:
    outside = """() => {
      const frame = document.documentElement.getBoundingClientRect();
      return [...document.querySelectorAll("rect, circle, text")].filter(part => {
        const box = part.getBoundingClientRect();
        return box.left < -1 || box.top < -1 || box.right > frame.width + 1 || box.bottom > frame.height + 1;
      }).map(part => part.outerHTML);
    }"""
    extreme: dict[str, Json] = {"bubbleOffsetBottom": 400, "bubbleOffsetX": 400, "bubblePosition": "left"}
    many: dict[str, Json] = {
        "welcomeMessage": "W" * 600,
        "departments": [{"name": "M" * 80} for _ in range(9)],
        "prechatFields": [{"label": "漢" * 60, "required": True} for _ in range(9)],
    }
    plans = [rich_plan(), plan_for([declare("長" * 90, **many, **extreme)], []), plan_for([declare(**extreme)], [])]
    with opened(browser, "about:blank") as visit:
        for file in (file for plan in plans for file in written(tmp_path, plan)):
            visit.page.goto(file.as_uri())
            assert visit.page.evaluate(outside) == []
