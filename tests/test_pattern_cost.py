"""How long a pattern from a manifest or a policy may take is known before it's tried."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sizes import examples
from webchat_sync.check.pattern_cost import Limits, pattern_flaw

LIMITS: Final = Limits(characters=500, text=2_000, steps=100_000_000)
"""Those of policies."""

FINE: Final = [
    *("", "x", "^[a-z]+$", "[a-z]+", r"(^|\.)example\.com$", "^.*@.*$", r"^.*@.*\.example\.com$", "a?b?c?", "a{3}"),
    *(r"^\d{1,3}$", "^(?:red|green|blue)$", r"^(?:[a-z0-9-]{1,63}\.)?example\.com$", "^(ab)*$", "((a{2}){2}){2}"),
    *(r"(?=.*\d)x", r"^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])(?!.*\s).{8,}$", "(?<!a)b", "(?<=a)b", "^a*+b*+c*+", "(?>a*)b"),
    *("(?P<word>a|b)", "(?i)^canci[óÓ]n[á-ú]*$", "(?i:a)b", "(?i-s:a)", "(?i)(?s)^a.*", "^a|^b*c*", r"\A.*.*$"),
    *("[]]", "[^]]*", r"[\]]", "[(]", "[a|b]+", "a{", "{}", "a{x}", "a{,3}", "x{1,2", "()", "a||b", r"\0", r"\x41"),
    *("a" * 500, "(" * 40 + ")" * 40, "[aĀ]" * 20, "[aÿ]" * 21 + r"\d", "漢字" * 200),
]
REFUSED: Final = {
    "it repeats a group that contains a repetition or an alternative": [
        *("(a+)+", "(a*)*b", "(a|a)*b", "(?:a|ab)+", "(x+x+)+y", "(?=(a+)+)b", "^(a?){50}$", "^(a|ab|abc){40}$"),
        *("^(.*.*){100}$", "^(a*){5}+$", "^(a*)++$", "(?>(a*)*)b", "(?i:(a+)+)", "(?P<x>a+)+"),
    ],
    "it can take more than 100,000,000 steps, for text of up to 2,000 characters": [
        *(".*a.*b", "^.*.*.*$", "a|^.*.*$|.*.*", "a?" * 30 + "a" * 30, "(?:a|a)" * 20, "a{0,5}" * 20, "(?m)^.*.*$"),
        *("(?:){1000000}", "^(?:){4294967294}$", r"^(?:(?:\b){60000}){60000}$", "(^.*.*)", "(?m)^.*.*x"),
    ],
    "it has more than 500 characters": ["x" * 501],
    "it has a backreference": [r"(a)\1", r"(?:(a)|b)*\1"],
    "it contains `(?P=`, which isn't supported": ["(?P<x>a)(?P=x)"],
    "it contains `(?#`, which isn't supported": ["(?#(a+)"],
    "it contains `(?(`, which isn't supported": ["(a)?(?(1)b|c)"],
    "it contains `(?x`, which isn't supported": ["(?x)a # (", "(?x:a # (\n)"],
    "it has more than 40 groups inside each other": ["(" * 41 + ")" * 41],
    "it has more than 20 character classes, with characters beyond Latin-1 or escapes such as `\\x41`": [
        *("[aĀ]" * 21, "[a]" * 21 + "Ā", r"[\u0100]" * 21, r"[\N{BULLET}]" * 21),
    ],
    "it ignores case, and has large ranges or escapes such as `\\x41`": [
        *("(?i)[Ā-𐀀]", "(?i:[--\U0010ffff])", r"(?i)[\u0100-\U0010ffff]", "(?si)[a-\\\U0010ffff]", r"(?i)\\\x41"),
    ],
}


@pytest.mark.parametrize("pattern", FINE)
def test_a_pattern_that_takes_quadratic_time_at_most_is_accepted(pattern: str) -> None:
    assert pattern_flaw(pattern, LIMITS) is None


@pytest.mark.parametrize(
    ("reason", "pattern"), [(reason, pattern) for reason, patterns in REFUSED.items() for pattern in patterns]
)
def test_a_pattern_that_may_take_longer_is_refused_with_the_reason(reason: str, pattern: str) -> None:
    flaw = pattern_flaw(pattern, LIMITS)
    assert flaw is not None
    assert flaw.message == f"this pattern can take too long: {reason}"
    assert flaw.hint


@pytest.mark.parametrize(
    "pattern", ["(", "*", "[a-z", "a**", "(?i)a(?m)", "a{" + "9" * 400 + "}", r"\q", "(?z)", "(?L)a"]
)
def test_what_is_no_pattern_is_an_error_of_its_own(pattern: str) -> None:
    flaw = pattern_flaw(pattern, LIMITS)
    assert flaw is not None
    assert flaw.message.startswith("this isn't a valid pattern: ")


def test_the_limits_are_those_of_the_caller() -> None:
    assert pattern_flaw("^a*$", Limits(4, 10, 60)) is None
    assert pattern_flaw("^a*$", Limits(3, 10, 60)) is not None
    assert pattern_flaw("^a*$", Limits(4, 100, 60)) is not None
    assert pattern_flaw("^a*$", Limits(4, 10, 30)) is not None


@dataclass(frozen=True)
class Atom:
    written: str


@dataclass(frozen=True)
class Group:
    """Alternatives, each a row of parts."""

    opening: str
    rows: tuple[tuple[Part, ...], ...]


@dataclass(frozen=True)
class Repeated:
    part: Atom | Group
    written: str
    least: int
    most: int | None


Part: TypeAlias = "Atom | Group | Repeated"


def text_of(part: Part) -> str:
    match part:
        case Atom(written):
            return written
        case Group(opening, rows):
            return f"{opening}{'|'.join(''.join(map(text_of, row)) for row in rows)})"
        case Repeated(inner, written):
            return text_of(inner) + written


@dataclass
class Search:
    """Tries every way to match a part with a text, and counts the steps, until there are ``most`` of them."""

    text: str
    most: int
    steps: int = field(default=0)

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.most:
            raise OverflowError

    def ends(self, part: Part, at: int) -> Iterator[int]:
        match part:
            case Atom("^"):
                self.step()
                yield from [at] if at == 0 else []
            case Atom(written):
                self.step()
                yield from [at + 1] if self.text[at : at + 1] in set(written) & set("ab") else []
            case Group(opening, rows):
                ends = itertools.chain.from_iterable(self.row_ends(row, at) for row in rows)
                match opening:
                    case "(?=":
                        yield from [at for _ in itertools.islice(ends, 1)]
                    case "(?!":
                        yield from [] if next(ends, None) is not None else [at]
                    case "(?>":
                        yield from itertools.islice(ends, 1)
                    case _:
                        yield from ends
            case Repeated():
                yield from self.repeated_ends(part, 0, at)

    def row_ends(self, row: tuple[Part, ...], at: int) -> Iterator[int]:
        if not row:
            yield at
        else:
            for end in self.ends(row[0], at):
                yield from self.row_ends(row[1:], end)

    def repeated_ends(self, part: Repeated, done: int, at: int) -> Iterator[int]:
        if part.most is None or done < part.most:
            self.step()
            for end in self.ends(part.part, at):
                if end > at or done < part.least:
                    yield from self.repeated_ends(part, done + 1, end)
        if done >= part.least:
            yield at


ATOMS: Final = st.sampled_from(["a", "b", "[ab]"]).map(Atom)
TIMES: Final = [
    *(("*", 0, None), ("+", 1, None), ("?", 0, 1), ("{2}", 2, 2), ("{1,3}", 1, 3), ("{2,}", 2, None), ("{,2}", 0, 2)),
    *(("*?", 0, None), ("{7}", 7, 7), ("{0}", 0, 0), ("{3,}?", 3, None)),
]


def parts(inner: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    rows = st.lists(st.lists(inner, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple)
    groups = st.builds(Group, st.sampled_from(["(", "(?:", "(?=", "(?!", "(?>"]), rows)
    repeated = st.builds(lambda part, times: Repeated(part, *times), ATOMS | groups, st.sampled_from(TIMES))
    return groups | repeated


@pytest.mark.slow
@given(
    st.lists(
        st.lists(st.recursive(ATOMS, parts, max_leaves=6) | st.just(Atom("^")), max_size=3).map(tuple),
        min_size=1,
        max_size=2,
    ),
    st.text("ab", max_size=6),
)
@example([(Repeated(Group("(", ((), (), ())), "+", 1, None),), ()], "")
@settings(max_examples=examples(400, thorough=20_000), deadline=None)
def test_no_text_takes_more_steps_than_were_counted(rows: list[tuple[Part, ...]], text: str) -> None:
    """A pattern is refused when the limit is below the steps that an exhaustive search takes."""
    pattern = "|".join("".join(map(text_of, row)) for row in rows)
    search = Search(text, most=5_000)
    try:
        for start in range(len(text) + 1):
            for row in rows:
                for _ in search.row_ends(row, start):
                    pass
    except OverflowError:
        pass
    flaw = pattern_flaw(pattern, Limits(1_000, len(text), search.steps - 1))
    assert search.steps == 0 or flaw is not None
    assert flaw is None or flaw.message.startswith("this pattern can take too long: ")
