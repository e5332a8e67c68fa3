"""The setup of the canary tests: a server with known secrets, commands as processes, and their output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from planning import catalogue
from remembering import bare
from webchat_sync.emulator import Fault, Faults, Store, build_app

KEY = "mk_test_canary.K3yHq5rTj1uXo6iEa"
SECRETS = [f"c4n4ry{number}-Zk9/vB2mW4+Lp0sNd8xQ7=" for number in range(40)]
PROGRAM = Path(__file__).with_name("canary_program.py")
CHILD = (
    "import os,sys;s=sys.stdin.read();"
    "open('{0}/child','ab').write(open('/proc/self/cmdline','rb').read()+open('/proc/self/environ','rb').read());"
)
MANIFEST = """version: 1
organization: acme
channels:
  - name: Support
    identityRequired: true
    operatingHours: {timezone: America/Bogota, days: {mon: ["09:00-13:00"]}}
    sync:
      identitySecret:
        rotation: ${WEBCHAT_ROTATION}
        verify: true
        deliver:
          - file: sinks/support.secret
          - {dotenv: sinks/.env, key: SECRET}
          - {command: [PYTHON, -I, -c, SCRIPT], probe: [PYTHON, -I, -c, PROBE]}
"""
PRIVATE = {"sinks", "recovery", "server"}
"""Folders whose files may contain a secret: the sinks', our recovery folder, and the emulated server's own."""


def forms(secret: str) -> list[bytes]:
    """What to look for: the secret itself, its encodings, and its pieces of 12 characters."""
    texts = [secret, b64encode(secret.encode()).decode(), quote(secret, safe=""), json.dumps(secret)[1:-1]]
    texts += [secret[at : at + 12] for at in range(len(secret) - 11)]
    return [text.encode() for text in texts]


def needles(*secrets: str) -> list[bytes]:
    found = dict.fromkeys(form for secret in secrets for form in forms(secret))
    return [form for form in found if form not in b"mk_test_canary."]


NEEDLES = needles(KEY, *SECRETS)


def look(where: str, content: bytes, *, sought: list[bytes] = NEEDLES) -> None:
    found = [needle for needle in sought if needle in content]
    assert not found, (where, found[:3], content[-3000:].decode("utf-8", "replace"))


class Workspace:
    """A folder, a server with known secrets, and commands that run as separate processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.said = b""
        self.sought = NEEDLES
        self.faults: list[Fault] = []
        numbers = iter(SECRETS)
        self.store = Store(catalogue=catalogue(), new_secret=lambda: next(numbers))
        self.store.seed("acme", [{"name": "Support", "id": "c-1", "token": "tok"}])
        for name in (PRIVATE | {"tmp"}) - {"recovery"}:
            (folder / name).mkdir()
        bare(folder / "server" / "memory.git")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await build_app(self.store, faults=Faults(self.faults))(scope, receive, send)

    def declare(self, *, failing: bool = False, chatty: bool = False) -> None:
        child = CHILD.format(self.folder)
        script = child + ("print(s);" if chatty else "") + ("sys.exit(5)" if failing else "")
        text = MANIFEST.replace("SCRIPT", json.dumps(script)).replace("PROBE", json.dumps(child))
        (self.folder / "all.yaml").write_text(text.replace("PYTHON", sys.executable), encoding="utf-8")

    def environ(self, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "MOSEND_BASE_URL": self.url,
            "MOSEND_API_KEY": KEY,
            "MOSEND_ORG_ID": "acme",
            "TMPDIR": str(self.folder / "tmp"),
            "WEBCHAT_SYNC_DEBUG": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "WEBCHAT_ROTATION": "1",
            **more,
        }

    def run(self, line: str, *, order: str = "hasty", **environ: str) -> int:
        """The exit code of a command line; its output and all files have been searched."""
        (code,) = self.run_all([line], order=order, **environ)
        return code

    def run_all(self, lines: Sequence[str], *, order: str = "hasty", **environ: str) -> list[int]:
        """The exit codes of command lines, run one by one in one process; each has its own HTTP log."""
        with_logs = [line.replace("http.log", f"{number}.log") for number, line in enumerate(lines)]
        done = subprocess.run(
            [sys.executable, PROGRAM, *with_logs],
            cwd=self.folder,
            env=self.environ(CANARY=order, **environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        self.said = done.stdout + done.stderr
        look(" / ".join(lines), self.said, sought=self.sought)
        names = b"\n".join(os.fsencode(path) for path in self.folder.rglob("*"))
        look(f"{lines} named a file", names, sought=self.sought)
        for path in self.folder.rglob("*"):
            if path.is_file() and not PRIVATE & set(path.relative_to(self.folder).parts):
                look(f"{lines} wrote {path.name}", path.read_bytes(), sought=self.sought)
        return [int(code) for code in re.findall(rb"^exit (\d+) of ", done.stderr, re.MULTILINE)]
