"""Runs the steps of ``action.yml`` like a runner of GitHub Actions: its shell, expressions and files.

The actions that it uses are replaced by their results: an interpreter, and uploaded and downloaded artifacts. Only
:meth:`Runner.install` runs the step that installs webchat-sync; otherwise, the package under test is used.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from fake_actions import FakeActions
from programs import write_program
from warm_python import warm_python

ROOT: Final = Path(__file__).parents[2]
INSTALL: Final = "Install webchat-sync"
_TOKEN: Final = re.compile(r"\s*('[^']*'|==|!=|&&|\|\||[!(),]|[\w.*-]+)")


Contexts: TypeAlias = Mapping[str, Any]
"""The values for expressions, by context."""


@dataclass(frozen=True)
class Ended:
    """How a run of the action ended: ``code`` is that of the first failed step, or 0."""

    code: int
    outputs: Mapping[str, str]
    log: str
    summary: str
    ran: tuple[str, ...]
    machine: Runner


@dataclass
class Runner:
    """A runner with the files of a repository in ``workspace``; ``github`` is GitHub's side.

    ``python`` are the lines of sh that start the Python with webchat-sync; ``machine`` are variables of the machine
    that jobs don't know. A runner is only used for one job: :meth:`run` is a whole job, on a :meth:`fresh` runner with
    a copy of the workspace.
    """

    workspace: Path
    temporary: Path
    github: FakeActions
    environ: Mapping[str, str] = field(default_factory=dict)
    python: str = field(default_factory=warm_python)
    machine: Mapping[str, str] = field(default_factory=dict)

    def fresh(self) -> Runner:
        """A new runner, with only the programs of this one in ``temporary/bin``."""
        folder = Path(tempfile.mkdtemp(prefix="machine-", dir=self.temporary.parent))
        fresh = replace(self, workspace=folder / "work", temporary=folder / "temp")
        fresh.workspace.mkdir()
        if (programs := self.temporary / "bin").exists():
            shutil.copytree(programs, fresh.temporary / "bin", symlinks=True)
        else:
            fresh.temporary.mkdir()
        return fresh

    def run(self, event: Mapping[str, str] | None = None, /, **inputs: str) -> Ended:
        """A separate job that runs the action with these inputs, on a copy of the workspace; see :meth:`step`."""
        fresh = self.fresh()
        shutil.copytree(self.workspace, fresh.workspace, dirs_exist_ok=True, symlinks=True)
        return fresh.step(event, **inputs)

    def step(self, event: Mapping[str, str] | None = None, /, **inputs: str) -> Ended:
        """Run the action with these inputs (``_`` for ``-``); ``event`` adds variables of the runner."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        return _Run(self, {"GITHUB_RUN_ID": "1", **(event or {})}, given).run()

    def install(self, python: Path = Path(sys.executable)) -> int:
        """Run the step that installs webchat-sync, with that Python; returns its exit code."""
        step = action_step(INSTALL)
        contexts = {"steps": {"python": {"outputs": {"python-path": str(python)}}}}
        code, _ = self.shell(step, contexts, {"GITHUB_PATH": str(self.temporary / "path"), "PYTHONPATH": ""})
        return code

    def use(self, action: str, values: Mapping[str, str], run: int) -> dict[str, str]:
        """The effect of another project's action; returns its outputs."""
        match action.split("@")[0]:
            case "actions/setup-python":
                return {"python-path": sys.executable}
            case "actions/upload-artifact":
                source = Path(values["path"])
                # An unarchived file keeps its own name.
                name = source.name if values.get("archive") == "false" else values["name"]
                self.github.keep(name, source.name, source.read_bytes(), run=run)
                number = self.github.artifacts[-1]["id"]
                return {"artifact-url": f"https://github.com/acme/chat/actions/runs/{run}/artifacts/{number}"}
            case "actions/download-artifact" if "pattern" in values:
                for artifact in self.github.artifacts:
                    if artifact["run"] == run and fnmatchcase(artifact["name"], values["pattern"]):
                        name, content = self.github.content(str(artifact["id"]), run=run)
                        folder = Path(values["path"], artifact["name"])
                        folder.mkdir(parents=True)
                        (folder / name).write_bytes(content)
                return {}
            case "actions/download-artifact":
                assert values["github-token"] == self.github.token
                wanted = values.get("artifact-ids") or values["name"]
                name, content = self.github.content(wanted, run=int(values["run-id"]))
                Path(values["path"]).mkdir(exist_ok=True)
                Path(values["path"], name).write_bytes(content)
                return {}
        raise AssertionError(action)

    def shell(self, step: Mapping[str, Any], contexts: Contexts, event: Mapping[str, str]) -> tuple[int, str]:
        """Run a shell step; returns its exit code and its output."""
        with self.started(step, contexts, event) as process:
            printed, _ = process.communicate()
        return process.returncode, printed

    def started(self, step: Mapping[str, Any], contexts: Contexts, event: Mapping[str, str]) -> subprocess.Popen[str]:
        """A shell step as a running process."""
        assert step.get("shell", "bash") == "bash"
        assert "${{" not in step["run"], "what an expression gives could be run"
        script = self.temporary / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        environ = {name: filled(value, contexts) for name, value in step.get("env", {}).items()}
        return subprocess.Popen(
            [shutil.which("bash") or "bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={**self._variables(), **event, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def file(self, name: str) -> str:
        """The content of one of the runner's files."""
        path = self.temporary / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": f"{_program(self)}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(self.temporary),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": self.github.url,
            "GITHUB_OUTPUT": str(self.temporary / "output"),
            "GITHUB_STEP_SUMMARY": str(self.temporary / "summary"),
            "RUNNER_TEMP": str(self.temporary),
            **self.machine,
            **self.github.variables,
            **self.environ,
        }


@dataclass
class _Run:
    runner: Runner
    event: Mapping[str, str]
    given: Mapping[str, str]
    log: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    code: int = 0

    def run(self) -> Ended:
        action = _action()
        assert self.given.keys() <= action["inputs"].keys()
        self.contexts: dict[str, Any] = {
            "github": {"token": self.runner.github.token},
            "env": {**self.runner.environ, **self.event},
            "steps": {},
        }
        defaults = {name: filled(each.get("default", ""), self.contexts) for name, each in action["inputs"].items()}
        self.contexts["inputs"] = {**defaults, **self.given}
        for step in action["runs"]["steps"]:
            if holds(step.get("if", "success()"), self.contexts, failed=self.code != 0):
                self.ran.append(step["name"])
                self.contexts["steps"][step.get("id", "")] = {"outputs": self.step(step)}
        outputs = {name: filled(each["value"], self.contexts) for name, each in action["outputs"].items()}
        return Ended(self.code, outputs, "".join(self.log), self.runner.file("summary"), tuple(self.ran), self.runner)

    def step(self, step: Mapping[str, Any]) -> dict[str, str]:
        if "uses" in step:
            values = {name: filled(str(value), self.contexts) for name, value in step["with"].items()}
            return self.runner.use(step["uses"], values, int(self.event["GITHUB_RUN_ID"]))
        if step["name"] == INSTALL:
            return {"python": str(_python(self.runner))}
        (self.runner.temporary / "output").write_text("", encoding="utf-8")
        code, printed = self.runner.shell(step, self.contexts, self.event)
        self.log.append(printed)
        self.code = self.code or code
        return dict(line.split("=", 1) for line in self.runner.file("output").splitlines())


def filled(text: str, contexts: Contexts) -> str:
    """``text`` with its expressions evaluated."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _text(_Expression(found[1], contexts, failed=False).value()), text)


def holds(condition: str, contexts: Contexts, *, failed: bool) -> bool:
    """Whether a step runs: a condition without a status function requires success."""
    condition = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", condition)
    asks = any(each in condition for each in ("always()", "cancelled()", "success()"))
    return bool(_Expression(condition, contexts, failed).value()) and (asks or not failed)


@dataclass
class _Expression:
    """Evaluates the part of GitHub's expressions that the action uses: names, texts, ``== != && || !``, functions."""

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
            return {"success": not self.failed, "cancelled": False, "always": True}[token]
        if token == "contains":
            among, wanted = self.arguments()
            return wanted in among
        if token == "startsWith":
            text, beginning = self.arguments()
            return _text(text).lower().startswith(_text(beginning).lower())
        return _looked_up(iter(token.split(".")), self.contexts)

    def arguments(self) -> list[Any]:
        found = []
        while self.tokens.pop(0) != ")":
            found.append(self.either())
        return found


def action_step(name: str) -> dict[str, Any]:
    """The step of the action with that name."""
    (step,) = (each for each in _action()["runs"]["steps"] if each["name"] == name)
    return dict(step)


def _action() -> dict[str, Any]:
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return action


def _looked_up(names: Iterator[str], contexts: Mapping[str, Any]) -> Any:
    value: Any = contexts[next(names)]
    for name in names:
        if name == "*":
            rest = list(names)
            return [_looked_up(iter(["each", *rest]), {"each": each}) for each in value.values()]
        value = value.get(name, {})
    return value if value != {} else ""


def _text(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _program(runner: Runner) -> Path:
    """A folder with the action's ``webchat-sync``, which runs the package under test."""
    folder = runner.temporary / "bin"
    program = folder / "webchat-sync"
    if not program.exists():
        write_program(_python(runner), runner.python)
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / "scripts" / "action" / "webchat-sync", program)
    return folder


def _python(runner: Runner) -> Path:
    """Where the action would install its Python."""
    return runner.temporary / "venv" / "bin" / "python"
