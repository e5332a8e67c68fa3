"""The page of the GitHub Action and the GitLab component, from their inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from commands_page import as_code, marked

ROOT: Final = Path(__file__).parents[1]

PIPELINE: Final = """\
# Action and component

<!-- Made from action.yml and templates/gitlab.yml by `python docs/generate.py`. -->

This page lists what you can pass to the GitHub Action and to the GitLab component.
[Run it in a pipeline](../how-to/pipelines.md) shows how to use them.

## GitHub Action

A step with `uses: OWNER/webchat-sync@COMMIT` accepts these inputs under `with`:

{inputs}
Later steps can read these outputs of a step with an `id`, for example as `${{{{ steps.ID.outputs.plan }}}}`:

{outputs}
## GitLab component

An `include` with `component: $CI_SERVER_FQDN/GROUP/webchat-sync/gitlab@VERSION` accepts these under `inputs`. It also
needs the [variables](variables.md) `MOSEND_API_KEY` and, for comments, issues and the memory, `GITLAB_TOKEN`.

{component}"""


def pipeline_page() -> str:
    """The page of the Action and the component, in Markdown."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    # The second document of a component is a template, and no YAML until GitLab has filled it in.
    head = (ROOT / "templates" / "gitlab.yml").read_text(encoding="utf-8").partition("\n---\n")[0]
    return PIPELINE.format(
        inputs=_table("input", action["inputs"]),
        outputs=_table("output", action["outputs"]),
        component=_table("input", yaml.safe_load(head)["spec"]["inputs"]),
    )


def _table(kind: str, entries: Mapping[str, Mapping[str, Any]]) -> str:
    rows = (f"| `{name}` | {' '.join(_said(entry))} |" for name, entry in entries.items())
    return "\n".join([f"| {kind} | what it {'is' if kind == 'output' else 'does'} |", "|---|---|", *rows]) + "\n"


def _said(entry: Mapping[str, Any]) -> Iterator[str]:
    yield marked(entry["description"])
    if entry.get("options"):
        yield f"One of {', '.join(as_code(option) for option in entry['options'])}."
    if entry.get("required"):
        yield "Required."
    default = entry.get("default", "")
    values = default if isinstance(default, list) else [default]
    if default != "":
        yield f"Default: {', '.join(as_code(str(value)) for value in values)}."
