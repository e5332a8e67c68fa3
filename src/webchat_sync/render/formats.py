"""Every output format of a plan, by its name for ``--format`` and ``--render``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, Final, TypeAlias

from webchat_sync.model import Plan

Rendered: TypeAlias = "str | Iterable[str]"
"""What a format makes: one text, or its pieces."""


def _of(module: str, function: str = "render_plan") -> Callable[[Plan], Any]:
    """A function of a module, which is loaded when a plan is first rendered by it."""

    def render(plan: Plan) -> object:
        renders: Callable[[Plan], object] = getattr(import_module(f"webchat_sync.{module}"), function)
        return renders(plan)

    return render


FORMATS: Final[Mapping[str, Callable[[Plan], str]]] = {
    "text": _of("render.text"),
    "json": _of("planfile.writer"),
    "markdown": _of("render.markdown"),
    "github": _of("render.github"),
    "gitlab": _of("render.gitlab"),
    "html": _of("render.html.page"),
}

PIECES: Final[Mapping[str, Callable[[Plan], Rendered]]] = {**FORMATS, "json": _of("planfile.writer", "plan_pieces")}
"""As :data:`FORMATS`, in pieces where the whole can be long."""

ENDS: Final[Mapping[str, Callable[[Plan], str]]] = {
    "text": _of("render.text", "render_end"),
    "github": _of("render.github", "render_end"),
}
"""Of the formats that begin with the text of all organisations: what is below them."""
