from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webchat_sync.domain.names import NameIndex, confusable, has_invisible, is_blank, same, skeleton, stored_form

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
WHOLE = ["Support for customers in Bogotá", "Café & Bar", "Sales Team of the North", "客服?", "Q&amp;A for everyone"]


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


@pytest.mark.parametrize(
    "name", ["", " ", "\u200b", "\u3164", "\ufeff \u00a0", "&nbsp;", "\u2800", "\U0001d159", "\ufff9"]
)
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


LONG = "Customer support for the northern region"


@pytest.mark.parametrize(
    ("name", "live", "may_be"),
    [
        (LONG, LONG[:24], True),
        (LONG, LONG[:8], False),
        (LONG, LONG[:11], True),
        ("Sales for Germany", "Sales", False),
        ("Salesforce", "Sales", True),
        ("Salon", "Sal", False),
        ("Support2", "Support", False),
        ("Floor 12", "Floor 1", False),
        ("Café", "Cafe", True),
        ("Café", "Caf?", True),
        ("客服", "??", True),
        ("客服", "???", True),
        ("客服", "支持", False),
        ("客服?", "客服", True),
        ("Why?", "Who?", False),
        ("👋", "!!", False),
        ("Sales Team", "sales-team", True),
        ("Sales", "Support", False),
    ],
)
def test_a_name_may_be_what_is_left_of_another_one(name: str, live: str, may_be: bool) -> None:
    assert NameIndex([live]).similar(name) == ([0] if may_be else [])


NAMES = st.lists(
    st.one_of(
        st.text(max_size=6),
        st.sampled_from([name for pair in (*SAME, *CONFUSABLE) for name in pair]),
        st.builds(lambda name, length: name[:length], st.sampled_from(WHOLE), st.integers(min_value=3, max_value=40)),
    ),
    max_size=12,
)


@given(NAMES, st.one_of(st.sampled_from(WHOLE), st.text(max_size=6)))
def test_among_many_names_the_same_ones_are_found_as_one_by_one(names: list[str], name: str) -> None:
    index = NameIndex(names)
    assert list(index.same(name)) == [at for at, other in enumerate(names) if same(name, other)]
    assert index.similar(name) == [at for at, other in enumerate(names) if NameIndex([other]).similar(name)]
    assert set(index.similar(name)) >= {at for at, other in enumerate(names) if confusable(name, other)}


@given(st.text(), st.text())
def test_both_relations_are_settled_and_one_is_in_the_other(name: str, other: str) -> None:
    assert stored_form(stored_form(name)) == stored_form(name)
    assert skeleton(stored_form(name)) == skeleton(name)
    assert confusable(name, skeleton(name)) or "&" in name
    if same(name, other):
        assert confusable(name, other)
