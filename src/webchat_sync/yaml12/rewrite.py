"""Changes values in the text of a file, and nothing else.

Libraries that load and dump a document usually keep its comments, but reformat everything: spacing, indentation,
bracketed lists. Here, what doesn't change is copied exactly, and only the smallest value that differs is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from webchat_sync.errors import Path, Place
from webchat_sync.jsonvalue import Json
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.yaml12.assemble import Span, in_brackets, on_lines
from webchat_sync.yaml12.document import LINE_BREAK
from webchat_sync.yaml12.emit import emit_after_key, emit_inline, emit_item, emit_key, emit_scalar
from webchat_sync.yaml12.interpolation import MARK, VARIABLE
from webchat_sync.yaml12.layout import Entry, Node, keeps_order, merged_mappings
from webchat_sync.yaml12.pairing import NO_HABITS, Habits, pair_items, same

_COMMENT: Final = lazy_pattern(r"#[^\r\n]*")
_END_COMMENT: Final = lazy_pattern(r"(?<![ \t])[ \t]++#[^\r\n]*")
_SHARED: Final = "`{}` no longer gives the right value here, so the value is now written out"


class Note(NamedTuple):
    """What happened to a value at ``path`` that other places shared; ``place`` is where it was."""

    path: Path
    place: Place
    message: str


class _Gone(Enum):
    GONE = "gone"


def rewrite(
    text: str, roots: Sequence[tuple[Node, Json]], *, as_json: bool, habits: Habits = NO_HABITS
) -> tuple[str, list[Note]]:
    """``text``, changed so that every root, which is a document laid out in it, has the value next to it.

    An alias, a merged mapping or a variable that doesn't have the new value is replaced by the value in that place
    only; each is noted. The caller must check that the result is read as intended: a document that can't be changed
    this way stays as it is.
    """
    pieces: list[str] = []
    notes: list[Note] = []
    at = 0
    for root, target in roots:
        rewriter = _Rewriter(text, as_json=as_json, habits=habits)
        changed = rewriter.rewritten(root, target, ())
        pieces += [text[at : root.start], text[root.start : root.end] if changed is None else changed]
        notes += rewriter.notes
        at = root.end
    return "".join([*pieces, text[at:]]), notes


class _Rewriter:
    """``_changed`` has the new value of every anchor that changed."""

    def __init__(self, text: str, *, as_json: bool, habits: Habits) -> None:
        self.notes: list[Note] = []
        self._text = text
        self._json = as_json
        self._habits = habits
        line_break = LINE_BREAK.search(text)
        self._newline = line_break[0] if line_break else "\n"
        self._changed: dict[str, Json | _Gone] = {}

    def rewritten(self, node: Node, target: Json, path: Path) -> str | None:
        """The text of ``node`` for ``target``; None if that needs another kind of text."""
        if node.kind == "alias":
            return self._alias(node, target, path)
        unchanged = same(node.value, target)
        if unchanged and not (self._changed and node.shares):
            return self._source(node)
        before = len(self.notes)
        text = self._inside(node, target, path, unchanged=unchanged)
        if text is None:
            del self.notes[before:]
            self._forget(node)
            if not unchanged:
                self._note_variables(node, path)
        if node.anchor is not None:
            self._changed[node.anchor] = target
            if unchanged and text is not None:
                del self._changed[node.anchor]
        return text

    def _inside(self, node: Node, target: Json, path: Path, *, unchanged: bool) -> str | None:
        if node.kind == "scalar":
            return self._source(node) if unchanged else self._scalar(node, target, path)
        if node.kind == "mapping" and isinstance(target, dict):
            if node.pair or (any(entry.odd for entry in node.entries) and not unchanged):
                return None
            return self._mapping(node, target, path)
        if node.kind == "list" and isinstance(target, list):
            return self._list(node, target, path)
        return None

    def _source(self, node: Node) -> str:
        return self._text[node.begin : node.end]

    def _alias(self, node: Node, target: Json, path: Path) -> str | None:
        current = self._changed.get(node.anchor or "", node.value)
        if not isinstance(current, _Gone) and same(current, target):
            return self._source(node)
        self._note(path, node.place, _SHARED.format(f"*{node.anchor}"))
        return None

    def _scalar(self, node: Node, target: Json, path: Path) -> str | None:
        if isinstance(target, list | dict) or node.indented:
            return None
        if self._json:
            inline: str | None = emit_inline(target, as_json=True)
        else:
            inline = emit_scalar(target, quote=node.style, inline=node.flow)
        if inline is None:
            return None
        self._note_variables(node, path)
        anchor = f"&{node.anchor} " if node.anchor is not None else ""
        blank = " " if node.start == node.end and not self._text[node.start - 1].isspace() else ""
        return f"{blank}{anchor}{inline}"

    def _mapping(self, node: Node, target: Mapping[str, Json], path: Path) -> str | None:
        own = {entry.key for entry in node.entries if not entry.merge}
        inherited: dict[str, Json] = {}
        entries: list[tuple[Entry | None, str]] = []
        for entry in node.entries:
            if entry.merge:
                merged = self._merged(entry)
                if merged is not None and all(name in target or name in own for name in merged):
                    inherited = {**merged, **inherited}
                    entries.append((entry, self._text[entry.start : entry.end]))
                else:
                    self._note((*path, "<<"), entry.value.place, _SHARED.format("<<"))
            elif entry.key is not None and entry.key in target:
                entries.append((entry, self._entry(entry, target[entry.key], node, (*path, entry.key))))
            else:
                self._forget(entry.value)
        missing = {name: value for name, value in target.items() if name not in own}
        for name in [name for name in missing if name in inherited]:
            if same(inherited[name], missing[name]):
                del missing[name]
            else:
                self._note((*path, name), node.place, _SHARED.format("<<"))
        return self._joined(node, self._with_new(entries, missing, node))

    def _with_new(
        self, entries: list[tuple[Entry | None, str]], missing: Mapping[str, Json], node: Node
    ) -> list[tuple[Entry | None, str]]:
        """``entries`` and the new entries after it, but before a key that must be last."""
        last_key = self._habits.last_key
        new = {name: (None, self._new_entry(name, value, node)) for name, value in missing.items()}
        last = entries[-1][0] if entries else None
        at = len(entries) - 1 if last is not None and last.key == last_key is not None else len(entries)
        others = [entry for name, entry in new.items() if name != last_key]
        return [*entries[:at], *others, *entries[at:], *(new[name] for name in new if name == last_key)]

    def _merged(self, entry: Entry) -> dict[str, Json] | None:
        nodes = entry.value.entries if entry.value.kind == "list" else []
        merged: dict[str, Json] = {}
        for node in [item.value for item in nodes] or [entry.value]:
            value = self._changed.get(node.anchor or "", node.value) if node.kind == "alias" else node.value
            if isinstance(value, _Gone):
                return None
            for mapping in merged_mappings(value):
                merged = {**mapping, **merged}
        return merged

    def _list(self, node: Node, target: Sequence[Json], path: Path) -> str | None:
        matched = self._partners(node, target, path)
        stays = [index for index in matched if index is not None]
        if node.shares and stays != sorted(stays) and keeps_order(node):
            return None
        for index, entry in enumerate(node.entries):
            if index not in matched:
                self._forget(entry.value)
        # In the order of the text, since anchors precede their aliases.
        texts: dict[int, str] = {}
        for index in sorted(stays):
            position = matched.index(index)
            texts[index] = self._entry(node.entries[index], target[position], node, (*path, position))
        items: list[tuple[Entry | None, str]] = []
        for value, partner in zip(target, matched, strict=True):
            if partner is None:
                items.append((None, self._new_entry(None, value, node)))
            else:
                items.append((node.entries[partner], texts[partner]))
        return self._joined(node, items)

    def _partners(self, node: Node, target: Sequence[Json], path: Path) -> list[int | None]:
        if path in self._habits.fixed_lists:
            # By index, whatever their names are; new ones are at the end.
            return [index if index < len(node.entries) else None for index in range(len(target))]
        return pair_items([entry.value.value for entry in node.entries], target)

    def _entry(self, entry: Entry, target: Json, parent: Node, path: Path) -> str:
        text = self.rewritten(entry.value, target, path)
        mark = self._text[entry.start : entry.after_mark]
        if text is not None:
            gap = self._text[entry.after_mark : entry.value.begin]
            return f"{mark}{gap}{text}{self._text[entry.value.end : entry.end]}"
        anchor = f"&{entry.value.anchor} " if entry.value.anchor is not None and entry.value.kind != "alias" else ""
        if parent.flow:
            gap = self._text[entry.after_mark : entry.value.start] or (" " if mark else "")
            return f"{mark}{gap}{anchor}{self._inline(target, parent)}"
        first, breaks, rest = self._block_entry(entry.key, target, parent).partition(self._newline)
        new = f"{mark} {anchor}{first[len('-') :].lstrip()}" if entry.key is None else f"{mark}{first}"
        if anchor and entry.key is not None:
            new = f"{mark} {anchor}{first.lstrip()}".rstrip()
        return f"{new}{self._comment(entry)}{breaks}{rest}"

    def _comment(self, entry: Entry) -> str:
        """The comment on the first line of the entry, or above its value, with the spaces before it."""
        value = entry.value
        if value.indented and value.kind != "scalar":
            return self._end_comment(entry.after_mark, value.entries[0].start)
        same_line = self._end_comment(value.body, value.end) if value.indented else self._text[value.end : entry.end]
        above = _COMMENT.search(self._text, entry.after_mark, value.start)
        return same_line.rstrip() or (f" {above[0]}" if above else "")

    def _end_comment(self, start: int, end: int) -> str:
        comment = _END_COMMENT.search(LINE_BREAK.split(self._text[start:end], maxsplit=1)[0])
        return comment[0] if comment else ""

    def _new_entry(self, key: str | None, value: Json, parent: Node) -> str:
        if not parent.flow:
            block = self._block_entry(key, value, parent)
            return block if key is None else f"{emit_key(key)}:{block}"
        if key is None:
            return self._item(value, parent) or self._inline(value, parent)
        return f"{emit_key(key, inline=True, as_json=self._json)}: {self._inline(value, parent)}"

    def _inline(self, value: Json, parent: Node) -> str:
        """``value`` on one line; in braces without spaces inside, it has none either."""
        tight = parent.kind == "mapping" and parent.entries and self._text[parent.body + 1] != " "
        return emit_inline(value, as_json=self._json, padded=False if tight else None)

    def _block_entry(self, key: str | None, value: Json, parent: Node) -> str:
        """What follows the key's colon for ``value``; without a key, a whole item with its dash."""
        if self._habits.on_one_line:
            written = f"{'-' if key is None else ''} {emit_inline(value)}"
        elif key is not None:
            written = emit_after_key(value)
        elif (item := self._item(value, parent)) is not None:
            written = f"- {item}"
        else:
            written = emit_item(value)
        return re.sub(r"\n(?=[^\n])", f"\n{self._indent(parent)}", written).replace("\n", self._newline)

    def _item(self, value: Json, parent: Node) -> str | None:
        """A new item in the style of those next to it, in brackets or in quotes; None if they're in neither."""
        if self._json:
            return None
        if isinstance(value, str):
            quotes = (entry.value.style for entry in parent.entries if entry.value.style in ("'", '"'))
            quote = next(quotes, "")
            return emit_scalar(value, quote=quote, inline=parent.flow) if quote else None
        nodes = (entry.value for entry in parent.entries if not entry.value.pair)
        sibling = next((node for node in nodes if type(node.value) is type(value) and node.kind != "alias"), None)
        if isinstance(value, dict | list) and sibling is not None and sibling.flow:
            return emit_inline(value, padded=self._text[sibling.body + 1] == " ")
        return None

    def _indent(self, parent: Node) -> str:
        first = parent.entries[0].start
        return " " * (first - max(self._text.rfind("\n", 0, first), self._text.rfind("\r", 0, first)) - 1)

    def _joined(self, node: Node, entries: Sequence[tuple[Entry | None, str]]) -> str | None:
        if not entries and node.entries:
            return None
        places = {id(entry): place for place, entry in enumerate(node.entries)}
        order = [(places.get(id(entry)), text) for entry, text in entries]
        spans = [Span(entry.start, entry.end) for entry in node.entries]
        if node.flow:
            inside = in_brackets(self._text, Span(node.body + 1, node.end - 1), spans, order)
            return self._text[node.start : node.body + 1] + inside + self._text[node.end - 1 : node.end]
        gap = self._newline + self._indent(node)
        lead = node.lead if node.lead >= 0 else spans[0].start
        return self._text[node.begin : lead] + on_lines(self._text, spans, order, lead=lead, usual_gap=gap)

    def _forget(self, node: Node) -> None:
        """The anchors inside ``node`` are no longer valid."""
        if node.kind != "alias" and node.anchor is not None:
            self._changed[node.anchor] = _Gone.GONE
        for entry in node.entries:
            self._forget(entry.value)

    def _note_variables(self, node: Node, path: Path) -> None:
        if node.kind == "scalar" and MARK in self._source(node):
            for variable in VARIABLE.findall(self._source(node))[:1]:
                self._note(path, node.place, _SHARED.format(variable))

    def _note(self, path: Path, place: Place, message: str) -> None:
        self.notes.append(Note(path, place, message))
