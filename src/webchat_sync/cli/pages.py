"""What commands write for the pipeline's host: HTML pages with links to its files, and where it takes options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from webchat_sync.cli.runtime import Runtime

if TYPE_CHECKING:
    from webchat_sync.model import ApplyReport, Plan
    from webchat_sync.plan.drift import Drift
    from webchat_sync.render.formats import Rendered


def for_host(
    formats: Mapping[str, Callable[[Plan], Rendered]], runtime: Runtime
) -> dict[str, Callable[[Plan], Rendered]]:
    """``formats`` of a plan, of which Markdown and the page depend on the host."""

    def markdown(plan: Plan) -> str:
        from webchat_sync.render.markdown import render_plan

        return render_plan(plan, host=_host(runtime))

    def page(plan: Plan) -> str:
        from webchat_sync.render.html.page import render_plan

        return render_plan(plan, sources=_sources(runtime), host=_host(runtime))

    return {**formats, "markdown": markdown, "html": page}


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


def _host(runtime: Runtime) -> str:
    from webchat_sync.forge.environment import pipeline_host

    return pipeline_host(runtime.environ) or ""


def _sources(runtime: Runtime) -> str:
    from webchat_sync.forge.environment import source_pages

    return source_pages(runtime.environ, Path.cwd())
