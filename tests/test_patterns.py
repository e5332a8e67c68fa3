"""No pattern of the program takes more than linear time, whatever text somebody gives it."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

import webchat_sync
from webchat_sync.domain.catalogue import load_schema, schema_path
from webchat_sync.lazy_pattern import LazyPattern

ROOT: Final = Path(webchat_sync.__file__).parent
SMALL: Final = 500
FACTOR: Final = 8
MOST_RATIO: Final = FACTOR * 3
"""A quadratic pattern has FACTOR squared."""

NEGLIGIBLE: Final = 0.005
"""Seconds for the large text: less is noise, and no attack."""

PIECES: Final = [
    *"aA0 \n\t.-_/\\\"'`|:[{<#$=+é漢\u200d}",
    *(
        "\x1b[",
        "${",
        "$${",
        "\\n",
        '\\"',
        "''",
        "a:",
        "a b",
        "<a",
        "</",
        "<script",
        "::",
        "##[",
        "\r\n",
        "---\n",
        "%20",
    ),
    *("eyJaaaaaaaa", "eyJaaaaaaaa.eyJ", "mk_live_", "mk_live_a.", "AKIA", "ghp_", "glpat-", "xox", "sk_live_"),
    *("secret", "secret-", "token=", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "SG.aaaaaaaaaaaaaaaa", "hvs."),
    *("& ", "&a ", "!a ", "09:00-13:00 ", "1:", "1_", "-1", "a.b", "a-", "a_b", " #a", "  -", "- ", "{a", "a,", "a\\"),
]
_METHODS: Final = ("fullmatch", "match", "search", "sub", "split", "findall", "finditer")
_FUNCTIONS: Final = ("compile", *_METHODS)


ROOMS: Final = sorted({path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py")})
"""The first names below the package, of modules and of folders."""


def modules(room: str) -> Iterator[ModuleType]:
    for path in [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py")):
        name = ".".join(("webchat_sync", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        if not name.endswith("__main__"):
            yield import_module(name)


def is_of_re(called: ast.expr) -> bool:
    """Whether it is ``lazy_pattern``, ``re.sub`` and the like."""
    match called:
        case ast.Name("lazy_pattern"):
            return True
        case ast.Attribute(ast.Name("re"), name):
            return name in _FUNCTIONS
    return False


@cache
def patterns(room: str) -> dict[str, re.Pattern[Any]]:
    """All compiled patterns of the room's modules, and all that are written where they are used."""
    found: dict[str, Any] = {}
    for module in modules(room):
        for name, value in vars(module).items():
            if isinstance(value, LazyPattern):
                found[f"{module.__name__}.{name}"] = value
            if isinstance(value, dict):
                found |= {
                    f"{module.__name__}.{name}[{key}]": each
                    for key, each in value.items()
                    if isinstance(each, LazyPattern)
                }
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and is_of_re(node.func):
                try:
                    source = eval(ast.unparse(node.args[0]), dict(vars(module)))  # noqa: S307 - our own source
                except NameError:
                    continue  # it is made of arguments
                if isinstance(source, str | bytes) and not any(source == each.pattern for each in found.values()):
                    found[f"{module.__name__}:{node.lineno}"] = re.compile(source)
    return found


def schema_patterns(schema: object) -> Iterator[str]:
    """What texts are held against that stand in manifests and saved plans."""
    if isinstance(schema, dict):
        yield from [schema["pattern"]] if isinstance(schema.get("pattern"), str) else []
        yield from schema.get("patternProperties", {})
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from schema_patterns(inner)


def schemas() -> dict[str, re.Pattern[Any]]:
    names = [path.name.partition(".")[0] for path in schema_path("channel").parent.glob("*.schema.json")]
    written = {pattern for name in names for pattern in schema_patterns(load_schema(name))}
    return {f"schema:{pattern}": re.compile(pattern) for pattern in written}


@cache
def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))


def used(name: str) -> set[str]:
    """The methods with which the program uses the pattern; ``finditer`` where it is looked for in all of a text."""
    module, _, short = name.partition(":")[0].rpartition(".")
    short = short.partition("[")[0]
    path = ROOT.joinpath(*module.split(".")[1:])
    own = (path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py").read_text("utf-8")
    source = own if short.startswith("_") else sources()
    methods = set(re.findall(rf"\b{re.escape(short)}(?:\[[^\]]*\])?\)?\.(\w+)\(", source)) & set(_METHODS)
    return {method if method in {"match", "fullmatch"} else "finditer" for method in methods or {"finditer"}}


def seconds(pattern: re.Pattern[Any], text: str, methods: set[str]) -> float:
    given = text if isinstance(pattern.pattern, str) else text.encode()
    began = time.thread_time()
    for method in methods:
        for _ in pattern.finditer(given) if method == "finditer" else [getattr(pattern, method)(given)]:
            pass
    return time.thread_time() - began


def texts(size: int) -> Iterator[tuple[str, str]]:
    for piece in PIECES:
        for ending in ("", "\x00", "!", "\n"):
            yield repr((piece, ending)), piece * (size // len(piece)) + ending
        for opening in ('"', "'", "<", "{", "a", "&a ", "-----BEGIN PRIVATE KEY-----"):
            yield repr((opening, piece)), opening + piece * (size // len(piece))


def test_the_patterns_are_found() -> None:
    compiled = [path.name for path in ROOT.rglob("*.py") if "re.compile(" in path.read_text(encoding="utf-8")]
    assert sorted(compiled) == ["lazy_pattern.py", "pattern_cost.py"], "use lazy_pattern, so that only it is compiled"
    assert len(patterns("api")) > 10
    assert "webchat_sync.leaks._TOKEN" in patterns("leaks.py")
    assert "webchat_sync.api.sanitize.MARKUP" in patterns("api")
    assert "schema:^[a-z]+(-[a-z]+)*$" in schemas()


def slow(pattern: re.Pattern[Any], methods: set[str]) -> Iterator[str]:
    """The texts for which the pattern takes more than linear time."""
    for (named, small), (_, large) in zip(texts(SMALL), texts(SMALL * FACTOR), strict=True):
        took = seconds(pattern, large, methods)
        if took > NEGLIGIBLE:
            # The best of several, so that what else the machine does is not counted.
            took = min(took, *(seconds(pattern, large, methods) for _ in range(2)))
            before = min(seconds(pattern, small, methods) for _ in range(3))
            if took > NEGLIGIBLE and took > MOST_RATIO * before:
                yield f"{named}: {before:.4f} s, then {took:.4f} s"


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_a_pattern_of_a_room_takes_no_more_than_linear_time(room: str) -> None:
    for name, pattern in patterns(room).items():
        methods = {"finditer"} if ":" in name else used(name)
        assert (name, next(slow(pattern, methods), None)) == (name, None)


@pytest.mark.slow
def test_a_pattern_of_a_schema_takes_no_more_than_linear_time() -> None:
    for name, pattern in schemas().items():
        assert (name, next(slow(pattern, {"finditer"}), None)) == (name, None)


@pytest.mark.parametrize("source", [r"\w+\.x", r"\s+x", r'"(?:[^"\\]|\\.)*"', r"(\\*)\|"])
def test_a_quadratic_pattern_is_noticed(source: str) -> None:
    assert next(slow(re.compile(source), {"finditer"}), None) is not None
