"""Every command in every format, with successes, failures and crashes: the key and the secrets are seen by nobody.

Looked through are stdout, stderr, every file that the sinks did not ask for, and what the system shows of children.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from planning import catalogue
from webchat_sync.emulator import Fault, Faults, Store, build_app, effects, serve
from webchat_sync.emulator.effects import Effect

KEY = "mk_test_canary.K3yHq5rTj1uXo6iEa"
SECRETS = [f"c4n4ry{number}-Zk9/vB2mW4+Lp0sNd8xQ7=" for number in range(40)]
CHILD = (
    "import os,sys;s=sys.stdin.read();"
    "open('{0}/child','ab').write(open('/proc/self/cmdline','rb').read()+open('/proc/self/environ','rb').read());"
)
MANIFEST = """version: 1
organization: acme
channels:
  - name: Support
    identityRequired: true
    sync:
      identitySecret:
        rotation: ${ROTATION}
        verify: true
        deliver:
          - file: sinks/support.secret
          - {dotenv: sinks/.env, key: SECRET}
          - {command: [PYTHON, -c, SCRIPT], probe: [PYTHON, -c, PROBE]}
"""
DEBUG = ["--debug-http", "http.log"]


def forms(secret: str) -> list[bytes]:
    """What is looked for: the secret itself, encoded, and in pieces of 12."""
    texts = [secret, b64encode(secret.encode()).decode(), quote(secret, safe=""), json.dumps(secret)[1:-1]]
    texts += [secret[at : at + 12] for at in range(len(secret) - 11)]
    return [text.encode() for text in texts]


NEEDLES = [form for secret in (KEY, *SECRETS) for form in forms(secret)]
NEEDLES = [needle for needle in dict.fromkeys(NEEDLES) if needle not in b"mk_test_canary."]


class World:
    """A folder, a server with secrets that are known to the test, and commands run as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.faults: list[Fault] = []
        numbers = iter(SECRETS)
        self.store = Store(catalogue=catalogue(), new_secret=lambda: next(numbers))
        self.store.seed("acme", [{"name": "Support", "id": "c-1", "token": "tok"}])
        (folder / "sinks").mkdir()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await build_app(self.store, faults=Faults(self.faults))(scope, receive, send)

    def declare(self, *, failing: bool = False, chatty: bool = False) -> None:
        child = CHILD.format(self.folder)
        script = child + ("print(s);" if chatty else "") + ("sys.exit(5)" if failing else "")
        text = MANIFEST.replace("SCRIPT", json.dumps(script)).replace("PROBE", json.dumps(child))
        (self.folder / "all.yaml").write_text(text.replace("PYTHON", sys.executable), encoding="utf-8")

    def run(self, *arguments: str, crash: bool = False, stdin: str = "", **environ: str) -> int:
        """The exit code; what the command printed has been looked through, and so have the files."""
        base = {
            **os.environ,
            "MOSEND_BASE_URL": self.url,
            "MOSEND_API_KEY": KEY,
            "MOSEND_ORG_ID": "acme",
            "WEBCHAT_SYNC_DEBUG": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONDEVMODE": "1",
            "PYTHONWARNINGS": "ignore",
            "ROTATION": "1",
        }
        command = [sys.executable, "-c", CRASHING] if crash else [sys.executable, "-m", "webchat_sync"]
        done = subprocess.run(
            [*command, *arguments],
            cwd=self.folder,
            env={**base, **environ},
            input=stdin.encode(),
            capture_output=True,
            check=False,
        )
        self.look(" ".join(arguments), done.stdout + done.stderr)
        for path in self.folder.rglob("*"):
            if path.is_file() and not {"sinks", "recovery"} & set(path.relative_to(self.folder).parts):
                self.look(f"{arguments} wrote {path.name}", path.read_bytes())
        return done.returncode

    def look(self, where: str, content: bytes) -> None:
        found = [needle for needle in NEEDLES if needle in content]
        assert not found, (where, found[:3], content[-3000:].decode("utf-8", "replace"))


CRASHING = """
import logging, sys, traceback
logging.basicConfig(level=logging.DEBUG)
from webchat_sync.cli import run
from webchat_sync.cli.runtime import Runtime
from dataclasses import replace
import webchat_sync.secrets.rotate as engine
def boom(*_, **__):
    raise RuntimeError("a bug")
engine.fingerprint = boom
def with_locals(crash, *_, **__):
    print("".join(traceback.TracebackException.from_exception(crash, capture_locals=True).format()), file=sys.stderr)
traceback.print_exception = with_locals
sys.exit(run(sys.argv[1:], Runtime.real()))
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    with serve(world) as world.url:
        yield world


def echoing(status: int) -> Effect:
    """The secret that was just made, and the key, come back in an error."""

    async def act(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        body: dict[str, Any] = {"statusCode": status, "error": "x", "message": [f"bad {SECRETS[0]}", f"key {KEY}"]}
        body["message"].append(b64encode(SECRETS[0].encode()).decode())
        await JSONResponse(body, status, headers={"x-request-id": SECRETS[0]})(scope, receive, send)

    return act


def test_what_succeeds_shows_no_secret(world: World) -> None:
    world.declare(chatty=True)
    assert world.run("plan", "all.yaml", *DEBUG) == 0
    assert world.run("plan", "all.yaml", "--format", "json", "--out", "plan.json") == 0
    assert world.run("show", "plan.json", "--format", "json") == 0
    assert world.run("apply", "plan.json", "--auto-approve", "--report", "report.json", *DEBUG) == 0
    assert SECRETS[0] in (world.folder / "sinks" / "support.secret").read_text(encoding="utf-8")
    assert (world.folder / "child").stat().st_size > 0
    assert world.run("apply", "all.yaml", "--auto-approve", "--verify-secrets", *DEBUG, ROTATION="2") == 0
    assert world.run("secret", "status", "--format", "json", *DEBUG) == 0
    assert world.run("secret", "status") == 0
    assert world.run("secret", "sign", "Support", "--user-id", "u") == 0
    assert world.run("secret", "rotate", "Support", "--to", "sinks/by-hand", *DEBUG) == 0
    assert world.run("import", *DEBUG) == 0
    assert world.run("snapshot", "--out", "live.json", *DEBUG) == 0
    assert world.run("plan", "all.yaml", "--live", "live.json", "--rotate", "*") == 0
    assert world.run("validate", "all.yaml") == 0
    assert world.run("snippet", "Support", *DEBUG) == 0
    assert world.run("secret", "revoke", "Support", *DEBUG) == 0


def test_what_fails_shows_no_secret(world: World) -> None:
    world.declare(failing=True, chatty=True)
    assert world.run("apply", "all.yaml", "--auto-approve", "--report", "report.json", *DEBUG) == 3
    assert world.run("secret", "status", *DEBUG) == 0
    assert world.run("secret", "deliver", "Support") == 3
    assert world.run("secret", "deliver", "Support", "--to", "sinks/by-hand") == 0
    assert world.run("secret", "deliver", "Support") == 1
    assert world.run("secret", "sign", "Support", "--user-id", "u", "--from", "sinks/none") == 1


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
def test_what_the_server_echoes_is_not_repeated(world: World, path: str, effect: Effect) -> None:
    world.declare()
    world.faults = [Fault(effect, "P*", path)]
    command = [sys.executable, "-c", IMPATIENT]
    done = subprocess.run(
        [*command, "apply", "all.yaml", "--auto-approve", "--report", "report.json", *DEBUG],
        cwd=world.folder,
        env={
            **os.environ,
            "MOSEND_BASE_URL": world.url,
            "MOSEND_API_KEY": KEY,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "ROTATION": "1",
        },
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    world.look("apply", done.stdout + done.stderr)
    for name in ("report.json", "http.log", ".webchat-sync/ledger.json"):
        world.look(name, (world.folder / name).read_bytes())


IMPATIENT = """
import sys
from dataclasses import replace
from anyio.lowlevel import checkpoint
from webchat_sync.cli import run
from webchat_sync.cli.runtime import Runtime
async def at_once(seconds):
    if seconds == 10.0:
        from anyio import sleep_forever
        await sleep_forever()
    await checkpoint()
sys.exit(run(sys.argv[1:], replace(Runtime.real(), sleep=at_once)))
"""


def test_what_crashes_shows_no_secret_not_even_in_locals(world: World) -> None:
    world.declare()
    assert world.run("apply", "all.yaml", "--auto-approve", *DEBUG, crash=True) == 70
    assert world.run("secret", "rotate", "Support", "--to", "sinks/s", *DEBUG, crash=True) == 70
