"""Every command that talks, at a server whose answers are odd: an error in words, an account, and no secret shown."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

import pytest
from starlette.types import ASGIApp

from applying import KEY, NOW
from bending_server import Bending, Rewriting
from commands import Finished, invoke
from fake_time import at_once
from planning import catalogue
from sizes import size
from test_canary import OF_THEIR_OWN, leaves
from test_hostile_output import TALK, hostile
from webchat_sync.emulator import Store, build_app, serve

pytestmark = pytest.mark.slow

MANIFEST: Final = """version: 1
organization: acme
settings: {prune: true}
channels:
  - name: Support
    color: '#0f766e'
    allowedDomains: [example.com]
    operatingHours: {timezone: America/Bogota, days: {mon: ["09:00-13:00"]}}
    departments: [{name: S, order: 1}]
    sync: {id: c-1, identitySecret: {rotation: a, maxAge: 9d, deliver: [{file: s.secret}, {dotenv: .env, key: K}]}}
  - {name: New}
"""
LINES: Final = [
    *(f"plan m.yaml --format {name}" for name in ("text --verbose", "html", "markdown", "json --out plan.json")),
    "drift m.yaml --format json",
    "shapes m.yaml --format json",
    "shapes --format text",
    "apply m.yaml --auto-approve --max-deletes 9 --report report.json --debug-http http.log",
    "apply plan.json --auto-approve --max-deletes 9",
    "snapshot --out live.json",
    "plan m.yaml --live live.json",
    "import",
    "import --out imported/",
    "adopt m.yaml --auto-approve",
    "hours Support --live m.yaml",
    "snippet c-1",
    "secret status",
    "secret rotate c-1 --to b.secret --verify-secrets",
    "secret deliver c-1 --to c.secret",
    "secret sign c-1 --user-id u --from b.secret",
    "secret revoke c-1 --auto-approve",
    "avatar set c-1 face.png",
    "avatar remove c-1",
    f"message send {TALK} --body x",
    f"media upload {TALK} face.png",
]
SECRET: Final = "a-secret-of-a-channel-0123456789"


def test_every_command_that_talks_is_tried() -> None:
    silent = {
        "show",
        "validate",
        "schema manifest",
        "init",
        "ci comment",
        "ci drift",
        "ci adopt",  # it lists as `adopt` does, once it knows its host of code
        "fmt",
        "schema",
        "history",
        "unlock",
        "help",
        "version",
    }
    tried = {name for name in leaves() for line in LINES if line.startswith(name)}
    assert {name for name in leaves() if name not in silent | OF_THEIR_OWN} <= tried


@contextmanager
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "face.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(16))
    store = Store(catalogue=catalogue(), now=lambda: NOW, new_secret=lambda: SECRET)
    store.seed("acme", [{"name": "Support", "id": "c-1", "token": "tok"}, {"name": "Old"}])
    yield store


def run(line: str, url: str) -> Finished:
    environ = {"MOSEND_BASE_URL": url, "MOSEND_API_KEY": KEY, "MOSEND_ORG_ID": "acme", "PATH": os.environ["PATH"]}
    finished = invoke(
        *shlex.split(line), environ={**environ, "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b"}, sleep=at_once
    )
    said = finished.out + finished.err
    assert finished.code in {0, 1, 2, 3, 4, 5, 6, 7}, (line, finished.err)
    assert "Traceback" not in said, (line, said)
    assert KEY not in said, (line, said)
    assert SECRET not in said, (line, said)
    assert hostile(finished) == [], line
    return finished


def run_all(lines: list[str], app: ASGIApp) -> None:
    with serve(app) as url:
        for line in lines:
            run(line, url)


@pytest.mark.alike
@pytest.mark.parametrize("seed", range(size(4, thorough=200)))
def test_odd_answers_are_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    with world(tmp_path, monkeypatch) as store:
        random = Random(seed)
        bending = Bending(build_app(store), random, 0.35)
        run_all(random.sample(LINES, len(LINES)), bending)
    assert bending.bent > 0


@pytest.mark.alike
@pytest.mark.parametrize("written", [r"Supp\ud800rt", r"\u0000", r"\u202e::x", "x" * 100_000, r"\udc00\ud800"])
def test_a_name_that_no_encoding_or_terminal_can_carry_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    with world(tmp_path, monkeypatch) as store:
        app = Rewriting(build_app(store), '"Old"', f'"{written}"')
        old = next(str(channel["id"]) for channel in store.channels("acme") if channel["name"] == "Old")
        # All that is written down of it can be read again.
        run_all([f"secret rotate {old} --to old.secret", "secret status"], app)
        run_all([line for line in LINES if not line.startswith("apply")], app)
        # A manifest of the same organisation below the folder would speak against prune.
        shutil.rmtree("imported", ignore_errors=True)
        with serve(app) as url:
            assert run("plan m.yaml", url).code == 0


@pytest.mark.alike
@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "a",
            "x" * 200_000,
            r"a\nb",
            r"a\u0000b",
            r"a-secret\ud800-of-halves-012345",
            r"\u202eabc",
            "  x  ",
            "K=v",
        ),
        *("::add-mask::x", "mk_live_abcdefgh.ijklmnop", r"a'b\"c$(id)`id`", r"\u00e9" * 20),
    ],
)
def test_a_secret_that_a_sink_cannot_take_is_never_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    with world(tmp_path, monkeypatch) as store, serve(Rewriting(build_app(store), SECRET, written)) as url:
        run("apply m.yaml --auto-approve --report report.json", url)
        kept = [path for path in (tmp_path / ".webchat-sync" / "recovery").glob("*") if path.is_file()]
        delivered = (tmp_path / "s.secret").exists() and (tmp_path / ".env").exists()
        assert bool(kept or delivered) == bool(written)
        for line in (
            "secret status",
            "secret deliver c-1 --to z.secret",
            "secret rotate c-1 --to y.secret",
            "plan m.yaml",
        ):
            run(line, url)
