"""The differences between a live value and a declared one, by the catalogue's rules.

Two values are equal when :func:`differences` yields nothing, so there is one notion of equality: the one that
the plan prints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Final, cast

from webchat_sync.domain.catalogue import PLAIN, Shape
from webchat_sync.domain.match_items import item_labels, match_items
from webchat_sync.model import FieldChange, Json

_SORTED: Final = json.JSONEncoder(sort_keys=True)


def differences(path: str, shape: Shape, live: Json, declared: Json) -> Iterator[FieldChange]:
    """Each place inside ``path`` where ``declared`` differs from ``live``; nothing when they mean the same.

    Maps are compared by key, where a null and a missing key are the same; lists by the catalogue's list type;
    texts by its way of comparing texts.
    """
    if identical(live, declared):
        return
    if isinstance(live, dict) and isinstance(declared, dict):
        yield from _map_differences(path, shape, live, declared)
    elif isinstance(live, list) and isinstance(declared, list):
        compare = {"set": _set_differences, "map": _keyed_differences, "atomic": _atomic_differences}[shape.list_type]
        yield from compare(path, shape, live, declared)
    elif not _same_scalar(shape, live, declared):
        yield change(path, live, declared)


def equal(shape: Shape, live: Json, declared: Json) -> bool:
    """Whether the two values mean the same by the catalogue's rules."""
    return next(differences("", shape, live, declared), None) is None


def change(path: str, live: Json, declared: Json) -> FieldChange:
    """One difference; null on either side makes it an addition or a removal."""
    if live is None:
        return FieldChange(path, "add", None, declared)
    return FieldChange(path, "remove" if declared is None else "change", live, declared)


def canonical(shape: Shape, value: Json) -> str:
    """``value`` as a text that is the same for all values that differ only in what has no meaning.

    That is: the order of keys, the order inside sets, null keys, and the parts of texts that are not compared.
    """
    return _SORTED.encode(canonical_value(shape, value))


def canonical_value(shape: Shape, value: Json) -> Json:
    """``value`` without what has no meaning, but for the order of keys; see :func:`canonical`."""
    if isinstance(value, str):
        return _comparable(shape, value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        inner = shape.properties
        return {key: canonical_value(inner.get(key, PLAIN), each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        items = shape.items or PLAIN
        if shape.list_type == "set":
            return cast("Json", sorted({canonical(items, each) for each in value}))
        return [canonical_value(items, each) for each in value]
    return value


def _comparable(shape: Shape, text: str) -> str:
    if shape.compare == "exact":
        return text
    return text.strip().casefold() if shape.compare == "caseless" else text.strip()


def identical(live: Json, declared: Json) -> bool:
    """Whether nothing at all differs, as with most values: a faster way to see it than to look for differences."""
    # Python takes True for 1; JSON does not.
    return live == declared and (isinstance(live, str) or repr(live) == repr(declared))


def _same_scalar(shape: Shape, live: Json, declared: Json) -> bool:
    if isinstance(live, str) and isinstance(declared, str):
        return _comparable(shape, live) == _comparable(shape, declared)
    # Python takes True for 1; JSON does not.
    return isinstance(live, bool) == isinstance(declared, bool) and live == declared


def _map_differences(
    path: str, shape: Shape, live: Mapping[str, Json], declared: Mapping[str, Json]
) -> Iterator[FieldChange]:
    for key in [*declared, *(key for key in live if key not in declared)]:
        inner = shape.properties.get(key, PLAIN)
        yield from differences(_member(path, key), inner, live.get(key), declared.get(key))


def _set_differences(path: str, shape: Shape, live: Sequence[Json], declared: Sequence[Json]) -> Iterator[FieldChange]:
    items = shape.items or PLAIN
    before = {canonical(items, each): each for each in live}
    after = {canonical(items, each): each for each in declared}
    for key, each in after.items():
        if key not in before:
            yield FieldChange(_element(path, each), "add", None, each)
    for key, each in before.items():
        if key not in after:
            yield FieldChange(_element(path, each), "remove", each, None)


def _keyed_differences(
    path: str, shape: Shape, live: Sequence[Json], declared: Sequence[Json]
) -> Iterator[FieldChange]:
    """Items by their key, then the order of those that stay."""
    if len(live) == len(declared) and identical(
        [*map(without_server_keys, repeat(shape), live, declared)], [*declared]
    ):
        return
    partners = match_items(shape, live, declared)
    labels, live_labels = item_labels(shape, declared), item_labels(shape, live)
    items = shape.items or PLAIN
    for index, partner in enumerate(partners):
        place = f"{path}[{labels[index]}]"
        if partner is None:
            yield FieldChange(place, "add", None, declared[index])
        else:
            before = without_server_keys(shape, live[partner], declared[index])
            yield from differences(place, items, before, declared[index])
    stays = [partner for partner in partners if partner is not None]
    for index in sorted(set(range(len(live))) - set(stays)):
        yield FieldChange(f"{path}[{live_labels[index]}]", "remove", live[index], None)
    if stays != sorted(stays):
        before, after = ([json.loads(live_labels[index]) for index in indexes] for indexes in (sorted(stays), stays))
        yield FieldChange(f"{path} (order)", "change", before, after)


def without_server_keys(shape: Shape, live_item: Json, declared_item: Json) -> Json:
    """``live_item`` without the keys that the server added and ``declared_item`` does not carry."""
    if not isinstance(live_item, dict) or not isinstance(declared_item, dict):
        return live_item
    added = shape.server_keys - declared_item.keys()
    return {key: each for key, each in live_item.items() if key not in added}


def _atomic_differences(
    path: str, shape: Shape, live: Sequence[Json], declared: Sequence[Json]
) -> Iterator[FieldChange]:
    items = shape.items or PLAIN
    if len(live) == len(declared) and all(map(equal, repeat(items), live, declared)):
        return
    edits = list(_list_edits(path, live, declared))
    # A difference that DeepDiff does not see (True beside 1) is shown whole, never hidden.
    yield from edits or [FieldChange(path, "change", list(live), list(declared))]


def _list_edits(path: str, live: Sequence[Json], declared: Sequence[Json]) -> Iterator[FieldChange]:
    """The edits that turn one list into the other, as DeepDiff aligns them."""
    from deepdiff import DeepDiff
    from deepdiff.helper import notpresent

    tree = DeepDiff(list(live), list(declared), view="tree", threshold_to_diff_deeper=0)
    nodes = [(node.path(output_format="list"), node) for found in tree.values() for node in found]
    for steps, node in sorted(nodes, key=lambda each: [(isinstance(step, str), step) for step in each[0]]):
        place = path + "".join(_member("", step) if isinstance(step, str) else f"[{step}]" for step in steps)
        before, after = (None if side is notpresent else side for side in (node.t1, node.t2))
        if before != after or isinstance(before, bool) != isinstance(after, bool):
            yield change(place, before, after)


def _member(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def _element(path: str, item: Json) -> str:
    return f"{path}[{json.dumps(item, ensure_ascii=False)}]"
