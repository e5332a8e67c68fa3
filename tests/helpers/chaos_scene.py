"""Chaos: plans applied while everything goes wrong, and what must still be true.

A :class:`Scene` is one organisation on the server of ``chaos_stage``. Its runs plan and apply over real HTTP, with
faults, kills and edits by others; time is fake, so nothing waits. ``account`` yields the flaws of a run's report,
``flaws`` those of the channels at the end.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

import httpx
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from applying import KEY, NOW, Watcher
from chaos_run import NEVER, End, Flaw, FlawKind, Run, fatal_fault
from chaos_stage import Arrival, LateCommits, Stage
from fake_time import FakeTime
from planning import catalogue
from webchat_sync.api import Mosend
from webchat_sync.apply.run import Interrupt, Settings, run_channels
from webchat_sync.apply.run_log import open_run_log
from webchat_sync.emulator import Fault, Quirks, Store
from webchat_sync.emulator.quirks import NO_QUIRKS, as_stored
from webchat_sync.emulator.store import Channel
from webchat_sync.environment import Environment
from webchat_sync.errors import WebchatSyncError
from webchat_sync.model import (
    Declaration,
    Json,
    Manifest,
    Operation,
    OperationResult,
    Secret,
)
from webchat_sync.plan.diff import equal
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.summary import has_changes
from webchat_sync.workflow.listings import read_listings
from webchat_sync.workflow.verify import verify

ORGANIZATIONS = itertools.count()
SERVER_TIMES = frozenset({"updatedAt"})


class Scene:
    """One organisation: its data on the server, its declarations, and what others did meanwhile."""

    def __init__(self, stage: Stage, quirks: Quirks = NO_QUIRKS, page_size: int | None = None) -> None:
        self.stage = stage
        self.organization = f"o{next(ORGANIZATIONS)}"
        self.time = FakeTime()
        self.late = LateCommits(self.time)
        self.quirks = quirks
        self.page_size = page_size
        self.keys = itertools.count()
        numbers = itertools.count()
        self.store = Store(
            catalogue=catalogue(),
            new_id=lambda: f"id-{next(numbers)}",
            # Writes are far enough apart to get different timestamps.
            now=lambda: NOW + timedelta(seconds=2 * next(numbers)),
        )
        self.manifest = Manifest(self.organization, ())
        self.before: dict[str, Channel] = {}
        self.edits: dict[str, dict[str, Json]] = {}

    @property
    def live(self) -> dict[str, Channel]:
        return {str(channel["id"]): channel for channel in self.store.channels(self.organization)}

    def seed(self, name: str, fields: Mapping[str, Json]) -> str:
        """Store a channel that was changed after its creation, and return its id."""
        stored = as_stored(fields, catalogue(), quirks=NO_QUIRKS, new_id=self.store.new_id)
        channel = {"name": name, "createdAt": "2026-01-01T00:00:00.000Z", **stored}
        return str(self.store.seed(self.organization, [channel])[0]["id"])

    def declare(self, declarations: Sequence[Declaration], *, prune: bool = False) -> None:
        """Declare what the live channels should become."""
        self.manifest = Manifest(self.organization, tuple(declarations), prune)
        self.before, self.edits = self.live, {}

    def edit(self, channel_id: str, name: str, value: Json) -> None:
        """Someone else changes a field, if the channel still exists."""
        if channel_id in self.live:
            self.store.update(self.organization, channel_id, {name: value})
            self.edits.setdefault(channel_id, {})[name] = value

    def delete(self, channel_id: str) -> None:
        """Someone else deletes a channel, if it still exists."""
        if channel_id in self.live:
            self.store.delete(self.organization, channel_id)

    def declaration_of(self, identifier: str) -> Declaration | None:
        """The declaration that matches a channel that was live before."""
        name = self.before[identifier]["name"]
        return next((each for each in self.manifest.declarations if name in {each.name, each.renamed_from}), None)

    def is_to_go(self, identifier: str) -> bool:
        """Whether a channel that was live before should be deleted."""
        declaration = self.declaration_of(identifier)
        return declaration.absent if declaration else self.manifest.prune is True

    async def run(self, faults: Iterable[Fault] = (), *, end: End = NEVER, parallelism: int = 8) -> Run:
        """Plan and apply once. Afterwards, the server is idle, and its late commits are done."""
        run, interrupt, stopwatch = Run(), Interrupt(), itertools.count(1)
        with CancelScope() as life:
            loop = asyncio.get_running_loop()
            fatal = fatal_fault(end, lambda: loop.call_soon_threadsafe(life.cancel))
            run.arrivals = self.stage.act(
                self.organization, self.store, [*fatal, *faults], quirks=self.quirks, page_size=self.page_size
            )

            async def wake() -> None:
                if end.kind == "waiting" and next(stopwatch) == end.nth:
                    life.cancel()
                await checkpoint()
                await self.late.make(self.time.clock())

            def started(*_: object) -> None:
                if end.kind in {"started", "asked", "insisted"} and next(stopwatch) == end.nth:
                    if end.kind == "started":
                        life.cancel()
                    else:
                        interrupt.request()
                    if end.kind == "insisted":
                        interrupt.request()

            self.time.before_waking = wake
            await self._plan_and_apply(run, Watcher(on_start=started), interrupt, parallelism)
        run.killed = life.cancel_called
        await self.stage.settled()
        await self.late.make()
        return run

    async def _plan_and_apply(self, run: Run, watcher: Watcher, interrupt: Interrupt, parallelism: int) -> None:
        async with self._client() as api:
            apis = {self.organization: api}
            try:
                listings = await read_listings(apis, apis, base_url=self.stage.url)
                listing = listings[self.organization]
                run.listed = frozenset(channel.id for channel in listing.channels)
                run.plan = make_plan([(self.manifest, listing)], catalogue=catalogue(), created_at=NOW)
            except WebchatSyncError as error:
                run.error = error
                return
            if has_changes(run.plan):
                run.channels = open_run_log(run.plan)
                environment = self._environment()
                await run_channels(
                    run.channels,
                    apis,
                    listings=listings,
                    settings=Settings(environment, parallelism),
                    observer=watcher,
                    interrupt=interrupt,
                )
                run.report = await verify(
                    run.channels,
                    [self.manifest],
                    apis,
                    base_url=self.stage.url,
                    catalogue=catalogue(),
                    environment=environment,
                    interrupt=interrupt,
                )

    def _client(self) -> Mosend:
        return Mosend(
            organization=self.organization,
            base_url=self.stage.url,
            key=Secret(KEY),
            environment=self._environment(),
        )

    def _environment(self) -> Environment:
        return Environment(
            # Without TLS, since loading certificates takes longer than a round.
            transport=httpx.AsyncHTTPTransport(verify=False),
            now=lambda: NOW,
            new_id=lambda: f"key-{next(self.keys)}",
            sleep=self.time.sleep,
            clock=self.time.clock,
            random=lambda: 0.5,
        )

    def account(self, run: Run) -> Iterator[Flaw]:
        """The flaws of the report of a run that has just ended."""
        for text in self._account(run):
            yield Flaw("account", text)

    def _account(self, run: Run) -> Iterator[str]:
        changes = run.plan.organizations[0].active_changes if run.plan else ()
        planned = [(change.address, operation) for change in changes for operation in change.operations]
        if [(result.address, result.operation) for result in run.results] != planned:
            yield f"the results {run.results} are not those of the plan {planned}"
        expected: set[int] = set()
        for result in run.results:
            calls = self._calls(run, result)
            expected.update(map(id, calls))
            if flaw := self._status_flaw(result, calls):
                yield f"{result.address}: {result.operation.method} is {result.status}, but {flaw}"
        for arrival in run.arrivals:
            if arrival.method != "GET" and id(arrival) not in expected:
                yield f"{arrival} was not planned"
        others = [result.status for result in run.results if result.operation.method != "DELETE"]
        if any(arrival.method == "DELETE" for arrival in run.arrivals) and set(others) - {"done"}:
            yield f"something was deleted although the rest is {others}"
        if run.report and run.report.outcome == "converged" and (left := list(self.flaws())):
            yield f"converged, but {left}"
        if run.report is None and run.channels and not run.killed:
            yield f"there is no report: {run.error}"

    def _status_flaw(self, result: OperationResult, calls: Sequence[Arrival]) -> str:
        if result.status == "not_started" and calls:
            return "it was sent"
        if result.status == "failed" and any(call.committed for call in calls):
            return "it has taken effect"
        if result.status == "done" and not self._is_so(result.address, result.operation):
            return "it is not so"
        return ""

    def _calls(self, run: Run, result: OperationResult) -> list[Arrival]:
        """The calls that were sent for one operation of the plan."""
        operation = result.operation
        targets = {operation.path.split("/")[-1]}
        if operation.method == "POST":
            targets = {result.address.strip()}
        elif operation.path.endswith("{id}"):
            targets = set(self._ids(result.address)) - run.listed
        return [each for each in run.arrivals if each.method == operation.method and each.target in targets]

    def _ids(self, name: str) -> list[str]:
        return [identifier for identifier, channel in self.live.items() if str(channel["name"]).strip() == name.strip()]

    def _is_so(self, address: str, operation: Operation) -> bool:
        identifier = operation.path.split("/")[-1]
        if operation.method == "DELETE":
            return identifier not in self.live
        if operation.method == "POST":
            return bool(self._ids(address))
        found = [identifier] if identifier != "{id}" else self._ids(address)
        return any(not self._differing(self.live[each], operation.body or {}) for each in found if each in self.live)

    def _differing(self, channel: Channel, fields: Mapping[str, Json]) -> list[str]:
        shape = catalogue().shape
        # A null in a field that the list omits may already be stored, so it isn't sent.
        known = {name: each for name, each in fields.items() if each is not None or name not in self.quirks.omit}
        return [name for name, value in known.items() if not equal(shape(name), channel.get(name), value)]

    def flaws(self) -> Iterator[Flaw]:
        """The flaws of the channels: duplicates, missing declarations, undeclared changes."""
        kept = set[str]()
        for declaration in self.manifest.declarations:
            ids = self._ids(declaration.name)
            kept.update(ids)
            yield from self._declaration_flaws(declaration, ids)
        for identifier in self.before:
            if identifier not in kept and not self.is_to_go(identifier):
                yield from self._untouched_flaws(identifier, set())
        strangers = self.live.keys() - self.before.keys() - kept
        if self.manifest.prune:
            strangers = self.live.keys() - kept
        for identifier in strangers:
            kind: FlawKind = "loss" if identifier in self.before else "duplicate"
            yield Flaw(kind, f"nobody declared {self.live[identifier]['name']} ({identifier})")
        if self.stage.somebody_went_elsewhere():
            yield Flaw("account", "a redirect was followed")

    def _declaration_flaws(self, declaration: Declaration, ids: Sequence[str]) -> Iterator[Flaw]:
        if declaration.absent:
            if ids:
                yield Flaw("loss", f"{declaration.name} is still there")
            return
        if len(ids) != 1:
            yield Flaw("duplicate" if ids else "loss", f"{len(ids)} channels are called {declaration.name}")
        for identifier in ids:
            channel = self.live[identifier]
            was = {channel["name"]: each for each, channel in self.before.items()}
            for name in self._differing(channel, declaration.fields):
                yield Flaw("loss", f"{declaration.name}: {name} is {channel.get(name)!r}")
            if identifier in self.before:
                yield from self._untouched_flaws(identifier, set(declaration.fields))
            elif "enabled" not in declaration.fields and not channel["enabled"]:
                yield Flaw("loss", f"{declaration.name} was never switched on")
            if declaration.renamed_from in was and identifier != was[declaration.renamed_from]:
                yield Flaw("loss", f"{declaration.name} is another channel than before")

    def _untouched_flaws(self, identifier: str, managed: set[str]) -> Iterator[Flaw]:
        edits = self.edits.get(identifier, {})
        before = {**self.before[identifier], **edits}
        after = self.live.get(identifier)
        if after is None:
            yield Flaw("loss", f"{before['name']} ({identifier}), which nobody declared away, is gone")
            return
        let_be = managed | (SERVER_TIMES if managed or edits else set())
        for name in before:
            if name not in let_be and after[name] != before[name]:
                yield Flaw("loss", f"{before['name']}: {name}, which nobody declared, is {after[name]!r}")
