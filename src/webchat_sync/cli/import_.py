"""``webchat-sync import``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.connection import ConnectionOptions, connection_options, one_organization, open_api
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import InputError, Problem


@click.command("import")
@connection_options
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to FILE, which must not exist yet.  [default: stdout]",
)
@click.pass_obj
def command(runtime: Runtime, *, connection: ConnectionOptions, out: Path | None) -> None:
    """Write the live channels as a manifest whose plan is empty.

    Each channel is pinned to its id. What a manifest cannot declare stands as a comment with the reason.

    \b
    Examples:
      webchat-sync import --out channels/channels.yaml
      webchat-sync import --org 7f3e… > channels.yaml
    """
    import anyio

    from webchat_sync.fields import load_catalogue
    from webchat_sync.manifest import write_manifest

    if out is not None and out.exists():
        raise InputError([Problem(f"{out} exists already", hint="Choose another file, or remove it first.")])

    async def manifest() -> str:
        async with open_api(connection, runtime) as api:
            return write_manifest(
                one_organization(connection, runtime), await api.list_channels(), catalogue=load_catalogue()
            )

    text = anyio.run(manifest)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise InputError([Problem(f"{out} cannot be written: {error.strerror}")]) from None
    click.echo(f"Wrote {out}.", err=True)
