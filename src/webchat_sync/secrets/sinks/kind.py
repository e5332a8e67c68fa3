"""What every kind of sink answers, and what it works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from webchat_sync.errors import Diagnostic, WebchatSyncError
from webchat_sync.model import Json, Secret, Sink
from webchat_sync.tree import ALLOW_HINT, outside

TIME_LIMIT: Final = 60.0
"""Seconds that a command may take."""


class SinkError(WebchatSyncError):
    """A sink did not take a secret. The message holds no secret."""


class Address(NamedTuple):
    """A place that takes the secret of one channel: a file, or one ``key`` of it; without a key, the whole of it."""

    path: str
    key: str

    def meets(self, other: Address) -> bool:
        """Whether what is written to the one replaces what is at the other."""
        return self.path == other.path and (self.key == other.key or not self.key or not other.key)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Whose secret it is, and for which declared rotation; commands get it in environment variables."""

    name: str
    channel_id: str
    organization: str
    rotation: str | None

    def environ(self) -> dict[str, str]:
        """The variables of a command."""
        return {
            "WEBCHAT_SYNC_CHANNEL_NAME": self.name,
            "WEBCHAT_SYNC_CHANNEL_ID": self.channel_id,
            "WEBCHAT_SYNC_ORGANIZATION": self.organization,
            "WEBCHAT_SYNC_ROTATION": self.rotation or "",
        }


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """What sinks work with. ``keys`` are secrets that no command may see: variables with one are not passed on.

    ``show`` prints a secret, for the sink of that kind. Without ``run_commands``, commands take secrets without being
    run. ``time_limit`` is in seconds. ``allowed_paths`` are globs of paths outside of the tree that may be used in CI.
    ``reserved`` are files and folders that the run uses itself, resolved, and what for.
    """

    environ: Mapping[str, str] = field(repr=False)
    keys: tuple[Secret, ...] = ()
    show: Callable[[str], object] = print
    run_commands: bool = True
    time_limit: float = TIME_LIMIT
    allowed_paths: tuple[str, ...] = ()
    reserved: Mapping[str, str] = field(default_factory=dict)

    def unallowed(self, path: Path) -> str:
        """Why ``path`` may not be used by this run, or in this pipeline; empty when it may."""
        if use := next((use for place in (path, *path.parents) if (use := self.reserved.get(str(place)))), ""):
            return f"this run uses {path}: {use}"
        if outside(path, Path(), self.environ, self.allowed_paths):
            return f"{path} is outside the repository, which the operator must allow in CI. {ALLOW_HINT}"
        return ""


class SinkKind(Protocol):
    """One kind of sink, a module of this room; :mod:`webchat_sync.secrets.sinks.registry` knows them all."""

    @property
    def schema(self) -> Mapping[str, Json]:
        """The JSON Schema of every key that it has in a manifest, its own name first; none if it is not declared.

        There may be one further key, which a :class:`Sink` holds as ``key``, and which no other kind has. A text with
        a ``pattern`` or an ``enum`` takes ``fields.schema.json#/$defs/variable`` as well.
        """
        ...

    def parse(self, value: Mapping[str, Json], folder: str) -> Sink:
        """The sink that a manifest declares, as far as it can be read; relative paths start at ``folder``."""
        ...

    def flaws(self, value: Mapping[str, Json]) -> Iterator[Diagnostic]:
        """What no schema can say of a declaration, without places; the steps begin at the sink."""
        ...

    def address(self, sink: Sink) -> Address | None:
        """Where it puts a secret, if that place takes only one."""
        ...

    async def probe(self, sink: Sink, occasion: Occasion, settings: SinkSettings) -> str:
        """Why it will not take a secret, as far as can be told without one; empty when nothing is against it."""
        ...

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret, settings: SinkSettings) -> None:
        """Put the secret there. What it raises ends as a secret that was not delivered."""
        ...

    def read(self, sink: Sink) -> Secret | None:
        """The secret that is there now, if that can be read; raises OSError and ValueError."""
        ...


def argv_of(value: Json) -> tuple[str, ...]:
    """A program and its arguments, from a list in a manifest."""
    return tuple(str(argument) for argument in value) if isinstance(value, list) else ()
