"""The HTML report as a file: what it holds, what its policy allows, and that values stay text."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from html_plans import hostile_plan, hostile_values, many_channels, rich_plan, week
from planning import catalogue, declare, live, plan_for
from webchat_sync.domain.colors import is_color
from webchat_sync.errors import Place
from webchat_sync.model import Json, Plan
from webchat_sync.plan.summary import has_changes
from webchat_sync.render.html.page import render_plan, source_of
from webchat_sync.render.html.paints import Paints, pixels_of

CANARY: Final = "http://127.0.0.1:1"


class Reader(HTMLParser):
    """All elements of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def inside(page: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    assert found
    return found[1]


def page_of(before: dict[str, Json], after: dict[str, Json]) -> str:
    return render_plan(plan_for([declare(**after)], [live(**before)]))


def test_every_channel_has_an_article_with_both_sides() -> None:
    reader = Reader(render_plan(rich_plan()))
    articles = {each["data-channel"]: each["data-action"] for each in reader.of("article")}
    assert list(articles.values()) == ["update", "update", "delete", "create", "update"], "dangers first"
    assert articles["Support"] == "update"
    assert articles["Old"] == "delete"
    assert [each["data-side"] for each in reader.of("figure")] == ["before", "after"] * 5


def test_the_top_says_the_verdict_the_organisation_and_all_that_is_not_shown() -> None:
    text = Reader(render_plan(rich_plan())).text
    assert "Plan: 1 to add, 3 to change, 1 to destroy." in text
    assert "1 unchanged, not shown 1 undeclared, left alone" in text
    assert "for acme" in text
    assert "aren't Mosend's own widget" in text


def test_every_danger_and_warning_leads_to_its_channel() -> None:
    plan = rich_plan()
    reader = Reader(render_plan(plan))
    loud = [
        impact for change in plan.organizations[0].active_changes for impact in change.impact if impact.level != "info"
    ]
    links = [each["href"] for each in reader.of("a") if each["href"].startswith("#channel-")]
    ids = {f"#{attributes['id']}" for _, attributes in reader.elements if "id" in attributes}
    assert len(links) == len(loud)
    assert set(links) <= ids


def test_ids_are_there_once() -> None:
    ids = [attributes["id"] for _, attributes in Reader(render_plan(rich_plan())).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("plan", [rich_plan(), hostile_plan(CANARY)], ids=["rich", "hostile"])
def test_the_policy_allows_the_style_and_the_script_inside_and_nothing_else(plan: Plan) -> None:
    page = render_plan(plan)
    policy = next(each["content"] for each in Reader(page).of("meta") if "http-equiv" in each)
    hashes = {tag: b64encode(sha256(inside(page, tag).encode()).digest()).decode() for tag in ("style", "script")}
    assert policy.split("; ") == [
        *("default-src 'none'", "base-uri 'none'", "form-action 'none'"),
        *(f"{tag}-src 'sha256-{digest}'" for tag, digest in hashes.items()),
    ]


def test_hostile_values_are_no_markup() -> None:
    """The elements and the attributes' names are those of our templates, whatever the values are."""
    page = render_plan(hostile_plan(CANARY), sources="https://github.com/acme/site/blob/abc")
    reader = Reader(page)
    assert not {"img", "svg/onload", "link", "base", "iframe", "form", "object"} & {tag for tag, _ in reader.elements}
    assert len(reader.of("script")) == len(reader.of("style")) == 1
    names = {name for _, attributes in reader.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in {"style", "src", "srcset", "action"}]
    links = [each["href"] for each in reader.of("a")]
    assert [link for link in links if not re.match(r"#channel-\d+$|#channels$|https://github\.com/acme/", link)] == []
    assert "{{ 7 * 7 }}{% raw %}" in reader.text


def test_hostile_values_reach_no_style() -> None:
    rules = inside(render_plan(hostile_plan(CANARY)), "style")
    own = inside(render_plan(plan_for([], [])), "style")
    added = rules.removeprefix(own).split()
    assert rules.startswith(own)
    assert all(
        re.fullmatch(r"\.[a-z]+-[0-9a-f]+\{(--brand:#[0-9a-f]+|padding-[a-z]+:[0-9.]+px)\}", rule) for rule in added
    )


@pytest.mark.parametrize("text", hostile_values(CANARY))
def test_what_is_no_colour_gets_no_class(text: str) -> None:
    paints = Paints()
    assert not is_color(text)
    assert paints.color(text) == ""
    assert list(paints.rules()) == []


@pytest.mark.parametrize(
    ("value", "pixels"),
    [
        (0, 0),
        (400, 400),
        (24.4, 24),
        (401, None),
        (-1, None),
        (float("nan"), None),
        (True, None),
        ("24", None),
        (None, None),
    ],
)
def test_a_distance_is_a_number_that_the_api_takes(value: Json, pixels: int | None) -> None:
    assert pixels_of(value) == pixels


def test_a_colour_that_white_cannot_be_read_on_is_marked_where_it_is_drawn() -> None:
    text = Reader(page_of({"color": "#2563eb"}, {"color": "#fde047"})).text
    assert "White on this colour has a contrast of 1.31:1" in text
    assert "Support contrast 1.31:1" in text


def test_the_weeks_are_drawn_and_told() -> None:
    before, after = week(mon=["09:00-18:00"]), week(mon=["09:00-13:00", "14:00-18:00"], sat=["10:00-12:00"])
    reader = Reader(page_of({"operatingHours": before}, {"operatingHours": after}))
    kinds = [(each["class"], int(each["x"]), int(each["width"])) for each in reader.of("rect")]
    assert kinds == [
        ("open", 540, 540),
        *(("open", 540, 240), ("open", 840, 240), ("open", 600, 120)),
        *(("open", 540, 240), ("lost", 780, 60), ("open", 840, 240), ("gained", 600, 120)),
    ]
    assert "closes 13:00–14:00" in reader.text
    assert "opens 10:00–12:00" in reader.text
    assert "Clocks in America/Bogota don't change in the next 12 months." in reader.text


def test_weeks_of_two_zones_are_compared_in_the_later_one() -> None:
    before, after = week("Europe/Madrid", mon=["09:00-10:00"]), week("America/Bogota", mon=["09:00-10:00"])
    text = Reader(page_of({"operatingHours": before}, {"operatingHours": after})).text
    assert "opens 09:00–10:00; closes 03:00–04:00" in text
    assert "Clocks in Europe/Madrid go forward by 1 h on Sun 28 Mar 2027" in text


@pytest.mark.parametrize(
    "value", [{"mon": "always"}, "9-5", [1], {"timezone": "UTC", "days": {"mon": ["25:00-26:00"]}}]
)
def test_hours_of_an_unknown_shape_are_said_to_be_so(value: Json) -> None:
    reader = Reader(page_of({"operatingHours": None}, {"operatingHours": value}))
    assert "can't be drawn in this form" in reader.text
    assert not reader.of("rect")


def test_hours_in_an_unknown_zone_are_drawn_and_nothing_is_said_of_its_clocks() -> None:
    reader = Reader(page_of({"operatingHours": None}, {"operatingHours": week("Mars/Base", mon=["09:00-10:00"])}))
    assert len(reader.of("rect")) == 1
    assert "Mars/Base isn't a known time zone, so clock changes aren't shown" in reader.text


def test_sites_are_compared_as_browsers_do() -> None:
    before: dict[str, Json] = {"allowedDomains": ["BÜCHER.example", "old.example"]}
    after: dict[str, Json] = {"allowedDomains": ["xn--bcher-kva.example", "new.example"]}
    text = Reader(page_of(before, after)).text
    for said in ("loses it old.example", "gains it new.example", "keeps it xn--bcher-kva.example"):
        assert said in text


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([], ["a.example"], "loses it any other site keeps it a.example"),
        (["a.example"], [], "gains it any other site keeps it a.example"),
        (["a.example"], ["b.example"], "loses it a.example gains it b.example"),
    ],
)
def test_an_empty_list_of_sites_is_any_site(before: Json, after: Json, said: str) -> None:
    assert said in Reader(page_of({"allowedDomains": before}, {"allowedDomains": after})).text


JSON_VALUES: Final = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.floats(allow_nan=False, allow_infinity=False)
    | strategies.integers()
    | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS: Final = strategies.dictionaries(
    strategies.sampled_from([name for name in catalogue().declarable if name != "name"]), JSON_VALUES, max_size=5
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FIELDS, FIELDS)
def test_any_values_make_a_page(before: dict[str, Json], after: dict[str, Json]) -> None:
    plan = plan_for([declare(**after)], [live(**before)])
    page = render_plan(plan)
    page.encode()
    sides = [each["data-side"] for each in Reader(page).of("figure")]
    assert sides == (["before", "after"] if has_changes(plan) else [])


def test_words_that_differ_are_marked() -> None:
    page = page_of({"welcomeMessage": "We open at nine."}, {"welcomeMessage": "We open at ten."})
    assert "We open at <del>nine</del>." in page
    assert "We open at <ins>ten</ins>." in page


def test_long_texts_are_folded_and_whole() -> None:
    text = "word " * 90
    page = page_of({"welcomeMessage": "short"}, {"welcomeMessage": text})
    assert "(450 characters)" in page
    assert text.strip() in page


def test_the_scene_with_the_change_is_the_one_to_see_first() -> None:
    page = page_of({"offlineMessage": "Closed."}, {"offlineMessage": "Back at nine."})
    checked = [
        each["id"]
        for each in Reader(page).of("input")
        if each.get("name", "").startswith("scene") and "checked" in each
    ]
    assert checked == ["closed-1"]


def test_a_secret_in_a_live_text_is_hidden() -> None:
    key = "mk_live_" + "a1B2c3D4" * 2 + "." + "e5F6g7H8" * 4
    page = page_of({"welcomeMessage": f"key {key}", "offlineMessage": "x"}, {"welcomeMessage": "Hi"})
    assert key not in page
    assert "***" in page


@pytest.mark.parametrize(
    ("file", "link"),
    [
        ("channels/a b#c.yaml", "https://h/blob/1/channels/a%20b%23c.yaml#L7"),
        ("./a.yaml", "https://h/blob/1/a.yaml#L7"),
        ("../a.yaml", ""),
        ("/etc/a.yaml", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_a_place_is_linked_only_inside_the_repository(file: str, link: str) -> None:
    assert source_of(Place(file, 7, 1), "https://h/blob/1").link == link
    assert source_of(Place(file, 7, 1), "").link == ""


@pytest.mark.slow
def test_three_hundred_channels_take_less_than_five_megabytes() -> None:
    assert len(render_plan(many_channels(300)).encode()) < 5_000_000


def test_no_changes_are_said_in_a_page_without_filters() -> None:
    reader = Reader(render_plan(plan_for([declare()], [live()])))
    assert "No changes. The live channels match the manifest." in reader.text
    assert not reader.of("article")
    assert not reader.of("select")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            {"allowedDomains": ["a.example", "b.example"], "operatingHours": week(mon=["09:00-13:00"])},
            {},
            (
                "Where and when Sites a.example; b.example as before "
                "Hours Mon 09:00–13:00; Tue–Sun closed America/Bogota, as before"
            ),
        ),
        ({"allowedDomains": [], "operatingHours": None}, {}, "Sites any site as before Hours None are set, as before."),
        ({"operatingHours": {"weird": 1}, "allowedDomains": "all"}, {}, '"all" as before Hours {"weird": 1} as before'),
        (
            {"allowedDomains": ["a.example"], "operatingHours": []},
            {"operatingHours": None},
            "Sites that may load the widget a.example as",
        ),
        ({"operatingHours": None}, {"allowedDomains": ["a.example"]}, "Opening hours None are set, as before."),
    ],
)
def test_where_and_when_is_said_of_what_does_not_change(
    before: dict[str, Json], after: dict[str, Json], told: str
) -> None:
    page = page_of({**before, "welcomeMessage": "Hi"}, {**before, **after, "welcomeMessage": "Hello"})
    assert told in Reader(page).text


def test_where_and_when_is_said_of_what_is_not_known() -> None:
    not_managed = Reader(page_of({"allowedDomains": ["a.example"]}, {"welcomeMessage": "Hi"})).text
    assert not_managed.count("Not declared here, so they don't change.") == 2
    created = Reader(render_plan(plan_for([declare()], []))).text
    assert created.count("Not declared, so the server decides.") == 2
    deleted = Reader(render_plan(plan_for([], [live()], prune=True))).text
    assert deleted.count("Not known: the server doesn't list them.") == 2


def test_what_looks_the_same_is_said_to() -> None:
    same = "The widget looks the same before and after."
    assert same in page_of({"identityRequired": True}, {"identityRequired": False})
    assert same not in page_of({"color": "#fde047"}, {"color": "#2563eb"})


def test_a_colour_is_shown_beside_its_name() -> None:
    page = page_of({"color": "#2563eb"}, {"color": "#256300"})
    assert page.count('<i class="swatch c-2563eb">') == page.count('<i class="swatch c-256300">') == 1
    assert "<del>#2563eb</del>" in page, "no sign is left out of a mark"
