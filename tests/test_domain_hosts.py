"""When two texts in allowedDomains are one host: as browsers send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning import changes_for, declare, live
from webchat_sync.domain.hosts import as_sent, first_origin, same_host_key
from webchat_sync.model import Json


@pytest.mark.parametrize(
    "hosts",
    [
        ["BÜCHER.de", "bücher.de", "xn--bcher-kva.de", "XN--BCHER-KVA.de", "bu\u0308cher.de"],
        ["Example.COM", " example.com\n"],
        ["*.Köln.example", "*.xn--kln-sna.example"],
        ["bücher.de:8443", "XN--bcher-kva.de:8443"],
        ["a。example", "A.example"],
        ["*", "*"],
    ],
)
def test_ways_to_write_one_host_are_no_difference(hosts: list[str]) -> None:
    assert len({same_host_key(host) for host in hosts}) == 1
    for host in hosts:
        assert [
            change.action for change in changes_for([declare(allowedDomains=[host])], [live(allowedDomains=[hosts[0]])])
        ] == ["none"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("straße.de", "strasse.de"),
        ("faß.de", "fass.de"),
        ("σς.gr", "σσ.gr"),
        ("example.com", "example.com."),
        ("example.com", "*.example.com"),
        ("example.com", "example.com:443"),
        ("ﬁ\udc80.de", "fi\udc80.de"),
        ("a\udc80ß.de", "a\udc80ss.de"),
        ("İ.de", "i.de"),
    ],
)
def test_two_hosts_are_two_also_where_letters_fold_alike(one: str, other: str) -> None:
    assert same_host_key(one) != same_host_key(other)
    (change,) = changes_for([declare(allowedDomains=[one])], [live(allowedDomains=[other])])
    assert [(field.action, field.before, field.after) for field in change.fields] == [
        ("add", None, one),
        ("remove", other, None),
    ]


@given(st.text(max_size=12))
def test_no_text_is_too_odd(text: str) -> None:
    assert same_host_key(same_host_key(text)) == same_host_key(text)
    assert not as_sent(text) or as_sent(as_sent(text)) == as_sent(text)


@pytest.mark.parametrize(
    ("domains", "origin"),
    [
        (["www.example.com", "help.example.com"], "https://www.example.com"),
        (["*.example.com", "shop.example.com"], "https://shop.example.com"),
        (["*.example.com"], "https://www.example.com"),
        (["*"], ""),
        (["*", "*.example.com"], "https://www.example.com"),
        (["a.*.example.com", "b.example"], "https://b.example"),
        ([" BÜCHER.de\n"], "https://xn--bcher-kva.de"),
        (["https://Example.com/shop?x#y"], "https://example.com"),
        (["localhost:3000"], "https://localhost:3000"),
        (["example.com:443"], "https://example.com"),
        (["[::1]:8080"], "https://[::1]:8080"),
        (["::1"], "https://[::1]"),
        (["no host", "", "a.example\r\nX: y", "b.example"], "https://b.example"),
        ([7, None, {"host": "a.example"}], ""),
        ([], ""),
        (None, ""),
        ("www.example.com", ""),
    ],
)
def test_the_first_site_that_is_no_wildcard_is_the_origin(domains: Json, origin: str) -> None:
    assert first_origin(domains) == origin


@given(st.lists(st.text(max_size=12), max_size=3))
def test_an_origin_can_always_be_sent(domains: list[str]) -> None:
    origin = first_origin([*domains])
    assert origin.isascii()
    assert origin.isprintable()
    assert " " not in origin
