"""The widget as the documented fields define it; nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

from webchat_sync.domain.colors import is_color, poor_contrast
from webchat_sync.frozen import frozen
from webchat_sync.model import Json
from webchat_sync.render.html.paints import Paints, pixels_of
from webchat_sync.render.sides import Sides
from webchat_sync.render.values import inline

Scene: TypeAlias = Literal["chat", "closed", "pause", "offers"]

SCENES: Final[Mapping[Scene, tuple[str, frozenset[str]]]] = {
    "chat": (
        "Open",
        frozenset(
            {
                *("name", "color", "theme", "enabled", "welcomeMessage", "precaptureEnabled", "prechatFields"),
                *("departments", "bubblePosition", "bubbleOffsetBottom", "bubbleOffsetX", "requireEmailUpfront"),
                *("linkEmailBannerEnabled", "voiceNotesEnabled"),
            }
        ),
    ),
    "closed": ("Closed", frozenset({"offlineMessage", "offlineAction", "offlineReplyEmailEnabled"})),
    "pause": ("Midday break", frozenset({"offlineMessageLunch"})),
    "offers": ("Proactive messages", frozenset({"proactiveTriggers"})),
}
"""What a visitor may see: the scene's name, and the fields that it shows."""

OWN_BOTTOM: Final = 24
"""The default distance of the vendor's bubble from the bottom, in pixels."""

OWN_SIDE: Final = 24


@frozen
class SceneTab:
    """One scene of a channel: whether something in it changes, and whether it's shown first."""

    key: Scene
    title: str
    changed: bool
    first: bool


@frozen
class Said:
    """A text of the widget. ``missing`` says in our words why there is none."""

    text: str = ""
    missing: str = ""
    changed: bool = False


@frozen
class Question:
    """One question of the form before the chat."""

    label: str
    kind: str = ""
    required: bool = False
    options: tuple[str, ...] = ()


@frozen
class Widget:
    """One side of the drawing. ``paint`` and ``places`` are classes of the style sheet; ``facts`` are shown below it.

    ``contrast`` is the ratio of white to the colour if it's too low, else empty. ``changed`` are the fields that differ
    from the other side.
    """

    name: str
    initial: str
    site: str
    paint: str
    places: tuple[str, ...]
    left: bool
    theme: Literal["light", "dark", "auto"]
    contrast: str
    off: bool
    welcome: Said
    form: tuple[Question, ...]
    departments: tuple[str, ...]
    banner: bool
    voice: bool
    offline: Said
    pause: Said
    offline_action: str
    by_email: bool
    offers: tuple[str, ...]
    facts: tuple[str, ...]
    changed: frozenset[str]

    def marks(self, *names: str) -> bool:
        """Whether one of these fields changes."""
        return not self.changed.isdisjoint(names)


def scene_tabs(sides: Sides, now: Scene = "chat") -> tuple[SceneTab, ...]:
    """The scenes with something to see; ``now`` is what a visitor sees now.

    The first one with a change is shown first; if nothing changes, it's the current one.
    """
    known = {name for side in (sides.before, sides.after) if side is not None for name in side}
    tabs = [
        (key, title, not fields.isdisjoint(sides.changed))
        for key, (title, fields) in SCENES.items()
        if key in {"chat", now} or not fields.isdisjoint(known)
    ]
    first = next((key for key, _, changed in tabs if changed), now)
    return tuple(SceneTab(key, title, changed, key == first) for key, title, changed in tabs)


def widget_of(fields: Mapping[str, Json] | None, changed: frozenset[str], paints: Paints) -> Widget | None:
    """The drawing of a channel with these fields; None without a channel."""
    if fields is None:
        return None
    name = fields.get("name")
    shown_name = name if isinstance(name, str) else inline(name)
    left = fields.get("bubblePosition") == "left"
    bottom, side = pixels_of(fields.get("bubbleOffsetBottom")), pixels_of(fields.get("bubbleOffsetX"))
    places = (
        paints.distance("bottom", OWN_BOTTOM if bottom is None else bottom),
        paints.distance("left" if left else "right", OWN_SIDE if side is None else side),
    )
    offline = _said(fields, "offlineMessage", "offline message", changed)
    return Widget(
        name=shown_name,
        initial=shown_name.strip()[:1].upper(),
        site=_site(fields),
        paint=paints.color(fields.get("color")),
        places=places,
        left=left,
        theme=_theme(fields.get("theme")),
        contrast=_low_contrast(fields.get("color")),
        off=fields.get("enabled") is False,
        welcome=_said(fields, "welcomeMessage", "welcome message", changed),
        form=_form(fields),
        departments=tuple(_named(entry) for entry in _items(fields.get("departments"))),
        banner=fields.get("linkEmailBannerEnabled") is True,
        voice=fields.get("voiceNotesEnabled") is True,
        offline=offline,
        pause=_pause(fields, offline, changed),
        offline_action=_as_text(fields.get("offlineAction")),
        by_email=fields.get("offlineReplyEmailEnabled") is True,
        offers=tuple(_offer(entry) for entry in _items(fields.get("proactiveTriggers"))),
        facts=tuple(_facts(fields, left=left, bottom=bottom, side=side)),
        changed=changed,
    )


def _site(fields: Mapping[str, Json]) -> str:
    domains = fields.get("allowedDomains")
    if isinstance(domains, list):
        return next((host for host in domains if isinstance(host, str)), "any site")
    return "your site"


def _theme(value: Json) -> Literal["light", "dark", "auto"]:
    return "dark" if value == "dark" else "light" if value == "light" else "auto"


def _low_contrast(color: Json) -> str:
    if not isinstance(color, str) or not is_color(color):
        return ""
    ratio = poor_contrast(color)
    return ratio and f"{ratio}:1"


def _said(fields: Mapping[str, Json], name: str, what: str, changed: frozenset[str]) -> Said:
    value = fields.get(name)
    marked = name in changed
    if name not in fields:
        return Said(missing=f"The {what} isn't managed here, or the server didn't list it.", changed=marked)
    if value is None or (isinstance(value, str) and not value.strip()):
        return Said(missing=f"No {what}.", changed=marked)
    return Said(value if isinstance(value, str) else inline(value), changed=marked)


def _pause(fields: Mapping[str, Json], offline: Said, changed: frozenset[str]) -> Said:
    own = _said(fields, "offlineMessageLunch", "message for the midday break", changed)
    # If it's empty, the other message is used.
    return own if own.text or "offlineMessageLunch" not in fields else offline


def _form(fields: Mapping[str, Json]) -> tuple[Question, ...]:
    entries = [] if fields.get("precaptureEnabled") is False else _items(fields.get("prechatFields"))
    questions = [_question(entry) for entry in entries]
    if fields.get("requireEmailUpfront") is True and not any(question.kind == "email" for question in questions):
        questions.insert(0, Question("E-mail", "email", required=True))
    return tuple(questions)


def _question(entry: Json) -> Question:
    if not isinstance(entry, dict):
        return Question(_named(entry))
    kind, options = entry.get("type"), entry.get("options")
    return Question(
        _named(entry),
        kind if isinstance(kind, str) else "",
        required=entry.get("required") is True,
        options=tuple(_named(option) for option in options) if isinstance(options, list) else (),
    )


def _items(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else []


def _named(entry: Json, *keys: str) -> str:
    """The name of an item, or all of it if it has none."""
    if isinstance(entry, str):
        return entry
    if isinstance(entry, dict):
        for key in keys or ("label", "name", "value"):
            if isinstance(name := entry.get(key), str) and name.strip():
                return name
    return inline(entry)


def _offer(entry: Json) -> str:
    return _named(entry, "message", "text", "name", "label")


def _as_text(value: Json) -> str:
    if value is None or value == {}:
        return ""
    if isinstance(value, dict) and value.keys() == {"type"} and isinstance(value["type"], str):
        return value["type"]
    return value if isinstance(value, str) else inline(value)


def _facts(fields: Mapping[str, Json], *, left: bool, bottom: int | None, side: int | None) -> list[str]:
    color = fields.get("color")
    if "color" not in fields:
        painted = "Colour unknown, shown in grey"
    elif isinstance(color, str) and is_color(color):
        painted = f"Colour {color}"
    else:
        painted = f"{inline(color)} isn't a valid colour, shown in grey"
    corner = f"bubble on the {'left' if left else 'right'}"
    if "bubblePosition" not in fields:
        corner += " (position unknown)"
    distances = [f"{bottom} px from the bottom"] * (bottom is not None) + [f"{side} px from the side"] * (
        side is not None
    )
    theme = fields.get("theme")
    scheme = {"light": "always light", "dark": "always dark", "auto": "light or dark like the visitor's device"}
    themed = scheme.get(theme, f"theme {inline(theme)}") if isinstance(theme, str) else "theme unknown"
    return [painted, ", ".join([corner, *distances]), themed]
