"""Every output format of a plan, by the name that ``--format`` and ``--render`` know it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from webchat_sync.model import Plan
from webchat_sync.render import github, gitlab, markdown, plan_json, text

FORMATS: Final[Mapping[str, Callable[[Plan], str]]] = {
    "text": text.render_plan,
    "json": plan_json.render_plan,
    "markdown": markdown.render_plan,
    "github": github.render_plan,
    "gitlab": gitlab.render_plan,
}
