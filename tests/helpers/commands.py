"""Runs commands like a user, in this process, against a server on loopback."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from applying import KEY, NOW
from planning import catalogue, check_plan_document
from webchat_sync.cli import run
from webchat_sync.cli.runtime import Runtime
from webchat_sync.emulator import Call, Faults, Quirks, Store, build_app, serve
from webchat_sync.emulator.quirks import NO_QUIRKS


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        return self.out.splitlines()[-1]

    def json(self) -> Any:
        return json.loads(self.out)


def invoke(*arguments: object, environ: Mapping[str, str] | None = None, stdin: object = "", **world: Any) -> Finished:
    """Run one command line; a plan in JSON is checked against its schema.

    ``environ`` is the command's whole environment, ``stdin`` its input, a text or something with ``readline``, and
    ``world`` sets more of the Runtime.
    """
    runtime = Runtime(environ=environ or {}, **{"now": lambda: NOW, **world})
    out, err = io.StringIO(), io.StringIO()
    real_stdin, sys.stdin = sys.stdin, io.StringIO(stdin) if isinstance(stdin, str) else cast(Any, stdin)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = run([str(each) for each in arguments], runtime)
    finally:
        sys.stdin = real_stdin
    finished = Finished(code, out.getvalue(), err.getvalue())
    if "plan" in arguments and "json" in arguments and finished.out:
        check_plan_document(finished.json())
    return finished


def manifest_in(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    """A manifest, ``channels.yaml`` in ``folder``, which becomes the current directory."""
    monkeypatch.chdir(folder)
    file = folder / "channels.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@dataclass
class Emulated:
    """A running emulator, its data, and the calls it received."""

    url: str
    store: Store
    calls: list[Call] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        return {"MOSEND_BASE_URL": self.url, "MOSEND_API_KEY": KEY, "MOSEND_ORG_ID": "acme"}

    def invoke(self, *arguments: object, **world: Any) -> Finished:
        return invoke(*arguments, environ={**self.environ, **world.pop("environ", {})}, **world)

    def taken_calls(self) -> list[str]:
        """The methods of the calls since the last time this was called."""
        methods = [call.method for call in self.calls]
        self.calls.clear()
        return methods


@contextmanager
def emulated(
    *channels: Mapping[str, Any],
    faults: Faults | None = None,
    quirks: Quirks = NO_QUIRKS,
    page_size: int | None = None,
    now: Callable[[], datetime] = lambda: NOW,
) -> Iterator[Emulated]:
    """An emulator whose organisation ``acme`` has these channels; its clock stands still unless ``now`` moves it."""
    store = Store(catalogue=catalogue(), now=now)
    store.seed("acme", channels)
    calls: list[Call] = []
    with serve(build_app(store, faults=faults, quirks=quirks, page_size=page_size, record=calls.append)) as url:
        yield Emulated(url, store, calls)
