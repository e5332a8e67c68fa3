from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from webchat_sync.files import UNFINISHED, replace_bytes, sweep, write_private


@pytest.mark.parametrize("umask", [0, 0o277])
def test_a_private_file_is_its_owners_only_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    target = tmp_path / "plan.json"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o644)
    before = os.umask(umask)
    try:
        write_private(target, "ñ\n")
    finally:
        os.umask(before)
    assert target.read_bytes() == "ñ\n".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    target.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        write_private(target, "\ud800")
    assert target.read_text(encoding="utf-8") == "old"
    (tmp_path / "folder" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_private(tmp_path / "folder", "new")
    assert {path.name for path in tmp_path.iterdir()} == {"plan.json", "folder"}


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_a_living_one_holds_is_not(tmp_path: Path) -> None:
    target = tmp_path / "support.secret"
    dead, held = (tmp_path / f".support.secret.{name}{UNFINISHED}" for name in ("dead", "held"))
    link, foreign = tmp_path / f".support.secret.link{UNFINISHED}", tmp_path / f".another.dead{UNFINISHED}"
    for each in (dead, held, foreign):
        each.write_text("half", encoding="utf-8")
    with held.open("rb") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        write_private(target, "new")
        assert sorted(tmp_path.iterdir()) == sorted([target, held, foreign])
    sweep(target)
    assert sorted(tmp_path.iterdir()) == sorted([target, foreign])
    link.symlink_to(foreign)
    write_private(target, "newer")
    assert (foreign.read_text(encoding="utf-8"), target.read_text(encoding="utf-8")) == ("half", "newer")


def test_replaced_bytes_keep_the_mode_and_the_link_and_leave_nothing_behind(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link.symlink_to(file)
    replace_bytes(link, b"\xff\r\n")
    assert (link.is_symlink(), file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (True, b"\xff\r\n", 0o640)
    with pytest.raises(OSError, match="none"):
        replace_bytes(tmp_path / "none", b"")
    assert sorted(tmp_path.iterdir()) == [file, link]
