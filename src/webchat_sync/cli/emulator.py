"""``webchat-sync emulator``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from webchat_sync.cli.runtime import Runtime


@click.command("emulator", short_help="Serve an emulation of the API on this machine until Ctrl-C.")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: any.")
@click.option(
    "--data",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep the channels in FILE, or start from the snapshot FILE.  [default: in memory]",
)
@click.option(
    "--faults",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Misbehave as the YAML or JSON in FILE orders.",
)
@click.option(
    "--quirk",
    "quirks",
    metavar="QUIRK",
    multiple=True,
    help="Have a habit of real servers, from the list above. May be repeated.",
)
@click.option("--page-size", metavar="N", type=click.IntRange(min=1), help="List so many channels on one page.")
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    port: int,
    data: Path | None,
    faults: Path | None,
    quirks: tuple[str, ...],
    page_size: int | None,
) -> None:
    """Serve an emulation of the API on the loopback interface until Ctrl-C.

    Any well-formed key is accepted. FILE for --faults is a list such as:

    \b
      - {method: POST, path: "*/web-chat/channels", nth: 1, kind: drop, after_commit: true}
      - {method: GET, path: "*", nth: [2, 3], kind: status, status: 503}

    \b
    Kinds of faults, with what they need and [may have]:
      status: status [message, retry_after, after_commit]
      delay: seconds
      drop: [after_commit]
      commit_late: seconds [status]
      cut: [keep, chunked]
      html: [after_commit]
      empty: [after_commit]
      redirect: location [status]
      rate_limit: limit, seconds

    \b
    Quirks, the habits of real servers:
      trim-texts                  texts are stored without blanks at the ends
      lower-case                  colours and hosts are stored in lower case
      drop-nulls                  answers have no keys that are null
      reorder-keys                answers have their keys in another order
      ids-at-any-depth            every mapping in a list gets an id
      no-envelope                 answers have no data and timestamp around them
      idempotency                 an Idempotency-Key is honoured
      newer-create                POST takes more fields
      check-origin                sessions from other sites are refused
      omit=NAME,…                 the list leaves these fields out
      offline-actions=NAME,…      offlineAction is one of these names
      media-key=mediaAssetId|mediaId
                                  uploads answer their id under this name

    \b
    Examples:
      webchat-sync emulator --data channels.db
      webchat-sync emulator --quirk drop-nulls --quirk omit=theme
      MOSEND_BASE_URL=http://127.0.0.1:8765 MOSEND_API_KEY=mk_test_a.b webchat-sync plan --org demo
    """
    from webchat_sync.cli.sandbox import emulator_store
    from webchat_sync.emulator import build_app, read_faults, read_quirks, serve_forever

    habits, orders = read_quirks(quirks), read_faults(faults) if faults else None
    with closing(emulator_store(data, runtime)) as store:
        serve_forever(
            build_app(store, faults=orders, quirks=habits, page_size=page_size),
            host="127.0.0.1",
            port=port,
            on_ready=lambda url: click.echo(f"Emulating the API at {url}", err=True),
        )
