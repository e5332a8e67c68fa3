"""Reads ``sync.identitySecret`` into a declaration, and finds the problems that no schema can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePath
from typing import Final

from webchat_sync.errors import Diagnostic, Path, Place
from webchat_sync.model import IdentitySecretDeclaration, Json, Sink
from webchat_sync.secrets.sinks.kind import argv_flaws
from webchat_sync.secrets.sinks.registry import DECLARABLE
from webchat_sync.sentences import listed

_OPTIONS: Final = {name: kind for kind in DECLARABLE for name in DECLARABLE[kind].schema if name != kind}
"""Additional keys of a sink, and the kind that has them."""

_HOURS: Final = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24}
_CODE: Final = "identity-secret"
_SINK: Final = "{ file: .secrets/support }"


def identity_secret(value: Json, place: Callable[[Path], Place]) -> IdentitySecretDeclaration | None:
    """The declaration in ``value``, even if it has flaws; None if it's missing.

    ``place`` returns the place of the value at a path below ``identitySecret``. Relative paths of its sinks start in
    the folder of the file that contains ``deliver``.
    """
    if not isinstance(value, dict):
        return None
    folder = PurePath(place(("deliver",)).file).parent.as_posix()
    rotation, sinks, age = value.get("rotation"), value.get("deliver"), value.get("maxAge")
    return IdentitySecretDeclaration(
        absent=value.get("state") == "absent",
        rotation=rotation if isinstance(rotation, str) else None,
        max_age=_length(age),
        age_text=age if isinstance(age, str) else "",
        deliver=tuple(
            sink
            for declared in (sinks if isinstance(sinks, list) else ())
            if isinstance(declared, dict) and (sink := _sink(declared, folder))
        ),
        verify=value.get("verify") is True,
        place=place(()),
    )


def flaws(value: Json) -> Iterator[Diagnostic]:
    """Problems of a block whose values are valid by themselves; steps start in the block."""
    if not isinstance(value, dict):
        return
    sinks = value.get("deliver", [])
    if value.get("state") != "absent" and sinks == []:
        path: Path = ("deliver",) if "deliver" in value else ()
        hint = f"A new secret is shown only once. Say where it should go, for example `deliver: [{_SINK}]`."
        yield Diagnostic("`deliver` doesn't name a sink", steps=path, hint=hint, code=_CODE)
    for index, sink in enumerate(sinks if isinstance(sinks, list) else ()):
        if isinstance(sink, dict):
            for flaw in _sink_flaws(sink):
                yield replace(flaw.below("deliver", index), code=_CODE)


def _sink_flaws(sink: dict[str, Json]) -> Iterator[Diagnostic]:
    kinds = [kind for kind in DECLARABLE if kind in sink]
    if len(kinds) != 1:
        wrong = f"{listed(kinds)} are different sinks" if kinds else "this doesn't name a sink"
        yield Diagnostic(wrong, hint=f"Write one of {listed(DECLARABLE)} in each item, for example `{_SINK}`.")
    for kind in kinds:
        yield from DECLARABLE[kind].flaws(sink)
    for name, kind in _OPTIONS.items():
        if name in sink and kind not in sink:
            message = f"`{name}` can only be used with `{kind}`"
            yield Diagnostic(message, steps=(name,), hint=f"Remove it, or make this a `{kind}` sink.")
    yield from argv_flaws(sink, "probe")


def _sink(value: dict[str, Json], folder: str) -> Sink | None:
    kind = next((kind for kind in DECLARABLE if kind in value), None)
    return DECLARABLE[kind].parse(value, folder) if kind else None


def _length(value: Json) -> timedelta | None:
    if not isinstance(value, str) or not value[:-1].isdecimal() or value[-1] not in _HOURS or len(value) > 5:
        return None
    return timedelta(hours=int(value[:-1]) * _HOURS[value[-1]])
