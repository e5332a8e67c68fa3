"""Where the secret comes from with which a user id is signed, and what is said if there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planning import NOW
from webchat_sync.errors import InputError
from webchat_sync.model import ChannelKey, Ledger, LedgerEntry, Secret, Sink
from webchat_sync.secrets.ledger import marked
from webchat_sync.secrets.sign import signature, stored_secret

URL, SECRET = "https://api.example", Secret("s3cret")
KEY = ChannelKey(URL, "acme", "c-1")
FROM = "Use --from FILE, --from FILE:KEY, or --from - to read the secret from standard input."
ELSEWHERE = "To sign with a secret that isn't in the ledger, use --from."


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a file for the secret, a dotenv file, and a file whose name has a colon."""
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("a", "s3cret\n"),
        ("b", "other\n"),
        ("k.env", "K=s3cret\nL=other\n"),
        ("k:k.env", "K=s3cret\n"),
        ("x:K", "s3cret\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def entry(*sinks: Sink, secret: Secret | None = SECRET, **options: Any) -> LedgerEntry:
    usual: dict[str, Any] = {"name": "Support", "state": "delivered", "attempt": "a-1", "at": NOW, "rotation": None}
    plain = LedgerEntry(**{**usual, "sinks": sinks, **options})
    return marked(plain, secret) if secret else plain


def refusal(name: str, source: str | None, ledger: Ledger) -> tuple[str, str]:
    with pytest.raises(InputError) as refused:
        stored_secret(name, source, ledger)
    (problem,) = refused.value.problems
    return problem.message, problem.hint


def test_a_signature_is_the_one_of_rfc_4231() -> None:
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signature(Secret("Jefe"), "what do ya want for nothing?") == expected
    assert len(signature(SECRET, "\udcff")) == 64


def test_a_secret_that_is_no_text_has_a_hash_too() -> None:
    assert stored_secret("Support", None, {KEY: entry(Sink("file", "b"), secret=Secret("other"))}) == Secret("other")
    assert entry(secret=Secret("\udcff")).secret_length == 1


@pytest.mark.parametrize("source", ["a", "k.env:K", "k:k.env:K", "x:K"])
def test_the_secret_is_taken_from_where_it_is_asked_for(source: str) -> None:
    assert stored_secret("Nobody", source, {}) == SECRET


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none", "file none: it doesn't exist"),
        ("k.env:M", "dotenv k.env M: it contains no secret"),
        (".", "file .: Is a directory"),
        ("bytes", "file bytes: its content can't be a secret"),
    ],
)
def test_a_place_without_a_secret_is_told(source: str, message: str) -> None:
    Path("bytes").write_bytes(b"\xff")
    assert refusal("Support", source, {KEY: entry(Sink("file", "a"))}) == (
        f"can't read the secret from {message}",
        FROM,
    )


@pytest.mark.parametrize("name", ["Support", "c-1"])
def test_the_secret_is_taken_from_the_first_sink_that_can_be_read(name: str) -> None:
    command = Sink("command", argv=("vault", "put"))
    ledger = {
        KEY: entry(command, Sink("file", "a"), Sink("file", "b")),
        ChannelKey(URL, "acme", "c-2"): entry(name="X"),
    }
    assert stored_secret(name, None, ledger) == SECRET
    assert stored_secret(name, None, {KEY: entry(Sink("dotenv", "k.env", "K"))}) == SECRET


def test_a_secret_without_a_hash_is_taken_as_it_is() -> None:
    assert stored_secret("Support", None, {KEY: entry(Sink("file", "b"), secret=None)}) == Secret("other")


def test_a_channel_that_is_not_clear_is_told() -> None:
    nobody = 'the ledger has no channel with the name or id "{}"'
    assert refusal("Sales", None, {}) == (nobody.format("Sales"), FROM)
    known = {KEY: entry(Sink("file", "a")), ChannelKey(URL, "acme", "c-2"): entry(name="X")}
    assert refusal("Sales", None, known) == (nobody.format("Sales"), f'It has: "Support", "X". {ELSEWHERE}')
    assert refusal("support", None, known) == (nobody.format("support"), f'It has: "Support". {ELSEWHERE}')
    twice = {KEY: entry(Sink("file", "a")), ChannelKey(URL, "other", "c-2"): entry(Sink("file", "a"))}
    assert refusal("Support", None, twice) == (
        'the ledger has several channels with the name or id "Support"',
        "Use an id: c-1 of acme, c-2 of other.",
    )
    assert stored_secret("c-2", None, twice) == SECRET


@pytest.mark.parametrize("unreadable", [entry(), entry(Sink("command", argv=("x",)))])
def test_a_secret_that_no_sink_gives_back_is_told(unreadable: LedgerEntry) -> None:
    assert refusal("Support", None, {KEY: unreadable}) == (
        'none of the sinks of "Support" can be read',
        "Use --from to say where the secret is.",
    )


def test_a_revoked_secret_is_not_looked_for() -> None:
    assert refusal("Support", None, {KEY: entry(Sink("file", "a"), state="revoked")}) == (
        'the identity secret of "Support" was revoked',
        f"`secret rotate` creates a new one. {ELSEWHERE}",
    )


def test_a_sink_that_someone_changed_is_told() -> None:
    assert refusal("Support", None, {KEY: entry(Sink("file", "b"))}) == (
        "file b doesn't contain the secret that was delivered to it",
        "Find out who changed it; `secret status` shows when the secret was rotated.",
    )
