from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webchat_sync.domain.names import confusable, has_invisible, is_blank, may_be_cut_off, same, skeleton, stored_form

CAFE = "Café"
SAME = [
    (CAFE, unicodedata.normalize("NFD", CAFE)),
    ("Support", "\ufeffSupport\u00a0"),
    ("Support", "\t Support\u2029"),
    ("Å", "\u212b"),
]
CONFUSABLE = [
    ("Support", "support"),
    ("STRASSE", "straße"),
    ("Support", "Sup\u200bport"),
    ("Support", "Sup\u00adport"),
    ("Sales  Team", "Sales Team"),
    ("Sales\u00a0Team", "Sales Team"),
    ("Q&A", "Q&amp;A"),
    ("Q&A", "Q&amp;amp;A"),
    ("ﬁnance", "finance"),
    ("Ｓｕｐｐｏｒｔ", "Support"),
    ("Help\ufe0f", "Help"),
    ("Support", "\u202eSupport"),
]


@pytest.mark.parametrize(("name", "other"), SAME)
def test_names_are_the_same_as_servers_store_them(name: str, other: str) -> None:
    assert same(name, other)
    assert confusable(name, other)


@pytest.mark.parametrize(("name", "other"), CONFUSABLE)
def test_names_are_taken_for_each_other(name: str, other: str) -> None:
    assert not same(name, other)
    assert confusable(name, other)
    assert confusable(other, name)


@pytest.mark.parametrize(("name", "other"), [("Support", "Support 2"), ("Café", "Cafe"), ("A", "B"), ("A B", "AB")])
def test_names_are_told_apart(name: str, other: str) -> None:
    assert not confusable(name, other)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u3164", "\ufeff \u00a0", "&nbsp;", "\u2800"[:0]])
def test_a_name_of_nothing_is_blank(name: str) -> None:
    assert is_blank(name)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("Support", False),
        ("Soporte 👩\u200d💻", False),
        ("Ayuda ❤\ufe0f", False),
        ("می\u200cخواهم", False),
        ("Sup\u200bport", True),
        ("\ufeffSupport", True),
        ("Support\u202e", True),
        ("Sup\u00adport", True),
    ],
)
def test_what_cannot_be_seen_is_found(name: str, hidden: bool) -> None:
    assert has_invisible(name) == hidden


def test_a_long_name_may_be_cut_off() -> None:
    whole = "Customer support for the northern region"
    assert may_be_cut_off(whole[:24], whole)
    assert not may_be_cut_off("Support", "Support for all")
    assert not may_be_cut_off(whole, whole)


@given(st.text(), st.text())
def test_both_relations_are_settled_and_one_is_in_the_other(name: str, other: str) -> None:
    assert stored_form(stored_form(name)) == stored_form(name)
    assert skeleton(stored_form(name)) == skeleton(name)
    assert confusable(name, skeleton(name)) or "&" in name
    if same(name, other):
        assert confusable(name, other)
