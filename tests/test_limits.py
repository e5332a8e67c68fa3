"""With too few descriptors or too little memory there is a plain error before the first write, or a full account."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from commands import Emulated, emulated
from variations import variation

pytestmark = pytest.mark.slow

MANIFEST: Final = """version: 1
organization: acme
channels:
  - name: Support
    sync:
      identitySecret:
        rotation: a
        deliver:
          - file: support.secret
          - {command: [sh, -c, 'cat > by-command'], probe: ['true']}
  - name: Sales
"""
LIMITS: Final = [
    *((resource.RLIMIT_NOFILE, descriptors) for descriptors in range(8, 27)),
    *((resource.RLIMIT_AS, megabytes * 2**20) for megabytes in range(60, 300, 20)),
]


def apply(api: Emulated, folder: Path, kind: int, limit: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "webchat_sync", "apply", "m.yaml", "--auto-approve", "--report", "report.json"],
        cwd=folder,
        env={**os.environ, **api.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(kind, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.alike
@pytest.mark.parametrize(
    ("kind", "limit"), [*LIMITS[::3], *(variation(*case) for case in LIMITS if case not in LIMITS[::3])]
)
def test_too_little_of_the_machine_is_a_plain_error_or_a_full_account(tmp_path: Path, kind: int, limit: int) -> None:
    (tmp_path / "m.yaml").write_text(MANIFEST, encoding="utf-8")
    with emulated({"name": "Support"}) as api:
        done = apply(api, tmp_path, kind, limit)
        written = [call.method for call in api.calls if call.method != "GET"]
        held = {
            api.store.identity_secret(str(channel["id"]))
            for channel in api.store.channels("acme")
            if channel["name"] == "Support"
        } - {None}
    assert "failed with" not in done.stderr
    if "Fatal Python error" in done.stderr or "Error while finding module" in done.stderr or "usage: " in done.stderr:
        assert written == []  # Python itself did not start
        return
    # A run may have begun, and have had no room for its first call: the account says then that nothing was started.
    told = (done.returncode, written, done.stdout, done.stderr)
    assert done.returncode in ({0, 3} if written else {1, 3, 6, 7}), told
    if written or done.returncode == 3:
        assert "Operations: " in done.stdout or "Apply complete!" in done.stdout
    for secret in held:
        kept = [path for path in tmp_path.rglob("*") if path.is_file() and str(secret) in path.read_text("utf-8")]
        assert kept, "the secret that is good now is nowhere"
        if done.returncode == 0:
            assert {path.name for path in kept} >= {"support.secret", "by-command"}
    if (tmp_path / "report.json").exists() and (tmp_path / "report.json").stat().st_size:
        json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
