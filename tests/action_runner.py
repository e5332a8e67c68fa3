"""Runs the steps of ``action.yml`` as a runner of GitHub Actions would: its own shell, expressions and files.

Of the actions that it uses, only what they leave behind is done here: an interpreter, and artifacts that come and go.
The step that installs webchat-sync is not run, the package under test stands in for what it leaves behind.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from fake_actions import FakeActions

ROOT: Final = Path(__file__).parents[1]
_TOKEN: Final = re.compile(r"\s*('[^']*'|==|!=|&&|\|\||[!()]|[\w.-]+)")


@dataclass(frozen=True)
class Ended:
    """How a run of the action ended: ``code`` is that of the first step that failed, 0 when none did."""

    code: int
    outputs: Mapping[str, str]
    log: str
    summary: str
    ran: tuple[str, ...]


@dataclass
class Runner:
    """A runner with the files of a repository in ``workspace``; ``github`` is the repository's side of it."""

    workspace: Path
    temporary: Path
    github: FakeActions
    environ: Mapping[str, str] = field(default_factory=dict)
    token: str = "ghs_token"

    def run(self, event: Mapping[str, str] | None = None, /, **inputs: str) -> Ended:
        """Run the action with these inputs (``_`` for ``-``); ``event`` holds more variables of the runner."""
        return _Run(self, dict(event or {}), {name.replace("_", "-"): value for name, value in inputs.items()}).run()


@dataclass
class _Run:
    runner: Runner
    event: dict[str, str]
    given: Mapping[str, str]
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    code: int = 0

    def run(self) -> Ended:
        action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        assert self.given.keys() <= action["inputs"].keys()
        self.contexts: dict[str, Any] = {
            "github": {"token": self.runner.token},
            "env": {**self.runner.environ, **self.event},
            "runner": {"temp": str(self.runner.temporary)},
            "inputs": {},
            "steps": {},
        }
        for name, declared in action["inputs"].items():
            value = self.given.get(name, self.filled(declared.get("default", "")))
            self.contexts["inputs"][name] = value
        for step in action["runs"]["steps"]:
            if self.evaluated(step.get("if", "success()"), default_success=True):
                self.ran.append(step["name"])
                self.step(step)
        outputs = {name: self.filled(each["value"]) for name, each in action["outputs"].items()}
        return Ended(self.code, outputs, "".join(self.log), self.file("summary"), tuple(self.ran))

    def step(self, step: Mapping[str, Any]) -> None:
        outputs: dict[str, str] = {}
        if "uses" in step:
            values = {name: self.filled(str(value)) for name, value in step["with"].items()}
            outputs = self.used(step["uses"], values)
        elif step["name"] == "Install webchat-sync":
            outputs = {"python": sys.executable}
        else:
            outputs = self.shell(step)
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": outputs}

    def used(self, action: str, values: Mapping[str, str]) -> dict[str, str]:
        github = self.runner.github
        match action.split("@")[0]:
            case "actions/setup-python":
                return {"python-path": sys.executable}
            case "actions/upload-artifact":
                source = Path(values["path"])
                github.keep(
                    values["name"], source.name, source.read_bytes(), run=int(self.event.get("GITHUB_RUN_ID", "1"))
                )
                return {}
            case "actions/download-artifact":
                assert values["github-token"] == self.runner.token
                name, content = github.content(int(values["artifact-ids"]), run=int(values["run-id"]))
                Path(values["path"], name).write_bytes(content)
                return {}
        raise AssertionError(action)

    def shell(self, step: Mapping[str, Any]) -> dict[str, str]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "what an expression gives could be run"
        script = self.runner.temporary / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        (self.runner.temporary / "output").write_text("", encoding="utf-8")
        environ = {name: self.filled(value) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            [shutil.which("bash") or "bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.runner.workspace,
            env={**self.variables(), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.log.append(done.stdout)
        self.code = self.code or done.returncode
        return dict(line.split("=", 1) for line in self.file("output").splitlines())

    def variables(self) -> dict[str, str]:
        temporary = self.runner.temporary
        return {
            "PATH": f"{_program(temporary)}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(temporary),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": self.runner.github.url,
            "GITHUB_OUTPUT": str(temporary / "output"),
            "GITHUB_STEP_SUMMARY": str(temporary / "summary"),
            "GITHUB_WORKSPACE": str(self.runner.workspace),
            "RUNNER_TEMP": str(temporary),
            **self.runner.github.variables,
            **self.runner.environ,
            **self.event,
        }

    def file(self, name: str) -> str:
        path = self.runner.temporary / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def filled(self, text: str) -> str:
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _text(self.evaluated(found[1])), text)

    def evaluated(self, expression: str, *, default_success: bool = False) -> Any:
        expression = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", expression)
        value = _Expression(expression, self.contexts, failed=self.code != 0).value()
        asks = "cancelled()" in expression or "success()" in expression
        return value and self.code == 0 if default_success and not asks else value


@dataclass
class _Expression:
    """Reads what the action uses of GitHub's expressions: names, texts, ``== != && || !`` and two functions."""

    text: str
    contexts: Mapping[str, Any]
    failed: bool

    def value(self) -> Any:
        self.tokens: list[str] = _TOKEN.findall(self.text)
        value = self.either()
        assert not self.tokens, self.text
        return value

    def either(self) -> Any:
        return self.chain("||", self.both, lambda before, after: before or after)

    def both(self) -> Any:
        return self.chain("&&", self.compared, lambda before, after: before and after)

    def compared(self) -> Any:
        left = self.single()
        if self.tokens and self.tokens[0] in {"==", "!="}:
            return (self.tokens.pop(0) == "==") == (_text(left) == _text(self.single()))
        return left

    def chain(self, sign: str, part: Callable[[], Any], joined: Callable[[Any, Any], Any]) -> Any:
        value = part()
        while self.tokens and self.tokens[0] == sign:
            self.tokens.pop(0)
            value = joined(value, part())
        return value

    def single(self) -> Any:
        token = self.tokens.pop(0)
        if token == "!":
            return not self.single()
        if token.startswith("'"):
            return token[1:-1]
        if self.tokens[:2] == ["(", ")"]:
            del self.tokens[:2]
            return {"success": not self.failed, "cancelled": False}[token]
        return _looked_up(iter(token.split(".")), self.contexts)


def _looked_up(names: Iterator[str], contexts: Mapping[str, Any]) -> Any:
    value: Any = contexts[next(names)]
    for name in names:
        value = value.get(name, {})
    return value if value != {} else ""


def _text(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _program(temporary: Path) -> Path:
    """A folder with ``webchat-sync`` in it."""
    folder = temporary / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "webchat-sync"
    if not program.exists():
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m webchat_sync "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return folder
