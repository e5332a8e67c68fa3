"""Sinks that several declarations share, in any organisations: one of the secrets would be lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from webchat_sync.check.parts import Draft, Part
from webchat_sync.errors import Diagnostic
from webchat_sync.frozen import frozen
from webchat_sync.model import Sink

if TYPE_CHECKING:
    from webchat_sync.secrets.sinks import Address


@frozen
class _Entry:
    """A declared sink with its addresses."""

    draft: Draft
    position: int
    places: tuple[Address, ...]

    def is_same(self, other: _Entry) -> bool:
        """Whether it's the same place for the same channel, so the secret is only delivered there twice."""
        return self.draft is other.draft and self.places == other.places


def shared_sinks(parts: Sequence[Part]) -> Iterator[Diagnostic]:
    """An error for every sink that would replace another one's secret, and a warning for a command with two secrets."""
    files: dict[str, list[tuple[Address, _Entry]]] = {}
    commands: dict[tuple[str, tuple[str, ...]], tuple[Draft, int]] = {}
    sinks = list(_sinks(parts))
    if not sinks:
        return
    from webchat_sync.secrets.sinks import addresses

    for draft, position, sink in sinks:
        places = addresses(sink)
        ours = _Entry(draft, position, places)
        others = (other for place in places for at, other in files.get(place.path, ()) if at.meets(place))
        met = next((other for other in others if not other.is_same(ours)), None)
        if met is not None:
            yield _lost(draft, position, met.draft, met.position)
        for place in places:
            files.setdefault(place.path, []).append((place, ours))
        if not places and sink.argv:
            before = commands.setdefault((sink.folder, sink.argv), (draft, position))
            if before[0] is not draft:
                yield _two_secrets(draft, position, before)


def _sinks(parts: Sequence[Part]) -> Iterator[tuple[Draft, int, Sink]]:
    for part in parts:
        for draft in part.drafts:
            block = draft.declaration.identity_secret
            if block is not None and not block.absent and not draft.declaration.absent:
                yield from ((draft, position, sink) for position, sink in enumerate(block.deliver))


def _lost(draft: Draft, position: int, other: Draft, its_position: int) -> Diagnostic:
    whose = "this channel" if other is draft else "another channel"
    return draft.problem(
        "shared-sink",
        f"the secret of {whose} goes here too (see {_place(other, its_position)}); one of the two would be lost",
        *_path(position),
        hint="Use a different file or key for each; `${MOSEND_ORG_ID}` in the path keeps organisations apart.",
    )


def _two_secrets(draft: Draft, position: int, before: tuple[Draft, int]) -> Diagnostic:
    problem = draft.problem(
        "shared-command",
        f"the same command gets another channel's secret (see {_place(*before)})",
        *_path(position),
        hint="This is fine if the command uses WEBCHAT_SYNC_CHANNEL_NAME. Otherwise, use a different sink for "
        "each channel.",
    )
    return replace(problem, severity="warning")


def _place(draft: Draft, position: int) -> str:
    return str(draft.place(*_path(position)))


def _path(position: int) -> tuple[str | int, ...]:
    return "sync", "identitySecret", "deliver", position
