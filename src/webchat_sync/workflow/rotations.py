"""Opens the engine that creates, delivers and revokes identity secrets, for every use case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from webchat_sync.environment import NEVER, Ending, Environment
from webchat_sync.frozen import frozen
from webchat_sync.workflow.connection import Connection
from webchat_sync.workflow.state import RECOVERY, own_folder

if TYPE_CHECKING:
    from webchat_sync.api import Mosend
    from webchat_sync.secrets.rotate import Rotations
    from webchat_sync.workflow.remembering import RunMemory


@frozen(kw_only=True)
class SecretRules:
    """How a run handles secrets.

    ``verify`` tests every new secret; ``by_hand``: a person asked, not a manifest. ``show`` prints a secret that the
    user asked to see, ``say`` a notice. ``allowed_paths`` are globs of paths outside the repository that sinks may use
    in CI. ``take_over_sinks`` lets a secret replace another channel's. ``reserved`` maps the resolved paths of files
    that the run itself uses to their purpose.
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
    ending: Ending = NEVER,
) -> Rotations:
    """The engine. Against the sandbox, it doesn't run the commands of sinks."""
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
        ending=ending,
    )
