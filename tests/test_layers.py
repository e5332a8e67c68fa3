"""Keeps the rooms apart: who may import whom, read from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import webchat_sync

ROOT = Path(webchat_sync.__file__).parent
MAY_IMPORT = {
    "errors": set(),
    "files": set(),
    "tree": set(),
    "git": {"errors"},
    "environment": set(),
    "jsonvalue": set(),
    "redact": {"model"},
    "leaks": {"model"},
    "model": {"jsonvalue", "errors"},
    "domain": {"model", "errors"},
    # It could be a library of its own.
    "yaml12": {"jsonvalue", "errors"},
    "check": {"yaml12", "domain", "leaks", "redact", "model", "errors"},
    "manifest": {"check", "yaml12", "secrets", "tree", "domain", "leaks", "model", "errors"},
    "plan": {"domain", "leaks", "model", "errors"},
    "planfile": {"plan", "domain", "leaks", "model", "errors"},
    "apply": {"environment", "model", "errors"},
    "workflow": {
        *("api", "apply", "check", "domain", "environment", "errors", "manifest", "memory"),
        *("model", "plan", "planfile", "secrets", "tree"),
    },
    "secrets": {"environment", "files", "tree", "redact", "model", "errors"},
    "memory": {"files", "git", "redact", "model", "errors"},
    "api": {"domain", "environment", "leaks", "redact", "model", "errors"},
    # It speaks HTTP as `api` does: one way of repeating calls, of reading failures and of keeping tokens out of them.
    "forge": {"api", "environment", "model", "errors"},
    "render": {"domain", "leaks", "planfile", "plan", "model", "errors"},
    "emulator": {"domain", "files", "model", "errors"},
    "cli": {
        *("apply", "api", "check", "emulator", "environment", "errors", "domain", "files", "forge", "git"),
        *("manifest", "memory", "model", "plan", "planfile", "render", "secrets", "tree", "workflow"),
    },
}


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {name.name for each in nodes if isinstance(each, ast.Import) for name in each.names}
    return plain | {each.module or "" for each in nodes if isinstance(each, ast.ImportFrom)}


def test_a_room_imports_only_the_rooms_that_it_may() -> None:
    files = [path for path in ROOT.rglob("*.py") if room(path) not in {"__init__", "__main__"}]
    assert {room(path) for path in files} == set(MAY_IMPORT)
    for path in files:
        ours = {module.split(".")[1] for module in imported_modules(path) if module.startswith("webchat_sync.")}
        forbidden = ours - MAY_IMPORT[room(path)] - {room(path)}
        assert not forbidden, f"{path.relative_to(ROOT)} imports {sorted(forbidden)}"


def test_the_pure_rooms_import_nothing_that_does_input_or_output() -> None:
    edges = {"anyio", "asyncio", "click", "httpx", "os", "pathlib", "socket", "subprocess", "sys", "yaml"}
    rooms = ("domain", "plan", "planfile", "render", "yaml12")
    for path in [path for pure in rooms for path in (ROOT / pure).rglob("*.py")]:
        # The catalogue is read from the schema file that the package ships; PyYAML's parser is asked over bytes.
        allowed = {"pathlib"} if path == ROOT / "domain" / "catalogue.py" else set()
        allowed |= {"yaml"} if room(path) == "yaml12" else set()
        assert not (edges - allowed) & {module.split(".")[0] for module in imported_modules(path)}, path
