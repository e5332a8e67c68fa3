from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webchat_sync.manifest.file_names import file_names


@pytest.mark.parametrize(
    ("channel", "file"),
    [
        ("Ventas España", "ventas-espana.yaml"),
        ("Straße / Shop_2", "strasse-shop-2.yaml"),
        ("日本語 チャット", "日本語-チャット.yaml"),
        ("..", "channel.yaml"),
        ("", "channel.yaml"),
        ("😀🎉", "channel.yaml"),
        ("-.hidden", "hidden.yaml"),
        ("CON", "con-channel.yaml"),
        ("Lpt9", "lpt9-channel.yaml"),
        ("../../etc/passwd", "etc-passwd.yaml"),
        ("half \ud83d", "half.yaml"),
        ("mk_live_ab12.s3cr3t", "channel.yaml"),
        ("x" * 100, f"{'x' * 50}.yaml"),
    ],
)
def test_a_channel_has_a_file_that_can_be_read_and_written_anywhere(channel: str, file: str) -> None:
    assert file_names([channel]) == [file]


def test_files_that_would_be_one_are_numbered() -> None:
    names = ["Shop", "shop", "SHOP 2", "shop-2", "Sho\u0301p", "SHOP"]
    assert file_names(names) == [
        f"{name}.yaml" for name in ("shop", "shop-2", "shop-2-2", "shop-2-3", "shop-3", "shop-4")
    ]


@given(st.lists(st.text(max_size=100) | st.text("aA🎉. é", max_size=3), max_size=6))
def test_no_two_names_are_the_same_and_none_is_unsafe(names: list[str]) -> None:
    files = file_names(names)
    assert len({file.casefold() for file in files}) == len(names)
    assert all(re.fullmatch(r"[^\W_][\w-]*\.yaml", file) and len(file.encode()) <= 255 for file in files)
