from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import invoke
from manifest_files import HEAD, declared, problems
from webchat_sync.leaks import looks_random, names_secret, printable_line, redact_text

TOKENS = {
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "amazon": "AKIAIOSFODNN7EXAMPLE",
    "github": "ghp_0123456789abcdefghijABCDEFGHIJ456789",
    "gitlab": "glpat-0123456789abcdefghij",
    "slack": "xoxb-123456789012-abcdefghij",
    "stripe": "sk_live_0123456789abcdefghij",
    "private key": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY\n",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_a_token_of_a_known_form_is_refused_wherever_it_stands_and_never_shown(tmp_path: Path, token: str) -> None:
    text = json.dumps(token)
    body = f"""\
x-note: [{text}]
channels:
  - name: A
    offlineMessage: {text}
    color: ${{WEBCHAT_TOKEN}}
    offlineAction: {{headers: {{x: {text}}}}}
    {text}: 1
"""
    found = problems(tmp_path, HEAD + body, environ={"WEBCHAT_TOKEN": token})
    secret = [each.place.line for each in found if each.place and each.code == "secret"]
    assert secret == [3, 6, 7, 8, 9]
    assert token[12:24] not in repr(found)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize(
    "escape", [lambda text: f"\\x{ord(text[0]):02x}{text[1:]}", lambda text: f"{text[:2]}\\\n {text[2:]}"]
)
def test_a_token_is_refused_however_it_is_written(tmp_path: Path, escape: Callable[[str], str], token: str) -> None:
    """With an escape, or on two lines: no part of the file has the start of the token."""
    written = escape(token.replace("\n", "\\n"))
    (found,) = problems(tmp_path, f'{HEAD}channels:\n  - name: A\n    welcomeMessage: "{written}"\n')
    assert found.code == "secret"


@pytest.mark.parametrize(
    "entry",
    [
        "secret: 4f9d2b7ac81e45d0b6f3",
        "webhookSecret: dGhpcyBpcyBh/c2VjcmV0+MTIz==",
        "api_key: AbCdEf0123456789xyz",
        "headers: {authToken: [a8f5f167f44f4964e6c998dee827110c]}",
        "password: ${WEBCHAT_PASSWORD}",
    ],
)
def test_a_random_text_under_a_telling_name_is_refused(tmp_path: Path, entry: str) -> None:
    text = f"channels:\n  - name: A\n    offlineAction: {{{entry}}}\n".replace(
        "${WEBCHAT_PASSWORD}", '"${WEBCHAT_PASSWORD}"'
    )
    (found,) = problems(tmp_path, HEAD + text, environ={"WEBCHAT_PASSWORD": "Zq3xW9vB7nM1kL5pTy"})
    assert (found.code, found.line) == ("secret", "")
    for secret in ("4f9d2b7ac8", "dGhpcyBpcyBh", "AbCdEf", "a8f5f167f4", "Zq3xW9"):
        assert secret not in repr(found)


@pytest.mark.parametrize(
    "entry",
    [
        "secret: Ask the team",
        "tokenName: support-widget",
        "tokenId: 5f0c2b1e-9d3a-4c8e-8f7a-0123456789ab",
        "passwordEnv: SUPPORT_WIDGET_PASSWORD_2",
        "secretName: support-prod.eu-west-1",
        "hasSecret: true",
        "note: a8f5f167f44f4964e6c998dee827110c",
        "token: aaaaaaaaaaaaaaaa1",
    ],
)
def test_other_texts_are_no_secrets(tmp_path: Path, entry: str) -> None:
    assert declared(tmp_path, f"channels:\n  - name: A\n    offlineAction: {{{entry}}}\n")


def test_what_looks_random_has_letters_digits_and_no_pattern() -> None:
    assert looks_random("4f9d2b7ac81e45d0b6f3")
    assert not looks_random("short1")
    assert not looks_random("with a blank 0123456789")
    assert not looks_random("1234567890123456")
    assert names_secret("Client-Secret")
    assert not names_secret("secondary")


def test_a_line_that_may_hold_a_secret_is_not_shown() -> None:
    assert printable_line("  color: red") == "  color: red"
    for line in ("  password: hunter2", "a: {clientSecret: x}", "API_KEY=1", f"x: {TOKENS['github']}"):
        assert printable_line(line) == ""
    assert redact_text(f"a {TOKENS['slack']} b") == "a *** b"


def test_the_value_of_a_variable_is_not_shown(tmp_path: Path) -> None:
    text = """\
settings: {apiKeyEnv: "${WEBCHAT_KEY}"}
channels:
  - name: A
    color: ${WEBCHAT_KEY}
    theme: '${WEBCHAT_KEY}'
    enabled: a ${WEBCHAT_KEY}  # why
    operatingHours: !!str ${WEBCHAT_KEY}
"""
    found = problems(tmp_path, HEAD + text, environ={"WEBCHAT_KEY": "hunter-2"})
    assert "hunter" not in repr(found)
    assert [each.message.split("`")[1] for each in found if each.path.startswith("channels")][:2] == [
        "${WEBCHAT_KEY}",
        "'${WEBCHAT_KEY}'",
    ]


def test_no_secret_reaches_any_format(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        HEAD + f"channels: [{{name: A, theme: {TOKENS['github']}, colour: {TOKENS['jwt']}}}]\n", encoding="utf-8"
    )
    for output_format in ("text", "json", "github", "sarif", "codequality"):
        finished = invoke("validate", file, "--format", output_format)
        assert finished.code == 1
        assert "ghp_" not in finished.out + finished.err
        assert "eyJ" not in finished.out + finished.err
