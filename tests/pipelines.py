"""Saved plans for tests of what pipelines say, and the two hosts with the variables that each sets."""

from __future__ import annotations

from pathlib import Path

from commands import Finished, invoke
from fake_time import FakeTime
from planning import declare, live, plan_for
from webchat_sync.model import Declaration, LiveChannel
from webchat_sync.render.plan_json import render_plan


def save_plan(
    folder: Path, declarations: list[Declaration], channels: list[LiveChannel], name: str = "plan.json"
) -> Path:
    """The file of the plan for them."""
    file = folder / name
    file.write_text(render_plan(plan_for(declarations, channels)), encoding="utf-8")
    return file


def changed_plan(folder: Path, color: str = "#0f766e") -> Path:
    """A plan that changes the colour of Support."""
    return save_plan(folder, [declare(color=color)], [live(color="#ffffff")], f"{color[1:]}.json")


def clean_plan(folder: Path) -> Path:
    """A plan without changes."""
    return save_plan(folder, [declare(color="#ffffff")], [live(color="#ffffff")], "clean.json")


def run_ci(*arguments: object, environ: dict[str, str], time: FakeTime | None = None) -> Finished:
    """One run of ``webchat-sync ci`` whose sleeps take no time."""
    time = time or FakeTime()
    return invoke("ci", *arguments, environ=environ, sleep=time.sleep, clock=time.clock, random=lambda: 0.5)
