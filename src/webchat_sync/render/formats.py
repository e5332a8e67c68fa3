"""Every output format of a plan, by its name for ``--format`` and ``--render``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from webchat_sync.model import Plan


def _of(module: str) -> Callable[[Plan], str]:
    """``render_plan`` of a module, which is imported on first use."""

    def render(plan: Plan) -> str:
        render_plan: Callable[[Plan], str] = import_module(f"webchat_sync.{module}").render_plan
        return render_plan(plan)

    return render


FORMATS: Final[Mapping[str, Callable[[Plan], str]]] = {
    "text": _of("render.text"),
    "json": _of("planfile.writer"),
    "markdown": _of("render.markdown"),
    "github": _of("render.github"),
    "gitlab": _of("render.gitlab"),
    "html": _of("render.html.page"),
}
