"""Manifests in the styles of real authors: one content with comments, anchors, variables, merges and defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from webchat_sync.model import Json
from webchat_sync.yaml12.emit import emit_inline, emit_item, emit_key, emit_scalar


@dataclass
class Writer:
    """Writes values in random styles; ``comments`` are those outside lists and mappings."""

    draw: st.DrawFn
    environ: dict[str, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    numbers: int = 0

    def comment(self) -> str:
        self.numbers += 1
        return f"# c{self.numbers}."

    def kept_comment(self) -> str:
        made = self.comment()
        self.comments.append(made)
        return made

    def entry(self, name: str, value: Json, indent: int) -> str:
        """The lines of a field, with or without comments above and after it."""
        blanks = " " * indent
        above = "".join(
            f"{blanks}{self.kept_comment()}\n" if each else "\n"
            for each in self.draw(st.lists(st.booleans(), max_size=2))
        )
        written = self.value(value, indent)
        if written.startswith("\n") or "\n" in written:
            return f"{above}{blanks}{emit_key(name)}:{written}\n"
        behind = f"  {self.kept_comment()}" if self.draw(st.booleans()) else ""
        return f"{above}{blanks}{emit_key(name)}: {written}{behind}\n"

    def value(self, value: Json, indent: int) -> str:
        """What follows the colon, with the space it needs if it starts on the same line."""
        inside = " " * (indent + self.draw(st.sampled_from([1, 2, 4])))
        if isinstance(value, dict | list):
            style = self.draw(st.sampled_from(["block", "flow", "lines"] if value else ["flow", "lines"]))
            if style == "block" and isinstance(value, dict):
                lines = (self.nested(f"{inside}{emit_key(key)}:", each, len(inside)) for key, each in value.items())
                return self.maybe_comment() + "\n" + "\n".join(lines)
            if style == "block":
                dashes = self.draw(st.sampled_from([" " * indent, inside])) if indent else inside
                return self.maybe_comment() + "\n" + "\n".join(self.item(dashes, each) for each in value)
            if style == "lines":
                opening, closing = "{}" if isinstance(value, dict) else "[]"
                each_line = [
                    f"{inside}{f'{emit_key(key, inline=True)}: ' if isinstance(value, dict) else ''}{emit_inline(each)}"
                    for key, each in (
                        value.items() if isinstance(value, dict) else zip(map(str, value), value, strict=True)
                    )
                ]
                body = "".join(f"{line},{self.maybe_comment()}\n" for line in each_line)
                return f" {opening}{self.maybe_comment()}\n{body}{inside}{closing}"
            return emit_inline(value, padded=self.draw(st.booleans()))
        return self.scalar(value)

    def nested(self, head: str, value: Json, indent: int) -> str:
        written = self.value(value, indent)
        return (
            f"{head}{written}"
            if written.startswith("\n") or "\n" in written
            else f"{head} {written}{self.maybe_comment()}"
        )

    def item(self, blanks: str, value: Json) -> str:
        if isinstance(value, dict) and value and self.draw(st.booleans()):
            inner = f"{blanks}  "
            lines = [self.nested(f"{inner}{emit_key(key)}:", each, len(inner)) for key, each in value.items()]
            return f"{blanks}- " + "\n".join(lines).removeprefix(inner)
        written = emit_item(value).replace("\n", f"\n{blanks}")
        return f"{blanks}{written}" + (self.maybe_comment() if "\n" not in written else "")

    def maybe_comment(self) -> str:
        return f"  {self.comment()}" if self.draw(st.integers(0, 3)) == 0 else ""

    def scalar(self, value: Json) -> str:
        if isinstance(value, str) and self.draw(st.integers(0, 4)) == 0:
            name = f"WEBCHAT_V{len(self.environ)}"
            self.environ[name] = value
            return f'"${{{name}}}"'
        quote = self.draw(st.sampled_from(["", '"', "'"]))
        return emit_scalar(value, quote=quote, inline=True) or "null"
