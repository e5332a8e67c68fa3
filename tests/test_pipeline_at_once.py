"""Two jobs of examples/github at once, on fresh clones: every channel once, and one of them waits or ends with 7."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from select import select

import pytest

from example_pipeline import ORGANIZATION, Pipeline, example_pipeline
from fake_github import REPOSITORY
from repositories import git
from webchat_sync.emulator import Fault, Faults, effects
from workflow_runner import JobEnded

pytestmark = pytest.mark.slow

LONGEST = 300.0
"""Seconds that something may take on a busy machine; a test that waits that long fails."""

GIT = """\
#!/bin/sh
case "$*" in *" ls-remote "*memory-locks*) [ ! -p "{looks}" ] || echo looked > "{looks}" ;; esac
exec {git} "$@"
"""


@dataclass
class Held:
    """The first create is held back until ``released``; ``look`` returns when a job looks at the lock."""

    pipeline: Pipeline
    jobs: ThreadPoolExecutor
    arrived: threading.Event
    released: threading.Event
    looks: Path

    def start(self, run: str, **inputs: str) -> Future[JobEnded]:
        event = {**self.pipeline.about(None), "GITHUB_SHA": "b1", "GITHUB_RUN_ID": run}
        given = {"event_name": "workflow_dispatch", "inputs": inputs}
        return self.jobs.submit(self.pipeline.job, "apply.yml", "apply", event, **given)

    def watch_looks(self) -> int:
        """A file that has a line for every look at the lock from now on. Nobody who looks is kept waiting by it."""
        os.mkfifo(self.looks)
        return os.open(self.looks, os.O_RDWR)

    @property
    def names(self) -> list[str]:
        return sorted(str(channel["name"]) for channel in self.pipeline.api.store.channels(ORGANIZATION))


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    arrived, released = threading.Event(), threading.Event()

    async def hold(_: float) -> None:
        arrived.set()
        await asyncio.to_thread(released.wait, LONGEST)

    faults = Faults([Fault(effects.delay(1, sleep=hold), "POST", nth=1)])
    with example_pipeline(tmp_path, faults) as pipeline, ThreadPoolExecutor() as jobs:
        looks, program = tmp_path / "looks", pipeline.runner.temporary / "bin" / "git"
        program.write_text(GIT.format(looks=looks, git=shutil.which("git")), encoding="utf-8")
        program.chmod(0o755)
        yield Held(pipeline, jobs, arrived, released, looks)
        released.set()


def test_the_second_job_waits_for_the_first_and_makes_nothing_twice(held: Held) -> None:
    first = held.start("801")
    assert held.arrived.wait(LONGEST)
    looks = held.watch_looks()
    # It is about the channel that the first one is not making, so its plan holds when the first one has ended.
    second = held.start("802", arguments="--target=Support")
    for _ in range(2):  # it has seen that the lock is held, and looks again
        assert select([looks], [], [], LONGEST)[0]
        assert os.read(looks, len("looked\n")) == b"looked\n"
    assert not second.done()
    held.released.set()
    assert first.result(LONGEST).code == 0, first.result().log
    assert second.result(LONGEST).code == 0, second.result().log
    assert held.names == ["Sales", "Support"]


@pytest.mark.variation
def test_a_job_that_waited_too_long_ends_with_7_and_says_for_whom(held: Held) -> None:
    first = held.start("801")
    assert held.arrived.wait(LONGEST)
    refused = held.start("802", apply_arguments="--lock-timeout=1").result(LONGEST)
    assert refused.code == 7, refused.log
    url = f"https://github.com/{REPOSITORY}/actions/runs/801"
    assert f"Error: another run holds the lock: {url} on process " in refused.log
    assert " (since 2" in refused.log
    assert held.names == ["Support"]
    held.released.set()
    assert first.result(LONGEST).code == 0, first.result().log
    assert held.names == ["Sales", "Support"]
    assert held.start("803").result(LONGEST).code == 0


@pytest.mark.variation
def test_two_jobs_that_start_at_the_same_time_end_with_each_channel_once(held: Held) -> None:
    """Whoever comes second applies nothing that was planned before the first one ended."""
    held.released.set()
    ended = [job.result(LONGEST) for job in [held.start("801"), held.start("802")]]
    codes = sorted(job.code for job in ended)
    assert codes in ([0, 0], [0, 4]), [job.log for job in ended]
    assert held.names == ["Sales", "Support"]
    assert held.pipeline.rotations() == 1
    assert "lock" not in git(held.pipeline.origin, "for-each-ref", "--format=%(refname)")
    assert held.start("803").result(LONGEST).code == 0
