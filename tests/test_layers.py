"""Keeps the rooms apart: who may import whom, read from the source."""

from __future__ import annotations

import ast
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import get_args

import pytest

import purity
import webchat_sync
from webchat_sync.model import Operation

ROOT = Path(webchat_sync.__file__).parent
MAY_IMPORT = {
    "frozen": set(),
    "lazy_pattern": set(),
    "errors": {"jsonvalue"},
    "files": set(),
    "flat": set(),
    "sentences": set(),
    "strict_json": set(),
    "tree": set(),
    "git": {"errors", "git_messages", "jsonvalue", "tree"},
    "git_messages": {"sentences"},
    "environment": set(),
    "create_once": {"environment", "errors"},
    "jsonvalue": {"flat"},
    "redact": {"model"},
    "readings": {"model"},
    "leaks": {"model"},
    "model": {"jsonvalue", "errors"},
    "domain": {"flat", "jsonvalue", "model", "errors"},
    # It could be a library of its own.
    "yaml12": {"flat", "jsonvalue", "strict_json", "errors"},
    "check": {
        *("domain", "environment", "errors", "flat", "jsonvalue", "leaks", "model", "redact", "sentences", "yaml12"),
    },
    "manifest": {
        *("check", "domain", "environment", "errors", "flat", "jsonvalue", "leaks", "model", "readings", "redact"),
        *("secrets", "sentences", "strict_json", "tree", "yaml12"),
    },
    "plan": {"jsonvalue", "domain", "leaks", "model", "errors", "sentences"},
    "planfile": {"flat", "jsonvalue", "sentences", "strict_json", "plan", "domain", "leaks", "model", "errors"},
    "apply": {"create_once", "domain", "environment", "model", "errors"},
    "workflow": {
        *("api", "apply", "check", "create_once", "domain", "environment", "errors", "files", "forge", "manifest"),
        *("memory", "model", "plan", "planfile", "secrets", "sentences", "tree"),
    },
    "secrets": {
        *("domain", "environment", "errors", "files", "flat", "leaks", "model", "readings", "redact", "sentences"),
        *("strict_json", "tree"),
    },
    "memory": {
        *("environment", "flat", "jsonvalue", "strict_json", "files", "git", "git_messages", "tree", "redact"),
        *("model", "errors", "sentences"),
    },
    "api": {
        *(
            "flat",
            "jsonvalue",
            "domain",
            "environment",
            "leaks",
            "sentences",
            "strict_json",
            "redact",
            "model",
            "errors",
        ),
    },
    # It speaks HTTP as `api` does: one way of repeating calls, of reading failures and of keeping tokens out of them.
    # It pushes a branch as `memory` pushes its refs: one way of keeping the token out of git's hands.
    "forge": {"api", "create_once", "environment", "jsonvalue", "memory", "strict_json", "model", "errors", "tree"},
    "render": {"flat", "domain", "leaks", "planfile", "plan", "model", "errors", "sentences"},
    "emulator": {"jsonvalue", "strict_json", "yaml12", "domain", "model", "errors", "sentences", "tree"},
    "preview": {"environment", "render", "errors"},
    "cli": {
        *("apply", "api", "check", "emulator", "environment", "errors", "domain", "files", "flat", "forge", "git"),
        "jsonvalue",
        *("leaks", "manifest", "memory", "model", "plan", "planfile", "preview", "render", "secrets", "sentences"),
        *("strict_json", "tree", "workflow"),
    },
}

ONE_BY_ONE = ("render", "secrets/sinks", "workflow")
"""The rooms with a module for every format, kind of sink or use case, however small."""


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    """What the module imports; of this package, also what may be a module in it."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
            if node.module == "webchat_sync":
                modules |= {f"webchat_sync.{name.name}" for name in node.names if name.name != "__version__"}
    return modules


def classes(case: ast.match_case) -> set[str]:
    return {ast.unparse(each.cls) for each in ast.walk(case.pattern) if isinstance(each, ast.MatchClass)}


def test_a_room_imports_only_the_rooms_that_it_may() -> None:
    files = [path for path in ROOT.rglob("*.py") if room(path) not in {"__init__", "__main__"}]
    needed: dict[str, set[str]] = {room(path): set() for path in files}
    for path in files:
        ours = {module.split(".")[1] for module in imported_modules(path) if module.startswith("webchat_sync.")}
        ours -= {"frozen", "lazy_pattern"}  # every room may have such classes and patterns
        forbidden = ours - MAY_IMPORT[room(path)] - {room(path)}
        assert not forbidden, f"{path.relative_to(ROOT)} imports {sorted(forbidden)}"
        needed[room(path)] |= ours - {room(path)}
    assert needed == MAY_IMPORT


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in ROOT.rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > 300} == {}


def test_a_small_module_with_one_user_is_part_of_that_user() -> None:
    users: defaultdict[str, set[Path]] = defaultdict(set)
    for path in [*ROOT.rglob("*.py"), *(Path(__file__).parents[1] / "scripts").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                for module in (node.module or "", *(f"{node.module}.{name.name}" for name in node.names)):
                    users[module].add(path)
    paths = {path.relative_to(ROOT.parent).with_suffix(""): path for path in ROOT.rglob("*.py")}
    used_once = {name for name in paths if len(users[".".join(name.parts)]) == 1}
    small = {name for name in used_once if len(paths[name].read_text(encoding="utf-8").splitlines()) < 50}
    assert [name for name in small if not name.relative_to("webchat_sync").as_posix().startswith(ONE_BY_ONE)] == []


def test_no_match_over_operations_lets_a_new_one_pass() -> None:
    """A default would keep mypy from naming the place."""
    operations = {kind.__name__ for kind in get_args(Operation)}
    found = [
        (path, match)
        for path in ROOT.rglob("*.py")
        for match in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(match, ast.Match) and operations & {name for case in match.cases for name in classes(case)}
    ]
    assert len(found) >= len(operations)
    for path, match in found:
        for case in match.cases:
            default = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
            assert not default or "assert_never(" in ast.unparse(case.body[0]), f"{path}:{case.pattern.lineno}"


def test_the_pure_rooms_import_nothing_that_does_input_or_output() -> None:
    edges = {"anyio", "asyncio", "click", "httpx", "os", "pathlib", "socket", "subprocess", "sys", "yaml"}
    for path in [path for pure in purity.PURE for path in (ROOT / pure).rglob("*.py")]:
        # The catalogue is read from the schema file that the package ships; PyYAML's parser is asked over bytes.
        allowed = {"pathlib"} if path == ROOT / "domain" / "catalogue.py" else set()
        allowed |= {"yaml"} if room(path) == "yaml12" else set()
        assert not (edges - allowed) & {module.split(".")[0] for module in imported_modules(path)}, path


def open_a_file() -> None:
    Path(__file__).open(encoding="utf-8").close()


def list_a_folder() -> None:
    list(Path(__file__).parent.iterdir())


def make_a_socket() -> None:
    socket.socket().close()


def start_a_program() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def as_if_written_in(path: Path, function: Callable[[], None]) -> Callable[[], None]:
    """``function`` as it would be if its source stood in that file."""
    return FunctionType(function.__code__.replace(co_filename=str(path)), globals())


@pytest.mark.parametrize("doing", [open_a_file, list_a_folder, make_a_socket, start_a_program])
def test_what_a_pure_room_opens_by_calling_is_seen(doing: Callable[[], None]) -> None:
    """The other half of it is in every test: see ``_the_pure_rooms_do_no_input_or_output`` in conftest.py."""
    for room in purity.PURE:
        as_if_written_in(ROOT / room / "planted.py", doing)()
        assert {place.rpartition(" at ")[2].rpartition(":")[0] for place in purity.taken()} == {
            str(ROOT / room / "planted.py")
        }
    as_if_written_in(ROOT / "files.py", doing)()
    doing()
    assert purity.taken() == []
