"""A plugin of pytest that tries mutants in forks, for ``mutants.py``."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from forks import Reply, finish, finish_in_time, fork
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

EXAMPLES: Final = 15
"""Of each property."""

SLOW: Final = 0.08
"""Tests that take more seconds than this are tried last."""

CONTROL: Final = 250
"""After so many mutants, one that changes nothing is tried."""

STATS: Final = "stats"
"""Instead of the name of a mutant: functions tell mutmut that they're called."""


@dataclass(frozen=True)
class Mutant:
    """One change of one function."""

    name: str
    function: str
    function_digest: str
    diff: str


@dataclass(frozen=True)
class Result:
    """How the tests took a mutant: ``killed``, ``survived`` or ``timed out``."""

    mutant: str
    status: str
    by: str | None
    seconds: float
    function_digest: str
    tests_digest: str

    def holds(self, mutant: Mutant, seconds: float, tests_digest: str) -> bool:
        """Whether there's nothing new to try."""
        if self.function_digest != mutant.function_digest:
            return False
        return self.status != "survived" or (self.tests_digest == tests_digest and self.seconds >= seconds)


@dataclass
class Reach:
    """What tests do without a mutant: the functions they call, their CPU time, failures and late imports."""

    tests: dict[str, list[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, reaches: Iterable[Reach]) -> Reach:
        """All of them as one."""
        whole = cls()
        for reach in reaches:
            whole.seconds |= reach.seconds
            whole.failed += reach.failed
            whole.modules += reach.modules
            for function, tests in reach.tests.items():
                whole.tests.setdefault(function, []).extend(tests)
        return whole

    def shares(self) -> dict[tuple[str, str], float]:
        """Which part of the functions that a test calls is in a module, by both."""
        reached = [(module_of(function), test) for function, tests in self.tests.items() for test in tests]
        of_test = Counter(test for _, test in reached)
        return {key: number / of_test[key[1]] for key, number in Counter(reached).items()}


def kept_results(path: Path) -> dict[str, Result]:
    """The newest result of each mutant."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {result.mutant: result for result in (Result(**json.loads(line)) for line in lines)}


class Trials:
    """A plugin of pytest that tries mutants instead of running the tests."""

    def __init__(self, mutants: Sequence[Mutant], results: Path, seconds: float, jobs: int) -> None:
        self.mutants = mutants
        self.results = results
        self.seconds = seconds
        self.jobs = jobs
        self.items: dict[str, pytest.Item] = {}
        self.reach = Reach()
        self.share: dict[tuple[str, str], float] = {}
        self.kills: Counter[tuple[str, str]] = Counter()
        self.killed_controls: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Tries fewer examples of each property, and always the same ones."""
        from hypothesis import Phase, settings  # pytest wants to import its plugins itself

        # What a test itself sets has no other name.
        attribute = "_hypothesis_internal_use_settings"
        for item in items:
            test = getattr(getattr(item, "obj", None), "__func__", getattr(item, "obj", None))
            own = getattr(test, attribute, None)
            if isinstance(own, settings):
                phases, count = (Phase.explicit, Phase.generate), min(own.max_examples, EXAMPLES)
                setattr(
                    test, attribute, settings(own, max_examples=count, derandomize=True, database=None, phases=phases)
                )

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Measures the tests, and tries the mutants that have no result yet."""
        gc.collect()
        gc.freeze()
        self.items = {item.nodeid: item for item in session.items}
        tests_digest = _digest(Path("tests").rglob("*.py"))
        self.reach = self._measured()
        self.share = self.reach.shares()
        for module in self.reach.modules:
            # So that not every fork has to.
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
        for test in self.reach.failed:
            print(f"Left out, since it fails without a mutant: {test}")
            self.items.pop(test, None)
        kept = kept_results(self.results)
        for result in kept.values():
            self._count(result.mutant.partition("__mutmut_")[0], result.by)
        left = [m for m in self.mutants if m.name not in kept or not kept[m.name].holds(m, self.seconds, tests_digest)]
        print(f"{len(left)} of {len(self.mutants)} mutants to try, with {len(self.items)} tests.", flush=True)
        lanes = [fork(partial(self._lane, left[n :: self.jobs], tests_digest)) for n in range(self.jobs)]
        for lane in lanes:
            self.killed_controls += (finish(lane) or {"killed_controls": ["a process ended early"]})["killed_controls"]
        return True

    def _measured(self) -> Reach:
        """Measures the test files that changed, or all of them if anything else changed."""
        kept = self.results.with_name("reach.json")
        reaches: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
        common = _digest([*Path("src").rglob("*.py"), *Path("tests", "helpers").rglob("*.py")])
        files = {file: common + _digest([Path(file)]) for file in map(_file, self.items)}
        changed = [file for file, digest in files.items() if reaches.get(file, {}).get("digest") != digest]
        measured = finish_in_time(fork(lambda: {file: asdict(self._measure(file)) for file in changed}, 3600))
        if measured is None or measured.keys() != set(changed):
            pytest.exit("the tests don't end without a mutant")
        reaches = {file: reaches[file] for file in files if file not in changed}
        reaches |= {file: {"digest": files[file], "reach": reach} for file, reach in measured.items()}
        kept.write_text(json.dumps(reaches))
        return Reach.of(Reach(**reach["reach"]) for reach in reaches.values())

    def _measure(self, file: str) -> Reach:
        reach = Reach()
        called: set[str] = state()._stats  # noqa: SLF001 mutmut has no other way
        before_all = set(sys.modules)
        for test in (test for test in self.items if _file(test) == file):
            called.clear()
            before = _processor_time()
            if self._first_failure(STATS, [self.items[test]]):
                reach.failed.append(test)
            reach.seconds[test] = _processor_time() - before
            for function in called:
                reach.tests.setdefault(function, []).append(test)
        reach.modules = sorted(set(sys.modules) - before_all)
        return reach

    def _lane(self, mutants: Sequence[Mutant], tests_digest: str) -> Reply:
        """Stops if a control doesn't survive, since the results would mean nothing."""
        with self.results.open("a") as results:
            for number, mutant in enumerate(mutants):
                if number % CONTROL == 0:
                    status, by = self._try(f"{mutant.function}__mutmut_0", mutant.function)
                    if status != "survived":
                        return {"killed_controls": [f"{mutant.function}: {status} by {by}"]}
                status, by = self._try(mutant.name, mutant.function)
                self._count(mutant.function, by)
                result = Result(mutant.name, status, by, self.seconds, mutant.function_digest, tests_digest)
                results.write(json.dumps(asdict(result)) + "\n")
                results.flush()
        return {"killed_controls": []}

    def _count(self, function: str, by: str | None) -> None:
        if by:
            self.kills.update([(function, by), (module_of(function), by)])

    def _try(self, name: str, function: str) -> tuple[str, str | None]:
        tests = self._nearest(function)
        limit = 10 + 6 * sum(self.reach.seconds[test] for test in tests)
        items = [self.items[test] for test in tests]
        reply = finish_in_time(fork(lambda: {"by": self._first_failure(name, items)}, limit))
        if reply is None:
            return "timed out", None
        by = reply.get("by", "the end of the process")
        return ("killed" if by else "survived"), by

    def _nearest(self, function: str) -> list[str]:
        """The tests to try: quick ones before slow ones, each first those that killed the most nearby for their time.

        Then those come first whose names are like the module's, and that take the least time.
        """
        seconds, module = self.reach.seconds, module_of(function)
        reaching = [test for test in self.reach.tests.get(function, ()) if test in self.items]
        nth: Counter[str] = Counter()
        rank: dict[str, tuple[float, float]] = {}
        for test in sorted(reaching, key=lambda test: -self.share[module, test]):
            # One example of each test before further ones.
            example = test.partition("[")[0]
            kills = 2 * self.kills[function, test] + min(self.kills[module, test], 3)
            alike = len(_words(module) & _words(_file(test)))
            cost = 0.01 + seconds[test]
            rank[test] = (-kills / cost, -(1 + alike) / cost / (1 + nth[example]))
            nth[example] += 1
        chosen: list[str] = []
        for slow in (False, True):
            left = self.seconds
            for test in sorted((test for test in rank if (seconds[test] > SLOW) == slow), key=lambda test: rank[test]):
                if not chosen or seconds[test] <= left:
                    chosen.append(test)
                    left -= seconds[test]
        return chosen

    def _first_failure(self, mutant: str, items: Iterable[pytest.Item]) -> str | None:
        """Runs tests with a mutant in this process, up to the first that fails."""
        set_mutant_under_test(mutant)
        if mutant == STATS:
            # Programs that tests start needn't tell, and fail if they try in a folder without our configuration.
            del os.environ["MUTANT_UNDER_TEST"]
        failures = _Failures()
        for item in items:
            item.config.pluginmanager.register(failures, "failures")
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            item.config.pluginmanager.unregister(failures)
            if failures.failed:
                return item.nodeid
        return None


class _Failures:
    failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed


def _file(test: str) -> str:
    return test.partition("::")[0]


def _words(text: str) -> set[str]:
    return set(re.split(r"[^a-z]+", text)) - {"", "test", "tests", "py", "webchat", "sync"}


def module_of(name: str) -> str:
    """The module of a function or mutant."""
    return name.rpartition(".")[0]


def _processor_time() -> float:
    """Of this process and its ended children."""
    return time.process_time() + sum(os.times()[2:4])


def _digest(paths: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(paths))).hexdigest()[:12]
