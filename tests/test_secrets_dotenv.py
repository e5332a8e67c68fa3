from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webchat_sync.secrets.sinks.dotenv_text import read_key, replace_key, takes_keys


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"KEY=new\n"),
        (b"A=1", b"A=1\nKEY=new\n"),
        (b"A=1\r\nB=2\r\n", b"A=1\r\nB=2\r\nKEY=new\r\n"),
        (b"A=1\nKEY=old\nB=2\n", b"A=1\nKEY=new\nB=2\n"),
        (b"A=1\r\nKEY=old\r\nB=2", b"A=1\r\nKEY=new\r\nB=2"),
        (b"KEY=old", b"KEY=new"),
        (b"KEY=\n", b"KEY=new\n"),
        (b"\nKEY=old\n", b"\nKEY=new\n"),
        (b"\n\nA=1\nKEY=old\n", b"\n\nA=1\nKEY=new\n"),
        (b"  export KEY = old # a comment\n", b"  export KEY = new # a comment\n"),
        (b"KEY='old # no comment' # one\n", b"KEY=new # one\n"),
        (b'KEY="two\nlines"\nB=2\n', b"KEY=new\nB=2\n"),
        (b'A="\nKEY=inside\n"\nKEY=old\n', b'A="\nKEY=inside\n"\nKEY=new\n'),
        (b'A="a \\" quote\nKEY=inside"\n', b'A="a \\" quote\nKEY=inside"\nKEY=new\n'),
        (b"KEY=one\nKEY=two\n", b"KEY=new\nKEY=new\n"),
        (b"# KEY=old\nMY_KEY=x\nKEY_2=y\n", b"# KEY=old\nMY_KEY=x\nKEY_2=y\nKEY=new\n"),
        (b"\xef\xbb\xbfKEY=old\n", b"\xef\xbb\xbfKEY=new\n"),
        (b"A=\xff\xfe\nKEY=old\n", b"A=\xff\xfe\nKEY=new\n"),
        (b"KEY='open\nB=2\n", b"KEY=new\nB=2\n"),
        (b"KEY=a#b\n", b"KEY=new\n"),
        (b"not an assignment\nKEY=old   \n", b"not an assignment\nKEY=new   \n"),
    ],
)
def test_one_key_is_replaced_and_the_rest_stays_byte_for_byte(before: bytes, after: bytes) -> None:
    assert replace_key(before, "KEY", "new") == after
    assert read_key(after, "KEY") == "new"


@pytest.mark.parametrize("value", ["plain", "with space", "a\\b", "a'b", "a\"b'c$d`e\\f", "#x", "="])
def test_every_printable_value_is_read_back(value: str) -> None:
    assert read_key(replace_key(b"A=1\nKEY=old\nB=2\n", "KEY", value), "KEY") == value


def test_a_value_with_a_line_break_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a dotenv file can't represent it$"):
        replace_key(b"", "KEY", "a\nb")


def test_a_key_that_is_not_there_is_none() -> None:
    assert read_key(b"A=1\n", "KEY") is None


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"KEY=", ""),
        (b"KEY='a b\\\\c'", "a b\\\\c"),
        (b'KEY="a \\"b\\\\c"', 'a "b\\c'),
        (b"KEY=`a b`", "a b"),
        (b"KEY='open", "'open"),
        (b'KEY="', '"'),
        (b"KEY=a\xffb", "a\ufffdb"),
        ("KEY=ä".encode(), "ä"),
    ],
)
def test_a_value_that_something_else_wrote_is_read(content: bytes, value: str) -> None:
    assert read_key(content, "KEY") == value


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        (b"", True),
        (b"\n  \n# only a comment\n", True),
        (b"# c\n\nA=1\nanything else\n", True),
        (b"\xef\xbb\xbf", True),
        (b"\xef\xbb\xbfA=1\n", True),
        (b"\xef\xbb\xbf# c\nexport A=1\n", True),
        (b"[section]\nKEY=old\n", True),
        (b"[section]\nA=1\n", False),
        (b"\xef\xbb\xbf[section]\nA=1\n", False),
        (b'{"KEY": 1}\n', False),
    ],
)
def test_a_key_is_only_added_to_what_looks_like_a_dotenv_file(content: bytes, taken: bool) -> None:
    assert takes_keys(content, "KEY") is taken


@given(content=st.binary(max_size=60), value=st.text("abcXYZ019_-", min_size=1))
def test_replacing_twice_is_replacing_once(content: bytes, value: str) -> None:
    once = replace_key(content, "KEY", value)
    assert replace_key(once, "KEY", value) == once
