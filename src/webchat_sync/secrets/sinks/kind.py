"""The interface of a kind of sink, and what its methods receive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from webchat_sync.errors import Diagnostic, WebchatSyncError
from webchat_sync.frozen import frozen
from webchat_sync.model import Json, Secret, Sink
from webchat_sync.tree import ALLOW_HINT, around, outside

TIME_LIMIT: Final = 60.0
"""The time limit of a command, in seconds."""


class SinkError(WebchatSyncError):
    """A sink didn't accept a secret. The message doesn't contain the secret."""


class Address(NamedTuple):
    """A place for one channel's secret: a ``key`` in a file, or the whole file if ``key`` is empty."""

    path: str
    key: str

    def meets(self, other: Address) -> bool:
        """Whether writing to one would replace what's in the other."""
        return self.path == other.path and (self.key == other.key or not self.key or not other.key)


@frozen
class Occasion:
    """Whose secret it is, and for which declared rotation; commands receive it in environment variables."""

    name: str
    channel_id: str
    organization: str
    rotation: str | None

    def environ(self) -> dict[str, str]:
        """The environment variables for a command."""
        return {
            "WEBCHAT_SYNC_CHANNEL_NAME": self.name,
            "WEBCHAT_SYNC_CHANNEL_ID": self.channel_id,
            "WEBCHAT_SYNC_ORGANIZATION": self.organization,
            "WEBCHAT_SYNC_ROTATION": self.rotation or "",
        }


@frozen
class SinkSettings:
    """What sinks need. ``keys`` are secrets that no command may see: variables that contain one are removed.

    ``show`` prints a secret, for the sink of that kind. Without ``run_commands``, deliveries to commands succeed
    without running them. ``time_limit`` is in seconds. ``allowed_paths`` are globs of paths outside the repository that
    may be used in CI. ``reserved`` maps the resolved paths of files and folders that the run itself uses to their
    purpose.
    """

    environ: Mapping[str, str] = field(repr=False)
    keys: tuple[Secret, ...] = ()
    show: Callable[[str], object] = print
    run_commands: bool = True
    time_limit: float = TIME_LIMIT
    allowed_paths: tuple[str, ...] = ()
    reserved: Mapping[str, str] = field(default_factory=dict)

    def unallowed(self, path: Path) -> str:
        """Why this run or pipeline may not use ``path``; empty if it may."""
        if use := next((use for place in (path, *path.parents) if (use := self.reserved.get(str(place)))), ""):
            return f"this run uses {path} ({use})"
        if outside(path, Path(), self.environ, self.allowed_paths):
            return f"{path} is outside {around(Path())}, which the operator must allow in CI. {ALLOW_HINT}"
        return ""


class SinkKind(Protocol):
    """One kind of sink, in a module of this room; :mod:`webchat_sync.secrets.sinks.registry` lists them all."""

    @property
    def schema(self) -> Mapping[str, Json]:
        """The JSON Schema of the kind's keys in a manifest, its own name first; empty if it can't be declared.

        There can be one more key, which becomes the ``key`` of a :class:`Sink`, and which no other kind may have. A
        text with a ``pattern`` or an ``enum`` must also accept ``fields.schema.json#/$defs/variable``.
        """
        ...

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        """The sink that a manifest declares, even if it has flaws; relative paths start in ``folder``."""
        ...

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Diagnostic]:
        """The problems of a declaration that no schema can find, without places; steps start at the sink."""
        ...

    def addresses(self, sink: Sink) -> tuple[Address, ...]:
        """Every place that the sink writes a secret to, if only one fits there. The first is the one that it reads."""
        ...

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        """Why the sink won't accept a secret, as far as that's known without one; empty if nothing is wrong."""
        ...

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        """Store the secret. Anything that this raises is reported as an undelivered secret.

        The same secret may be delivered again: after a failure, or with ``secret deliver``.
        """
        ...

    def read(self, sink: Sink) -> Secret | None:
        """The secret that's stored now, if it can be read; raises OSError and ValueError."""
        ...


def argv_flaws(value: Mapping[str, Json], name: str) -> Iterator[Diagnostic]:
    """The problem with a program at the key ``name`` of a declaration, if it's an empty list."""
    if value.get(name) == []:
        hint = "Write the program and its arguments as a list."
        yield Diagnostic(f"`{name}` doesn't name a program", steps=(name,), hint=hint)


def argv_of(value: Json) -> tuple[str, ...]:
    """A program and its arguments, from a list in a manifest."""
    return tuple(str(argument) for argument in value) if isinstance(value, list) else ()
