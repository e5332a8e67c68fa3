"""``webchat-sync secret``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from webchat_sync.cli.approval import approved
from webchat_sync.cli.completion import name_argument
from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options
from webchat_sync.cli.files import STDOUT, KeptFile, check_outputs, in_use
from webchat_sync.cli.memory import holding
from webchat_sync.cli.rotations import secret_rules, take_over_option, verify_option
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.sign import sign
from webchat_sync.cli.signals import heeding
from webchat_sync.cli.streams import echo_read
from webchat_sync.cli.subject import (
    ANYWHERE,
    WITH_KEY,
    WITHOUT_KEY,
    LedgerOptions,
    Subject,
    find_offline,
    find_subject,
    manifest_option,
    with_ledger_options,
    with_ledger_to_read,
)
from webchat_sync.cli.tone import note
from webchat_sync.environment import API_KEY_VARIABLE
from webchat_sync.model import Secret, Sink, moment_text
from webchat_sync.sentences import in_a_row
from webchat_sync.workflow.state import RECOVERY, open_run_memory, own_folder

to_option = click.option(
    "--to",
    metavar="FILE",
    type=KeptFile("To print the secret, use --show."),
    help="Write the secret to FILE, readable by you only.",
)


@click.group("secret", short_help="Rotate, revoke, deliver and check identity secrets.")
def command() -> None:
    """Rotate, revoke, deliver and check the identity secrets of channels.

    A site's servers sign the ids of its visitors with this secret. The API shows it only once, when it's created.

    \b
    Example:
      webchat-sync secret rotate Support --to support.secret
    """


command.add_command(sign)


@command.command()
@name_argument
@to_option
@click.option("--show", is_flag=True, help="Print the new secret.")
@with_ledger_options
@manifest_option(WITH_KEY)
@verify_option
@take_over_option
@connection_options
@click.pass_obj
def rotate(
    runtime: Runtime,
    *,
    name: str,
    to: Path | None,
    show: bool,
    ledger_options: LedgerOptions,
    paths: tuple[Path, ...],
    verify_secrets: bool,
    take_over_sinks: bool,
    connection: ConnectionOptions,
) -> None:
    """Create a new identity secret. The old one stops working immediately.

    NAME is the channel's name or id. The secret can't be read again later, so --to or --show is required. Until it's
    delivered, a copy is kept in .webchat-sync/recovery/. It isn't delivered to the sinks that the manifests declare:
    `apply --rotate NAME` does that.

    \b
    Examples:
      webchat-sync secret rotate Support --to support.secret
      webchat-sync secret rotate Support --show | vault kv put secret/support key=-
    """
    if to is None and not show:
        raise click.UsageError("The new secret is shown only once: use --to FILE to save it, or --show to print it.")
    from webchat_sync.workflow.secret import rotate_secret

    sinks = _sinks(to, show=show)
    subject = find_subject(paths, connection, runtime, ledger_options, name)
    reserved = in_use({"--api-key-file": connection.api_key_file, "--debug-http": connection.debug_http})
    rules = secret_rules(
        runtime,
        verify=verify_secrets,
        by_hand=True,
        take_over_sinks=take_over_sinks,
        reserved={**reserved, **_ledgers(subject)},
    )
    with (
        holding(subject.place, ledger_options.memory, connection, runtime, rotates=True) as memory,
        connect(connection, runtime, subject.keys, subject.settings) as connected,
    ):
        made_at = wait_for(lambda: rotate_secret(name, sinks, connected, runtime, memory, rules, heeding(runtime)))
    where = f" The new secret is in {to}." if to else ""
    note(f'Rotated the identity secret of "{name}" at {moment_text(made_at)}; any earlier one no longer works.{where}')
    _say_left_out(subject, sinks)


@command.command()
@name_argument
@click.option("--auto-approve", is_flag=True, help="Revoke the secret without asking.")
@with_ledger_options
@manifest_option(WITH_KEY)
@connection_options
@click.pass_obj
def revoke(
    runtime: Runtime,
    *,
    name: str,
    auto_approve: bool,
    ledger_options: LedgerOptions,
    paths: tuple[Path, ...],
    connection: ConnectionOptions,
) -> int:
    """Revoke the identity secret. From then on, visitors whose id is signed with it are refused.

    NAME is the channel's name or id. Asks for `yes`. Outside a terminal, for example in a pipeline, --auto-approve is
    required.

    \b
    Example:
      webchat-sync secret revoke Support
    """
    if not auto_approve and not runtime.interactive:
        raise click.UsageError("revoke can't ask for approval here: use --auto-approve, or run it in a terminal.")
    from webchat_sync.workflow.secret import revoke_secret

    subject = find_subject(paths, connection, runtime, ledger_options, name)
    ask = f'Do you want to revoke the identity secret of "{name}" ({subject.organization})?'
    if not (auto_approve or approved(ask, refused="Revoke cancelled. Nothing was changed.")):
        return 1
    rules = secret_rules(runtime, by_hand=True)
    with (
        holding(subject.place, ledger_options.memory, connection, runtime) as memory,
        connect(connection, runtime, subject.keys, subject.settings) as connected,
    ):
        live = wait_for(lambda: revoke_secret(name, connected, runtime, memory, rules, heeding(runtime)))
    had_none = live.has_secret is False
    note(f'"{name}" had no identity secret.' if had_none else f'Revoked the identity secret of "{name}".')
    return 0


@command.command(short_help="Show which channels have an identity secret.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@with_ledger_to_read
@manifest_option(WITH_KEY)
@connection_options
@click.pass_obj
def status(
    runtime: Runtime,
    *,
    names: tuple[str, ...],
    output_format: str,
    ledger_options: LedgerOptions,
    paths: tuple[Path, ...],
    connection: ConnectionOptions,
) -> None:
    """Show which channels have an identity secret, and what the ledger records about it.

    NAME is a channel's name or id; without one, all live channels are shown. Nothing is written.

    \b
    Example:
      webchat-sync secret status
    """
    from webchat_sync.render.secrets import render_json, render_text
    from webchat_sync.workflow.secret import secret_statuses

    subject = find_subject(paths, connection, runtime, ledger_options, names[0] if names else "")
    opening = open_run_memory(subject.place, runtime, base_url=connection.label(runtime), with_owner=False)
    with opening as memory, connect(connection, runtime, subject.keys, subject.settings) as connected:
        statuses = wait_for(lambda: secret_statuses(names, connected, runtime, memory))
    click.echo(render_json(statuses) if output_format == "json" else render_text(statuses, now=runtime.now()))


@command.command(short_help="Deliver a secret that a sink didn't accept.")
@click.argument("name")
@to_option
@click.option("--show", is_flag=True, help="Print the secret.")
@with_ledger_options
@manifest_option(WITHOUT_KEY)
@click.pass_obj
def deliver(
    runtime: Runtime, *, name: str, to: Path | None, show: bool, ledger_options: LedgerOptions, paths: tuple[Path, ...]
) -> None:
    """Deliver a secret that a sink didn't accept, without rotating it again.

    NAME is the channel's name or id. By default, the secret goes to the sinks that the manifests declare now or, if
    there are none, to those it was created for. With --to or --show, it goes there instead. Afterwards it's removed
    from .webchat-sync/recovery/. Needs no API key, and no network unless the memory is in Git.

    \b
    Examples:
      webchat-sync secret deliver Support
      webchat-sync secret deliver Support --to support.secret
    """
    from webchat_sync.secrets.deliver import deliver_waiting
    from webchat_sync.secrets.recovery import find_waiting, waiting_for
    from webchat_sync.secrets.sinks import Sinks

    key = Secret(runtime.environ.get(API_KEY_VARIABLE, "").strip())
    waiting = waiting_for(RECOVERY, name)
    organization = waiting.key.organization if waiting else None
    subject = find_offline(paths, runtime, ledger_options, waiting.name if waiting else name, organization)

    with holding(subject.place, ledger_options.memory, ANYWHERE, runtime) as memory:
        sinks = wait_for(
            lambda: deliver_waiting(
                find_waiting(RECOVERY, memory.read().ledger, name),
                Sinks(
                    runtime.environ,
                    keys=(key,),
                    show=echo_read,
                    allowed_paths=runtime.allowed_paths,
                    reserved={**_ledgers(subject), **own_folder()},
                ),
                folder=RECOVERY,
                book=memory,
                instead=_sinks(to, show=show) or subject.sinks,
                environment=runtime,
            )
        )
    note(f'Delivered the identity secret of "{name}" to {in_a_row([sink.label for sink in sinks])}.')


def _say_left_out(subject: Subject, sinks: Sequence[Sink]) -> None:
    """Say which declared sinks don't have the new secret, which was only delivered to ``sinks``."""
    from webchat_sync.secrets.sinks import addresses

    reached = {address for sink in sinks for address in addresses(sink)}
    left_out = [sink.label for sink in subject.sinks if reached.isdisjoint(addresses(sink))]
    if subject.declaration and left_out:
        note(
            f"These declared sinks don't have the new secret: {in_a_row(left_out)}. `apply --rotate "
            f'"{subject.declaration.name}"` would deliver another one to all declared sinks.'
        )


def _ledgers(subject: Subject) -> dict[str, str]:
    """The ledgers, where no secret may be written."""
    return in_use({f"the ledger of {owner}": path for owner, path in subject.place.ledgers.items()})


def _sinks(to: Path | None, *, show: bool) -> tuple[Sink, ...]:
    """Where the secret goes. Raises InputError if it should be printed and stdout is closed."""
    check_outputs({"--show": STDOUT if show else None})
    file = (Sink("file", str(to), folder=str(Path.cwd())),) if to else ()
    return (*file, Sink("show", folder=str(Path.cwd()))) if show else file
