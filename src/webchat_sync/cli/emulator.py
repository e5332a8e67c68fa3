"""``webchat-sync emulator``."""

from __future__ import annotations

from pathlib import Path

import click

from webchat_sync.cli.runtime import Runtime


@click.command("emulator")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any.")
@click.option(
    "--data",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep the channels in FILE.  [default: in memory]",
)
@click.option(
    "--faults",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Misbehave as the YAML or JSON in FILE orders.",
)
@click.option("--page-size", metavar="N", type=click.IntRange(min=1), help="List so many channels on one page.")
@click.pass_obj
def command(runtime: Runtime, *, port: int, data: Path | None, faults: Path | None, page_size: int | None) -> None:
    """Serve an emulation of the API on the loopback interface until Ctrl-C.

    Any well-formed key is accepted. FILE for --faults is a list such as:

    \b
      - {method: POST, path: "*/web-chat/channels", nth: 1, kind: drop, after_commit: true}
      - {method: GET, path: "*", nth: [2, 3], kind: status, status: 503}

    \b
    Examples:
      webchat-sync emulator --data channels.json
      MOSEND_BASE_URL=http://127.0.0.1:8765 MOSEND_API_KEY=mk_test_a.b webchat-sync plan --org demo
    """
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.emulator import Store, build_app, read_faults, serve_forever

    store = Store(catalogue=load_catalogue(), path=data, now=runtime.now)
    app = build_app(store, faults=read_faults(faults) if faults else None, page_size=page_size)
    serve_forever(
        app, host="127.0.0.1", port=port, on_ready=lambda url: click.echo(f"Emulating the API at {url}", err=True)
    )
