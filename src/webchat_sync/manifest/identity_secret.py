"""``sync.identitySecret``: from the values of a document to its declaration, and what no schema can say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import PurePath
from typing import Final

from webchat_sync.errors import Diagnostic, Path, Place
from webchat_sync.model import IdentitySecretDeclaration, Json, Sink

KINDS: Final = ("file", "dotenv", "command")

_HOURS: Final = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24}
_EXAMPLE: Final = "such as `{file: .secrets/support}`"


def identity_secret(value: Json, place: Callable[[Path], Place]) -> IdentitySecretDeclaration | None:
    """The declaration that ``value`` is, as far as it can be read; None when it is not there.

    ``place`` gives where the value at a path below ``identitySecret`` stands. Relative paths of its sinks start at the
    folder of the file that ``deliver`` stands in.
    """
    if not isinstance(value, dict):
        return None
    folder = PurePath(place(("deliver",)).file).parent.as_posix()
    rotation, listed, age = value.get("rotation"), value.get("deliver"), value.get("maxAge")
    return IdentitySecretDeclaration(
        absent=value.get("state") == "absent",
        rotation=_as_text(rotation),
        max_age=_length(age),
        age_text=age if isinstance(age, str) else "",
        deliver=tuple(
            _sink(each, folder) for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)
        ),
        verify=value.get("verify") is True,
        place=place(()),
    )


def flaws(value: Json) -> Iterator[Diagnostic]:
    """What is wrong with a block although each of its values is right by itself; steps begin in the block."""
    if not isinstance(value, dict):
        return
    listed = value.get("deliver", [])
    if value.get("state") != "absent" and listed == []:
        path: Path = ("deliver",) if "deliver" in value else ()
        hint = f"A new secret is shown only once. Write in `deliver` where it goes, {_EXAMPLE}."
        yield _flaw(path, "`deliver` names no sink", hint)
    for index, sink in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(sink, dict):
            for flaw in _sink_flaws(sink):
                yield flaw.below("deliver", index)


def _sink_flaws(sink: dict[str, Json]) -> Iterator[Diagnostic]:
    kinds = [kind for kind in KINDS if kind in sink]
    if len(kinds) != 1:
        wrong = f"{' and '.join(f'`{kind}`' for kind in kinds)} are different sinks" if kinds else "this names no sink"
        yield _flaw((), wrong, f"Write one of `file`, `dotenv` and `command` in each item, {_EXAMPLE}.")
    if "dotenv" in sink and "key" not in sink:
        yield _flaw((), "`key` is missing", "Name the key that is replaced in the dotenv file.")
    if "key" in sink and "dotenv" not in sink:
        yield _flaw(("key",), "`key` goes with `dotenv` only", "Remove it, or make this a `dotenv` sink.")
    for name in ("command", "probe"):
        if sink.get(name) == []:
            yield _flaw((name,), f"`{name}` names no program", "Write the program and its arguments as a list.")


def _flaw(path: Path, message: str, hint: str) -> Diagnostic:
    return Diagnostic(message, steps=path, hint=hint, code="identity-secret")


def _sink(value: dict[str, Json], folder: str) -> Sink:
    probe = _argv(value.get("probe"))
    if "command" in value:
        return Sink("command", argv=_argv(value["command"]), probe=probe, folder=folder)
    if "dotenv" in value:
        return Sink("dotenv", str(value["dotenv"]), str(value.get("key", "")), probe=probe, folder=folder)
    return Sink("file", str(value.get("file", "")), probe=probe, folder=folder)


def _argv(value: Json) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def _as_text(value: Json) -> str | None:
    """The token as text, so that ``4`` and ``"4"`` are one token."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _length(value: Json) -> timedelta | None:
    if not isinstance(value, str) or not value[:-1].isdecimal() or value[-1] not in _HOURS or len(value) > 5:
        return None
    return timedelta(hours=int(value[:-1]) * _HOURS[value[-1]])
