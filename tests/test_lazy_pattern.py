"""A lazy pattern is the pattern itself, but compiled when it's used."""

from __future__ import annotations

import re

import pytest

from webchat_sync.lazy_pattern import lazy_pattern

METHODS = ("fullmatch", "match", "search", "findall", "split")


def test_it_does_what_the_compiled_pattern_does() -> None:
    for written, flags, text in [("(a)|B", re.IGNORECASE, "xAb\n"), ("^.$", re.DOTALL | re.MULTILINE, "a\nb")]:
        lazy, compiled = lazy_pattern(written, flags), re.compile(written, flags)
        for _ in range(2):
            for method in METHODS:
                assert str(getattr(lazy, method)(text)) == str(getattr(compiled, method)(text))
            assert lazy.sub("-", text) == compiled.sub("-", text)
        assert (lazy.pattern, lazy.flags, lazy.groups) == (compiled.pattern, compiled.flags, compiled.groups)
    assert lazy_pattern(rb"\w").findall(b"a-b") == [b"a", b"b"]


def test_an_invalid_one_is_only_noticed_when_it_is_used() -> None:
    lazy = lazy_pattern("(")
    for _ in range(2):
        with pytest.raises(re.error):
            lazy.search("")
    assert not hasattr(lazy_pattern("a"), "research")
