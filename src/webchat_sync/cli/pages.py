"""The HTML pages of commands, with links to the files on the pipeline's host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from webchat_sync.cli.runtime import Runtime

if TYPE_CHECKING:
    from webchat_sync.model import ApplyReport, Plan
    from webchat_sync.plan.drift import Drift
    from webchat_sync.render.formats import Rendered


def with_page(
    formats: Mapping[str, Callable[[Plan], Rendered]], runtime: Runtime
) -> dict[str, Callable[[Plan], Rendered]]:
    """``formats`` with the page of a plan added."""

    def page(plan: Plan) -> str:
        from webchat_sync.render.html.page import render_plan

        return render_plan(plan, sources=_sources(runtime))

    return {**formats, "html": page}


def drift_page(runtime: Runtime) -> Callable[[Drift], str]:
    """A function that renders the page of a drift."""

    def page(drift: Drift) -> str:
        from webchat_sync.render.html.drift import render_drift

        return render_drift(drift, sources=_sources(runtime))

    return page


def apply_page(plan: Plan, report: ApplyReport, runtime: Runtime) -> str:
    """The page of an apply."""
    from webchat_sync.render.html.applied import render_apply

    return render_apply(plan, report, sources=_sources(runtime))


def _sources(runtime: Runtime) -> str:
    from webchat_sync.forge.source_pages import source_pages

    return source_pages(runtime.environ, Path.cwd())
