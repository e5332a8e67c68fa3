from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_files import HEAD, load, problems
from planning import catalogue
from webchat_sync.check import advice
from webchat_sync.domain.colors import contrast_to_white
from webchat_sync.model import Json


def said(folder: Path, text: str) -> list[str]:
    """``line:column path: message | hint`` of each warning of a manifest that is accepted, after its head."""
    found = load(folder, HEAD + text).problems
    assert {each.severity for each in found} <= {"warning"}
    return [
        f"{each.place.line - 2}:{each.place.column} {each.path}: {each.message} | {each.hint}"
        for each in found
        if each.place
    ]


def channel(**fields: Json) -> str:
    return f"channels:\n  - {json.dumps({'name': 'A', **fields}, ensure_ascii=False)}\n"


def advised(folder: Path, **fields: Json) -> list[tuple[str, str]]:
    """Message and hint of each warning about a channel with ``fields``."""
    return [(each.message, each.hint) for each in load(folder, HEAD + channel(**fields)).problems]


ALONE = "sites are matched by host name only"


@pytest.mark.parametrize(
    ("host", "message", "hint"),
    [
        ("https://www.example.com", f"contains a scheme, but {ALONE}", 'Write "www.example.com".'),
        (
            "HTTPS://U@Www.Example.com:8080/x?y",
            "contains a scheme, a user name, a port and a path",
            '"www.example.com"',
        ),
        ("example.com:443", f"contains a port, but {ALONE}", '"example.com"'),
        ("[::1]:80", f"contains a port, but {ALONE}", 'Write "[::1]".'),
        ("example.com/", f"contains a path, but {ALONE}", '"example.com"'),
        (" example.com", f"contains a space, but {ALONE}", '"example.com"'),
        ("exam ple.com", f"contains a space, but {ALONE}", "for example `www.example.com`"),
        ("", "isn't a host name", "An empty list lets any site load the widget."),
        ("*", "isn't a host name", "An empty list lets any site load the widget."),
        ("a..b", "isn't a host name", "`www.example.com`"),
        ("münchen.example", 'browsers send "münchen.example" as "xn--mnchen-3ya.example"', '"xn--mnchen-3ya.example"'),
        ("*.Köln.example", 'as "*.xn--kln-sna.example"', 'Write "*.xn--kln-sna.example".'),
        ("straße.example", 'as "xn--strae-oqa.example"', '"xn--strae-oqa.example"'),
        ("i❤.ws", 'as "xn--i-7iq.ws"', '"xn--i-7iq.ws"'),
        ("https://日本語.jp/", f"contains a scheme and a path, but {ALONE}", '"xn--wgv71a119e.jp"'),
        ("\u2003", f"contains a space, but {ALONE}", "`www.example.com`"),
        ("A.Example.", "ends in a dot", 'Write "A.Example".'),
        ("*.com", "matches every site under `com`", "`*.example.com`"),
        ("*.*.example.com", "contains a `*` that isn't its first label", "`*.example.com`"),
        ("shop.*.example.com", "contains a `*` that isn't its first label", "`*.example.com`"),
        ("*.straße.*.de", "contains a `*` that isn't its first label", "`*.example.com`"),
        ("-shop.example.com", "can't be the name of a site", "doesn't begin or end with a hyphen"),
        ("shop-.example.com", "can't be the name of a site", "doesn't begin or end with a hyphen"),
        (f"{'a' * 64}.example.com", "can't be the name of a site", "1 to 63 letters"),
        (f"{'a.' * 130}example.com", "can't be the name of a site", "253 characters"),
        ("10.0.0.300", "can't be the name of a site", "four numbers from 0 to 255"),
        ("*.192.0.2.1", "can't be the name of a site", ""),
        ("::1", "isn't written the way browsers send this address", 'Write "[::1]".'),
        ("2001:DB8:0:0::1", "isn't written the way browsers send this address", 'Write "[2001:db8::1]".'),
        ("[2001:DB8:0:0::1]", 'browsers send "[2001:DB8:0:0::1]" as "[2001:db8::1]"', 'Write "[2001:db8::1]".'),
        ("xn--zzzzzz-.example", 'contains "xn--zzzzzz-", which doesn\'t decode to a name', "in its own script"),
        ("*.xn--a.example", 'contains "xn--a", which doesn\'t decode to a name', "in its own script"),
        ("xn--strasse-.example", "which doesn't decode to a name", "in its own script"),
        ("ex\u00adample\ufdd0.com", "isn't a host name", "`www.example.com`"),
    ],
)
def test_a_domain_that_no_browser_sends_is_told_with_the_one_that_it_sends(
    tmp_path: Path, host: str, message: str, hint: str
) -> None:
    ((told, way_out),) = advised(tmp_path, allowedDomains=["www.example.com", host])
    assert message in told
    assert hint in way_out


def test_domains_as_browsers_send_them_are_passed_over(tmp_path: Path) -> None:
    good = ["a.example", "A.Example", "*.a.example", "*.localhost", "localhost", "127.0.0.1", "[::1]"]
    good += ["xn--kln-sna.de", "XN--KLN-SNA.de", "xn--i-7iq.ws", "my_host.example", "xn--strae-oqa.de", "a--b.example"]
    assert advised(tmp_path, allowedDomains=[*good]) == []


OPEN: Json = {"mon": ["09:00-13:00"]}


def week(days: Json, zone: str = "Europe/Madrid") -> Json:
    return {"timezone": zone, "days": days}


@pytest.mark.parametrize(
    ("days", "message", "hint"),
    [
        ({"mon": ["9:00-13:00"]}, '"9:00-13:00" isn\'t a range of hours', "Write `09:00-13:00`."),
        ({"mon": ["09.00 – 13h30"]}, "isn't a range of hours", "Write `09:00-13:30`."),
        ({"mon": ["9am-5pm"]}, "isn't a range of hours", "for example `09:00-13:00`"),
        ({"mon": ["9-5"]}, "isn't a range of hours", "for example `09:00-13:00`"),
        ({"mon": ["09:00-25:00"]}, "isn't a range of hours", "for example"),
        ({"mon": ["09:00-24:30"]}, "isn't a range of hours", "for example"),
        ({"mon": ["closed"]}, '"closed" isn\'t a range of hours', "for example"),
        ({"mon": ["18:00-09:00"]}, '"18:00-09:00" ends before it begins', "`22:00-24:00`"),
        ({"mon": ["09:00-09:00"]}, "begins and ends at the same time", "`00:00-24:00`"),
        ({"mon": ["09:00-13:00", "12:00-14:00"]}, '"12:00-14:00" overlaps "09:00-13:00"', "Merge the two ranges"),
        ({"mon": ["12:00-14:00", "08:00-18:00"]}, '"12:00-14:00" overlaps "08:00-18:00"', "Merge the two ranges"),
        ({"mon": "09:00-13:00"}, "these hours aren't in a list", 'Write `["09:00-13:00"]`.'),
        ({"mon": ["09:00-13:00"], "tus": []}, '"tus" isn\'t a known key for a day', "Did you mean `tue`?"),
        ({"mon": ["09:00-13:00"], "Tuesday": []}, '"Tuesday" isn\'t a known key for a day', "Did you mean `tue`?"),
        ({"mon": ["09:00-13:00"], "holidays": []}, "isn't a known key for a day", "Use `mon`, `tue`,"),
        ({"mon": ["09:00-13:00"], "thurs": []}, '"thurs" isn\'t a known key for a day', "Did you mean `thu`?"),
        ({"monday": ["09:00-13:00"]}, '"monday" isn\'t a known key for a day', "Did you mean `mon`?"),
        ({"Mon": ["09:00-13:00"]}, '"Mon" isn\'t a known key for a day', "Did you mean `mon`?"),
        ({"Mo": ["09:00-13:00"]}, '"Mo" isn\'t a known key for a day', "Did you mean `mon`?"),
        ({"SUN": []}, '"SUN" isn\'t a known key for a day', "Did you mean `sun`?"),
        ({"miércoles": []}, '"miércoles" isn\'t a known key for a day', "Did you mean `wed`?"),
        ({"Sábados": []}, '"Sábados" isn\'t a known key for a day', "Did you mean `sat`?"),
        ({"terça-feira": []}, '"terça-feira" isn\'t a known key for a day', "Did you mean `tue`?"),
        (
            {"mon-fri": ["09:00-13:00"]},
            '"mon-fri" isn\'t a known key',
            "of its own: `mon`, `tue`, `wed`, `thu`, `fri`.",
        ),
        ({"Fr–Mo": []}, '"Fr–Mo" isn\'t a known key for a day', "`fri`, `sat`, `sun`, `mon`."),
        ({"lunes a viernes": []}, '"lunes a viernes" isn\'t a known key', "`mon`, `tue`, `wed`, `thu`, `fri`."),
        ({"mon-mon": ["09:00-13:00"]}, '"mon-mon" isn\'t a known key for a day', "Did you mean `mon`?"),
        ({"mon": [], "Sonn": []}, '"Sonn" isn\'t a known key for a day', "Use `mon`, `tue`,"),
        ({"weekend": []}, '"weekend" isn\'t a known key for a day', "`sat`, `sun`."),
        ({"mon": "9-5"}, "these hours aren't in a list", 'Write hours such as `["09:00-13:00"]`.'),
        ({"mon": "10am-2pm"}, '"10am-2pm" isn\'t a list of hours', 'Otherwise, write hours such as `["09:00-13:00"]`.'),
        ({"sun": "closed"}, '"closed" isn\'t a list of hours', "leave the day out"),
        ({"sun": "all day"}, '"all day" isn\'t a list of hours', '`["00:00-24:00"]`'),
        ({"mon": "9:00-13:00"}, "these hours aren't in a list", 'Write `["09:00-13:00"]`.'),
        (["mon", "tue"], "the days are a list", "Write each day as a key"),
        (["Monday 09:00-17:00"], "the days are a list", "Write each day as a key"),
        ({"mon": ["09:00-23:59"]}, '"09:00-23:59" leaves out the last minute of the day', "Write `09:00-24:00`"),
    ],
)
def test_opening_hours_that_cannot_be_meant_are_told(tmp_path: Path, days: Json, message: str, hint: str) -> None:
    ((told, way_out),) = advised(tmp_path, operatingHours=week(days))
    assert message in told
    assert hint in way_out


@pytest.mark.parametrize(
    "value",
    [
        week({"mon": ["00:00-24:00"], "tue": ["14:00-18:00", "09:00-14:00"], "wed": []}),
        week({"first": ["9-5"], "second": "open"}),
        week({"mon": {"open": "9"}, "tue": [9, None, ["9-5"]], "thu": None}),
        week("always"),
        week(None, zone="UTC"),
        {"timezone": 7, "days": {"sun": ["10:00-11:00"]}},
        {"schedule": {"mon": "x"}},
        {"mon": "x", "tz": "UTC"},
        week([{"weekday": 1, "startMinute": 540}]),
    ],
)
def test_hours_of_another_shape_or_without_a_flaw_are_passed_over(tmp_path: Path, value: Json) -> None:
    assert advised(tmp_path, operatingHours=value) == []


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Europe/Madird", "Did you mean `Europe/Madrid`?"),
        ("bogota", "Did you mean `America/Bogota`?"),
        ("new york", "Did you mean `America/New_York`?"),
        ("Europe", "Did you mean"),
        ("", "Use a name from the IANA time zone database"),
        ("../../../etc/passwd", "Use"),
        ("a\0b", "IANA"),
        ("x" * 5000, "IANA"),
        ("☃", "IANA"),
    ],
)
def test_a_time_zone_that_nobody_knows_is_told_with_the_nearest(tmp_path: Path, zone: str, hint: str) -> None:
    ((told, way_out),) = advised(tmp_path, operatingHours=week({"mon": []}, zone=zone), offlineMessage="x")
    assert "isn't a known time zone" in told
    assert hint in way_out


def test_a_channel_that_is_never_open_and_never_says_so_is_told(tmp_path: Path) -> None:
    text = """\
defaults: {operatingHours: {days: {}}}
channels:
  - name: A
  - name: B
    operatingHours: {days: {mon: []}}
  - name: C
    offlineMessage: Closed
  - name: D
    operatingHours: {days: {mon: ["09:00-10:00"]}}
  - name: E
    operatingHours: {days: {}}
    offlineMessage: null
  - {name: F, sync: {state: absent}}
"""
    message = "this channel is never open, and without `offlineMessage` visitors aren't told why"
    found = [line.split(" | ")[0] for line in said(tmp_path, text)]
    assert found == [
        f"3:5 channels[0].operatingHours.days: {message}",
        f"5:28 channels[1].operatingHours.days: {message}",
        f"11:28 channels[4].operatingHours.days: {message}",
    ]


def test_two_items_with_one_id_are_told(tmp_path: Path) -> None:
    text = "channels:\n  - name: A\n    departments: [{id: 1}, {id: a}, {}, {id: a}, {id: null}, {id: null}, {id: 1}]\n"
    found = [line.split(" | ")[0] for line in said(tmp_path, text)]
    assert found == [
        "3:46 channels[0].departments[3].id: this item has the same `id` as the one at [1]",
        "3:79 channels[0].departments[6].id: this item has the same `id` as the one at [0]",
    ]


@pytest.mark.parametrize(
    ("color", "ratio"), [("#ffffff", 1), ("#000", 21), ("#0f766e", 5.47), ("#949494", 3.03), ("#959595", 2.99)]
)
def test_the_contrast_to_white_is_that_of_wcag(tmp_path: Path, color: str, ratio: float) -> None:
    assert contrast_to_white(color) == pytest.approx(ratio, abs=0.01)
    assert bool(advised(tmp_path, color=color)) is (ratio < 3)


def test_a_colour_that_white_is_lost_on_is_told_with_its_contrast(tmp_path: Path) -> None:
    ((message, hint),) = advised(tmp_path, color="#959595")
    assert message == 'white text on "#959595" has a contrast of 2.99:1, which is hard to read'
    assert "3:1" in hint


def test_advice_comes_beside_errors_and_about_accepted_values_only(tmp_path: Path) -> None:
    text = channel(color="#fff", allowedDomains=["https://x", []], operatingHours=[])
    found = problems(tmp_path, HEAD + text)
    assert [(each.severity, each.code) for each in found] == [
        ("warning", "contrast"),
        ("error", "type"),
        ("error", "type"),
    ]


def test_advice_about_defaults_is_given_once(tmp_path: Path) -> None:
    text = 'defaults: {color: "#fff"}\nchannels: [{name: A}, {name: B}]\n'
    assert [line.split(": ")[0] for line in said(tmp_path, text)] == ["1:19 defaults.color"]


def test_countless_warnings_come_to_an_end_and_hide_no_error(tmp_path: Path) -> None:
    many: Json = [f"https://{number}.example" for number in range(3000)]
    found = load(tmp_path, HEAD + channel(allowedDomains=many)).problems
    assert len(found) == 1001
    assert "this document has more than 1,000 problems, and not all of them are listed" in {
        each.message for each in found
    }
    wrong = problems(tmp_path, HEAD + channel(allowedDomains=many) + "  - nme: B\n")
    assert [each.message for each in wrong if each.severity == "error"] == [
        "this document has more than 1,000 problems, and not all of them are listed",
        "`name` is missing",
        "`nme` isn't a known key here",
    ]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["09:00-10:00", "mon", "#fff", "http://"]),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["timezone", "days", "mon", "sun", "id"]), inner)
    ),
)


@pytest.mark.slow
@settings(derandomize=True, max_examples=100)
@given(ANY)
def test_no_value_is_too_odd_for_advice(value: Json) -> None:
    for field in catalogue().fields.values():
        advise = advice.adviser(field)
        for finding in advise(value) if advise else ():
            assert finding.severity == "warning"
            assert finding.message
            assert finding.hint
    list(advice.silent_week({"operatingHours": value}))


@pytest.mark.parametrize(
    ("beside", "hint"),
    [
        ({"monday": "9-17"}, '`mon: ["09:00-17:00"]`'),
        ({"Tue": ["09:00-12:00", "13.00-17.00"]}, '`tue: ["09:00-12:00", "13:00-17:00"]`'),
        ({"weekend": ["10:00-12:00"]}, 'under `days`: `sat: ["10:00-12:00"]`, `sun: ["10:00-12:00"]`.'),
        ({"fri": []}, "under `days`: `fri: []`."),
        ({"fri": None}, "under `days`: `fri: []`."),
        ({"fri": "all day"}, 'under `days`, for example `fri: ["09:00-13:00"]`.'),
        ({"thu": [{"from": "09:00"}]}, 'under `days`, for example `thu: ["09:00-13:00"]`.'),
        ({"hours": ["9-17"]}, 'under `days`, for example `mon: ["09:00-17:00"]`.'),
    ],
)
def test_days_and_ranges_beside_days_are_told(tmp_path: Path, beside: dict[str, Json], hint: str) -> None:
    (key,) = beside
    hours: Json = {"timezone": "Europe/Madrid", "days": {"sat": ["10:00-12:00"]}, **beside}
    ((told, way_out),) = advised(tmp_path, operatingHours=hours)
    assert told == f'"{key}" is next to `days` instead of under it, so its hours may be ignored'
    assert hint in way_out


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ({"timezone": "UTC", "Days": {}}, '"Days" isn\'t a known key of opening hours', "Did you mean `days`?"),
        (
            {"timeZone": "UTC", "days": OPEN},
            '"timeZone" isn\'t a known key of opening hours',
            "Did you mean `timezone`?",
        ),
        ({"time_zone": "UTC", "days": OPEN}, '"time_zone" isn\'t a known key', "Did you mean `timezone`?"),
        ({"Days": {"Monday": []}}, '"Days" isn\'t a known key of opening hours', "Did you mean `days`?"),
        ({"mon": ["9-17"]}, '"mon" isn\'t under `days`, so its hours may be ignored', '`mon: ["09:00-17:00"]`'),
        ({"timezone": "UTC", "lunes": ["9-17"]}, '"lunes" isn\'t under `days`', '`mon: ["09:00-17:00"]`'),
    ],
)
def test_keys_of_opening_hours_in_another_spelling_are_told(
    tmp_path: Path, value: Json, message: str, hint: str
) -> None:
    ((told, way_out),) = advised(tmp_path, operatingHours=value)
    assert message in told
    assert hint in way_out


@pytest.mark.parametrize("zone", ["UTC+1", "GMT-05:00", "+02:00"])
def test_no_zone_of_another_time_is_suggested_for_an_offset(tmp_path: Path, zone: str) -> None:
    ((_, way_out),) = advised(tmp_path, operatingHours=week({"mon": ["09:00-13:00"]}, zone=zone))
    assert way_out == "Use a name from the IANA time zone database, for example `Europe/Madrid`."


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "Factory", "posix/Europe/Madrid", "right/UTC"])
def test_a_time_zone_that_is_no_place_is_told(tmp_path: Path, zone: str) -> None:
    ((told, _),) = advised(tmp_path, operatingHours=week({"mon": ["09:00-13:00"]}, zone=zone))
    assert "isn't" in told


def test_items_of_one_label_are_told_unless_their_ids_tell_them_apart(tmp_path: Path) -> None:
    email: dict[str, Json] = {"label": "Email"}
    ((told, way_out),) = advised(tmp_path, prechatFields=[email, {"label": "Phone"}, {**email, "required": True}])
    assert told == "this item has the same `label` as the one at [0]"
    assert "`id`" in way_out
    assert advised(tmp_path, prechatFields=[{**email, "id": "f-1"}, {**email, "id": "f-2"}]) == []
    ((named, _),) = advised(tmp_path, departments=[{"name": "Sales"}, {"name": "Sales", "x": 1}])
    assert "the same `name`" in named
