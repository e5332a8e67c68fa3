from __future__ import annotations

from collections.abc import Iterator

import pytest

import purity

purity.watch()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of the tests are on loopback, whatever proxy the machine has."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _the_pure_rooms_do_no_input_or_output() -> Iterator[None]:
    """Whatever a test runs, planning and rendering open nothing in it; see ``helpers/purity.py``."""
    yield
    assert purity.taken() == []
