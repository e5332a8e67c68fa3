"""``webchat-sync validate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions
from webchat_sync.cli.manifests import load, overlay_option, paths_argument
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.targets import org_option
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.render.problems.formats import FORMATS
from webchat_sync.sentences import counted

if TYPE_CHECKING:
    from webchat_sync.manifest import Loaded


@click.command("validate")
@paths_argument
@overlay_option
@org_option
@click.option("--strict", is_flag=True, help="Exit with 1 even if there are only warnings.")
@click.option("--format", "output_format", type=click.Choice(["text", *FORMATS]), default="text", show_default=True)
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    overlays: tuple[Path, ...],
    org: str | None,
    strict: bool,
    output_format: str,
) -> int:
    """Check manifests without a network or a key.

    PATH is a manifest file or a folder of them (*.yaml, *.yml, *.json); without one, the current directory. Lists
    every problem in every file, with its place and how to fix it. Warnings are about values that the API might still
    accept; they only fail the check with --strict.

    An overlay changes channels that the manifests declare. To add a channel in an overlay, give it `sync: {state:
    present}`.

    Formats: text for terminals (on stderr); json as in `terraform validate -json`; github for annotations in GitHub
    Actions; sarif for code scanning; codequality for a GitLab report.

    \b
    Examples:
      webchat-sync validate
      webchat-sync validate channels/ --overlay production.yaml --strict
      webchat-sync validate channels/ --format codequality > gl-code-quality-report.json
    """
    from webchat_sync.domain.catalogue import load_catalogue

    # Checking a file needs no organisation; plan and apply report a missing one.
    options = ConnectionOptions(org, base_url=None, api_key_file=None, sandbox=True)
    loaded: Loaded | None = None
    try:
        loaded = load(paths, options, load_catalogue(), runtime, overlays)
        problems = loaded.problems
    except InputError as error:
        problems = error.problems
    failed = loaded is None or (strict and bool(problems))
    if output_format == "text":
        _print_problems(problems, loaded, failed=failed, quiet=runtime.quiet and not failed)
    elif text := FORMATS[output_format](problems, strict):
        click.echo(text)
    return 1 if failed else 0


def _print_problems(problems: Sequence[Diagnostic], loaded: Loaded | None, *, failed: bool, quiet: bool) -> None:
    counts = ""
    if problems:
        from webchat_sync.render.problems.text import render_problems, totals

        counts = totals(problems)
        if not quiet:
            click.echo(render_problems(problems), err=True)
    if failed or loaded is None:
        click.echo(f"Not valid: {counts}.", err=True)
        return
    channels = sum(len(manifest.declarations) for manifest in loaded.manifests)
    declared = f"{counted(channels, 'channel')} declared"
    click.echo(f"Valid: {', '.join(filter(None, (declared, counts)))}.")
