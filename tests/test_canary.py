"""Every command in every format, with successes, failures and crashes: the key and the secrets are seen by nobody.

Looked through are stdout, stderr with all that is logged, every file that the sinks did not ask for, and what the
system shows of children. A new command is one line in each of the tables.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import click
import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

import loopback
from canary import KEY, NEEDLES, PROGRAM, SECRETS, Workspace, look, needles
from hostile_checkout import make_hostile
from pipelines import GITHUB, GITLAB, Host
from repositories import git, repository
from variations import variation
from webchat_sync.cli import COMMANDS, webchat_sync
from webchat_sync.emulator import Fault, effects, serve
from webchat_sync.emulator.effects import Effect
from webchat_sync.render.formats import FORMATS

pytestmark = pytest.mark.slow

PLAN_FILES: Final = " ".join(f"--render {name}=rendered.{name}" for name in FORMATS)
TALK: Final = "2b1fa6a4-6f0e-4a5e-9a52-4ad0a5f9f001"

SUCCESSES: Final = [
    "plan all.yaml --format text --verbose --debug-http http.log",
    f"plan all.yaml --format json --out plan.json {PLAN_FILES}",
    *(f"plan all.yaml --format {name}" for name in FORMATS if name not in {"text", "json"}),
    "drift all.yaml --format text --verbose --debug-http http.log",
    "drift all.yaml --format json --out drifted.json --render text=drift.txt",
    "drift all.yaml --format markdown",
    "drift all.yaml --format html",
    "show plan.json --format text --verbose",
    f"show plan.json --format json {PLAN_FILES}",
    *(f"show plan.json --format {name}" for name in FORMATS if name not in {"text", "json"}),
    "apply plan.json --auto-approve --report report.json --render html=report.html --debug-http http.log",
    "apply all.yaml --auto-approve --rotate Support --verify-secrets --report report.json --debug-http http.log",
    "validate all.yaml --format text",
    "validate all.yaml --format json",
    "validate all.yaml --format github",
    "validate all.yaml --format sarif",
    "validate all.yaml --format codequality",
    "fmt all.yaml",
    "fmt all.yaml --check",
    "shapes --format text --debug-http http.log",
    "shapes all.yaml --format json",
    "shapes --format schema",
    "schema manifest",
    "history --memory memory.git --format text",
    "history --memory memory.git --format json",
    "unlock --auto-approve",
    "help secret rotate",
    "version",
    "snapshot --out live.json --debug-http http.log",
    "plan all.yaml --live live.json --rotate * --format json",
    "import --debug-http http.log",
    "adopt all.yaml --auto-approve --debug-http http.log",
    "hours Support --at 2026-08-01T12:00:00Z --live --debug-http http.log all.yaml",
    "snippet Support --debug-http http.log",
    "secret status --format text --debug-http http.log",
    "secret status --format json",
    "secret sign Support --user-id u",
    "secret rotate Support --to sinks/by-hand --verify-secrets --debug-http http.log",
    "secret revoke Support --auto-approve --debug-http http.log",
    "init fresh",
    "import --out imported/",
    "avatar set Support face.png --debug-http http.log",
    "avatar remove Support --debug-http http.log",
    f"message send {TALK} --body hello --debug-http http.log",
    f"media upload {TALK} face.png --debug-http http.log",
    "history --memory server/memory.git",
    "history --memory server/memory.git --format text",
    "history --memory server/memory.git --format json",
    "unlock --memory server/memory.git --auto-approve",
    "help plan",
    "version",
]
"""Each command in each of its formats, in an order in which all succeed."""

IN_PIPELINES: Final = {"ci adopt", "ci comment", "ci drift"}
"""What speaks to hosts of code, with a token of theirs; a test here runs them against both."""

OF_THEIR_OWN: Final = {"secret deliver", "emulator", "preview"}
"""What other tests here run: a secret waits only after a failure, and a server does not end by itself."""

FAILURES: Final = [
    (6, "plan all.yaml --debug-http http.log"),
    (6, "plan all.yaml --format json --debug-http http.log"),
    (1, "plan leaking.yaml"),
    (6, "drift all.yaml --debug-http http.log"),
    (4, "show edited.json"),
    (6, "apply all.yaml --auto-approve --report report.json --debug-http http.log"),
    (1, "apply leaking.yaml --auto-approve --report report.json"),
    (1, "validate leaking.yaml --format text"),
    (1, "validate leaking.yaml --format json"),
    (1, "validate leaking.yaml --format github"),
    (1, "validate leaking.yaml --format sarif"),
    (1, "validate leaking.yaml --format codequality"),
    (1, "fmt leaking.yaml"),
    (64, "schema none"),
    (1, "history"),
    (7, "unlock --auto-approve --memory ./missing.git"),
    (64, "help none"),
    (64, "version none"),
    (64, "init all.yaml"),
    (6, "snapshot --out live.json --debug-http http.log"),
    (6, "shapes --debug-http http.log"),
    (6, "import --debug-http http.log"),
    (6, "adopt all.yaml --auto-approve --debug-http http.log"),
    (6, "hours Support --live --debug-http http.log"),
    (6, "snippet Support --debug-http http.log"),
    (6, "secret status --debug-http http.log"),
    (6, "secret rotate Support --to sinks/by-hand --debug-http http.log"),
    (6, "secret revoke Support --auto-approve --debug-http http.log"),
    (1, "secret deliver Support"),
    (1, "secret sign Support --user-id u --from sinks/none"),
    (6, "avatar set Support face.png --debug-http http.log"),
    (6, "avatar remove Support --debug-http http.log"),
    (6, f"message send {TALK} --body hello --debug-http http.log"),
    (6, f"media upload {TALK} face.png --debug-http http.log"),
    (1, "emulator --faults leaking.yaml"),
    (1, "preview missing.yaml"),
    (7, "history --memory ./missing.git"),
    (7, "unlock --memory ./missing.git --auto-approve"),
    (64, "help nonsense"),
    (64, "version nonsense"),
]
"""Each command with the exit code of its failure, at a server whose every answer repeats the key."""

CRASHES: Final = [line for _, line in FAILURES if "--debug-http" in line and "--format" not in line]
"""All commands that talk: each has a bug just before its first request is sent, when the key is alive."""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path)
    (tmp_path / "face.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(16))
    git(tmp_path, "init", "--quiet", "--bare", "memory.git")
    with serve(workspace) as workspace.url:
        yield workspace


@cache
def leaves() -> Mapping[str, click.Command]:
    """Every command that does something, by all its names: ``secret rotate``."""
    commands: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = webchat_sync.get_command(click.Context(webchat_sync), name)
        assert command is not None
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        commands.update({f"{name} {short}".strip(): leaf for short, leaf in inner.items()})
    return commands


def named(line: str) -> str:
    """The command of a command line."""
    words = shlex.split(line)
    return next(name for name in (" ".join(words[:2]), words[0]) if name in leaves())


def test_no_command_and_no_format_is_forgotten() -> None:
    assert {named(line) for line in SUCCESSES} | OF_THEIR_OWN | IN_PIPELINES == set(leaves())
    assert {named(line) for _, line in FAILURES} | IN_PIPELINES == set(leaves())
    for name, leaf in leaves().items():
        lines = [shlex.split(line) for line in SUCCESSES if named(line) == name]
        for option in (each for each in leaf.params if "--format" in each.opts):
            assert isinstance(option.type, click.Choice)
            assert {line[line.index("--format") + 1] for line in lines if "--format" in line} >= {*option.type.choices}
        if name not in OF_THEIR_OWN | IN_PIPELINES and any("--debug-http" in each.opts for each in leaf.params):
            assert any("--debug-http" in line for line in lines), name
            assert any(named(line) == name for line in CRASHES), name


def echoing(status: int) -> Effect:
    """The secret that was just made, and the key, come back in an error."""

    async def act(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        body: dict[str, Any] = {"statusCode": status, "error": "x", "message": [f"bad {SECRETS[0]}", f"key {KEY}"]}
        body["message"].append(b64encode(SECRETS[0].encode()).decode())
        await JSONResponse(body, status, headers={"x-request-id": SECRETS[0]})(scope, receive, send)

    return act


def echoing_key() -> Effect:
    """The key comes back in an error."""

    async def act(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        body = {"statusCode": 403, "error": KEY, "message": [f"key {KEY}", b64encode(KEY.encode()).decode()]}
        await JSONResponse(body, 403, headers={"x-request-id": KEY})(scope, receive, send)

    return act


def test_what_succeeds_shows_no_secret(workspace: Workspace) -> None:
    workspace.declare(chatty=True)
    assert dict(zip(SUCCESSES, workspace.run_all(SUCCESSES), strict=True)) == dict.fromkeys(SUCCESSES, 0)
    assert (workspace.folder / "sinks" / "support.secret").read_text(encoding="utf-8").strip() in SECRETS
    assert (workspace.folder / "child").stat().st_size > 0


def test_what_fails_shows_no_secret(workspace: Workspace) -> None:
    workspace.declare()
    assert workspace.run("plan all.yaml --out edited.json") == 0
    saved = json.loads((workspace.folder / "edited.json").read_text(encoding="utf-8"))
    (workspace.folder / "edited.json").write_text(json.dumps({**saved, "created_at": "never"}), encoding="utf-8")
    (workspace.folder / "server" / "leaking.yaml").write_text(LEAKING, encoding="utf-8")
    workspace.faults = [Fault(echoing_key())]
    codes = workspace.run_all([line.replace("leaking.yaml", "server/leaking.yaml") for _, line in FAILURES])
    assert list(zip(codes, [line for _, line in FAILURES], strict=True)) == FAILURES


LEAKING: Final = f"""version: 1
organization: acme
channels:
  - name: Support
    welcomeMessage: {KEY}
    {SECRETS[0]}: {SECRETS[0]}
    color: [{KEY}
"""


def test_what_a_sink_refuses_shows_no_secret(workspace: Workspace) -> None:
    workspace.declare(failing=True, chatty=True)
    assert workspace.run("apply all.yaml --auto-approve --report report.json --debug-http http.log") == 3
    assert workspace.run_all(["secret status", "secret deliver Support"]) == [0, 3]
    assert workspace.run("secret deliver Support", order="broken sleep 1") == 70
    assert workspace.run_all(["secret deliver Support --to sinks/by-hand", "secret deliver Support"]) == [0, 1]


STAYS: Final = "/proc/self/environ"
ENVIRONMENTS: Final[dict[str, dict[str, str]]] = {
    "an old terminal": {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "TERM": "dumb", "COLUMNS": "-1"},
    "a terminal that is none": {
        "TERM": "\x1b[2J",
        "COLUMNS": "x",
        "LINES": "9" * 30,
        "NO_COLOR": "",
        "FORCE_COLOR": "1",
    },
    "no home": {"HOME": "/nonexistent", "XDG_CONFIG_HOME": "/dev/null", "USER": "", "TMPDIR": "/nonexistent"},
    "a clock of nowhere": {"TZ": "::add-mask::/../../etc/passwd", "LANG": "tlh_XX.UTF-77"},
    "a pipeline of files that are none": {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        **dict.fromkeys(("GITHUB_EVENT_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ENV"), STAYS),
    },
    "a pipeline that says nonsense": {
        "CI": "::add-mask::x",
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_IID": "-1; ls",
        "CI_API_V4_URL": "http://[",
        "CI_PROJECT_ID": "../..",
        "GITHUB_REF": "refs/pull/x/merge",
        "GITHUB_SERVER_URL": "http://[",
        "GITHUB_RUN_ID": "\n::stop-commands::x",
    },
    "settings of git": {
        "GIT_DIR": "/nonexistent",
        "GIT_CONFIG_COUNT": "x",
        "GIT_TRACE": "1",
        "GIT_SSH_COMMAND": "cat /proc/self/environ >&2",
        "GIT_ASKPASS": "env",
        "GIT_PAGER": "env",
        "PAGER": "env",
        "EDITOR": "env",
    },
    "settings of Python": {
        "PYTHONINSPECT": "",
        "PYTHONDEVMODE": "1",
        "PYTHONWARNINGS": "default",
        "PYTHONHASHSEED": "0",
    },
    "settings of ours": {
        "WEBCHAT_SYNC_ALLOW_ENV": "*",
        "WEBCHAT_SYNC_ALLOW_PATHS": "*:**:[",
        "WEBCHAT_SYNC_DEBUG": "1",
        "WEBCHAT_ROTATION": "\x1b[2J::add-mask::x",
    },
    "no proxy at all": {"HTTP_PROXY": "", "HTTPS_PROXY": "::", "NO_PROXY": "*", "SSL_CERT_FILE": "/dev/null"},
}
"""What is set around a run, by the kind of machine that sets it."""


USUAL: Final = {"settings of git", "a pipeline that says nonsense"}
"""The environments in which most of what can go wrong does."""


@pytest.mark.alike
@pytest.mark.parametrize(
    "variables",
    [
        pytest.param(variables, id=kind) if kind in USUAL else variation(variables, id=kind)
        for kind, variables in ENVIRONMENTS.items()
    ],
)
def test_no_environment_makes_a_command_show_a_secret(workspace: Workspace, variables: dict[str, str]) -> None:
    workspace.declare(chatty=True)
    make_hostile(workspace.folder, workspace.folder / "marks")
    codes = workspace.run_all(SUCCESSES, **variables)
    assert len(codes) == len(SUCCESSES)
    assert set(codes) <= {0, 1, 2, 3, 4, 5, 6, 7}, workspace.said
    assert not (workspace.folder / "marks").exists(), "what lies in the tree was run"


@pytest.mark.parametrize("host", [pytest.param(GITHUB, id="github"), variation(GITLAB, id="gitlab")])
def test_what_a_pipeline_says_shows_no_token(workspace: Workspace, host: Host) -> None:
    lines = ["ci comment plan.json --label x", "ci drift plan.json --label x"]
    adopt = "ci adopt all.yaml --label x --debug-http http.log"
    assert {named(line) for line in [*lines, adopt]} == IN_PIPELINES
    workspace.declare()
    workspace.sought = [*NEEDLES, *needles(host.token), *needles(host.read_token)]
    assert workspace.run("plan all.yaml --out plan.json") == 0
    with host.begin(None) as fake:
        assert workspace.run_all(lines, **fake.environ(workspace.folder, token=host.read_token)) == [6, 6]
        assert workspace.run_all(lines, **fake.environ(workspace.folder)) == [0, 0]
        assert workspace.run_all(lines, order="broken clock 1", **fake.environ(workspace.folder)) == [70, 70]
        assert len(fake.bodies) == 1
        remote = workspace.folder / "remote.git"
        git(workspace.folder, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
        git(repository(workspace.folder), "remote", "add", "origin", str(remote))
        git(workspace.folder, "add", "all.yaml")
        git(workspace.folder, "commit", "--quiet", "--message=x")
        git(workspace.folder, "push", "--quiet", "origin", "HEAD:main")
        reading = fake.environ(workspace.folder, number=None, token=host.read_token)
        assert workspace.run(adopt, **reading) == 6
        assert workspace.run(adopt, **fake.environ(workspace.folder, number=None)) == 0
        assert workspace.run(adopt, order="broken clock 1", **fake.environ(workspace.folder, number=None)) == 70
        assert len(fake.requests) == 1


@pytest.mark.alike
@pytest.mark.parametrize(
    ("path", "effect"),
    [
        ("*/identity-secret", echoing(500)),
        ("*/identity-secret", echoing(400)),
        ("*/identity-secret", effects.cut(keep=60)),
        ("*/identity-secret", effects.redirect(f"http://localhost:9/{SECRETS[0]}")),
        ("*/sessions", echoing(500)),
        ("*/channels/c-1", echoing(400)),
    ],
)
def test_what_the_server_echoes_is_not_repeated(workspace: Workspace, path: str, effect: Effect) -> None:
    workspace.declare()
    workspace.faults = [Fault(effect, "P*", path)]
    assert workspace.run("apply all.yaml --auto-approve --report report.json --debug-http http.log") == 3
    assert {"report.json", "0.log"} <= {each.name for each in workspace.folder.iterdir()}


def test_what_crashes_with_the_key_alive_does_not_show_it(workspace: Workspace) -> None:
    workspace.declare()
    assert workspace.run_all(CRASHES, order="broken clock 3") == [70] * len(CRASHES)
    assert workspace.said.count(b"in _exchange") >= len(CRASHES)


@pytest.mark.alike
@pytest.mark.parametrize(
    "line", ["apply all.yaml --auto-approve", "secret rotate Support --to sinks/by-hand --verify-secrets"]
)
def test_what_crashes_with_a_secret_alive_does_not_show_it(workspace: Workspace, line: str) -> None:
    workspace.declare()
    assert workspace.run(f"{line} --debug-http http.log", order="broken new_id 2") == 70
    assert b"in _prove" in workspace.said


def test_the_emulator_prints_neither_the_key_nor_a_secret(workspace: Workspace) -> None:
    process = subprocess.Popen(
        [sys.executable, PROGRAM, "emulator --port 0 --data server/channels.db"],
        cwd=workspace.folder,
        env=workspace.environ(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        heard = next(line for line in process.stderr if b"Emulated API listening on " in line)
        channels = f"{heard.decode().split()[-1]}/organizations/acme/web-chat/channels"
        with loopback.client(headers={"X-Api-Key": KEY}) as http:
            channel = http.post(channels, json={"name": "Support"}).json()["data"]["id"]
            secret = http.post(f"{channels}/{channel}/identity-secret").json()["data"]["secret"]
            assert http.patch(f"{channels}/{channel}", json={"unknown": secret}).status_code == 400
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=100)
    assert b"exit 0 of emulator" in err
    look("emulator", out + err, sought=needles(KEY, secret))
    assert secret.encode() in (workspace.folder / "server" / "channels.db").read_bytes()
    assert (workspace.folder / "server" / "channels.db").stat().st_mode & 0o077 == 0
