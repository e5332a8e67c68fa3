"""The file: filled templates with style sheet and script inside, and a policy that only allows these two."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from webchat_sync.flat import visible
from webchat_sync.render.html.paints import Paints

if TYPE_CHECKING:
    from jinja2 import Environment, PackageLoader

_PACKAGE: Final = "webchat_sync.render.html"


def render_page(page: object, paints: Paints, *, name: str = "page", allowed: Sequence[str] = ()) -> str:
    """``page`` in the template ``name``. Its policy allows the style and the script inside by hash.

    ``allowed`` are directives of the policy for whatever else it needs.
    """
    environment = _environment()
    style = "\n".join([_source(environment, "page.css").rstrip(), *paints.rules()])
    script = _source(environment, f"{name}.js").rstrip()
    policy = "; ".join(
        [
            *("default-src 'none'", "base-uri 'none'", *(allowed or ["form-action 'none'"])),
            f"style-src 'sha256-{_digest(style)}'",
            f"script-src 'sha256-{_digest(script)}'",
        ]
    )
    from markupsafe import Markup

    # Safe: rules with values only consist of validated classes, colours and numbers.
    parts = {"style": Markup(style), "script": Markup(script)}  # noqa: S704 - nothing in them is a value
    return environment.get_template(f"{name}.html").render(page=page, policy=policy, **parts)


@cache
def _loader() -> PackageLoader:
    from jinja2 import PackageLoader

    return PackageLoader(_PACKAGE, "templates")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined

    return Environment(
        loader=_loader(),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """Escapes the characters of a template's value that hide or reorder others."""
    return visible(value) if type(value) is str else value


def _source(environment: Environment, name: str) -> str:
    return _loader().get_source(environment, name)[0]


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
