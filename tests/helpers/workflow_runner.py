"""Runs a job of ``examples/github/.github/workflows`` as it is, with given secrets and events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from action_runner import ROOT, Contexts, Runner, filled, holds
from repositories import git

WORKFLOWS: Final = ROOT / "examples" / "github" / ".github" / "workflows"


@dataclass(frozen=True)
class JobEnded:
    """How a job ended: the exit code of its first failed step, or 0, and its output."""

    code: int
    log: str


def run_job(
    runner: Runner,
    workflow: str,
    job: str,
    *,
    origin: Path,
    event: Mapping[str, str],
    github: Contexts,
    secrets: Contexts,
    needs: Contexts | None = None,
    matrix: Contexts | None = None,
    inputs: Mapping[str, str] | None = None,
) -> JobEnded:
    """Run a job unless its condition prevents it; it checks out a shallow clone of ``main`` of ``origin``.

    ``event`` has the runner's variables, ``inputs`` are added to those that the workflow gives our action (``_`` for
    ``-``); the others are contexts.
    """
    known: dict[str, Contexts] = {"github": github, "secrets": secrets, "needs": needs or {}, "matrix": matrix or {}}
    steps, contexts = _read(workflow, job, known, runner)
    code, log = 0, ""
    for step in steps:
        if not holds(step.get("if", "success()"), contexts, failed=False):
            continue
        values = {name: filled(str(value), contexts) for name, value in step.get("with", {}).items()}
        environ = {name: filled(value, contexts) for name, value in step.get("env", {}).items()}
        if "run" in step:
            code, printed = runner.shell(step, contexts, event)
        elif step["uses"].startswith("OWNER/webchat-sync@"):
            given = {name.replace("-", "_"): value for name, value in values.items()}
            ended = runner.step({**event, **environ}, **given, **(inputs or {}))
            code, printed = ended.code, ended.log
        elif step["uses"].startswith("actions/checkout@"):
            git(runner.workspace, "clone", "--quiet", "--depth=1", "--branch=main", origin.as_uri(), ".")
            continue
        else:
            runner.use(step["uses"], values, int(event["GITHUB_RUN_ID"]))
            continue
        log += printed
        if code:
            break
    return JobEnded(code, log)


def _read(
    workflow: str, name: str, given: Mapping[str, Contexts], runner: Runner
) -> tuple[list[dict[str, Any]], Contexts]:
    job = yaml.safe_load((WORKFLOWS / workflow).read_text(encoding="utf-8"))["jobs"][name]
    contexts = {
        **given,
        "github": {"token": runner.github.token, **given["github"]},
        "runner": {"temp": str(runner.temporary)},
    }
    assert holds(re.sub(r"\s+", " ", job.get("if", "success()")), contexts, failed=False), f"{name} would be skipped"
    return job["steps"], contexts
