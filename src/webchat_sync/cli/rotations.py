"""What the commands need to plan and carry out rotations: the options, the ledgers, the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.connection import SANDBOX, STATE_FOLDER, Connection
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import InputError
from webchat_sync.flat import flat

if TYPE_CHECKING:
    from webchat_sync.api import Mosend
    from webchat_sync.model import Ledger, Manifest, Plan, Secret
    from webchat_sync.secrets.rotate import Rotations

LEDGER: Final = STATE_FOLDER / "ledger.json"
"""Where rotations are remembered unless settings.ledger says otherwise."""

RECOVERY: Final = STATE_FOLDER / "recovery"
"""Where secrets lie that no sink has."""

rotate_option = click.option(
    "--rotate",
    "rotate",
    metavar="NAME",
    multiple=True,
    help="Rotate the identity secret of the declared channels of this name; globs match many. May be repeated.",
)
adopt_secret_option = click.option(
    "--adopt-secret",
    "adopt_secrets",
    metavar="NAME",
    multiple=True,
    help="Vouch that the site has the present identity secret of the declared channels of this name; the ledger then "
    "remembers it as delivered. Globs match many. May be repeated.",
)
strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Refuse a plan that leaves a channel with identityRequired and no identity secret: exit with 1.",
)
verify_option = click.option(
    "--verify-secrets", is_flag=True, help="Prove each new identity secret by opening two sessions."
)
ledger_option = click.option(
    "--ledger",
    metavar="FILE",
    default=LEDGER,
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where rotations are remembered, as settings.ledger.",
)


def ledger_paths(sides: Iterable[tuple[str, str | None]]) -> dict[str, Path]:
    """The ledger of each organisation, from what its manifest says."""
    return {organization: Path(ledger) if ledger else LEDGER for organization, ledger in sides}


def ledgers_of(manifests: Iterable[Manifest]) -> dict[str, Path]:
    """The ledger of each organisation of ``manifests``."""
    return ledger_paths((each.organization, each.ledger) for each in manifests)


def read_ledgers(paths: Mapping[str, Path], runtime: Runtime) -> Ledger:
    """What all of them remember. Raises InputError when one is damaged, or may not be used in this pipeline."""
    from webchat_sync.secrets.ledger import read_ledger

    _refuse_outside(paths.values(), runtime)
    return {key: entry for path in dict.fromkeys(paths.values()) for key, entry in read_ledger(path).items()}


def secrets_in_use() -> tuple[tuple[Secret, ...], Callable[[str], bool]]:
    """The identity secrets that wait in this folder, and whether a text is one that its ledger tells of.

    What cannot be read holds none: who needs it says what is wrong with it.
    """
    if not STATE_FOLDER.is_dir():
        return (), lambda _: False
    from webchat_sync.secrets.ledger import read_ledger, remembers
    from webchat_sync.secrets.recovery import held

    ledger: Ledger = {}
    with suppress(InputError):
        ledger = read_ledger(LEDGER)
    return tuple(held(RECOVERY)), lambda text: remembers(ledger, text)


def open_rotations(
    apis: Mapping[str, Mosend],
    connection: Connection,
    ledgers: Mapping[str, Path],
    runtime: Runtime,
    *,
    verify: bool = False,
    by_hand: bool = False,
) -> Rotations:
    """The engine, as all commands use it. Against the sandbox no command of a sink is run."""
    from webchat_sync.secrets.rotate import Rotations
    from webchat_sync.secrets.sinks import Sinks

    if not by_hand:  # else the operator has named the ledger
        _refuse_outside(ledgers.values(), runtime)
    return Rotations(
        apis=apis,
        base_url=connection.label,
        ledgers=ledgers,
        recovery=RECOVERY,
        sinks=Sinks(
            runtime.environ,
            keys=tuple(dict.fromkeys(map(connection.key_of, apis))),
            show=click.echo,
            run_commands=connection.label != SANDBOX,
            allowed_paths=runtime.allowed_paths,
        ),
        sleep=runtime.sleep,
        now=runtime.now,
        new_id=runtime.new_id,
        verify=verify,
        by_hand=by_hand,
        say=lambda text: click.echo(flat(text), err=True),
    )


def _refuse_outside(ledgers: Iterable[Path], runtime: Runtime) -> None:
    """Raise InputError with every ledger outside of the repository that the operator of a pipeline has not allowed."""
    from webchat_sync.errors import InputError, Problem
    from webchat_sync.tree import ALLOW_HINT, outside

    message = "the ledger {} lies outside of the repository, which needs the operator's word in CI"
    problems = [
        Problem(message.format(path), hint=ALLOW_HINT)
        for path in dict.fromkeys(ledgers)
        if outside(path, Path(), runtime.environ, runtime.allowed_paths)
    ]
    if problems:
        raise InputError(problems)


def refuse_dangers(plan: Plan) -> None:
    """Raise InputError with every danger of the plan."""
    from webchat_sync.errors import InputError
    from webchat_sync.plan.guard import dangers

    if found := dangers(plan):
        raise InputError(found)
