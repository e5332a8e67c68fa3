"""The engine that makes, delivers and revokes identity secrets, as every use case opens it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from webchat_sync.environment import Environment
from webchat_sync.workflow.connection import Connection
from webchat_sync.workflow.state import RECOVERY, own_folder

if TYPE_CHECKING:
    from webchat_sync.api import Mosend
    from webchat_sync.secrets.rotate import Rotations
    from webchat_sync.workflow.remembering import RunMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRules:
    """How secrets are handled in a run.

    ``verify`` proves every new one; ``by_hand``: no manifest had a say. ``show``
    prints a secret for whom it was asked to be shown, ``say`` tells what is not an error. ``allowed_paths`` are globs
    of paths outside the tree that sinks may lie at in CI. ``take_over_sinks`` replaces the secrets of other
    channels. ``reserved`` are files that the run uses itself, resolved, and what for.
    """

    show: Callable[[str], object]
    say: Callable[[str], object]
    allowed_paths: Sequence[str] = ()
    verify: bool = False
    by_hand: bool = False
    take_over_sinks: bool = False
    reserved: Mapping[str, str] = field(default_factory=dict)


def open_rotations(
    apis: Mapping[str, Mosend],
    connection: Connection,
    memory: RunMemory,
    environment: Environment,
    rules: SecretRules,
) -> Rotations:
    """The engine; against the sandbox no command of a sink is run."""
    from webchat_sync.secrets.rotate import Rotations
    from webchat_sync.secrets.sinks import Sinks

    return Rotations(
        apis=apis,
        book=memory,
        recovery=RECOVERY,
        sinks=Sinks(
            environment.environ,
            keys=tuple(dict.fromkeys(connection.keys.values())),
            show=rules.show,
            run_commands=not connection.sandbox,
            allowed_paths=tuple(rules.allowed_paths),
            reserved={**rules.reserved, **own_folder()},
        ),
        environment=environment,
        verify=rules.verify,
        by_hand=rules.by_hand,
        take_over_sinks=rules.take_over_sinks,
        say=rules.say,
    )
