"""Every command beside a hostile tree and a hostile server: what it prints obeys neither, and hides nothing of them."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from unicodedata import category

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from applying import KEY
from commands import Emulated, Finished, emulated, invoke
from fake_time import at_once
from scripted_server import ScriptedServer, answer
from sizes import size
from test_canary import leaves
from webchat_sync.flat import flat, visible, visible_letters
from webchat_sync.render.formats import FORMATS
from webchat_sync.render.problems import formats as problems

EVIL: Final = (
    "::add-mask::x\n::stop-commands::p\n  ::error::y\r::warning::z##[error]w##vso[task.setvariable]v"
    "\x1b[31m\x07\x9b\u202e\u2066\u200f\u200b\u2060\u2028::notice::u\xad\u3164\U000e0041\n##[group]t"
)
CALLED: Final = "::add-mask::x\n::stop-commands::p\n  ##[error]w\x1b[31m\r\u202e\u200b\x9b\u2028::error::y"
FINE: Final = "Ayuda 👩‍💻 café naïve दीपावली سلام می‌خواهم ❤️ 1️⃣"
FILE: Final = "::error::m\n::stop-commands::p\u202e##teamcity[x].yaml"
TALK: Final = "2b1fa6a4-6f0e-4a5e-9a52-4ad0a5f9f001"
OURS: Final = re.compile(r"::(error|warning|notice) (file|title)=[^\n]*?::")
SEEN: Final = "\t\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Format characters that join letters, or have a shape (Unicode's Prepended_Concatenation_Mark)."""
UNSEEN: Final = "\u034f\u115f\u1160\u3164\ufeff\uffa0"


def hostile(finished: Finished) -> list[str]:
    """The lines that a log or a terminal would obey, or that hide something."""
    obeyed: list[str] = []
    for line in f"{finished.out}\n{finished.err}".split("\n"):
        hidden = [
            letter
            for letter in line
            if (category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and letter not in SEEN) or letter in UNSEEN
        ]
        command = line.lstrip().startswith("::") and not OURS.match(line)
        if hidden or command or re.search(r"##\w*\[", line):
            obeyed.append(line)
    return obeyed


def test_each_character_alone_is_shown_or_escaped() -> None:
    """In a usual run, each of the first two planes and of the tags; beyond them, Unicode has ideographs and gaps."""
    beyond = range(0x20000, sys.maxunicode + 1, size(61, thorough=1))
    codes = {*range(0x20000), *beyond, *range(0xE0000, 0xE1000), sys.maxunicode}
    assert hostile(Finished(0, "\n".join(flat(chr(code)) for code in sorted(codes)), "")) == []


@given(st.text(st.characters() | st.sampled_from(list(EVIL)), max_size=60))
def test_a_flat_text_is_one_line_that_nothing_obeys(text: str) -> None:
    shown = flat(text)
    assert hostile(Finished(0, shown, "")) == []
    assert "\n" not in shown
    assert json.loads(visible(json.dumps(text, ensure_ascii=False))) == text
    line = text.replace("\n", "")
    assert "".join(visible_letters(line)) == visible(line)


def test_names_stay_readable() -> None:
    assert flat(FINE) == FINE
    assert flat("a‍b c️") == "a\\u200db c\\ufe0f"


def quoted(value: object) -> str:
    """The value in YAML, which does not join the two halves that JSON has for some characters."""
    letters = json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter in FINE or ord(letter) < 127 else f"\\U{ord(letter):08x}" for letter in letters)


SINK: Final = json.dumps(["sh", "-c", 'cat >/dev/null; printf %s "$SAID"; exit 1'])
MANIFEST: Final = f"""version: 1
organization: acme
settings: {{extraFields: [{quoted(EVIL)}, fine]}}
channels:
  - name: {quoted(CALLED)}
    color: '#0f766e'
    welcomeMessage: {quoted(EVIL + FINE)}
    {quoted(EVIL)}: {quoted([EVIL, {EVIL: EVIL}])}
    allowedDomains: ["example.com"]
    proactiveTriggers: {quoted([{EVIL + "x": 1, "urlPattern": [EVIL]}])}
    operatingHours: {{timezone: America/Bogota, days: {{mon: ["09:00-13:00"]}}}}
    sync: {{identitySecret: {{rotation: {quoted(EVIL)}, deliver: [{{command: {SINK}}}]}}}}
  - name: {FINE}
"""
WRONG: Final = f"""version: 1
organization: acme
{quoted(EVIL)}: 1
channels:
  - name: a\u202eb\u200b ##[group]
    color: {quoted(EVIL)}
    {quoted(EVIL)}: {quoted(EVIL)}
    enabled: "\u202e##[group]\u200b"
    ::stop-commands::p: x
    widgetPosition: ::add-mask::
    allowedDomains: [{quoted(EVIL)}, "::x"]
"""
PLAIN: Final = ["text --verbose", *(name for name in FORMATS if name not in {"text", "html"})]
"""The formats of a plan; the page is looked at in a browser: tests/test_html_browser.py."""
NAME: Final = shlex.quote(CALLED)
M: Final = shlex.quote(FILE)
HERE: Final = [
    *(f"plan {M} --format {name}" for name in PLAIN),
    *(f"drift {M} --format {name}" for name in ("text --verbose", "json", "markdown")),
    f"plan {M} --out {NAME}.json --render json=plan.json --quiet",
    f"plan {M} --debug-http -",
    *(f"show plan.json --format {name}" for name in PLAIN),
    *(f"validate {M} --format {name}" for name in ("text", *problems.FORMATS)),
    "snapshot --out -",
    *(f"shapes --format {name}" for name in ("text", "json", "schema")),
    "import",
    "import --out imported/",
    f"help {NAME}",
    "version",
    f"adopt {M} --check",
    f"adopt {M} --auto-approve",
    f"fmt {M} --check",
    f"fmt {M}",
    f"hours {NAME} --at 2026-08-01T12:00:00Z --live {M}",
    f"snippet {NAME}",
    "secret status --format text",
    "secret status --format json",
    f"secret rotate {NAME} --to {NAME}.secret",
    f"secret rotate {NAME} --show",
    f"secret sign {NAME} --user-id u",
    f"apply {M} --auto-approve --verbose --report -",
    f"apply {M} --auto-approve",
    f"secret deliver {NAME}",
    f"secret deliver {NAME} --to {NAME}.other",
    f"secret revoke {NAME}",
    f"avatar set {NAME} face.png",
    f"avatar remove {NAME}",
    f"message send {TALK} --body {NAME}",
    f"media upload {TALK} face.png",
    f"ci comment plan.json --label {NAME}",
    f"ci drift plan.json --label {NAME}",
    f"ci adopt {M} --label {NAME}",
    "schema manifest",
    "history",
    "unlock --auto-approve",
    f"history --memory {NAME}",
    f"unlock --auto-approve --memory {NAME}",
    f"help {NAME}",
    "version",
    f"init {NAME}",
    f"emulator --data {M}",
    f"emulator --faults {NAME}",
    *(f"{command} {NAME}" for command in ("plan", "show", "apply", "validate", "adopt", "nonsense", "plan --base")),
]


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "face.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(16))
    return tmp_path


@pytest.fixture
def api() -> Iterator[Emulated]:
    inner = [{EVIL: EVIL, "urlPattern": EVIL}]
    channel = {"name": CALLED, "welcomeMessage": f"was {EVIL}", "hasIdentitySecret": False, "proactiveTriggers": inner}
    with emulated(channel, {"name": f"x{CALLED}", "color": "#000000"}) as api:
        yield api


ENVIRON: Final = {
    "SAID": EVIL,
    "PATH": "/usr/bin:/bin",
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "a/b",
    "GITHUB_TOKEN": "ghs_0123456789abcdef",
    "GITHUB_REF": "refs/pull/1/merge",
}


def test_every_command_is_tried() -> None:
    tried = {" ".join(shlex.split(line)[:2]) for line in HERE} | {shlex.split(line)[0] for line in HERE}
    # `preview` serves until it is ended; what its page shows is held up in tests/test_html_*.py.
    assert set(leaves()) - {"preview"} <= tried


@pytest.mark.slow
def test_names_of_a_hostile_tree_and_server_are_shown_and_not_obeyed(api: Emulated) -> None:
    with ScriptedServer(otherwise=answer(403, json.dumps({"message": EVIL}))) as host:
        environ = {**ENVIRON, "GITHUB_API_URL": host.url}
        for line in HERE:
            finished = api.invoke(*shlex.split(line), environ=environ, sleep=at_once)
            assert hostile(finished) == [], line
            assert finished.code != 70, (line, finished.err)
            if "plan" in line and "verbose" in line:
                assert FINE in finished.out


def test_what_is_wrong_with_a_hostile_tree_is_shown_and_not_obeyed(tree: Path) -> None:
    (tree / FILE).write_text(WRONG, encoding="utf-8")
    for line in HERE:
        if M in line and not line.startswith("emulator"):
            finished = invoke(*shlex.split(line), environ={"MOSEND_API_KEY": KEY, "MOSEND_BASE_URL": "http://[::1]:9"})
            assert hostile(finished) == [], line
            assert finished.code == 1, (line, finished.err)


REQUEST_ID: Final = "::stop-commands::p ##[group]x ##vso[y]"


STATUSES: Final = (200, 400, 404, 429)
BODIES: Final = (
    {"message": EVIL},
    {"message": [EVIL, "::x", "##[y]"], "error": EVIL},
    {"data": [{"id": EVIL, "name": EVIL, "organizationId": EVIL}]},
    {"data": [{"id": EVIL, "name": "a"}, {"id": EVIL, "name": "b"}]},
    {"data": {"id": EVIL, "name": EVIL, "html": EVIL, "secret": EVIL, "mediaAssetId": EVIL, "url": EVIL}},
    {"data": [{"id": "c", "name": EVIL, EVIL: EVIL}], EVIL: EVIL, "next": EVIL},
    {"error": EVIL},
    EVIL,
)


def hearing(body: int, status: int) -> list[str]:
    """The commands that get this answer: all of them; in a usual run, every third in turn gets it as an error."""
    unheard = ("init", "emulator", "schema", "validate", "apply", "ci")
    step = 1 if STATUSES[status] == httpx.codes.OK else size(3, thorough=1)
    return [line for line in HERE if not line.startswith(unheard)][(body + status) % step :: step]


def test_every_command_hears_every_status_and_every_body() -> None:
    heard = [(line, body, status) for body in range(8) for status in range(4) for line in hearing(body, status)]
    for line in {line for line, _, _ in heard}:
        assert {status for other, _, status in heard if other == line} == set(range(4))
        assert {body for other, body, _ in heard if other == line} == set(range(8))


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("status", range(len(STATUSES)), ids=STATUSES)
@pytest.mark.parametrize("number", range(len(BODIES)))
def test_the_answers_of_a_hostile_server_are_shown_and_not_obeyed(number: int, status: int) -> None:
    body = BODIES[number]
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    with ScriptedServer(otherwise=answer(STATUSES[status], text, {"x-request-id": REQUEST_ID})) as server:
        environ = {**ENVIRON, "MOSEND_BASE_URL": server.url, "MOSEND_API_KEY": KEY, "MOSEND_ORG_ID": "acme"}
        for line in hearing(number, status):
            finished = invoke(*shlex.split(line), environ=environ, sleep=at_once)
            assert hostile(finished) == [], line
            assert finished.code != 70, (line, finished.err)


def test_what_a_failed_sink_says_is_shown_and_not_obeyed(tree: Path) -> None:
    with emulated({"name": "Support"}) as api:
        sink = f"{{sync: {{identitySecret: {{rotation: a, deliver: [{{command: {SINK}}}]}}}}, name: Support}}"
        (tree / "sink.yaml").write_text(f"version: 1\nchannels: [{sink}]\n", encoding="utf-8")
        applied = api.invoke("apply", "sink.yaml", "--auto-approve", environ=ENVIRON)
        assert applied.code == 3
        assert "stop-commands" in applied.out
        assert hostile(applied) == []
