from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from webchat_sync.errors import InputError, WebchatSyncError
from webchat_sync.model import Secret
from webchat_sync.secrets.file import secret_file


def test_a_secret_file_is_readable_by_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    target = tmp_path / "support.secret"
    target.write_text("old", encoding="utf-8")
    before = os.umask(0)
    try:
        with secret_file(target) as deliver:
            assert target.read_text(encoding="utf-8") == "old"
            deliver(Secret("new"))
    finally:
        os.umask(before)
    assert target.read_text(encoding="utf-8") == "new\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_nothing_is_left_when_no_secret_came(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), secret_file(tmp_path / "support.secret"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_told_before_the_block_runs(tmp_path: Path) -> None:
    entered = []
    with pytest.raises(InputError, match="cannot be written"), secret_file(tmp_path / "no" / "support.secret"):
        entered.append(True)
    assert entered == []


def test_a_secret_that_cannot_be_put_in_place_is_not_lost(tmp_path: Path) -> None:
    target = tmp_path / "support.secret"
    with secret_file(target) as deliver:
        (target / "in the way").mkdir(parents=True)
        with pytest.raises(WebchatSyncError) as raised:
            deliver(Secret("new"))
    (kept,) = (path for path in tmp_path.iterdir() if path.is_file())
    assert str(kept) in raised.value.hint
    assert kept.read_text(encoding="utf-8") == "new\n"
    assert "new" not in raised.value.message
