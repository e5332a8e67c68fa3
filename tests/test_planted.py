"""What a checkout may bring into the program's own folder, and files that are larger than any that is meant."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from applying import KEY
from commands import Finished, invoke
from repositories import commit, repository

MANIFEST: Final = "version: 1\norganization: acme\nchannels: [{name: A}]\n"
ENVIRON: Final = {"PATH": os.environ["PATH"], "MOSEND_API_KEY": KEY, "MOSEND_BASE_URL": "http://[::1]:9"}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    repository(root)
    monkeypatch.chdir(root)
    (root / "m.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "precious").write_text("precious", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    return root


def run(*arguments: object) -> Finished:
    return invoke(*arguments, environ=ENVIRON)


def to_file(path: Path) -> None:
    path.symlink_to("../../../precious" if path.parent.name == "recovery" else "../../precious")


def to_nothing_yet(path: Path) -> None:
    path.symlink_to("/nonexistent/made-by-webchat-sync")


def to_folder(path: Path) -> None:
    path.symlink_to(Path.cwd().parent / "folder")


def to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def fifo(path: Path) -> None:
    os.mkfifo(path)


PLANTED: Final[list[tuple[str, Callable[[Path], None]]]] = [
    *((name, to_file) for name in ("lock", "lock.holder", "ledger.json", "sandbox.db", "recovery/a.json")),
    *((name, to_nothing_yet) for name in ("lock.holder", "ledger.json", "recovery")),
    *((name, to_folder) for name in ("", "recovery")),
    *((name, to_zeros) for name in ("recovery/a.json", "lock.holder", "ledger.json")),
    *((name, fifo) for name in ("recovery/a.json", "lock", "lock.holder", "ledger.json")),
]
COMMANDS: Final = [
    *("validate m.yaml", "plan m.yaml --sandbox", "apply m.yaml --sandbox --auto-approve", "drift m.yaml --sandbox"),
    *("secret status", "secret deliver A", "import --sandbox", "adopt m.yaml --sandbox", "init", "schema manifest"),
]


@pytest.mark.parametrize(("name", "plant"), PLANTED, ids=[f"{name} {plant.__name__}" for name, plant in PLANTED])
def test_what_a_checkout_put_into_the_programs_own_folder_is_refused(
    tree: Path, name: str, plant: Callable[[Path], None]
) -> None:
    path = tree / ".webchat-sync" / name if name else tree / ".webchat-sync"
    path.parent.mkdir(parents=True, exist_ok=True)
    plant(path)
    for command in COMMANDS:
        refused = run(*command.split())
        assert (refused.code, "isn't used" in refused.err) == (1, True), (command, refused.err)
    assert (tree.parent / "precious").read_text(encoding="utf-8") == "precious"
    assert list((tree.parent / "folder").iterdir()) == []
    path.unlink()
    assert run("validate", "m.yaml").code == 0


def test_a_link_inside_the_repository_is_used(tree: Path) -> None:
    (tree / "state").mkdir()
    (tree / ".webchat-sync").symlink_to("state")
    assert run("apply", "m.yaml", "--sandbox", "--auto-approve").code == 0
    assert (tree / "state" / "lock").exists()


@pytest.mark.parametrize("name", [".gitignore", "channels.yaml", ".github/workflows/webchat-sync-plan.yml"])
def test_init_writes_through_no_link_out_of_the_repository(tree: Path, name: str) -> None:
    subprocess.run(["git", "remote", "add", "origin", "git@github.com:a/b.git"], check=True, env=ENVIRON)  # noqa: S607
    (tree / "m.yaml").unlink()
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    for target in (tree.parent / "precious", tree.parent / "made"):
        (tree / name).symlink_to(target)
        refused = run("init")
        assert (refused.code, "leads outside the repository" in refused.err) == (1, True), refused.err
        (tree / name).unlink()
    assert (tree.parent / "precious").read_text(encoding="utf-8") == "precious"
    assert not (tree.parent / "made").exists()


def sparse(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(2**36)


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("x.yaml", "validate x.yaml"),
        ("folder/x.yaml", "plan folder --sandbox"),
        ("x.yaml", "validate m.yaml --overlay x.yaml"),
        ("x.json", "show x.json"),
        ("x.json", "apply x.json --auto-approve"),
        ("x.json", "plan m.yaml --live x.json"),
        ("x.key", "plan m.yaml --api-key-file x.key"),
        (".webchat-sync/ledger.json", "plan m.yaml --sandbox"),
        (".webchat-sync/recovery/a.json", "secret status"),
        (".gitignore", "init"),
    ],
)
def test_a_file_of_64_gigabytes_of_nothing_is_not_read(tree: Path, name: str, command: str) -> None:
    sparse(tree / name)
    arguments = [sys.executable, "-c", LIMITED, *command.split()]
    environ = {**os.environ, **ENVIRON}
    done = subprocess.run(arguments, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "not enough memory" not in done.stderr


LIMITED: Final = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
from webchat_sync.cli import main
sys.exit(main())
"""


@pytest.mark.slow
def test_a_large_file_in_a_commit_is_not_read(tree: Path) -> None:
    commit(tree, {"x.yaml": "\0" * (65 * 2**20), "m.yaml": MANIFEST})
    (tree / "x.yaml").unlink()
    refused = run("drift", "m.yaml", "x.yaml", "--sandbox")
    assert (refused.code, "is larger than 64 MiB" in refused.err) == (1, True), refused.err
