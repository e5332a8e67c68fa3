"""A remote that somebody else writes to: whatever its refs hold is read, or refused in words, and never obeyed."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from commands import emulated
from fake_time import at_once
from remembering import bare
from repositories import ENVIRON
from test_hostile_output import EVIL, hostile
from variations import thinned
from webchat_sync.memory.lease import lock_refs

pytestmark = pytest.mark.slow

REF: Final = "refs/webchat-sync/memory"
NAME: Final = b"http%3A%2F%2F127.0.0.1@acme.json"
GOOD: Final = b'{"version": 1}'
LOCK: Final = {"id": "i", "host": "h", "url": "u", "commit": "c", "since": "2026-01-01T00:00:00+00:00", "lease": 1.0}
MOMENT: Final = "2026-01-01T00:00:00+00:00"
MANIFEST: Final = """version: 1
organization: acme
settings: {prune: true}
channels: [{name: A, sync: {identitySecret: {rotation: a, deliver: [{file: s}]}}}, {name: N}]
"""

(ACME,) = lock_refs(REF, ["acme"])


def git(remote: Path, *arguments: str, given: bytes = b"") -> str:
    command = ["git", "-C", str(remote), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, env={**os.environ, **ENVIRON}, check=True)
    return done.stdout.decode().strip()


def blob(remote: Path, data: bytes) -> str:
    return git(remote, "hash-object", "-w", "--stdin", given=data)


def tree(remote: Path, *entries: tuple[str, str, str, bytes]) -> str:
    lines = (f"{mode} {kind} {made}\t".encode() + name + b"\0" for mode, kind, made, name in entries)
    return git(remote, "mktree", "-z", "--missing", given=b"".join(lines))


Plant = Callable[[Path], object]


def at(ref: str, make: Callable[[Path], str]) -> Plant:
    return lambda remote: git(remote, "update-ref", ref, make(remote))


def committed(data: bytes = GOOD, name: bytes = NAME, *, message: bytes = b"x", mode: str = "100644") -> Plant:
    def make(remote: Path) -> str:
        return git(remote, "commit-tree", tree(remote, (mode, "blob", blob(remote, data), name)), given=message)

    return at(REF, make)


def dated(date: bytes) -> Plant:
    def make(remote: Path) -> str:
        made = tree(remote, ("100644", "blob", blob(remote, GOOD), NAME)).encode()
        raw = b"tree %s\nauthor a <a@b> %s\ncommitter a <a@b> %s\n\nmessage\n" % (made, date, date)
        return git(remote, "hash-object", "-w", "-t", "commit", "--literally", "--stdin", given=raw)

    return at(REF, make)


def locked(data: bytes) -> Plant:
    def make(remote: Path) -> str:
        return git(
            remote, "commit-tree", tree(remote, ("100644", "blob", blob(remote, data), b"lock.json")), given=b"x"
        )

    return at(ACME, make)


def tagged(remote: Path) -> str:
    git(remote, "tag", "-a", "-m", "x", "t", blob(remote, GOOD))
    return git(remote, "rev-parse", "refs/tags/t")


def nested(remote: Path) -> str:
    return tree(remote, ("040000", "tree", tree(remote, ("100644", "blob", blob(remote, GOOD), NAME)), b"src"))


REMEMBERED: Final = {
    "version": 1,
    "rotations": {EVIL: {"name": EVIL, "state": "delivered", "attempt": EVIL, "at": MOMENT, "rotation": EVIL}},
    "creates": {"a": {"name": "N", "at": MOMENT, "run": EVIL}},
    "channels": {"x": {"name": EVIL, "seen": MOMENT, "owner": EVIL, "file": EVIL, "others": {EVIL: EVIL}}},
    EVIL: EVIL,
}
TRAILERS: Final = f"x\n\nOrganization: {EVIL}\nChannel: {EVIL}\nRun: {EVIL}"
PLANTED: Final[dict[str, Plant]] = {
    "a blob": at(REF, lambda remote: blob(remote, GOOD)),
    "a tag of a blob": at(REF, tagged),
    "names of no encoding": committed(name=b"\xff\xfe@x.json"),
    "names that a log obeys": committed(name=EVIL.replace("/", "").encode() + b"@x.json"),
    "escapes of nothing": committed(name=b"%ZZ%ff@%00.json"),
    "another repository": committed(name=b"README.md"),
    "a link": committed(b"/etc/passwd", mode="120000"),
    "a file of 65 MiB": committed(b" " * (65 * 2**20) + GOOD),
    "levels": committed(b"[" * 5_000),
    "texts that a log obeys": committed(json.dumps(REMEMBERED).encode()),
    "halves of characters": committed(json.dumps({"version": 1, "channels": {"x": {"name": "\ud800"}}}).encode()),
    "a version that a log obeys": committed(json.dumps({"version": EVIL}).encode()),
    "a message that a log obeys": committed(message=TRAILERS.encode()),
    "a long message": committed(message=b"x\n\nOrganization: a\nChannel: " + b"x" * 3_000_000),
    "only folders": at(REF, lambda remote: git(remote, "commit-tree", nested(remote), given=b"x")),
    "an empty commit": at(REF, lambda remote: git(remote, "commit-tree", tree(remote), given=b"x")),
    **{
        f"the date {date.decode()}": dated(date)
        for date in (b"999999999999999 +0000", b"-1 +0000", b"", b"1 +9999", b"x")
    },
    "a lock of nothing": locked(b"null"),
    "a lock that a log obeys": locked(
        json.dumps({**LOCK, "host": EVIL, "url": EVIL, "since": EVIL, "organizations": [EVIL] * 30}).encode()
    ),
    "a lock of organisations that are none": locked(json.dumps({**LOCK, "organizations": {"a": 1}}).encode()),
    "a lock with a long name": locked(
        json.dumps({**LOCK, "host": "h" * 3_000_000, "url": "", "lease": 1e300}).encode()
    ),
    "a lock of 65 MiB": locked(b" " * (65 * 2**20)),
    "a lock before it began": locked(json.dumps({**LOCK, "lease": -1}).encode()),
}
COMMANDS: Final = ("plan m.yaml", "history", "history --format json", "apply m.yaml --auto-approve --lock-timeout 0")


@pytest.mark.alike
@pytest.mark.parametrize("plant", thinned(PLANTED, every=3))
def test_whatever_a_ref_holds_is_read_or_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    monkeypatch.chdir(tmp_path)
    remote = bare(tmp_path / "remote.git")
    plant(remote)
    (tmp_path / "m.yaml").write_text(MANIFEST, encoding="utf-8")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b"}
    with emulated({"name": "A"}) as api:
        for line in (*COMMANDS, "unlock --auto-approve"):
            words = [*shlex.split(line), "--memory", str(remote)]
            finished = api.invoke(*words, environ=environ, sleep=at_once)
            assert finished.code in {0, 1, 3, 5, 7}, (line, finished.err)
            assert hostile(finished) == [], line
            assert "codec can't" not in finished.err, finished.err
            assert len(finished.err) < 10_000, line
        assert ACME not in git(remote, "for-each-ref"), "it can be unlocked, whatever the lock says"
