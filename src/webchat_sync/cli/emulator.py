"""``webchat-sync emulator``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from webchat_sync.cli.files import FilledPath, KeptFile
from webchat_sync.cli.port import port_option
from webchat_sync.cli.runtime import Runtime


@click.command("emulator", short_help="Serve an emulated API on this machine until Ctrl-C.")
@port_option(8765)
@click.option(
    "--data",
    metavar="FILE",
    type=KeptFile("Leave out --data to keep the channels in memory."),
    help="Keep the channels in FILE, or start from the snapshot FILE.  [default: in memory]",
)
@click.option(
    "--faults",
    metavar="FILE",
    type=FilledPath(path_type=Path, dir_okay=False),
    help="Inject the faults listed in FILE (YAML or JSON).",
)
@click.option(
    "--quirk",
    "quirks",
    metavar="QUIRK",
    multiple=True,
    help="Turn on a quirk from the list above. May be repeated.",
)
@click.option(
    "--page-size",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many channels the list returns per page.  [default: all]",
)
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
    """Serve an emulated API on the loopback interface until Ctrl-C.

    Any well-formed key is accepted. FILE for --faults contains a list such as:

    \b
      - {method: POST, path: "*/web-chat/channels", nth: 1, kind: drop, after_commit: true}
      - {method: GET, path: "*", nth: [2, 3], kind: status, status: 503}

    \b
    Kinds of faults, with their required and [optional] keys:
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
    Quirks, which real servers may have:
      trim-texts                  text is stored without leading and trailing spaces
      lower-case                  colours and hosts are stored in lower case
      drop-nulls                  responses leave out null values
      reorder-keys                responses have their keys in another order
      ids-at-any-depth            every mapping in a field gets an id
      no-envelope                 responses aren't wrapped in data and timestamp
      idempotency                 an Idempotency-Key is honoured
      newer-create                POST accepts more fields
      check-origin                sessions from other sites are refused
      omit=NAME,…                 the list leaves out these fields
      offline-actions=NAME,…      offlineAction must be one of these names
      media-key=mediaAssetId|mediaId
                                  uploads return their id under this name only

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
            on_ready=lambda url: click.echo(f"Emulated API listening on {url}", err=True),
        )
