"""Nesting, numbers and keys beyond the limits are errors in words wherever JSON is read, and never a crash."""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path
from typing import Final

import pytest
from anyio.lowlevel import checkpoint
from hypothesis import example, given
from hypothesis import strategies as st

import webchat_sync
from applying import KEY
from commands import Finished, emulated, invoke
from scripted_server import Behaviour, Connection, Request, ScriptedServer, answer, data
from webchat_sync.strict_json import DEEPEST, MOST_DIGITS, JsonError, load_json
from webchat_sync.yaml12.scalars import UnusableScalarError, resolve

ASCII: Final = st.characters(max_codepoint=127)
NESTED: Final = "[" * 900 + "]" * 900
ENDLESS: Final = "9" * 5000
BEYOND: Final = [
    pytest.param(NESTED, "are nested inside each other", id="nesting"),
    pytest.param(ENDLESS, "has 5,000 characters", id="digits"),
    pytest.param(f"-0.{ENDLESS}", "has 5,003 characters", id="fraction"),
]
VALUES_BEYOND: Final = [NESTED, ENDLESS]
MANIFEST: Final = "version: 1\norganization: acme\nchannels: [{name: Support, color: '#0f766e'}]\n"

VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


@given(VALUES)
def test_every_value_within_the_limits_is_read_as_it_was_written(value: object) -> None:
    for ascii_only in (True, False):
        written = json.dumps(value, ensure_ascii=ascii_only)
        assert load_json(written) == load_json(written, unique_keys=True) == value
    assert load_json(json.dumps(value).encode()) == value


def outcome(text: str | bytes, *, unique_keys: bool = False) -> tuple[object, JsonError | None]:
    try:
        return load_json(text, unique_keys=unique_keys), None
    except JsonError as error:
        return None, error


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a value is missing"),
        ("yaml: 1", "a value is missing"),
        ("{a: 1}", "a key in double quotes is missing"),
        ('{"a" 1}', "a colon is missing"),
        ("[1 2]", "a comma is missing"),
        ("[1] 2", "there's text after the end of the document"),
        ('["a', "a string isn't closed"),
        ('["a\n"]', "a control character isn't escaped"),
        (r'["\x41"]', "an escape sequence isn't valid"),
        (r'["\u12"]', "an escape sequence isn't valid"),
        ("\ufeff[]", "it begins with a byte order mark"),
        (b"\xff\xfe\xfa", "not UTF-8"),
    ],
)
def test_what_is_not_json_is_said_in_words(text: str | bytes, reason: str) -> None:
    _, error = outcome(text)
    assert str(error) == f"it isn't valid JSON: {reason}"


@given(st.text(st.sampled_from('[]{}",:\\u1ae \n-'), max_size=12))
def test_no_message_of_the_decoder_is_left_as_it_is(text: str) -> None:
    _, error = outcome(text)
    assert error is None or error.reason[:1] in {"a", "t", "i"}, error


@given(st.lists(st.sampled_from(["[", '{"k":', '{"a\\"[":[],"k":']), min_size=1, max_size=400), st.booleans())
def test_depth_alone_decides(openings: list[str], closed: bool) -> None:
    closings = "".join("]" if opening == "[" else "}" for opening in reversed(openings))
    text = "".join(openings) + "0" + (closings if closed else "")
    _, error = outcome(text)
    if len(openings) <= DEEPEST - 1:
        assert (error is None) == closed
    if error is None:
        assert len(openings) <= DEEPEST
    elif len(openings) > DEEPEST and closed:
        assert error.beyond
        assert "are nested inside each other" in str(error)
        assert text[error.column - 1] in "[{"


@given(st.text(st.sampled_from('[]{}"\\nu\u1ae0'), max_size=20), st.booleans(), st.booleans())
def test_what_strings_contain_is_not_nested(text: str, escaped: bool, beyond: bool) -> None:
    string = json.dumps(text, ensure_ascii=escaped)
    levels = DEEPEST + beyond - 1
    _, error = outcome(f"[[{string}, {{{string}: {string}}}], {'[' * levels}{string}{']' * levels}, {string}]")
    assert (error is not None) == beyond


@given(st.text(alphabet='[]{}":,\\0123456789eE+-.abntu \n', max_size=200) | st.binary(max_size=100))
def test_whatever_comes_is_a_value_or_an_error_in_words(text: str | bytes) -> None:
    value, error = outcome(text, unique_keys=True)
    json.dumps(value, allow_nan=False)
    if error is not None:
        assert str(error).startswith(("it isn't valid JSON: ", "it can't be read: "))
        assert min(error.line, error.column) >= 1


@given(st.integers(1, 600), st.sampled_from(["", "-", "0.", "1e-"]))
def test_the_length_of_a_number_is_limited(digits: int, prefix: str) -> None:
    literal = f"{prefix}{'7' * digits}"
    value, error = outcome(f'{{"a": ["{"9" * 400}",\n {literal}]}}')
    assert (error is None) == (len(literal) <= MOST_DIGITS)
    if error is not None:
        assert error.beyond
        assert (error.line, error.column) == (2, 2)
    if isinstance(value, dict):
        assert math.isfinite(float(value["a"][1]))


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "1e999", "[-1E+400]"])
def test_numbers_that_json_does_not_have_are_refused(text: str) -> None:
    with pytest.raises(JsonError, match="it isn't valid JSON"):
        load_json(text)


def test_a_key_that_stands_twice_is_refused_where_the_document_is_ours() -> None:
    text = '{"a": [{"k\\u202e": 1, "b": 2, "k\\u202e": 3}]}'
    assert load_json(text) == {"a": [{"k\u202e": 3, "b": 2}]}
    with pytest.raises(JsonError, match=r'the key "k\\u202e" appears twice'):
        load_json(text, unique_keys=True)


def test_nothing_else_in_the_program_reads_json() -> None:
    root = Path(webchat_sync.__file__).parent
    # The schemas come with the program, and a step of a place holds what the program wrote there.
    own = {"strict_json.py", "domain/catalogue.py", "check/manifest_schema.py", "model/steps.py"}
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if path.relative_to(root).as_posix() not in own:
            assert not names & {"json.load", "json.loads", "json.JSONDecoder"}, path
            assert not {name for name in names if name.endswith("response.json")}, path


def in_words(finished: Finished, said: str, *codes: int) -> None:
    assert finished.code in codes, finished.err
    assert said in finished.err
    assert "failed with" not in finished.err


def environ(url: str) -> dict[str, str]:
    return {"MOSEND_BASE_URL": url, "MOSEND_API_KEY": KEY, "MOSEND_ORG_ID": "acme"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path


async def at_once(_: float) -> None:
    await checkpoint()


@pytest.mark.parametrize(("value", "said"), BEYOND)
@pytest.mark.parametrize("command", ["plan m.yaml", "drift m.yaml", "snapshot --out s.json", "import", "secret status"])
def test_an_answer_beyond_the_limits_is_told(command: str, value: str, said: str) -> None:
    body = f'{{"data": [{{"id": "c", "name": "Support", "more": {value}}}]}}'
    with ScriptedServer(otherwise=answer(200, body)) as server:
        in_words(invoke(*command.split(), environ=environ(server.url), sleep=at_once), said, 6)


@pytest.mark.parametrize("value", VALUES_BEYOND, ids=["nesting", "digits"])
def test_an_error_beyond_the_limits_is_told_by_its_status(value: str) -> None:
    with ScriptedServer(otherwise=answer(403, f'{{"message": {value}}}')) as server:
        in_words(invoke("plan", "m.yaml", environ=environ(server.url)), "HTTP 403", 6)


@pytest.mark.parametrize(("value", "said"), BEYOND)
def test_the_account_is_printed_when_the_verifying_read_is_beyond_the_limits(
    folder: Path, value: str, said: str
) -> None:
    written: list[str] = []

    def route(request: Request, connection: Connection) -> None:
        channel = {"id": "c", "name": "Support", "color": "#000000"}
        behave: Behaviour = data([channel])
        if request.method == "PATCH":
            written.append(request.target)
            behave = data({**channel, "color": "#0f766e"})
        elif written:
            behave = answer(200, f'{{"data": [{{"id": "c", "name": "Support", "more": {value}}}]}}')
        behave(request, connection)

    with ScriptedServer(otherwise=route) as server:
        applied = invoke("apply", "m.yaml", "--auto-approve", "--report", "r.json", environ=environ(server.url))
    assert applied.code == 3, applied.err
    assert said in applied.out + applied.err
    assert "1 done, 0 failed" in applied.out
    assert json.loads((folder / "r.json").read_text(encoding="utf-8"))["operations"][0]["status"] == "done"


def put_in(document: str, value: str) -> str:
    """``document`` with ``value`` under one more key at its top level."""
    return document.rstrip().removesuffix("}").rstrip() + f', "more": {value}}}'


DOUBLE: Final = pytest.param('1, "more": 1', "appears twice", id="key twice")


@pytest.mark.parametrize(("value", "said"), [*BEYOND, DOUBLE])
@pytest.mark.parametrize("command", ["show FILE", "apply FILE --auto-approve"])
def test_a_saved_plan_beyond_the_limits_is_told(folder: Path, command: str, value: str, said: str) -> None:
    file = folder / "plan.json"
    with emulated() as api:
        assert api.invoke("plan", "m.yaml", "--out", file).code == 0
        file.write_text(put_in(file.read_text(encoding="utf-8"), value), encoding="utf-8")
        api.taken_calls()
        in_words(api.invoke(*command.replace("FILE", "plan.json").split()), said, 1)
        assert api.taken_calls() == []


@pytest.mark.parametrize("version", [ENDLESS, f"{ENDLESS}.1", "²", "٣"])
def test_a_saved_plan_of_a_strange_version_is_told(folder: Path, version: str) -> None:
    file = folder / "plan.json"
    with emulated() as api:
        assert api.invoke("plan", "m.yaml", "--out", file).code == 0
    document = {**json.loads(file.read_text(encoding="utf-8")), "format_version": version}
    file.write_text(json.dumps(document), encoding="utf-8")
    in_words(invoke("show", "plan.json"), "version", 1, 4)


@pytest.mark.parametrize(("value", "said"), [*BEYOND, DOUBLE])
def test_a_snapshot_beyond_the_limits_is_told(folder: Path, value: str, said: str) -> None:
    file = folder / "live.json"
    with emulated() as api:
        assert api.invoke("snapshot", "--out", file).code == 0
    file.write_text(put_in(file.read_text(encoding="utf-8"), value), encoding="utf-8")
    in_words(invoke("plan", "m.yaml", "--live", "live.json"), said, 1)


@pytest.mark.parametrize(("value", "said"), [*BEYOND, DOUBLE])
def test_a_ledger_beyond_the_limits_is_told(folder: Path, value: str, said: str) -> None:
    (folder / "ledger.json").write_text(f'{{"version": 1, "entries": [], "more": {value}}}', encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        in_words(api.invoke("secret", "status", "--ledger", "ledger.json"), said, 1)


@pytest.mark.parametrize("value", VALUES_BEYOND, ids=["nesting", "digits"])
def test_a_copy_of_a_secret_beyond_the_limits_is_told(folder: Path, value: str) -> None:
    waiting = folder / ".webchat-sync" / "recovery"
    waiting.mkdir(parents=True)
    (waiting / "a.json").write_text(f'{{"name": {value}}}', encoding="utf-8")
    in_words(invoke("secret", "deliver", "Support", "--to", "x"), "can't read", 1)


@pytest.mark.parametrize("value", VALUES_BEYOND, ids=["nesting", "digits"])
def test_a_report_beyond_the_limits_is_no_manifest(folder: Path, value: str) -> None:
    (folder / "report.json").write_text(f'{{"format_version": "1.0", "operations": {value}}}', encoding="utf-8")
    assert invoke("validate", folder).code == 0
    in_words(invoke("validate", "report.json"), "not a manifest", 1)


@pytest.mark.parametrize(("value", "said"), [*BEYOND, DOUBLE])
def test_the_data_of_the_emulator_beyond_the_limits_are_told(folder: Path, value: str, said: str) -> None:
    text = f'{{"version": 1, "organizations": {{}}, "identitySecrets": {{}}, "more": {value}}}'
    (folder / "data.json").write_text(text, encoding="utf-8")
    in_words(invoke("emulator", "--data", "data.json", "--port", "0"), said, 1)
    (folder / ".webchat-sync").mkdir()
    (folder / ".webchat-sync" / "sandbox.json").write_text(text, encoding="utf-8")
    in_words(invoke("plan", "m.yaml", "--sandbox"), said, 1)


@pytest.mark.parametrize("value", VALUES_BEYOND, ids=["nesting", "digits"])
def test_a_lock_and_an_event_beyond_the_limits_hinder_nothing(folder: Path, value: str) -> None:
    (folder / ".webchat-sync").mkdir()
    (folder / ".webchat-sync" / "lock.holder").write_text(f'{{"run": {value}}}', encoding="utf-8")
    (folder / "event.json").write_text(value, encoding="utf-8")
    with emulated() as api:
        assert api.invoke("apply", "m.yaml", "--auto-approve").code == 0
        assert api.invoke("plan", "m.yaml", "--out", "plan.json").code == 0
    runner = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b", "GITHUB_TOKEN": "ghs_0123456789"}
    commented = invoke(
        "ci",
        "comment",
        "plan.json",
        environ={**runner, "GITHUB_EVENT_PATH": "event.json", "GITHUB_API_URL": "http://127.0.0.1:9"},
    )
    in_words(commented, "", 0, 1, 6)


@pytest.mark.parametrize("value", VALUES_BEYOND, ids=["nesting", "digits"])
def test_an_answer_of_a_host_of_code_beyond_the_limits_is_told(value: str) -> None:
    with emulated() as api:
        assert api.invoke("plan", "m.yaml", "--out", "plan.json").code == 0
    with ScriptedServer(otherwise=answer(200, f'[{{"id": 1, "body": {value}}}]')) as server:
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_TOKEN": "ghs_0123456789",
            "GITHUB_REF": "refs/pull/1/merge",
            "GITHUB_API_URL": server.url,
        }
        in_words(
            invoke("ci", "comment", "plan.json", environ=runner, sleep=at_once),
            "doesn't have the format of this API",
            6,
        )


@pytest.mark.parametrize(
    "header",
    [
        ("Retry-After", "9" * 400),
        ("Retry-After", ENDLESS),
        ("Retry-After", f"Sat, {'9' * 30} Jan 2026 00:00:00 GMT"),
        ("Retry-After", f"Sat, 01 Jan {ENDLESS} 00:00:00 GMT"),
        ("Retry-After", "Sat, 01 Jan 99999999999999999999 00:00:00 GMT"),
        ("X-RateLimit-Reset", "9" * 400),
    ],
)
def test_numbers_in_headers_are_told_too(header: tuple[str, str]) -> None:
    with emulated() as api:
        assert api.invoke("plan", "m.yaml", "--out", "plan.json").code == 0
    headers = {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0", **dict([header])}
    with ScriptedServer(otherwise=answer(429, "{}", headers)) as server:
        in_words(invoke("plan", "m.yaml", environ=environ(server.url), sleep=at_once), "HTTP 429", 6)
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_TOKEN": "ghs_0123456789",
            "GITHUB_API_URL": server.url,
        }
        commented = invoke(
            "ci", "comment", "plan.json", environ={**runner, "GITHUB_REF": "refs/pull/1/merge"}, sleep=at_once
        )
        in_words(commented, "HTTP 429", 6)


@given(
    st.from_regex(r"[-+]?0{0,2}[1-9][0-9]{0,320}|0x[0-9a-f]{1,260}|0o[0-7]{1,340}", fullmatch=True, alphabet=ASCII)
    | st.from_regex(r"-?[0-9]{1,320}\.[0-9]{0,9}(e[-+]?[0-9]{1,3})?", fullmatch=True, alphabet=ASCII)
)
@example("9" * 300)
@example("0x" + "f" * 249)
def test_a_number_that_a_manifest_can_contain_is_read_from_a_response(text: str) -> None:
    try:
        number = resolve(text)
    except UnusableScalarError:
        return
    assert load_json(json.dumps(number).encode()) == number
