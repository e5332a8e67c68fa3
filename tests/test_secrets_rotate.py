"""The engine, as apply uses it, against every way in which an answer is lost and a sink fails."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from applying import Watcher, carry_out, client
from commands import Emulated, emulated
from fake_time import FakeTime
from ledgers import read_ledger
from planning import NOW, catalogue, declare, secret_changes
from rotating import entry_of, rotations, signs, with_secret
from webchat_sync.apply.run import Interrupt
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.emulator.effects import Effect
from webchat_sync.errors import InputError, RotatedError, UndeliveredError
from webchat_sync.model import (
    ApplyReport,
    ChannelKey,
    Declaration,
    MakeSecret,
    Manifest,
    OrganizationKey,
    Plan,
    Remembered,
    Secret,
    Sink,
    Update,
    read_moment,
)
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.summary import has_changes
from webchat_sync.secrets.deliver import TRIES, deliver_waiting
from webchat_sync.secrets.recovery import find_waiting, waiting
from webchat_sync.secrets.rotate import SETTLE
from webchat_sync.secrets.sinks import read_sink
from webchat_sync.workflow.listings import read_listings

SECRETS = "*/identity-secret"
CHANNEL = {"name": "Support", "id": "c-1", "token": "tok"}

LOST: dict[str, Effect] = {
    "500": effects.status(500, after_commit=True),
    "504": effects.status(504, after_commit=True),
    "dropped": effects.drop(after_commit=True),
    "cut": effects.cut(),
    "HTML": effects.html(after_commit=True),
    "empty": effects.empty(after_commit=True),
    "504, not committed": effects.status(504),
    "dropped, not committed": effects.drop(),
}


@dataclass
class Case:
    """One channel with a file sink, and the engine's files, in a folder."""

    folder: Path
    api: Emulated
    time: FakeTime = field(default_factory=FakeTime)
    sinks: Sequence[Sink] = ()
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sinks = self.sinks or (Sink("file", "support.secret", folder=str(self.folder)),)

    def apply(
        self,
        declaration: Declaration | None = None,
        *others: Declaration,
        engine: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
        **block: Any,
    ) -> ApplyReport | None:
        declared = with_secret(declaration or declare(), *self.sinks, **block)
        return anyio.run(self._apply, Manifest("acme", (declared, *others)), engine or {}, run or {})

    async def _apply(self, manifest: Manifest, engine: dict[str, Any], run: dict[str, Any]) -> ApplyReport | None:
        async with client(self.api.url, "acme", self.time) as api:
            apis = {"acme": api}
            rotator = rotations(self.api.url, self.folder, apis, self.time, say=self.said.append, **engine)
            listings = await read_listings(apis, apis, base_url=self.api.url)
            plan = make_plan(
                [(manifest, listings["acme"])],
                catalogue=catalogue(),
                created_at=NOW,
                remembered=Remembered(rotator.book.ledger()),
            )
            if problems := await rotator.probe(secret_changes(plan)):
                raise InputError(problems)
            if adopted := rotator.adoption("acme", change := plan.organizations[0].changes[0]):
                await rotator.book.record(*adopted, name=change.address)
            if not has_changes(plan):
                return None
            return await carry_out(plan, [manifest], apis, listings, time=self.time, rotator=rotator, **run)

    @property
    def held(self) -> Secret | None:
        return read_sink(self.sinks[0])

    @property
    def signs(self) -> bool:
        """Whether the server verifies what the sink holds."""
        channel = self.api.store.channels("acme")[0]
        return self.held is not None and signs(self.api.store, str(channel["id"]), self.held)

    @property
    def state(self) -> str:
        entry = entry_of(self.folder, self.api.url, str(self.api.store.channels("acme")[0]["id"]))
        return entry.state if entry else ""


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with emulated(CHANNEL) as api:
        yield Case(tmp_path, api)


def faulty(tmp_path: Path, *faults: Fault) -> tuple[Any, Callable[[Emulated], Case]]:
    return emulated(CHANNEL, faults=Faults(faults)), lambda api: Case(tmp_path, api)


def test_a_secret_is_generated_delivered_and_remembered(case: Case) -> None:
    report = case.apply(rotation="1")
    assert report is not None
    assert report.outcome == "converged"
    assert (case.signs, case.state) == (True, "delivered")
    assert case.api.taken_calls() == ["GET", "POST", "GET"]
    assert case.apply(rotation="1") is None
    ledger = case.folder / "ledger.json"
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600
    assert case.held is not None
    assert case.held.reveal() not in ledger.read_text(encoding="utf-8")
    assert waiting(case.folder / "recovery") == []


def test_a_new_rotation_rotates_once(case: Case) -> None:
    case.apply(rotation="1")
    first = case.held
    assert case.apply(rotation="2") is not None
    assert case.held != first
    assert case.signs
    assert case.apply(rotation="2") is None


def test_a_revoked_secret_is_remembered_as_such(case: Case) -> None:
    case.apply(declare(identityRequired=True))
    case.api.taken_calls()
    report = case.apply(declare(identityRequired=False), absent=True)
    assert report is not None
    assert report.outcome == "converged"
    assert case.api.taken_calls() == ["GET", "PATCH", "DELETE", "GET"]
    assert (case.signs, case.state) == (False, "revoked")


def test_an_adopted_rotation_is_remembered_without_a_call(case: Case) -> None:
    case.api.store.rotate_identity_secret("acme", "c-1")
    assert case.apply(rotation="1") is None
    assert (case.state, case.api.taken_calls()) == ("adopted", ["GET"])
    assert case.apply(rotation="2") is not None
    assert (case.state, case.signs) == ("delivered", True)


def test_a_created_channel_has_its_secret_before_it_is_switched_on(tmp_path: Path) -> None:
    with emulated() as api:
        case = Case(tmp_path, api)
        report = case.apply(declare(identityRequired=True), engine={"verify": True})
        assert report is not None
        assert report.outcome == "converged"
        assert [call.path.rpartition("/")[2] for call in api.calls if call.method in {"POST", "PATCH"}][:2] == [
            "channels",
            "identity-secret",
        ]
        assert [call.status for call in api.calls if call.path.endswith("/sessions")] == [201, 401]
        assert api.store.channels("acme")[0]["enabled"] is True
        assert case.signs


@pytest.mark.parametrize("fault", LOST)
def test_a_secret_whose_answer_was_lost_is_rotated_once_more(tmp_path: Path, fault: str) -> None:
    faults, make = faulty(tmp_path, Fault(LOST[fault], "POST", SECRETS, nth=1))
    with faults as api:
        case = make(api)
        report = case.apply()
        assert report is not None
        assert report.outcome == "converged"
        assert (case.signs, report.results[0].attempts) == (True, 2)
        assert case.time.waits == [SETTLE]


def test_a_doubt_that_stays_is_no_success_and_the_next_run_says_why(tmp_path: Path) -> None:
    faults, make = faulty(tmp_path, Fault(effects.drop(after_commit=True), "POST", SECRETS, nth=frozenset({1, 2})))
    with faults as api:
        case = make(api)
        report = case.apply(declare(identityRequired=True))
        assert report is not None
        assert (report.outcome, [each.status for each in report.results]) == ("incomplete", ["in_doubt", "not_started"])
        assert (case.held, case.state, report.results[0].attempts) == (None, "intended", 2)
        case.time.waits.clear()
        again = case.apply(declare(identityRequired=True))
        assert again is not None
        assert (again.outcome, case.signs, case.state) == ("converged", True, "delivered")
        assert case.time.waits == [SETTLE]


def test_a_refused_rotation_changes_nothing(tmp_path: Path) -> None:
    faults, make = faulty(tmp_path, Fault(effects.status(403), "POST", SECRETS, nth=frozenset({2, 4})))
    with faults as api:
        case = make(api)
        case.apply(rotation="1")
        report = case.apply(rotation="2")
        assert report is not None
        assert [each.status for each in report.results] == ["failed"]
        assert (case.signs, case.state) == (True, "delivered")


def test_an_interrupt_while_the_intent_is_recorded_leaves_the_secret_alone(case: Case) -> None:
    """A memory on a Git remote takes seconds to write."""
    assert case.apply(rotation="1") is not None
    held, interrupt = case.held, Interrupt()
    engine = {"ending": interrupt, "on_record": interrupt.request}
    report = case.apply(rotation="2", engine=engine, run={"interrupt": interrupt})
    assert report is not None
    assert [(each.status, str(each.error)) for each in report.results] == [
        ("failed", "not sent, because the run was interrupted before that")
    ]
    assert (case.held, case.signs, case.state) == (held, True, "delivered")
    assert case.apply(rotation="2") is not None
    assert (case.held != held, case.signs, case.state) == (True, True, "delivered")


@pytest.mark.parametrize("broken", ["damaged", "gone"])
def test_a_refused_rotation_is_reported_even_if_the_ledger_is_lost_meanwhile(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / "state"
    folder.mkdir()

    async def refuse(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if broken == "damaged":
            (folder / "ledger.json").write_text("{", encoding="utf-8")
        else:
            folder.rename(tmp_path / "moved")
            folder.symlink_to(tmp_path / "nowhere")
        await effects.status(403, message="not today")(app, scope, receive, send)

    faults, _ = faulty(tmp_path, Fault(refuse, "POST", SECRETS, nth=2))
    with faults as api:
        case = Case(folder, api)
        assert case.apply(rotation="1") is not None
        report = case.apply(rotation="2")
        assert report is not None
        assert report.results[0].status == "failed"
        assert "HTTP 403 Forbidden: not today" in str(report.results[0].error)


REVOKED = "The secret no longer works. The server knows that it was revoked, so there's nothing else to do."
REFUSED = "a new secret was created, but the sink `command false` didn't accept the secret: `false` exited with code 1"
REPLACED = "The sinks have the new secret. The next apply may replace it."


@pytest.mark.parametrize(
    ("sink", "absent", "message", "hint"),
    [
        (None, False, "a new secret was delivered, but that can't be recorded: ", REPLACED),
        (None, True, "the secret was revoked, but that can't be recorded: ", REVOKED),
        (
            "false",
            False,
            f"{REFUSED}, and that can't be recorded: ",
            "Fix ",
        ),
    ],
    ids=["delivered", "revoked", "undelivered"],
)
def test_what_was_done_is_reported_even_if_it_cannot_be_recorded(
    tmp_path: Path, sink: str | None, absent: bool, message: str, hint: str
) -> None:
    async def lose(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        (tmp_path / "ledger.json").write_text("{", encoding="utf-8")
        await app(scope, receive, send)

    faults, make = faulty(tmp_path, Fault(lose, "*", SECRETS, nth=2))
    with faults as api:
        case = make(api)
        assert case.apply(rotation="1") is not None
        if sink:
            case.sinks = (Sink("command", argv=(sink,), folder=str(tmp_path)),)
        report = case.apply(absent=True) if absent else case.apply(rotation="2")
        assert report is not None
        (result,) = report.results
        assert isinstance(result.error, RotatedError)
        assert result.error.message.startswith(f"{message}the ledger {tmp_path / 'ledger.json'} is damaged")
        assert result.error.hint.startswith(hint)
        assert result.error.hint == hint or sink
        status = api.calls[-1].status
        assert (result.status, result.http_status, result.attempts, bool(result.request_id)) == (
            "failed",
            status,
            1,
            True,
        )


def test_commands_know_whose_secret_it_is(tmp_path: Path) -> None:
    with emulated() as api:
        save = "env | grep ^WEBCHAT_SYNC_ | sort >"
        sink = Sink(
            "command",
            argv=("sh", "-c", f"cat >/dev/null; {save} delivered"),
            probe=("sh", "-c", f"{save} probed"),
            folder=str(tmp_path),
        )
        assert Case(tmp_path, api, sinks=[sink]).apply(rotation="2026-Q4") is not None
        (channel,) = api.store.channels("acme")
    for file, channel_id in (("probed", ""), ("delivered", channel["id"])):
        assert (tmp_path / file).read_text(encoding="utf-8").splitlines() == [
            f"WEBCHAT_SYNC_CHANNEL_ID={channel_id}",
            "WEBCHAT_SYNC_CHANNEL_NAME=Support",
            "WEBCHAT_SYNC_ORGANIZATION=acme",
            "WEBCHAT_SYNC_ROTATION=2026-Q4",
        ]


def test_a_refusal_after_a_doubt_is_still_a_doubt(tmp_path: Path) -> None:
    drop, refuse = effects.drop(after_commit=True), effects.status(403)
    faults, make = faulty(tmp_path, Fault(drop, "POST", SECRETS, nth=1), Fault(refuse, "POST", SECRETS, nth=2))
    with faults as api:
        case = make(api)
        report = case.apply()
        assert report is not None
        assert ([each.status for each in report.results], case.state) == (["in_doubt"], "intended")
        assert report.results[0].attempts == 2


def test_a_sink_that_fails_is_tried_again(case: Case) -> None:
    folder = case.folder / "later"
    case.sinks = (Sink("command", argv=("sh", "-c", "test -d later && cat > later/s"), folder=str(case.folder)),)

    async def mend() -> None:
        folder.mkdir(exist_ok=True)

    case.time.before_waking = mend
    report = case.apply()
    assert report is not None
    assert report.outcome == "converged"
    assert case.time.waits == [1.0]
    assert signs(case.api.store, "c-1", Secret((folder / "s").read_text(encoding="utf-8")))


def test_a_secret_that_a_sink_does_not_take_waits_and_is_brought_on(case: Case) -> None:
    before = os.umask(0)
    try:
        good, bad = case.sinks[0], Sink("command", argv=("sh", "-c", "exit 7"), folder=str(case.folder))
        case.sinks = (good, bad)
        report = case.apply(declare(identityRequired=True))
    finally:
        os.umask(before)
    assert report is not None
    assert [each.status for each in report.results] == ["failed", "not_started"]
    assert isinstance(report.results[0].error, UndeliveredError)
    assert (report.results[0].attempts, report.results[0].http_status) == (1, 201)
    assert "exited with code 7; a copy is in " in report.results[0].error.message
    assert case.state == "undelivered"
    entry = entry_of(case.folder, case.api.url, "c-1")
    assert entry is not None
    assert entry.server_at
    assert entry.secret_hash
    recovery = case.folder / "recovery"
    (file,) = recovery.iterdir()
    assert (stat.S_IMODE(recovery.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)
    found = find_waiting(recovery, read_ledger(case.folder / "ledger.json"), "Support")
    assert signs(case.api.store, "c-1", found.secret)
    assert found.sinks == (good, bad)

    async def bring(*instead: Sink) -> None:
        engine = rotations(case.api.url, case.folder, {}, case.time)
        await deliver_waiting(
            found, engine.sinks, folder=recovery, book=engine.book, instead=instead, environment=engine.environment
        )

    with pytest.raises(Exception, match="exited with code 7"):
        anyio.run(bring)
    assert list(recovery.iterdir()) == [file]
    anyio.run(bring, good)
    assert (list(recovery.iterdir()), case.state, case.signs) == ([], "delivered", True)
    with pytest.raises(InputError, match="no secret is waiting"):
        find_waiting(recovery, read_ledger(case.folder / "ledger.json"), "Support")


def test_a_sink_that_cleans_up_the_folder_does_not_take_the_copy_along(case: Case) -> None:
    command = "cat >/dev/null; rm -rf recovery ledger.json; exit 1"
    case.sinks = (Sink("command", argv=("sh", "-c", command), folder=str(case.folder)),)
    report = case.apply()
    assert report is not None
    (kept,) = waiting(case.folder / "recovery")
    assert signs(case.api.store, "c-1", kept.secret)
    assert isinstance(report.results[0].error, UndeliveredError)
    assert str(case.folder / "recovery") in report.results[0].error.message
    assert case.state == "undelivered"


def test_the_next_apply_rotates_what_was_not_delivered(case: Case) -> None:
    sink = case.sinks[0]
    case.sinks = (Sink("command", argv=("false",), folder=str(case.folder)),)
    case.apply()
    assert case.time.waits == [1.0, 2.0] == [1.0 * 2**n for n in range(TRIES - 1)]
    case.sinks = (sink,)
    report = case.apply()
    assert report is not None
    assert (report.outcome, case.signs) == ("converged", True)
    assert waiting(case.folder / "recovery") == []


def test_a_secret_that_another_rotation_followed_is_not_delivered(tmp_path: Path) -> None:
    faults, make = faulty(tmp_path, Fault(effects.drop(after_commit=True), "POST", SECRETS, nth=frozenset({2, 3})))
    with faults as api:
        case = make(api)
        case.sinks = (Sink("command", argv=("false",), folder=str(case.folder)),)
        case.apply()
        case.apply()
        with pytest.raises(InputError, match="replaced by another rotation"):
            find_waiting(case.folder / "recovery", read_ledger(case.folder / "ledger.json"), "c-1")


def test_every_sink_is_probed_before_anything_is_written(case: Case) -> None:
    ran = case.folder / "ran"
    case.sinks = (
        Sink("command", argv=("touch", str(ran)), probe=("false",), folder=str(case.folder)),
        Sink("file", "no/such/folder", folder=str(case.folder)),
    )
    with pytest.raises(InputError) as refused:
        case.apply(declare(theme="dark"))
    assert len(refused.value.problems) == 2
    assert (case.api.taken_calls(), ran.exists(), case.state) == (["GET"], False, "")


def test_a_folder_for_the_ledger_that_cannot_be_made_is_told_before(case: Case) -> None:
    (case.folder / "recovery").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="can't create"):
        case.apply()


def test_a_new_secret_is_proven_by_two_sessions(case: Case) -> None:
    report = case.apply(verify=True)
    assert report is not None
    assert report.outcome == "converged"
    assert [call.status for call in case.api.calls if call.path.endswith("/sessions")] == [201, 401]


def session(**answer: object) -> Effect:
    """A session that is opened, whatever the signature."""

    async def act(_: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse({"data": answer}, 201)(scope, receive, send)

    return act


@pytest.mark.parametrize("fault", [effects.status(401), session(identityVerified=False)])
def test_a_secret_that_the_server_refuses_is_no_success_and_is_made_anew(tmp_path: Path, fault: Effect) -> None:
    faults, make = faulty(tmp_path, Fault(fault, "POST", "*/sessions", nth=1))
    with faults as api:
        case = make(api)
        report = case.apply(verify=True)
        assert report is not None
        assert report.results[0].status == "failed"
        assert "refuses a visitor signed with the new secret" in str(report.results[0].error)
        assert case.state == "undelivered"
        assert len(waiting(tmp_path / "recovery")) == 1
        again = case.apply(verify=True)
        assert again is not None
        assert (again.outcome, case.signs, case.state) == ("converged", True, "delivered")


NOTHING_SAID: dict[str, tuple[Effect, str]] = {
    "403": (effects.status(403, message="origin not allowed"), "HTTP 403 Forbidden: origin not allowed"),
    "400": (effects.status(400), "HTTP 400"),
    "404": (effects.status(404), "HTTP 404"),
    "429": (effects.status(429, retry_after=0), "HTTP 429"),
    "503": (effects.status(503), "HTTP 503"),
    "no answer": (effects.drop(), "no response from"),
    "HTML": (effects.html(), "the response isn't"),
}


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("case_name", NOTHING_SAID)
def test_a_failure_that_says_nothing_of_signatures_leaves_a_delivered_secret_delivered(
    tmp_path: Path, case_name: str, first: int
) -> None:
    fault, said = NOTHING_SAID[case_name]
    faults, make = faulty(tmp_path, Fault(fault, "POST", "*/sessions", nth=frozenset(range(first, 99))))
    with faults as api:
        case = make(api)
        report = case.apply(declare(identityRequired=True), verify=True)
        assert report is not None
        assert [each.status for each in report.results] == ["failed", "not_started"]
        assert (report.outcome, case.signs, case.state) == ("incomplete", True, "delivered")
        told = str(report.results[0].error)
        assert told.startswith("a new secret was delivered, but it couldn't be verified: POST ")
        assert said in told
        assert waiting(tmp_path / "recovery") == []
        again = case.apply(declare(identityRequired=True), verify=True)
        assert again is not None
        assert (again.outcome, [each.operation.method for each in again.results]) == ("converged", ["PATCH"])
        assert case.apply(declare(identityRequired=True), verify=True) is None


def test_a_list_that_cannot_be_read_proves_nothing_either(tmp_path: Path) -> None:
    faults, make = faulty(tmp_path, Fault(effects.status(403), "GET", nth=2))
    with faults as api:
        case = make(api)
        report = case.apply(verify=True)
        assert report is not None
        assert (report.results[0].status, case.state) == ("failed", "delivered")
        assert "couldn't be verified: GET " in str(report.results[0].error)
        assert case.apply(verify=True) is None


def test_the_ledger_knows_a_secret_as_delivered_before_it_is_proven(tmp_path: Path) -> None:
    """A run that is killed while it waits for the proof must not rotate again."""
    states: list[str] = []

    async def look(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        states.append(watched.state)
        await app(scope, receive, send)

    faults, make = faulty(tmp_path, Fault(look, "POST", "*/sessions"))
    with faults as api:
        watched = make(api)
        watched.apply(verify=True)
    assert states == ["delivered", "delivered"]


def test_sessions_that_say_who_is_verified_prove_the_secret(tmp_path: Path) -> None:
    faults, make = faulty(
        tmp_path,
        Fault(session(identityVerified=True), "POST", "*/sessions", nth=1),
        Fault(session(), "POST", "*/sessions", nth=2),
        Fault(session(identityVerified=True), "POST", "*/sessions", nth=3),
        Fault(session(identityVerified=False), "POST", "*/sessions", nth=4),
    )
    with faults as api:
        case = make(api)
        for rotation in ("1", "2"):
            report = case.apply(verify=True, rotation=rotation)
            assert report is not None
            assert (report.outcome, case.said) == ("converged", [])


def test_a_proof_whose_answer_is_lost_is_tried_again(tmp_path: Path) -> None:
    faults, make = faulty(tmp_path, Fault(effects.drop(), "POST", "*/sessions", nth=1))
    with faults as api:
        report = make(api).apply(verify=True)
        assert report is not None
        assert report.outcome == "converged"


def test_a_created_channel_whose_secret_is_refused_at_last_is_told(tmp_path: Path) -> None:
    with emulated(faults=Faults([Fault(effects.status(401), "POST", "*/sessions")])) as api:
        case = Case(tmp_path, api)
        report = case.apply(declare(identityRequired=True), verify=True)
        assert report is not None
        assert [each.status for each in report.results] == ["done", "failed", "done"]
        assert (report.outcome, case.state) == ("incomplete", "undelivered")
        refused = report.results[1]
        assert isinstance(refused.error, UndeliveredError)
        assert '`webchat-sync secret deliver "Support"`' in refused.error.hint
        assert (refused.http_status, refused.attempts) == (201, 1)


@pytest.mark.parametrize(("fail_fast", "last"), [(False, "done"), (True, "not_started")])
def test_a_proof_that_fails_at_the_end_of_a_channel_is_a_failure_to_fail_fast(
    tmp_path: Path, fail_fast: bool, last: str
) -> None:
    with emulated(faults=Faults([Fault(effects.status(401), "POST", "*/sessions")])) as api:
        case = Case(tmp_path, api)
        run = {"fail_fast": fail_fast, "parallelism": 1}
        report = case.apply(declare(identityRequired=True), declare("Sales"), verify=True, run=run)
        assert report is not None
        assert [result.status for result in report.results] == ["done", "failed", "done", last]


def test_a_created_channel_whose_sessions_are_forbidden_keeps_its_secret(tmp_path: Path) -> None:
    with emulated(faults=Faults([Fault(effects.status(403), "POST", "*/sessions")])) as api:
        case = Case(tmp_path, api)
        report = case.apply(declare(identityRequired=True), verify=True)
        assert report is not None
        assert [each.status for each in report.results] == ["done", "failed", "done"]
        assert (report.outcome, case.state, case.signs) == ("incomplete", "delivered", True)
        assert "HTTP 403" in str(report.results[1].error)
        assert (report.results[1].http_status, report.results[1].attempts) == (201, 1)
        assert case.apply(declare(identityRequired=True), verify=True) is None


def test_a_channel_that_is_off_or_has_no_token_is_not_proven(tmp_path: Path) -> None:
    with emulated({**CHANNEL, "enabled": False}) as api:
        case = Case(tmp_path, api)
        report = case.apply(verify=True)
        assert report is not None
        assert report.outcome == "converged"
        assert case.said == ['"Support" is switched off, so its secret can\'t be verified.']
    for token, said in ((None, "list a token"), ("..", "a token")):
        with emulated({**CHANNEL, "token": token}) as api:
            case = Case(tmp_path, api)
            report = case.apply(verify=True)
            assert report is not None
            assert (report.results[0].status, case.state) == ("failed", "delivered")
            assert said in str(report.results[0].error)
            assert case.apply(verify=True) is None


@pytest.mark.parametrize("verified", [{}, {"identityVerified": True}, {"identityVerified": None}])
def test_a_server_that_takes_any_signature_is_told_and_not_rotated_again(
    tmp_path: Path, verified: dict[str, object]
) -> None:
    faults, make = faulty(tmp_path, Fault(session(**verified), "POST", "*/sessions"))
    with faults as api:
        case = make(api)
        report = case.apply(verify=True)
        assert report is not None
        assert (report.outcome, report.results[0].status) == ("incomplete", "failed")
        assert (report.results[0].http_status, report.results[0].attempts) == (201, 1)
        assert "accepts a visitor with an invalid signature" in str(report.results[0].error)
        assert (case.state, waiting(tmp_path / "recovery")) == ("delivered", [])
        assert case.apply(verify=True) is None


def test_without_an_engine_no_secret_is_made(case: Case) -> None:
    async def apply() -> ApplyReport:
        declared = Manifest("acme", (with_secret(declare(), *case.sinks),))
        async with client(case.api.url) as api:
            listings = await read_listings(["acme"], {"acme": api}, base_url=case.api.url)
            plan: Plan = make_plan([(declared, listings["acme"])], catalogue=catalogue(), created_at=NOW)
            return await carry_out(plan, [declared], {"acme": api}, listings, watcher=Watcher(), interrupt=Interrupt())

    report = anyio.run(apply)
    (result,) = report.results
    assert (result.status, result.attempts) == ("failed", 0)
    assert str(result.error) == "this run can't deliver a new secret"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it isn't valid JSON"),
        ("[]", "it isn't a JSON object"),
        ('{"version": 0, "entries": []}', "its version is 0"),
        ('{"entries": []}', "it has no `version`"),
        ('{"version": 1, "entries": [{}]}', "an entry is incomplete"),
        ('{"version": 1}', "it has no `entries`"),
    ],
)
def test_a_damaged_ledger_is_an_error_with_a_way_out(case: Case, text: str, said: str) -> None:
    (case.folder / "ledger.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as raised:
        case.apply()
    assert "Restore it from a backup" in raised.value.problems[0].hint
    assert case.api.taken_calls() == []


def test_a_ledger_that_is_not_utf_8_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "ledger.json").write_bytes(b'{"version": 1, "entries": []}\xff')
    with pytest.raises(InputError, match=r"ledger\.json is damaged: it isn't UTF-8$"):
        read_ledger(tmp_path / "ledger.json")


def test_a_ledger_with_a_state_that_nobody_knows_is_damaged(case: Case) -> None:
    case.apply()
    ledger = case.folder / "ledger.json"
    document = json.loads(ledger.read_text(encoding="utf-8"))
    document["entries"][0]["state"] = "lost"
    ledger.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match="is damaged"):
        read_ledger(ledger)


@pytest.mark.parametrize("odd", [None, 1, True, [], {}], ids=json.dumps)
def test_a_ledger_whose_keys_are_no_texts_is_damaged(case: Case, odd: object) -> None:
    case.apply()
    ledger = case.folder / "ledger.json"
    document = json.loads(ledger.read_text(encoding="utf-8"))
    (entry,) = document["entries"]
    document["organizations"] = [more := {name: entry[name] for name in OrganizationKey._fields}]
    for part, name in [
        *((entry, name) for name in ChannelKey._fields),
        *((more, name) for name in OrganizationKey._fields),
    ]:
        text, part[name] = part[name], odd
        ledger.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(InputError, match="is damaged: an entry is incomplete"):
            read_ledger(ledger)
        part[name] = text


def test_a_ledger_that_is_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't read"):
        read_ledger(tmp_path)


def test_a_damaged_recovery_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="is damaged"):
        waiting(tmp_path)


def test_a_delivery_needs_no_copy_to_succeed(case: Case) -> None:
    blocked = case.folder / "blocked"
    blocked.write_text("", encoding="utf-8")

    async def apply() -> None:
        async with client(case.api.url) as api:
            engine = replace(rotations(case.api.url, case.folder, {"acme": api}), recovery=blocked / "below")
            making = MakeSecret(
                organization="acme", channel_id="c-1", replaces=True, reason="test", sinks=tuple(case.sinks)
            )
            change = Update(address="Support", channel_id="c-1", operations=(making,))
            await engine.carry_out(making, change, "c-1")

    anyio.run(apply)
    assert (case.state, case.signs) == ("delivered", True)


@pytest.mark.parametrize(
    ("passed", "waits"), [(0, [15.0]), (6, [9.0]), (14.5, [0.5]), (15, []), (60, []), (-5, [15.0])], ids=str
)
def test_a_rotation_that_was_cut_off_has_time_to_take_effect_before_the_next(
    tmp_path: Path, passed: float, waits: list[float]
) -> None:
    faults, make = faulty(tmp_path, Fault(effects.drop(after_commit=True), "POST", SECRETS, nth=frozenset({1, 2})))
    with faults as api:
        case = make(api)
        case.apply()
        assert (case.state, case.time.waits) == ("intended", [15.0])
        case.time.waits.clear()
        # Minus five: the clock of this machine was put back meanwhile.
        case.time.seconds += passed
        again = case.apply()
        assert again is not None
        assert (again.outcome, case.signs, case.time.waits) == ("converged", True, waits)


def test_a_rotation_after_one_that_ended_waits_for_nothing(case: Case) -> None:
    for rotation in ("1", "2"):
        assert case.apply(rotation=rotation) is not None
    case.sinks = (Sink("command", argv=("false",), folder=str(case.folder)), *case.sinks)
    case.apply(rotation="3")
    assert (case.state, case.time.waits) == ("undelivered", [1.0, 2.0])
    case.sinks = case.sinks[1:]
    case.apply(rotation="3")
    assert (case.state, case.time.waits) == ("delivered", [1.0, 2.0])


@pytest.mark.parametrize("failures", range(1, TRIES))
def test_a_proof_is_tried_again_after_a_pause_that_doubles(tmp_path: Path, failures: int) -> None:
    faults, make = faulty(tmp_path, Fault(effects.drop(), "POST", "*/sessions", nth=frozenset(range(1, failures + 1))))
    with faults as api:
        case = make(api)
        report = case.apply(verify=True)
        assert report is not None
        assert (report.outcome, case.time.waits) == ("converged", [1.0, 2.0][:failures])


def test_a_created_channel_that_has_its_secret_and_not_its_patch_is_switched_on_by_the_next_run(
    tmp_path: Path,
) -> None:
    with emulated(faults=Faults([Fault(effects.status(403), "PATCH", "*", nth=1)])) as api:
        case = Case(tmp_path, api)
        declaration = declare(prechatFields=[{"label": "Email"}])
        report = case.apply(declaration)
        assert report is not None
        assert [result.status for result in report.results] == ["done", "done", "failed"]
        assert (case.state, api.store.channels("acme")[0]["enabled"]) == ("delivered", False)
        entry = entry_of(tmp_path, api.url, str(api.store.channels("acme")[0]["id"]))
        assert entry is not None
        # Only this tells the next run, if the list says that the secret changed the channel.
        assert entry.fresh
        again = case.apply(declaration)
        assert again is not None
        assert (again.outcome, api.store.channels("acme")[0]["enabled"]) == ("converged", True)


@pytest.mark.parametrize("delivered", [True, False])
def test_a_channel_that_somebody_switched_off_stays_off_though_its_secret_is_new(
    tmp_path: Path, delivered: bool
) -> None:
    off = {"enabled": False, "createdAt": "2026-11-01T12:00:00.000Z", "updatedAt": "2026-11-01T13:00:00.000Z"}
    with emulated({**CHANNEL, **off}, faults=Faults([Fault(effects.status(403), "PATCH", "*", nth=1)])) as api:
        case = Case(tmp_path, api)
        good = case.sinks
        case.sinks = good if delivered else (Sink("command", argv=("false",), folder=str(tmp_path)),)
        case.apply(declare(prechatFields=[{"label": "Email"}]))
        assert case.state == ("delivered" if delivered else "undelivered")
        case.sinks = good
        case.apply(declare(prechatFields=[{"label": "Email"}]))
        (channel,) = api.store.channels("acme")
        assert (channel["enabled"], channel["prechatFields"] != []) == (False, True)


def test_the_ledger_says_when_the_server_made_the_secret(case: Case) -> None:
    case.apply(rotation="1")
    entry = entry_of(case.folder, case.api.url)
    assert entry is not None
    (channel,) = case.api.store.channels("acme")
    assert entry.server_at == read_moment(channel["updatedAt"])
    assert (entry.fresh, entry.rotation, entry.sinks) == (False, "1", tuple(case.sinks))
