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
    "redact": {"model"},
    "leaks": {"model"},
    "model": {"errors"},
    "domain": {"model", "errors"},
    "manifest": {"tree", "domain", "leaks", "redact", "model", "errors"},
    "plan": {"domain", "leaks", "model", "errors"},
    "apply": {"plan", "domain", "model", "errors"},
    "secrets": {"files", "tree", "redact", "model", "errors"},
    "memory": {"files", "git", "redact", "model", "errors"},
    "api": {"leaks", "redact", "model", "errors"},
    # It speaks HTTP as `api` does: one way of repeating calls, of reading failures and of keeping tokens out of them.
    "forge": {"api", "model", "errors"},
    "render": {"domain", "leaks", "plan", "model", "errors"},
    "emulator": {"domain", "files", "model", "errors"},
    "preview": {"render", "errors"},
    "cli": {
        *("leaks", "preview"),
        *("apply", "api", "emulator", "errors", "domain", "files", "forge", "git"),
        *("manifest", "memory", "model", "plan", "render", "secrets", "tree"),
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


def test_planning_and_rendering_import_nothing_that_does_input_or_output() -> None:
    edges = {"anyio", "asyncio", "click", "httpx", "os", "pathlib", "socket", "subprocess", "sys", "yaml"}
    for path in [path for pure in ("domain", "plan", "render") for path in (ROOT / pure).rglob("*.py")]:
        # The catalogue is read from the schema file that the package ships.
        allowed = {"pathlib"} if path == ROOT / "domain" / "catalogue.py" else set()
        assert not (edges - allowed) & {module.split(".")[0] for module in imported_modules(path)}, path
