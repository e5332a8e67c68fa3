from __future__ import annotations

import fcntl
import os
import stat
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from webchat_sync.files import UNFINISHED, check_target, descriptor_of, identity, replace_bytes, sweep, write_private
from work import calls_of


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
    held, dead, link = (tmp_path / f".support.secret.{number}{UNFINISHED}" for number in range(3))
    foreign = tmp_path / f".another.0{UNFINISHED}"
    for each in (dead, held, foreign):
        each.write_text("half", encoding="utf-8")
    with held.open("rb") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        write_private(target, "new")
        assert sorted(tmp_path.iterdir()) == sorted([target, held, foreign])
    sweep(target)
    assert sorted(tmp_path.iterdir()) == sorted([target, foreign])
    for place in (held, link):
        place.symlink_to(foreign)
    write_private(target, "newer")
    assert (foreign.read_text(encoding="utf-8"), target.read_text(encoding="utf-8")) == ("half", "newer")


def test_a_file_that_many_processes_are_writing_stays_as_it_is(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    target.write_text("old", encoding="utf-8")
    with ExitStack() as stack:
        for number in range(8):
            alive = stack.enter_context((tmp_path / f".plan.json.{number}{UNFINISHED}").open("wb"))
            fcntl.flock(alive, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="too many processes"):
            write_private(target, "new")
    write_private(target, "new")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["new"]


def test_writing_a_file_takes_no_longer_among_thousands(tmp_path: Path) -> None:
    def listed(count: int) -> int:
        """How many functions are called to write a file in a folder of ``count`` others."""
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            (folder / str(number)).touch()
        return calls_of(partial(write_private, folder / "new", "x"))

    assert listed(0) == listed(500)


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


@pytest.mark.parametrize("number", ["9" * 20, "9" * 200, "٣"])
def test_a_number_that_no_descriptor_has_is_an_ordinary_name(number: str) -> None:
    path = Path("/dev/fd") / number
    assert descriptor_of(path) is None
    assert identity(path)
    with pytest.raises(OSError, match="No such file"):
        check_target(path)
