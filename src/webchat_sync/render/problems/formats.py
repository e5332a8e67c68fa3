"""Every output format of problems for programs, by its name for ``validate --format``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Final, TypeAlias

from webchat_sync.errors import Diagnostic

Renderer: TypeAlias = "Callable[[Sequence[Diagnostic], bool], str]"
"""Renders problems; the second argument says whether warnings make the manifests invalid, too."""


def _of(module: str, *, verdict: bool = False) -> Renderer:
    """``render_problems`` of a module, which is imported on first use; ``verdict``: it says what is valid."""

    def render(problems: Sequence[Diagnostic], strict: bool) -> str:
        render_problems: Callable[..., str] = import_module(f"{__package__}.{module}").render_problems
        return render_problems(problems, strict=strict) if verdict else render_problems(problems)

    return render


FORMATS: Final[Mapping[str, Renderer]] = {
    "json": _of("as_json", verdict=True),
    "github": _of("github"),
    "sarif": _of("sarif"),
    "codequality": _of("codequality"),
}
