from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import find, settings
from hypothesis.strategies import text

import purity
import sizes
from variations import left_out

purity.watch()

# With thousands of tests in memory, looking for garbage takes a tenth of the CPU time.
gc.set_threshold(100_000)

# A shell ignores these for what it starts in the background, and the processes that the tests interrupt inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
for ending in (signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(ending) is signal.SIG_IGN:
        signal.signal(ending, signal.SIG_DFL)

# No test checks how long an example takes, since the machine may be busy. CI's other settings are kept.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--variations", action="store_true", help="Also run what a run of all tests leaves out.")
    parser.addoption(
        "--thorough", action="store_true", help="Try more: full chaos, more examples of properties, and variations."
    )


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """Three per processor, since tests spend more than half of their time waiting for processes, locks and browsers."""
    return 3 * (os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    # Before any test module is imported, since decorators need it.
    if config.getoption("--thorough"):
        os.environ[sizes.THOROUGH] = "1"
    # A worker is always given the files by name, so it can't decide.
    if not hasattr(config, "workerinput"):
        asked_for = config.getoption("--variations") or config.getoption("--thorough") or config.getoption("keyword")
        named = config.args_source is pytest.Config.ArgsSource.ARGS
        os.environ[sizes.VARIATIONS] = "yes" if asked_for or named else "no"
    settings.register_profile("sized", settings(), max_examples=sizes.examples(100, thorough=100))
    settings.load_profile("sized")


@pytest.hookimpl(trylast=True)  # after the start of the coverage
def pytest_sessionstart(session: pytest.Session) -> None:
    """In a run of all tests, each worker first compiles its share of the modules, and finds the others compiled."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None or not _runs_all(session.config):
        return
    first, step = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    for module in sorted(Path(__file__).parent.glob("test_*.py"))[first::step]:
        with suppress(Exception, pytest.skip.Exception):  # the collection shows it
            import_module(module.stem)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_testnodeready(node: Any) -> None:
    """In a run of all tests, make the table of characters of hypothesis once; it takes 1.4 s, for each worker."""
    if node.gateway.id == "gw0" and _runs_all(node.config):
        find(text(), lambda _: True, settings=settings(database=None))


def _runs_all(config: pytest.Config) -> bool:
    return any(Path(argument).is_dir() for argument in config.args)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Don't look for garbage among the tests themselves; they stay until the end."""
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Nor at the end of the process."""
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not sizes.with_variations():
        variations = left_out(items)
        taken_out = set(variations)
        items[:] = [item for item in items if item not in taken_out]
        config.hook.pytest_deselected(items=variations)
    items.sort(key=lambda item: item.get_closest_marker("waits") is None)
    if not os.environ.get("WEBCHAT_SYNC_TEST_INSTALLS"):
        skip = pytest.mark.skip(reason="installs packages from an index; .ci/run enables it")
        for item in items:
            if item.get_closest_marker("installs"):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' servers are on loopback, whatever proxy the machine uses."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _the_pure_rooms_do_no_input_or_output() -> Iterator[None]:
    """Planning and rendering open nothing in any test; see ``helpers/purity.py``."""
    yield
    assert purity.taken() == []
