from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

import purity

purity.watch()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="Try more: all of the chaos, and longer properties.")


def pytest_configure(config: pytest.Config) -> None:
    # Before any module of tests is imported, since decorators ask for it.
    if config.getoption("--thorough"):
        os.environ["WEBCHAT_SYNC_TEST_THOROUGH"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("WEBCHAT_SYNC_TEST_INSTALLS"):
        skip = pytest.mark.skip(reason="installs packages from an index; .ci/run asks for it")
        for item in items:
            if item.get_closest_marker("installs"):
                item.add_marker(skip)


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
