"""What a server changes in values and responses: always (ids of list items), and by quirks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import Field, field, fields
from typing import Any, Final

from webchat_sync.domain.catalogue import PLAIN, Catalogue, Shape
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import show
from webchat_sync.model import Json
from webchat_sync.sentences import in_a_row

_ABOUT: Final = "about"
_CHOICES: Final = "choices"


def _off(about: str) -> bool:
    return field(default=False, metadata={_ABOUT: about})


@frozen(kw_only=True)
class Quirks:
    """What real servers do that a naive client trips on; all are off until asked for.

    :func:`described` says what they do; on the command line they are written with hyphens.
    """

    trim_texts: bool = _off(
        "stores text without leading and trailing spaces, in fields where the catalogue says that these don't count"
    )
    lower_case: bool = _off("stores colours and hosts in lower case")
    drop_nulls: bool = _off("leaves out keys whose value is null, at every depth of a response")
    reorder_keys: bool = _off("returns keys in another order, at every depth of a response")
    ids_at_any_depth: bool = _off("gives every mapping inside a field an `id`, at every depth")
    no_envelope: bool = _off("doesn't wrap responses in `data` and `timestamp`")
    idempotency: bool = _off(
        "for a POST with an `Idempotency-Key` that was used before, returns the channel that the first one created"
    )
    newer_create: bool = _off(
        "also accepts, in a POST, the fields that newer servers accept: those with `newerCreate` in the catalogue"
    )
    check_origin: bool = _off("refuses sessions (403) whose `Origin` isn't in the channel's `allowedDomains`")
    omit: frozenset[str] = field(
        default=frozenset(), metadata={_ABOUT: "leaves these fields out of the list of channels"}
    )
    offline_actions: tuple[str, ...] = field(
        default=(), metadata={_ABOUT: "only accepts these names as `offlineAction`; new channels get the first"}
    )
    media_key: str = field(
        default="",
        metadata={
            _ABOUT: "returns the id of an upload under this name only, instead of both",
            _CHOICES: ("mediaAssetId", "mediaId"),
        },
    )


NO_QUIRKS: Final = Quirks()


def described() -> Mapping[str, str]:
    """The effect of every quirk, by its name on the command line."""
    return {_written(quirk): quirk.metadata[_ABOUT] for quirk in fields(Quirks)}


def read_quirks(orders: Iterable[str]) -> Quirks:
    """The quirks in ``orders``, such as ``drop-nulls`` and ``omit=theme,color``.

    Raises InputError with every order that isn't a quirk, has an unexpected value, or lacks one.
    """
    known = {quirk.name.replace("_", "-"): quirk for quirk in fields(Quirks)}
    values: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for order in orders:
        name, equals, text = order.partition("=")
        parts = tuple(part.strip() for part in text.split(",") if part.strip())
        quirk = known.get(name)
        if quirk is None:
            hint = f"Available quirks: {', '.join(map(_written, fields(Quirks)))}."
            problems.append(Diagnostic(f"there's no quirk {show(name)}", hint=hint))
        elif quirk.default is False and equals:
            problems.append(Diagnostic(f"the quirk {name} doesn't take a value", hint=f"Write `{name}`."))
        elif quirk.default is not False and not parts:
            problems.append(Diagnostic(f"the quirk {name} needs a value", hint=f"Write `{_written(quirk)}`."))
        elif (choices := quirk.metadata.get(_CHOICES)) and text not in choices:
            hint = f"It must be {in_a_row(choices, last='or')}."
            problems.append(Diagnostic(f"the quirk {name} can't be {show(text)}", hint=hint))
        else:
            kind: Any = type(quirk.default)
            values[quirk.name] = True if kind is bool else text if kind is str else kind(parts)
    if problems:
        raise InputError(problems)
    return Quirks(**values)


def as_stored(
    fields: Mapping[str, Json], catalogue: Catalogue, *, quirks: Quirks, new_id: Callable[[], str]
) -> dict[str, Json]:
    """The fields as the server stores them: items of keyed lists have the keys that the server owns."""
    return {name: _stored(value, catalogue.shape(name), quirks, new_id) for name, value in fields.items()}


def as_answered(value: Json, quirks: Quirks) -> Json:
    """A stored value as the server returns it."""
    if not (quirks.reorder_keys or quirks.drop_nulls):
        return value
    if isinstance(value, list):
        return [as_answered(item, quirks) for item in value]
    if not isinstance(value, dict):
        return value
    keys = sorted(value, reverse=True) if quirks.reorder_keys else value
    return {key: as_answered(value[key], quirks) for key in keys if value[key] is not None or not quirks.drop_nulls}


def _written(quirk: Field[Any]) -> str:
    name = quirk.name.replace("_", "-")
    if quirk.default is False:
        return name
    return f"{name}={'|'.join(quirk.metadata.get(_CHOICES, ())) or 'NAME,…'}"


def _stored(value: Json, shape: Shape, quirks: Quirks, new_id: Callable[[], str]) -> Json:
    if isinstance(value, str):
        return _text(value, shape, quirks)
    if isinstance(value, dict):
        stored = {key: _stored(inner, shape.properties.get(key, PLAIN), quirks, new_id) for key, inner in value.items()}
        return _with_keys(stored, {"id"} if quirks.ids_at_any_depth else frozenset(), new_id)
    if isinstance(value, list):
        items = [_stored(item, shape.items or PLAIN, quirks, new_id) for item in value]
        return [_with_keys(item, shape.server_keys, new_id) for item in items]
    return value


def _with_keys(item: Json, owned: Set[str], new_id: Callable[[], str]) -> Json:
    return {**{key: new_id() for key in sorted(owned - item.keys())}, **item} if isinstance(item, dict) else item


def _text(value: str, shape: Shape, quirks: Quirks) -> str:
    if quirks.trim_texts and shape.compare != "exact":
        value = value.strip()
    return value.lower() if quirks.lower_case and shape.compare in ("caseless", "host") else value
