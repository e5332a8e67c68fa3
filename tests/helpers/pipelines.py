"""Saved plans for tests of pipelines, and running ``webchat-sync ci`` on either host."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import fake_github
import fake_gitlab
from commands import Finished, invoke
from fake_github import FakeGitHub
from fake_gitlab import FakeGitLab
from fake_time import FakeTime
from planning import declare, live, plan_for
from webchat_sync.model import Declaration, LiveChannel
from webchat_sync.plan.guard import NO_OPTIONS, judged
from webchat_sync.planfile.writer import render_plan

Fake: TypeAlias = FakeGitHub | FakeGitLab


@dataclass(frozen=True)
class Host:
    """One of the two hosts: how to start it, its tokens, and the paths for faults."""

    begin: Callable[..., AbstractContextManager[Fake]]
    token: str
    read_token: str
    comments_path: str
    issues_path: str
    requests_path: str
    edit: str

    def __repr__(self) -> str:
        return self.comments_path.split("/")[-1]


GITHUB = Host(
    fake_github.fake_github,
    fake_github.TOKEN,
    fake_github.READ_TOKEN,
    "*/issues/7/comments",
    "*/issues",
    "*/pulls",
    "PATCH",
)
GITLAB = Host(
    fake_gitlab.fake_gitlab,
    fake_gitlab.TOKEN,
    fake_gitlab.READ_TOKEN,
    "*/merge_requests/7/notes",
    "*/issues",
    "*/merge_requests",
    "PUT",
)


def save_plan(
    folder: Path, declarations: list[Declaration], channels: list[LiveChannel], name: str = "plan.json"
) -> Path:
    """The file of the plan for them."""
    file = folder / name
    file.write_text(render_plan(judged(plan_for(declarations, channels), NO_OPTIONS)), encoding="utf-8")
    return file


def changed_plan(folder: Path, color: str = "#0f766e") -> Path:
    """A plan that changes the colour of Support."""
    return save_plan(folder, [declare(color=color)], [live(color="#ffffff")], f"{color[1:]}.json")


def refused_plan(folder: Path) -> Path:
    """A plan that a guard refuses: it switches off a protected channel."""
    switched_off = replace(declare(enabled=False), protect=True)
    return save_plan(folder, [switched_off], [live(enabled=True)], "refused.json")


def clean_plan(folder: Path) -> Path:
    """A plan without changes."""
    return save_plan(folder, [declare(color="#ffffff")], [live(color="#ffffff")], "clean.json")


def run_ci(*arguments: object, environ: dict[str, str], time: FakeTime | None = None) -> Finished:
    """One run of ``webchat-sync ci`` without waiting; no run prints a token."""
    time = time or FakeTime()
    done = invoke("ci", *arguments, environ=environ, sleep=time.sleep, clock=time.clock, random=lambda: 0.0)
    for token in (environ.get("GITHUB_TOKEN"), environ.get("GITLAB_TOKEN")):
        assert not token or token not in done.out + done.err
    return done
