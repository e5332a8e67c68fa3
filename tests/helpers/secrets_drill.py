"""The drill: one channel's secret is created while the server, the sinks, the disk and the process fail.

A round runs once or twice with faults and kills, then at most twice without. After a successful run, every sink must
have the secret that the server verifies signatures with; after any other, the following runs must ensure that. No
secret may be anywhere except in the sinks, and in the recovery folder until it's delivered.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import quote

import anyio
import httpx
from anyio.lowlevel import checkpoint
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from applying import KEY as API_KEY
from applying import NOW, carry_out
from fake_time import FakeTime
from ledgers import read_ledger
from planning import catalogue, declare, secret_changes
from rotating import rotations, with_secret
from webchat_sync.api import Mosend
from webchat_sync.emulator import Fault, Faults, Quirks, Store, build_app, effects, serve
from webchat_sync.emulator.effects import Effect
from webchat_sync.emulator.store import utc_now
from webchat_sync.emulator.wire import failure
from webchat_sync.environment import Environment
from webchat_sync.errors import InputError, WebchatSyncError
from webchat_sync.files import UNFINISHED
from webchat_sync.model import Manifest, Remembered, Secret, Sink
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.summary import has_changes
from webchat_sync.planfile.writer import render_plan
from webchat_sync.render.report import render_report
from webchat_sync.render.report_json import render_report as render_report_json
from webchat_sync.secrets.rotate import SETTLE
from webchat_sync.secrets.sinks import read_sink
from webchat_sync.workflow.listings import read_listings

CLEAN_RUNS: Final = 2
BOUNDARIES: Final = frozenset({"open", "os.rename", "os.remove", "os.chmod", "os.mkdir", "subprocess.Popen"})
"""The process's effects on the outside, as audit events; a kill comes before one."""


class KilledError(BaseException):
    """The process is dead: nothing that it still tries has an effect."""


@dataclass
class Executioner:
    """Kills the run at its ``nth`` boundary from now, and everything that it tries after that."""

    left: int | None = None
    thread: int = 0
    armed: bool = False

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed or event not in BOUNDARIES or threading.get_ident() != self.thread:
            return
        if event == "open" and not _writes(arguments):
            return
        self.step()

    def step(self) -> None:
        if not self.armed or self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            self.left = 1
            raise KilledError

    @contextmanager
    def at(self, nth: int | None) -> Iterator[None]:
        self.left, self.thread, self.armed = nth, threading.get_ident(), nth is not None
        try:
            yield
        finally:
            self.armed = False


EXECUTIONER: Final = Executioner()
sys.addaudithook(EXECUTIONER.audit)


@dataclass
class Figures:
    """The results of a number of rounds; each flaw has the seed of its round."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    losses: list[tuple[int, str]] = field(default_factory=list)
    leaks: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        self.counts.update(other.counts)
        self.faults.update(other.faults)
        self.losses += other.losses
        self.leaks += other.leaks


@dataclass
class Stage:
    """The server, which serves one round after the other."""

    url: str = ""
    app: ASGIApp | None = None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@contextmanager
def open_stage() -> Iterator[Stage]:
    stage = Stage()
    with serve(stage) as stage.url:
        yield stage


class Round:
    """One channel, its sinks and files in a folder, and all possible failures, from a seed."""

    def __init__(self, stage: Stage, folder: Path, seed: int) -> None:
        self.stage, self.folder, self.seed, self.random = stage, folder, seed, Random(seed)
        self.figures = Figures(Counter(rounds=1))
        self.made: list[str] = []
        self.said: list[str] = []
        self.late: list[tuple[float, Callable[[], object]]] = []
        self.time = FakeTime(before_waking=self.wake)
        self.store = Store(catalogue=catalogue(), now=lambda: NOW, new_secret=self.new_secret)
        self.quirks = Quirks(omit=frozenset({"hasIdentitySecret"} if self.random.random() < 0.2 else ()))
        (folder / "sinks").mkdir()
        if self.random.random() < 0.7:
            self.store.seed("acme", [{"name": "Support", "identityRequired": False}])
            if self.random.random() < 0.5:
                self.store.rotate_identity_secret("acme", self.channel_id)
        self.sinks = self.random_sinks()
        rotation = self.random.choice(["1", None])
        fields = {"identityRequired": True} if self.random.random() < 0.5 else {}
        verify = self.random.random() < 0.2
        declared = with_secret(declare(**fields), *self.sinks, rotation=rotation, verify=verify)
        self.manifest = Manifest("acme", (declared,))
        self.rotate: tuple[str, ...] = ("Support",)
        self.done = False

    @property
    def channel_id(self) -> str:
        return str(self.store.channels("acme")[0]["id"])

    def new_secret(self) -> str:
        self.made.append(b64encode(self.random.randbytes(24)).decode())
        return self.made[-1]

    def random_sinks(self) -> tuple[Sink, ...]:
        folder = str(self.folder / "sinks")
        every = [
            Sink("file", "support.secret", folder=folder),
            Sink("dotenv", ".env", "KEY", folder=folder),
            # It fails while the counter in the file `broken` is positive, and sometimes prints its input.
            Sink("command", argv=("sh", "-c", _COMMAND), folder=folder),
        ]
        chosen = self.random.sample(every[:2], self.random.randint(1, 2))
        return (*chosen, every[2]) if self.random.random() < 0.3 else tuple(chosen)

    async def wake(self) -> None:
        # The server continues, even if its client is dead.
        self.commit_late(self.time.clock())
        EXECUTIONER.step()
        await checkpoint()

    def commit_late(self, until: float) -> None:
        due = [each for each in self.late if each[0] <= until]
        self.late = [each for each in self.late if each[0] > until]
        for _, commit in due:
            commit()

    def play(self) -> Figures:
        for number in range(self.random.randint(1, 3)):
            self.break_something()
            kill = self.random.choice([None, self.random.randint(1, 40)])
            self.one_run(self.random_faults(), kill)
            if self.done and number == 0:
                self.rotate, self.done = ("Support",), False
        self.mend()
        for _ in range(CLEAN_RUNS):
            if self.one_run([], None):
                break
        else:
            self.loss("not delivered after all runs without faults")
        self.commit_late(float("inf"))
        if not self.delivered():
            self.loss("what the sinks hold is not the secret at the end")
        if list(self.folder.glob("recovery/*")) or list(self.folder.glob("recovery/.*")):
            self.leak("a delivered secret still lies in the recovery folder")
        if left := list(self.folder.rglob(f"*{UNFINISHED}")):
            self.leak(f"half written files still lie there: {left}")
        return self.figures

    def one_run(self, faults: list[Fault], kill: int | None) -> bool:
        """Run once; returns whether it reported success, which is checked."""
        self.figures.counts["runs"] += 1
        self.stage.app = build_app(self.store, faults=Faults(faults), quirks=self.quirks)
        done, made_before = False, len(self.made)
        with EXECUTIONER.at(kill):
            try:
                done = anyio.run(self.apply)
            except WebchatSyncError as error:
                self.said.append(f"{error} {error.hint}")
            except (KilledError, BaseExceptionGroup) as killed:
                self.figures.counts["kills"] += 1
                self.said.append("".join(traceback.TracebackException.from_exception(killed).format()))
        if done and not self.delivered():
            self.loss("success was reported, and a sink does not hold the secret")
        # Started work must be finished without another request, even if only the server knows about it.
        self.done = done
        if done or self.begun() or len(self.made) > made_before:
            self.rotate = ()
        self.look_for_leaks()
        return done

    def begun(self) -> bool:
        entries = read_ledger(self.folder / "ledger.json").values()
        return any(entry.state in {"intended", "undelivered"} for entry in entries)

    async def apply(self) -> bool:
        async with self.client() as api:
            apis = {"acme": api}
            rotator = rotations(self.stage.url, self.folder, apis, self.time, say=self.said.append)
            ledger = rotator.book.ledger()
            listings = await read_listings(apis, apis, base_url=self.stage.url)
            plan = make_plan(
                [(self.manifest, listings["acme"])],
                catalogue=catalogue(),
                created_at=NOW,
                remembered=Remembered(ledger),
                rotate=self.rotate,
            )
            self.said.append(render_plan(plan))
            if problems := await rotator.probe(secret_changes(plan)):
                raise InputError(problems)
            for change in plan.organizations[0].changes:
                if adopted := rotator.adoption("acme", change):
                    await rotator.book.record(*adopted, name=change.address)
            if not has_changes(plan):
                return True
            report = await carry_out(plan, [self.manifest], apis, listings, time=self.time, rotator=rotator)
            self.said += [render_report(plan, report), render_report_json(report, created_at=NOW)]
            self.said += [repr(result) for result in report.results]
            return report.outcome == "converged"

    def client(self) -> Mosend:
        return Mosend(
            organization="acme",
            base_url=self.stage.url,
            key=Secret(API_KEY),
            environment=Environment(
                transport=httpx.AsyncHTTPTransport(verify=False),
                sleep=self.time.sleep,
                clock=self.time.clock,
                random=lambda: 0.5,
            ),
            on_exchange=lambda each: self.said.append(json.dumps(each)),
        )

    def delivered(self) -> bool:
        """Whether every sink has the secret that the server verifies with."""
        if not self.store.channels("acme"):
            return False
        secret = self.store.identity_secret(self.channel_id)
        held = [self.held(sink) for sink in self.sinks]
        return secret is not None and all(each == Secret(secret) for each in held)

    def held(self, sink: Sink) -> Secret | None:
        if sink.kind == "command":
            return _read(self.folder / "sinks" / "taken")
        return None if Path(sink.folder, sink.path).is_dir() else read_sink(sink)

    def random_faults(self) -> list[Fault]:
        faults = []
        for _ in range(self.random.randint(0, 3)):
            kind, effect = self.random.choice(list(self.fault_effects().items()))
            path = self.random.choice(
                ["*/identity-secret", "*/identity-secret", "*/channels", "*/channels/*", "*/sessions"]
            )
            nth = self.random.choice([frozenset({1}), frozenset({1}), frozenset({2}), frozenset({1, 2})])
            faults.append(Fault(self.met(kind, effect), "*", path, nth=nth))
        return faults

    def fault_effects(self) -> dict[str, Effect]:
        return {
            **{f"{status}": effects.status(status) for status in (403, 409, 429, 500, 503, 504)},
            **{f"{status} after the commit": effects.status(status, after_commit=True) for status in (500, 502, 504)},
            "dropped": effects.drop(),
            "dropped after the commit": effects.drop(after_commit=True),
            "cut": effects.cut(keep=self.random.choice([0, 10, 40])),
            "cut in chunks": effects.cut(keep=60, chunked=True),
            "HTML after the commit": effects.html(after_commit=True),
            "empty after the commit": effects.empty(after_commit=True),
            "echo": self.echo,
            "committed late": self.commit_later,
        }

    def met(self, kind: str, effect: Effect) -> Effect:
        async def act(app: ASGIApp, scope: AsgiScope, receive: Receive, send: Send) -> None:
            self.figures.faults[kind] += 1
            await effect(app, scope, receive, send)

        return act

    async def echo(self, app: ASGIApp, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """An error whose message contains the new secret."""
        if scope["path"].endswith("/identity-secret"):
            secret, _ = self.store.rotate_identity_secret("acme", self.channel_id)
            await failure(scope["path"], f"could not store {secret}", status=500, at=utc_now())(scope, receive, send)
        else:
            await app(scope, receive, send)

    async def commit_later(self, app: ASGIApp, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/identity-secret"):
            await app(scope, receive, send)
            return
        commit = partial(self.store.rotate_identity_secret, "acme", self.channel_id)
        self.late.append((self.time.clock() + self.random.uniform(0, SETTLE), commit))
        await failure(scope["path"], "", status=504, at=utc_now())(scope, receive, send)

    def break_something(self) -> None:
        """What breaks for the next run, before or after its probes."""
        match self.random.choice(["nothing", "nothing", "command", "target", "recovery", "chatty"]):
            case "command":
                (self.folder / "sinks" / "broken").write_text("x" * self.random.randint(1, 4), encoding="utf-8")
                self.figures.faults["the command fails"] += 1
            case "target":
                with suppress(FileExistsError):
                    (self.folder / "sinks" / "support.secret").mkdir()
                self.figures.faults["a folder in the place of a file"] += 1
            case "recovery":
                if not (self.folder / "recovery").exists():
                    (self.folder / "recovery").write_text("", encoding="utf-8")
                self.figures.faults["no recovery folder"] += 1
            case "chatty":
                (self.folder / "sinks" / "chatty").touch()

    def mend(self) -> None:
        for path in (self.folder / "sinks" / "broken", self.folder / "sinks" / "chatty"):
            path.unlink(missing_ok=True)
        if (self.folder / "sinks" / "support.secret").is_dir():
            (self.folder / "sinks" / "support.secret").rmdir()
        if (self.folder / "recovery").is_file():
            (self.folder / "recovery").unlink()

    def look_for_leaks(self) -> None:
        outside = [path for path in self.folder.iterdir() if path.is_file()]
        texts = {str(path): path.read_text(encoding="utf-8", errors="replace") for path in outside}
        texts["said"] = "\n".join(self.said)
        for secret in [*self.made, API_KEY]:
            for where, text in texts.items():
                if any(form in text for form in forms(secret)):
                    self.leak(f"a secret is in {where}")
        for path in self.folder.glob("recovery/*"):
            if path.stat().st_mode & 0o077:
                self.leak(f"{path} is not private")
        self.said.clear()

    def loss(self, text: str) -> None:
        self.figures.losses.append((self.seed, text))

    def leak(self, text: str) -> None:
        self.figures.leaks.append((self.seed, text))


_COMMAND: Final = """
if test -e chatty; then tee /dev/stderr > incoming; else cat > incoming; fi
if test -s broken; then c=$(cut -c2- broken); printf %s "$c" > broken; cat incoming; exit 9; fi
mv incoming taken
"""


def forms(secret: str) -> list[str]:
    """The forms in which a secret would be found, including pieces of 12 characters."""
    data = secret.encode()
    pieces = [secret[at : at + 12] for at in range(len(secret) - 11)]
    return [*pieces, b64encode(data).decode(), quote(secret, safe=""), json.dumps(secret)[1:-1]]


def play(stage: Stage, seed: int) -> Figures:
    """One round; the same seed gives the same round."""
    with TemporaryDirectory(prefix="drill") as folder:
        return Round(stage, Path(folder), seed).play()


def _read(path: Path) -> Secret | None:
    return Secret(path.read_text(encoding="utf-8")) if path.is_file() else None


def _writes(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
