"""Which sinks a run doesn't use, since they hold the secret of another channel, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from planning import declare, live, secret_changes
from test_plan_secret import HAS, HAS_NOT, planned, remembered, wants
from webchat_sync.model import SANDBOX, ChannelKey, Create, LedgerEntry, Sink, Update, server_in_words
from webchat_sync.secrets.addresses import held_by, occupied_sinks

URL = "https://api.example"
FILE, OTHER = Sink("file", "a", folder="f"), Sink("file", "b", folder="f")
KEY, NEXT_KEY = Sink("dotenv", ".env", "K", folder="f"), Sink("dotenv", ".env", "L", folder="f")
WAY_OUT = (
    "Use a different sink for one of them, for example with `${MOSEND_ORG_ID}` in its path. To replace what's there, "
    "use --take-over-sink."
)
AWAY = "Move it elsewhere, or use a different sink. To replace what's there, use --take-over-sink."


def changes(*sinks: Sequence[Sink]) -> Sequence[Create | Update]:
    """Of one channel for each of the sinks, ``c-1`` and so on, all of which get a secret."""
    names = ["Support", "Sales", "Help"]
    declared = [wants(declare(name), deliver=tuple(held)) for name, held in zip(names, sinks, strict=False)]
    channels = [live(name, f"c-{number + 1}", **HAS_NOT) for number, name in enumerate(names[: len(sinks)])]
    return secret_changes(planned(declared, channels))


def problems(
    *sinks: Sequence[Sink],
    ledger: dict[ChannelKey, LedgerEntry] | None = None,
    url: str = URL,
    lives: Sequence[str] = ("c-1", "c-2", "c-9"),
) -> list[tuple[str, str]]:
    occupied = occupied_sinks(changes(*sinks), ledger or {}, url, {"acme": lives})
    assert all(problem.place == declare().place for problem in occupied)
    return [(problem.message, problem.hint) for problem in occupied]


def taken(channel: str, sink: Sink, owner: str) -> tuple[str, str]:
    message = f'channel "{channel}": the sink `{sink.label}` already holds the secret of {owner}, which would be lost'
    return message, WAY_OUT


def claimed(channel: str, sink: Sink, other: str) -> tuple[str, str]:
    message = f'channel "{channel}": the secret of {other} goes to the sink `{sink.label}`, too'
    hint = "Use a different sink for one of them, for example with `${MOSEND_ORG_ID}` in its path."
    return f"{message}; one of the two would be lost", hint


def held(*sinks: Sink, name: str = "Old", **options: Any) -> LedgerEntry:
    return remembered(name=name, sinks=sinks, **options)


OLD = ChannelKey(URL, "acme", "c-9")
OLD_OWNER = f'"Old" of organisation "acme" on {URL}'


ENV = Sink("file", ".env", folder="f")


@pytest.mark.parametrize(
    ("sink", "before", "refused"),
    [
        (ENV, ENV, True),
        (ENV, KEY, True),
        (KEY, ENV, True),
        (KEY, KEY, True),
        (KEY, NEXT_KEY, False),
        (ENV, FILE, False),
    ],
)
def test_a_whole_file_and_each_of_its_keys_are_the_same_place(sink: Sink, before: Sink, refused: bool) -> None:
    for ledger in ({OLD: held(before)}, {OLD: held(OTHER, before)}):
        found = problems([sink], ledger=ledger)
        assert found == ([taken("Support", sink, OLD_OWNER)] if refused else [])


@pytest.mark.parametrize(
    ("key", "entry", "url", "refused"),
    [
        (OLD, held(FILE), URL, True),
        (OLD, held(OTHER), URL, False),
        (OLD, held(KEY), URL, False),
        (OLD, held(), URL, False),
        (OLD, held(OTHER, FILE), URL, True),
        (OLD, held(FILE, state="intended"), URL, True),
        (OLD, held(FILE, state="revoked"), URL, False),
        (ChannelKey(URL, "acme", "c-1"), held(FILE), URL, False),
        (ChannelKey(URL, "acme", "deleted"), held(FILE), URL, False),
        (ChannelKey(URL, "other", "deleted"), held(FILE), URL, True),
        (ChannelKey(URL, "other", "c-1"), held(FILE), URL, True),
        (ChannelKey("https://other.example", "acme", "c-1"), held(FILE), URL, True),
        (ChannelKey("https://other.example", "acme", "deleted"), held(FILE), URL, True),
        (ChannelKey(SANDBOX, "acme", "c-9"), held(FILE), URL, False),
        (ChannelKey(SANDBOX, "acme", "c-9"), held(FILE), SANDBOX, True),
        (OLD, held(FILE), SANDBOX, True),
    ],
)
def test_a_sink_that_holds_the_secret_of_another_channel_is_refused(
    key: ChannelKey, entry: LedgerEntry, url: str, refused: bool
) -> None:
    owner = f'"Old" of organisation "{key.organization}" on {server_in_words(key.base_url)}'
    expected = [taken("Support", FILE, owner)] if refused else []
    assert problems([FILE], ledger={key: entry}, url=url) == expected


def test_every_sink_and_every_owner_is_told() -> None:
    ledger = {OLD: held(FILE, OTHER), ChannelKey(URL, "other", "c-1"): held(OTHER, name="Else")}
    assert problems([FILE, OTHER], [OTHER], ledger=ledger) == [
        taken("Support", FILE, OLD_OWNER),
        taken("Support", OTHER, OLD_OWNER),
        taken("Support", OTHER, f'"Else" of organisation "other" on {URL}'),
        taken("Sales", OTHER, OLD_OWNER),
        taken("Sales", OTHER, f'"Else" of organisation "other" on {URL}'),
        claimed("Sales", OTHER, '"Support" of organisation "acme"'),
    ]


def test_a_later_channel_of_the_run_does_not_take_the_sink_of_an_earlier_one() -> None:
    assert problems([FILE, KEY], [OTHER, NEXT_KEY], [FILE, KEY]) == [
        claimed("Help", FILE, '"Support" of organisation "acme"'),
        claimed("Help", KEY, '"Support" of organisation "acme"'),
    ]


def test_only_channels_that_get_a_secret_take_a_sink() -> None:
    declarations = [wants(deliver=(FILE,), absent=True), wants(declare("Sales"), deliver=(FILE,))]
    plan = planned(declarations, [live(**HAS), live("Sales", "c-2", **HAS_NOT)])
    revoking, making = secret_changes(plan)
    assert occupied_sinks([revoking, making], {}, URL, {}) == []


@pytest.mark.parametrize(
    ("content", "refused"), [("a-word", True), ("a-word\n", True), ("two words", False), ("", False), (None, False)]
)
def test_a_file_with_a_word_that_no_rotation_wrote_is_refused(
    tmp_path: Path, content: str | None, refused: bool
) -> None:
    sink = Sink("file", "a", folder=str(tmp_path))
    if content is not None:
        (tmp_path / "a").write_text(content)
    said = f'channel "Support": the sink `{sink.label}` already holds something that isn\'t in any ledger, which would'
    assert problems([sink]) == ([(f"{said} be lost", AWAY)] if refused else [])
    for owner in (ChannelKey(URL, "acme", "c-1"), ChannelKey(URL, "acme", "deleted")):
        assert problems([sink], ledger={owner: held(sink)}) == []
    with_owner = problems([sink], ledger={OLD: held(sink)})
    assert with_owner == [taken("Support", sink, OLD_OWNER)]
    assert problems([Sink("dotenv", "a", "K", folder=str(tmp_path))]) == []


def test_what_cannot_be_read_or_only_a_program_knows_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff\xfe")
    (tmp_path / "b").mkdir()
    assert problems([Sink("file", "a", folder=str(tmp_path)), Sink("file", "b", folder=str(tmp_path))]) == []
    command = Sink("command", argv=("vault", "put"), folder=str(tmp_path))
    assert problems([command], [command], ledger={OLD: held(command)}) == []


def test_a_delivery_is_told_who_holds_the_sink() -> None:
    ours = ChannelKey(URL, "acme", "c-1")
    assert held_by(FILE, ours, {OLD: held(FILE)}) == f"it holds the secret of {OLD_OWNER}"
    # Without a list, every channel may still be live.
    assert held_by(FILE, ours, {ChannelKey(URL, "acme", "deleted"): held(FILE)})
    assert held_by(FILE, ours, {OLD: held(OTHER), ours: held(FILE)}) == ""
    assert held_by(FILE, ours, {}) == ""
