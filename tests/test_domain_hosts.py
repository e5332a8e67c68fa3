"""When two texts in allowedDomains are one host: as browsers send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning import changes_for, declare, live
from webchat_sync.domain.hosts import as_sent, same_host_key


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
