"""An identity secret that this folder holds or remembers is refused in a manifest, as an API key is."""

from __future__ import annotations

import json
import os
from base64 import b32encode, b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commands import emulated, invoke
from remembering import bare
from webchat_sync.model import ChannelKey, LedgerEntry, Secret
from webchat_sync.readings import readings
from webchat_sync.readings import recognizer as known_recognizer
from webchat_sync.redact import forms_of
from webchat_sync.secrets.ledger import marked, recognizer

MANIFEST: Final = """version: 1
organization: acme
channels:
  - name: Support
    sync: {identitySecret: {rotation: a, deliver: [{SINK}]}}
"""
FAILING: Final = "command: [sh, -c, 'cat >/dev/null; exit 1']"


@pytest.mark.parametrize(("sink", "code"), [("file: support.secret", 0), (FAILING, 3)])
def test_a_secret_that_was_delivered_or_waits_is_refused_in_a_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: str, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(MANIFEST.replace("SINK", sink), encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        assert api.invoke("apply", "m.yaml", "--auto-approve").code == code
        secret = api.store.identity_secret(str(api.store.channels("acme")[0]["id"]))
    assert secret is not None
    values = [secret, f"x {secret} y", f"https://a.example/?key={secret}", b64encode(secret.encode()).decode()]
    for value in values:
        text = f"version: 1\norganization: acme\nchannels: [{{name: A, welcomeMessage: '{value}'}}]\n"
        (tmp_path / "leaking.yaml").write_text(text, encoding="utf-8")
        for arguments in (["leaking.yaml"], ["leaking.yaml", "--format", "json"]):
            refused = invoke("validate", *arguments)
            assert refused.code == 1
            assert "secret that's in use" in refused.out + refused.err
            assert secret not in refused.out + refused.err
    through = (tmp_path / "leaking.yaml").read_text(encoding="utf-8").replace(values[-1], "${WEBCHAT_X}")
    (tmp_path / "leaking.yaml").write_text(through, encoding="utf-8")
    refused = invoke("validate", "leaking.yaml", environ={"WEBCHAT_X": secret})
    assert (refused.code, "that's in use" in refused.err, secret in refused.err) == (1, True, False)
    assert invoke("validate", "leaking.yaml", environ={"WEBCHAT_X": "hello there"}).code == 0


def test_what_cannot_be_read_hinders_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text("version: 1\norganization: acme\nchannels: [{name: A}]\n", encoding="utf-8")
    folder = tmp_path / ".webchat-sync" / "recovery"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{", encoding="utf-8")
    (folder.parent / "ledger.json").write_text("{", encoding="utf-8")
    assert invoke("validate", "m.yaml").code == 0


def test_no_other_problem_shows_a_line_with_a_secret_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    key = "plain-words-of-no-form"
    text = f'version: 1\norganization: acme\nchannels:\n  - {{name: A, welcomeMessage: "b\n    {key}", colour: red}}\n'
    (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
    for command in (["validate"], ["plan"], ["drift"], ["apply", "--auto-approve"]):
        refused = invoke(*command, "m.yaml", environ={"MOSEND_API_KEY": key})
        assert (refused.code, "that's in use" in refused.err, "m.yaml:5:" in refused.err) == (1, True, True)
        assert key not in refused.out + refused.err, command


def test_the_ledger_that_a_manifest_names_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    head = MANIFEST.replace("SINK", "file: support.secret").replace(
        "organization: acme\n", "organization: acme\nsettings: {ledger: state/remembered.json}\n"
    )
    (tmp_path / "m.yaml").write_text(head, encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        assert api.invoke("apply", "m.yaml", "--auto-approve").code == 0
        secret = api.store.identity_secret(str(api.store.channels("acme")[0]["id"]))
        assert secret is not None
        for value in (secret, b64encode(secret.encode()).decode()):
            (tmp_path / "m.yaml").write_text(f"{head}  - {{name: B, welcomeMessage: '{value}'}}\n", encoding="utf-8")
            for command in (["validate"], ["plan"], ["apply", "--auto-approve"]):
                refused = api.invoke(*command, "m.yaml")
                assert (refused.code, "that's in use" in refused.err, secret in refused.err) == (1, True, False)


@pytest.mark.slow
def test_what_a_memory_in_git_tells_of_is_refused_before_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    memory = ("--memory", str(bare(tmp_path / "memory.git")))
    head = MANIFEST.replace("SINK", "file: support.secret")
    (tmp_path / "m.yaml").write_text(head, encoding="utf-8")
    environ = {"PATH": os.environ["PATH"]}
    with emulated({"name": "Support"}) as api:
        assert api.invoke("apply", "m.yaml", "--auto-approve", *memory, environ=environ).code == 0
        secret = api.store.identity_secret(str(api.store.channels("acme")[0]["id"]))
        assert secret is not None
        text = f"{head}  - {{name: B, welcomeMessage: '{b64encode(secret.encode()).decode()}'}}\n"
        (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
        assert api.invoke("plan", "m.yaml", "--out", "plan.json", environ=environ).code == 0
        calls = (["plan", "m.yaml"], ["drift", "m.yaml"], ["apply", "m.yaml", "--auto-approve"])
        for command in (*calls, ["apply", "plan.json", "--auto-approve"]):
            refused = api.invoke(*command, *memory, environ=environ)
            assert (refused.code, "that's in use" in refused.err) == (1, True), (command, refused.err)
            assert secret not in refused.out + refused.err
            assert b64encode(secret.encode()).decode() not in refused.out + refused.err, command


ENCODINGS: Final[list[Callable[[str], str]]] = [
    str,
    lambda plain: b64encode(plain.encode()).decode(),
    lambda plain: urlsafe_b64encode(plain.encode()).decode().rstrip("="),
    lambda plain: plain.encode().hex(),
    lambda plain: plain.encode().hex().upper(),
    lambda plain: quote(plain, safe=""),
    lambda plain: "".join(f"%{byte:02x}" for byte in plain.encode()),
    lambda plain: json.dumps(plain)[1:-1],
    lambda plain: "".join(f"\\u{ord(letter):04x}" for letter in plain),
]
SECRETS: Final = [
    "rVnL0FIEWgpbsO8j2Ks8DqF-bjVqT2Kxkn4OEJ1fRus",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "z7yq3wI+Zk/0n2m1hT8pQ6vXb+KfJ4sR5uLdG9cAeVoM",
]
AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE: Final = st.sampled_from(
    ["", " ", "key=", "«", '"', "user:", "https://a.example/?t=", "Basic ", "a, ", "abc", "x_-"]
)
AFTER: Final = st.sampled_from(["", " ", "»", '"', "&x=1", ", and more", "\n", ":x", "?", "xyz", "_2", "Z" * 40])


@given(st.sampled_from(SECRETS), *[st.sampled_from(ENCODINGS)] * 2, st.tuples(BEFORE, AFTER, BEFORE, AFTER))
def test_a_secret_is_recognised_by_its_mark_wherever_it_is_and_encoded_twice(
    secret: str, inner: Callable[[str], str], outer: Callable[[str], str], around: tuple[str, ...]
) -> None:
    before, after, far_before, far_after = around
    text = f"{far_before}{outer(f'{before}{inner(secret)}{after}')}{far_after}"
    entry = marked(LedgerEntry("A", "delivered", "attempt", AT), Secret(secret))
    assert recognizer({ChannelKey("server", "acme", "c-1"): entry})(text), text


@pytest.mark.parametrize(
    ("secret", "text", "known"),
    [
        # A password made of words is recognised alone, but isn't looked for in texts, which may contain the words.
        ("acme-support", "acme-support", True),
        ("acme-support", "the acme-support team", False),
        ("acme-support", "acme-supporters", False),
        ("9f86d081884c7d659", "9f86d081884c7d659", True),
        ("9f86d081884c7d659", "it's 9f86d081884c7d659.", True),
        ("9f86d081884c7d659", "x_9f86d081884c7d659_y", True),
        ("9f86d081884c7d659", "9f86d081884c7d65", False),
    ],
)
def test_a_remembered_secret_is_looked_for_in_a_text_if_it_looks_random(secret: str, text: str, known: bool) -> None:
    entry = marked(LedgerEntry("A", "delivered", "attempt", AT), Secret(secret))
    assert recognizer({ChannelKey("server", "acme", "c-1"): entry})(text) is known


@pytest.mark.parametrize("salt", ["", "0", "x", "55 5"])
def test_a_remembered_secret_is_recognised_beside_entries_that_identify_none(salt: str) -> None:
    entry = LedgerEntry("A", "delivered", "attempt", AT)
    flawed = [replace(entry, salt=salt, secret_hash=secret_hash) for secret_hash in ("", "ab" * 32, "a")]
    ledger = {ChannelKey("server", "acme", f"c-{number}"): entry for number, entry in enumerate(flawed)}
    secret = Secret(SECRETS[0])
    holds_secret = recognizer({**ledger, ChannelKey("server", "acme", "c-9"): marked(entry, secret)})
    assert (holds_secret(secret.reveal()), holds_secret(SECRETS[1])) == (True, False)


FURTHER: Final[list[Callable[[str], str]]] = [
    lambda plain: b32encode(plain.encode()).decode(),
    lambda plain: b64encode(plain.encode("utf-16-le")).decode(),
    lambda plain: encodebytes(plain.encode()).decode().replace("=", ""),
    lambda plain: "".join(f"&#{ord(letter)};" for letter in plain),
    lambda plain: "".join(f"&#x{ord(letter):x};" for letter in plain),
    lambda plain: "".join(f"={byte:02X}" for byte in plain.encode()),
    lambda plain: "".join(f"\\{ord(letter):03o}" for letter in plain),
    lambda plain: "".join(f"\\u{{{ord(letter):x}}}" for letter in plain),
    lambda plain: plain.encode().hex(":"),
    lambda plain: ", ".join(f"0x{byte:02x}" for byte in plain.encode()),
    str.upper,
    str.swapcase,
    lambda plain: plain[::-1],
    " ".join,
    "-".join,
    "\u200b".join,
    lambda plain: "\n".join(plain[at : at + 5] for at in range(0, len(plain), 5)),
    lambda plain: "".join(chr(ord(letter) + 0xFEE0) if letter.isalnum() else letter for letter in plain),
    lambda plain: plain[: len(plain) // 2],
    lambda plain: plain[len(plain) // 2 :],
]
"""Forms that only what knows the secret itself can be told in."""


@given(st.sampled_from(SECRETS), st.sampled_from([*ENCODINGS, *FURTHER]), st.sampled_from(ENCODINGS), BEFORE, AFTER)
def test_a_known_secret_is_recognised_in_other_encodings_letters_and_parts(
    secret: str, inner: Callable[[str], str], outer: Callable[[str], str], before: str, after: str
) -> None:
    known = [Secret(secret)]
    written = inner(secret)
    # What has other characters than ASCII is read as it is, but not decoded.
    text = (outer if written.isascii() else str)(f"{before}{written}{after}")
    forms = forms_of(known)
    assert any(form in text for form in forms) or known_recognizer(known, forms)(text), text


@given(
    st.sampled_from(SECRETS), st.lists(st.tuples(st.sampled_from([*ENCODINGS, *FURTHER]), BEFORE, AFTER), max_size=4)
)
def test_a_secret_in_one_of_several_texts_is_recognised_in_all_of_them_joined(
    secret: str, parts: list[tuple[Callable[[str], str], str, str]]
) -> None:
    """What a document's texts are searched for at once."""
    known = [Secret(secret)]
    forms = forms_of(known)
    holds_secret = known_recognizer(known, forms)
    texts = [f"{before}{encode(secret)}{after}" for encode, before, after in parts]
    together = "\0".join(texts)
    assert any(map(holds_secret, texts)) <= (holds_secret(together) or any(form in together for form in forms))


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("acme-support-2026", "Acme Support 2026"),
        ("iPhone15Store2026", "The iPhone 15 store, 2026"),
        ("mosend-web-chat-9", "mosend.web.chat"),
        ("rVnL0FIEWgpbsO8j2Ks8DqF-bjVqT2Kxkn4OEJ1fRus", "rVnL0FIEWgp is the start of it"),
        ("9f86d081884c7d659a2feaa0c55ad015", "color: #9f86d0, order 81884"),
    ],
)
def test_words_that_a_password_is_made_of_are_not_refused(secret: str, text: str) -> None:
    known = [Secret(secret)]
    assert not known_recognizer(known, forms_of(known))(text)


@given(st.text(max_size=60))
@example("&#" + "1" * 5000)
@example("&#x" + "f" * 5000 + ";")
@example("\\u{fffff}\\777\\x0")
def test_any_text_can_be_read(text: str) -> None:
    assert all(len(word) >= 8 for word in readings(text, {8, 9}))
