"""What a manifest may read of the environment, and what it must not hold."""

from __future__ import annotations

import time
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest

from manifest_files import declared, said
from webchat_sync.check.variables import Variables
from webchat_sync.leaks import holds_key, printable_line, redact_text
from webchat_sync.model import Secret
from webchat_sync.yaml12.interpolation import interpolate

KEY = "a key/of no+known form"
CHANNEL = "channels:\n  - name: A\n    welcomeMessage: "


@pytest.mark.parametrize(
    "name",
    [
        *("MOSEND_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HOME", "MOSEND_BASE_URL", "webchat_x", "WEBCHAT"),
        *("WEBCHAT_SYNC_ALLOW_ENV", "WEBCHAT_SYNC_DEBUG", "XWEBCHAT_A", "MOSEND_ORG_ID2"),
    ],
)
@pytest.mark.parametrize("default", ["", ":-x", ":-"])
@pytest.mark.parametrize("is_set", [True, False])
def test_other_names_are_refused_set_or_not_with_a_default_or_without(name: str, default: str, is_set: bool) -> None:
    variables = Variables.of({name: "value"} if is_set else {})
    text, flaws = interpolate(f"${{{name}{default}}}", variables, variables.refusal)
    assert text == f"${{{name}{default}}}"
    assert [flaw.message for flaw in flaws] == [f"manifests aren't allowed to read the environment variable `{name}`"]
    assert ("begins with `WEBCHAT_` but not `WEBCHAT_SYNC_`," in flaws[0].hint) == name.startswith("WEBCHAT_SYNC_")
    assert f"--allow-env {name}" in flaws[0].hint


@pytest.mark.parametrize(
    ("allowed", "variable"), [(["BRAND"], ""), (["BR*"], ""), ([], "X BRAND"), ([], "X,BRAND"), (["A,BRAND"], "")]
)
def test_the_operator_allows_names_and_globs(allowed: list[str], variable: str) -> None:
    environ = {"BRAND": "red", "OTHER": "x", "WEBCHAT_SYNC_ALLOW_ENV": variable}
    variables = Variables.of(environ, allowed)
    text, flaws = interpolate("${BRAND} ${OTHER}", variables, variables.refusal)
    assert text == "red ${OTHER}"
    assert len(flaws) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "holder", ["MOSEND_API_KEY", "MOSEND_API_KEY_MX", "GITHUB_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN"]
)
@pytest.mark.parametrize(
    "value",
    [
        KEY,
        f"Hello {KEY}!",
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
        "a%20key%2Fof%20no%2Bknown%20form",
        *(b64encode(b"x" * shift + KEY.encode() + b"yz").decode() for shift in range(3)),
        *(urlsafe_b64encode(b"x" * shift + KEY.encode()).decode() for shift in range(3)),
        b64encode(b64encode(KEY.encode())).decode(),
        "".join(f"%{byte:02x}" for byte in KEY.encode()),
        "".join(f"&#{byte};" for byte in KEY.encode()),
    ],
)
def test_a_key_in_use_is_refused_in_every_form(tmp_path: Path, holder: str, value: str) -> None:
    environ = {holder: KEY, "WEBCHAT_COPY": value}
    for written in ('"${WEBCHAT_COPY}"', f'"{value}"'):
        (problem,) = said(tmp_path, f"{CHANNEL}{written}\n", **environ)
        assert problem.startswith("3:21 channels[0].welcomeMessage: this contains a key, token or secret that's in use")
        assert KEY not in problem


@pytest.mark.parametrize(
    "name", ["BITBUCKET_TOKEN", "SYSTEM_ACCESSTOKEN", "AWS_SECRET_ACCESS_KEY", "npm_token", "CI_REGISTRY_PASSWORD"]
)
def test_the_secrets_of_the_pipeline_count_too(tmp_path: Path, name: str) -> None:
    value = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    for written in (value, b64encode(value.encode()).decode(), value.lower()):
        (problem,) = said(tmp_path, f'{CHANNEL}"{written}"\n', **{name: value})
        assert "that's in use" in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRETS_FOLDER", "secrets/production"),
        ("TOKEN_URL", "https://www.example.com/token/v2"),
        ("API_KEY_NAME", "MOSEND_API_KEY_SALES"),
        ("WEBCHAT_PUBLIC_TOKEN", "wJalrXUtnFEMI7MDENGbPxRfiCYEX"),
        ("ALLOWED_TOKEN", "wJalrXUtnFEMI7MDENGbPxRfiCYEX"),
    ],
)
def test_what_has_the_name_of_a_secret_and_is_none_may_be_written(tmp_path: Path, name: str, value: str) -> None:
    environ = {name: value, "WEBCHAT_SYNC_ALLOW_ENV": "ALLOWED_*"}
    (channel,) = declared(tmp_path, f'{CHANNEL}"{value}"\n', **environ)
    assert channel.fields["welcomeMessage"] == value


def test_a_key_put_together_of_two_variables_is_refused(tmp_path: Path) -> None:
    environ = {"MOSEND_API_KEY": KEY, "WEBCHAT_A": KEY[:9], "WEBCHAT_B": KEY[9:]}
    assert len(said(tmp_path, f'{CHANNEL}"${{WEBCHAT_A}}${{WEBCHAT_B}}"\n', **environ)) == 1


def test_a_key_of_digits_is_refused_as_a_number(tmp_path: Path) -> None:
    text = "channels:\n  - name: A\n    bubbleOffsetX: ${WEBCHAT_N}\n"
    assert "that's in use" in said(tmp_path, text, MOSEND_API_KEY="1234567890", WEBCHAT_N="1234567890")[0]


def test_a_very_short_token_does_not_refuse_everything(tmp_path: Path) -> None:
    (channel,) = declared(tmp_path, f"{CHANNEL}example\n", GITHUB_TOKEN="e")
    assert channel.fields["welcomeMessage"] == "example"


def test_what_the_key_file_holds_is_a_secret_in_use() -> None:
    assert Variables.of({}, secrets=[Secret(KEY)]).secrets_in_use(()) == {Secret(KEY)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "http://user:p%40ss-word-9@proxy.example:3128"),
        ("all_proxy", "socks5://user:p%40ss-word-9@proxy.example"),
        ("WEBCHAT_SYNC_MEMORY", "https://p%40ss-word-9@git.example/memory.git"),
        ("WEBCHAT_SYNC_MEMORY_TOKEN", "p@ss-word-9"),
    ],
)
def test_the_password_in_an_address_is_a_secret_in_use(tmp_path: Path, name: str, value: str) -> None:
    assert "that's in use" in said(tmp_path, f'{CHANNEL}"p@ss-word-9"\n', **{name: value})[0]
    (channel,) = declared(tmp_path, f"{CHANNEL}example\n", **{name: "http://[broken"})
    assert channel.fields["welcomeMessage"] == "example"


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "WEBCHAT_KEY", "KEY"])
def test_only_variables_for_keys_are_sent_as_keys(tmp_path: Path, name: str) -> None:
    text = f"settings: {{apiKeyEnv: {name}}}\nchannels: []\n"
    (problem,) = said(tmp_path, text)
    assert problem.startswith("1:23 settings.apiKeyEnv: this variable can't be used as an API key")
    assert declared(tmp_path, text, WEBCHAT_SYNC_ALLOW_ENV=name) == ()


@pytest.mark.parametrize(
    "token",
    [
        *("npm_" + "a1B2" * 9, "hvs." + "a1B2c3" * 5, "ghu_" + "a1B2" * 9, "ghr_" + "a1B2" * 9, "AIza" + "a1B2c" * 7),
        *("ASIA" + "A1B2" * 4, "glrt-" + "a1B2" * 5, "rk_live_" + "a1B2" * 6, "whsec_" + "a1B2" * 8),
        *("xapp-1-" + "A1B2" * 5, "ya29." + "a1B2" * 8, "SG." + "a1B2" * 5 + "." + "a1B2" * 10, "sk-ant-" + "a1B2" * 8),
        *("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijk",),
        *("xoxb-" + "a1" * 5, "xapp-" + "a1" * 5, "AKIA" + "A1B2" * 4, "ya29." + "a1" * 10),  # the shortest
    ],
)
def test_tokens_of_known_forms_are_found(token: str) -> None:
    assert holds_key(token)
    assert holds_key(f"a {token} b")
    assert redact_text(f"a {token} b") == "a *** b"


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        *(
            "eyJaaaaaaaa",
            "eyJaaaaaaaa.",
            "eyJaaaaaaaa.eyJ",
            "secret",
            "token-",
            "api_key ",
            "mk_live_",
            "mk_live_a.",
            "ghp_a",
        ),
        *(
            "-----BEGIN ",
            "-----BEGIN A PRIVATE KEY",
            "glpat-a",
            "SG.aaaaaaaaaaaaaaaa.",
            "xoxb-a",
            "whsec_a",
            "sk-ant-a",
        ),
    ],
)
def test_looking_for_keys_takes_time_in_proportion_to_the_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * size)[:size]
        started = time.process_time()
        redact_text(text)
        holds_key(text)
        printable_line(text)
        return time.process_time() - started

    small, large = (min(seconds(size) for _ in range(3)) for size in (20_000, 160_000))
    assert large < 8 * 4 * max(small, 0.001)
