"""What a rotation tells when it doesn't end well, to the last word, and what the report keeps of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from applying import client
from commands import Emulated, emulated
from ledgers import record
from planning import NOW, declare, live
from remembering import Clock, Runner, SimulatedRefs, SimulatedRemote, runner
from rotating import entry_of, rotations
from test_plan_secret import HAS, change_of, remembered, wants
from test_secrets_rotate import CHANNEL, Case, session
from webchat_sync.api.exchange import IN_DOUBT_HINT
from webchat_sync.emulator import Fault, Faults, effects
from webchat_sync.emulator.effects import Effect
from webchat_sync.errors import ApiError, Diagnostic, InputError, UndeliveredError, WebchatSyncError
from webchat_sync.memory.opened import OpenMemory
from webchat_sync.memory.ports import Note
from webchat_sync.model import ChannelKey, LedgerEntry, MakeSecret, OperationResult, Sink, Update
from webchat_sync.secrets.ports import Book
from webchat_sync.secrets.recovery import waiting
from webchat_sync.workflow.ownership import Ownership
from webchat_sync.workflow.remembering import RunMemory

SESSIONS = "*/sessions"
FAILS = ("sh", "-c", "cat >/dev/null; exit 7")


def failed(case: Case, **options: Any) -> tuple[OperationResult, str, str]:
    """The result of the one operation that failed, and what its error says."""
    report = case.apply(**options)
    assert report is not None
    (result,) = [result for result in report.results if result.status == "failed"]
    assert isinstance(result.error, WebchatSyncError)
    return result, str(result.error).replace(str(case.folder), "FOLDER"), result.error.hint


def kept(case: Case) -> str:
    (file,) = (case.folder / "recovery").iterdir()
    return f"FOLDER/recovery/{file.name}"


@pytest.mark.parametrize(
    ("by_hand", "again"), [(False, 'apply --rotate "Support"'), (True, 'secret rotate "Support" --to FILE')]
)
def test_a_secret_that_a_sink_did_not_take_in_full(tmp_path: Path, by_hand: bool, again: str) -> None:
    with emulated(CHANNEL) as api:
        case = Case(tmp_path, api, sinks=(Sink("command", argv=FAILS, folder=str(tmp_path)),))
        result, message, hint = failed(case, engine={"by_hand": by_hand})
        assert isinstance(result.error, UndeliveredError)
        flaw = message.removeprefix("a new secret was created, but ").removesuffix(f"; a copy is in {kept(case)}")
        assert re.fullmatch(r"the sink `command .*` didn't accept the secret: .*exited with code 7.*", flaw)
        assert hint == (
            'Fix the sink. As long as that file exists, `webchat-sync secret deliver "Support"` delivers it. If it\'s '
            f"gone, for example because the runner was temporary, `webchat-sync {again}` creates and delivers a new "
            "secret."
        )
        assert (result.http_status, result.attempts) == (201, 1)
        assert result.request_id


def test_a_secret_of_which_no_copy_could_be_kept_in_full(tmp_path: Path) -> None:
    """The folder for it goes away after it was looked at."""
    command = ("sh", "-c", "cat >/dev/null; rm -rf recovery; touch recovery; exit 7")
    with emulated(CHANNEL) as api:
        case = Case(tmp_path, api, sinks=(Sink("command", argv=command, folder=str(tmp_path)),))
        result, message, hint = failed(case)
        assert isinstance(result.error, UndeliveredError)
        assert message.endswith("; no copy could be kept")
        assert hint == 'Fix the sink. Then `webchat-sync apply --rotate "Support"` creates and delivers a new secret.'
        assert case.state == "undelivered"


def test_a_secret_that_the_server_refuses_in_full(tmp_path: Path) -> None:
    with emulated(CHANNEL, faults=Faults([Fault(effects.status(401), "POST", SESSIONS)])) as api:
        case = Case(tmp_path, api)
        result, message, hint = failed(case, verify=True, rotation="2026-Q4")
        assert isinstance(result.error, UndeliveredError)
        assert message == (
            "a new secret was created, but the server refuses a visitor signed with the new secret; a copy is in "
            f"{kept(case)}"
        )
        assert hint == (
            '`webchat-sync apply --rotate "Support"` creates and delivers a new secret. If the server accepts this one '
            'after all, `webchat-sync secret deliver "Support"` delivers it again.'
        )
        assert (result.http_status, result.attempts) == (201, 1)
        (waits,) = waiting(tmp_path / "recovery")
        assert (waits.name, waits.key.channel_id, waits.rotation) == ("Support", "c-1", "2026-Q4")
        assert waits.sinks == tuple(case.sinks)


NOT_PROVEN = (
    "The secret was delivered, and the next apply won't replace it. Fix what prevented the check. Only a new secret "
    "can be verified: use --rotate to create one."
)


@pytest.mark.parametrize(("by_hand", "again"), [(False, "use --rotate"), (True, "run this again")])
def test_a_secret_that_any_signature_passes_for_in_full(tmp_path: Path, by_hand: bool, again: str) -> None:
    with emulated(CHANNEL, faults=Faults([Fault(session(), "POST", SESSIONS)])) as api:
        result, message, hint = failed(Case(tmp_path, api), verify=True, engine={"by_hand": by_hand})
        assert message == ("a new secret was delivered, but the server accepts a visitor with an invalid signature")
        proven = NOT_PROVEN.replace("use --rotate", again)
        assert hint == proven.replace("Fix what prevented the check", "Check that `identityRequired` is on")
        assert result.request_id


def test_a_secret_whose_channel_has_no_token_in_full(tmp_path: Path) -> None:
    with emulated({**CHANNEL, "token": None}) as api:
        result, message, hint = failed(Case(tmp_path, api), verify=True)
        assert message == (
            "a new secret was delivered, but it couldn't be verified: the server doesn't list a token for the channel"
        )
        assert (hint, result.http_status, result.attempts) == (NOT_PROVEN, 201, 1)


def test_a_sink_that_is_not_ready_in_full(tmp_path: Path) -> None:
    sinks = (Sink("file", "no/such/folder", folder=str(tmp_path)), Sink("file", "good", folder=str(tmp_path)))
    with emulated(CHANNEL) as api, pytest.raises(InputError) as raised:
        Case(tmp_path, api, sinks=sinks).apply(declare())
    (problem,) = raised.value.problems
    assert problem.message.startswith(
        'channel "Support": the sink `file no/such/folder` isn\'t ready to accept a secret: '
    )
    assert problem.place == declare().place
    assert problem.hint == "Nothing was changed. Fix the sink or use a different one, then run this again."


def test_what_is_wrong_with_the_folders_is_told_once_for_all_channels(tmp_path: Path) -> None:
    (tmp_path / "recovery").write_text("in the way", encoding="utf-8")
    engine = rotations("https://api.example", tmp_path, {})
    making = MakeSecret(organization="acme", channel_id="c-1", replaces=True, reason="test", sinks=())
    changes = [Update(address=name, channel_id="c-1", operations=(making,)) for name in ("Support", "Sales")]

    async def probe() -> list[Diagnostic]:
        return await engine.probe([Update(address="None", channel_id="c-2"), *changes])

    (problem,) = anyio.run(probe)
    assert "can't create" in problem.message
    assert problem.hint == "Nothing was changed. Check the folder and its permissions, then run this again."


@pytest.mark.parametrize(
    ("block", "before", "options", "remembered_as"),
    [
        ({"rotation": "2"}, None, {}, ("adopted", "2", True)),
        ({"max_age": None}, None, {"adopt_secrets": ["Support"]}, ("vouched", None, False)),
        ({"rotation": "2"}, None, {"adopt_secrets": ["Support"]}, ("vouched", "2", True)),
        ({"rotation": "2"}, remembered(declared=False), {}, ("vouched", "2", True)),
    ],
)
def test_an_adoption_is_remembered_with_how_it_came_to_be(
    tmp_path: Path,
    block: dict[str, Any],
    before: LedgerEntry | None,
    options: dict[str, Any],
    remembered_as: tuple[str, str | None, bool],
) -> None:
    change = change_of(wants(**block), live(**HAS), before, **options)
    engine = rotations("https://api.example", tmp_path, {})
    adoption = engine.adoption("acme", change)
    assert adoption is not None
    key, entry = adoption
    assert key == ChannelKey("https://api.example", "acme", "c-1")
    assert (entry.state, entry.rotation, entry.declared) == remembered_as
    assert (entry.name, entry.at, len(entry.attempt)) == ("Support", NOW, 16)


def test_a_rotation_by_hand_keeps_the_rotation_that_is_declared(tmp_path: Path) -> None:
    with emulated(CHANNEL) as api:
        case = Case(tmp_path, api)
        case.apply(rotation="1")
        case.sinks = (Sink("command", argv=FAILS, folder=str(tmp_path)),)
        case.apply(rotation="2", engine={"by_hand": True})
        entry = entry_of(tmp_path, api.url)
        assert entry is not None
        assert (entry.rotation, entry.declared, entry.state, entry.sinks) == ("1", True, "undelivered", case.sinks)


def test_the_first_rotation_by_hand_is_declared_nowhere(tmp_path: Path) -> None:
    with emulated(CHANNEL) as api:
        case = Case(tmp_path, api)
        case.apply(rotation="2", engine={"by_hand": True})
        entry = entry_of(tmp_path, api.url)
        assert entry is not None
        assert (entry.rotation, entry.declared, entry.state) == (None, False, "delivered")


def test_a_revoked_secret_keeps_the_places_where_it_was_delivered(tmp_path: Path) -> None:
    with emulated(CHANNEL) as api:
        case = Case(tmp_path, api)
        case.apply(rotation="1")
        case.apply(absent=True)
        entry = entry_of(tmp_path, api.url)
        assert entry is not None
        assert (entry.state, entry.rotation, entry.sinks) == ("revoked", None, tuple(case.sinks))


@pytest.mark.parametrize("exists", [True, False])
def test_a_probe_and_a_command_are_told_whose_secret_it_is(tmp_path: Path, exists: bool) -> None:
    command, probe = ("sh", "-c", "cat >/dev/null; env > delivered"), ("sh", "-c", "env > probed")
    sink = Sink("command", argv=command, probe=probe, folder=str(tmp_path))
    with emulated(*[CHANNEL] * exists) as api:
        Case(tmp_path, api, sinks=(sink,)).apply(rotation="2026-Q4")
        (channel,) = api.store.channels("acme")
    for name, channel_id in (("probed", "c-1" if exists else ""), ("delivered", channel["id"])):
        told = (tmp_path / name).read_text(encoding="utf-8")
        assert dict(re.findall(r"^WEBCHAT_SYNC_(\w+)=(.*)$", told, re.MULTILINE)) == {
            "CHANNEL_NAME": "Support",
            "CHANNEL_ID": channel_id,
            "ORGANIZATION": "acme",
            "ROTATION": "2026-Q4",
        }


def test_an_adoption_remembers_where_the_secret_was_delivered(tmp_path: Path) -> None:
    sinks = (Sink("file", "support.secret", folder=str(tmp_path)),)
    before = remembered(state="revoked", sinks=sinks)
    record(tmp_path / "ledger.json", ChannelKey("https://api.example", "acme", "c-1"), before)
    engine = rotations("https://api.example", tmp_path, {})
    adoption = engine.adoption("acme", change_of(wants(rotation="2"), live(**HAS), before))
    assert adoption is not None
    assert adoption[1].sinks == sinks


def test_a_revoked_secret_waits_no_longer(tmp_path: Path) -> None:
    with emulated(CHANNEL) as api:
        case = Case(tmp_path, api, sinks=(Sink("command", argv=FAILS, folder=str(tmp_path)),))
        case.apply()
        assert len(waiting(tmp_path / "recovery")) == 1
        case.apply(absent=True)
        assert (case.state, waiting(tmp_path / "recovery")) == ("revoked", [])


def test_a_channel_that_was_switched_on_last_is_proven_by_its_last_answer(tmp_path: Path) -> None:
    """The list isn't read again for what the server has just said."""
    with emulated() as api:
        Case(tmp_path, api).apply(declare(identityRequired=True), verify=True)
        calls = [f"{call.method} {call.path.rpartition('/')[2]}" for call in api.calls]
        switched_on = next(index for index, call in enumerate(calls) if call.startswith("PATCH "))
        assert calls[switched_on + 1 : switched_on + 3] == ["POST sessions", "POST sessions"]


def after(act: Callable[[], None], effect: Effect) -> Effect:
    """The effect, once something else has happened on this machine."""

    async def acting(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        act()
        await effect(app, scope, receive, send)

    return acting


def rotate_once(api: Emulated, folder: Path, book: Book | None) -> None:
    """Rotates the secret of the channel; the record is in a file in the folder if there's no other."""
    making = MakeSecret(organization="acme", channel_id="c-1", replaces=False, reason="test", sinks=())
    change = Update(address="Support", channel_id="c-1", operations=(making,))

    async def run() -> None:
        async with client(api.url) as mosend:
            engine = rotations(api.url, folder, {"acme": mosend})
            await replace(engine, book=book or engine.book).carry_out(making, change, "c-1")

    anyio.run(run)


def memory_on(remote: SimulatedRefs, url: str) -> tuple[RunMemory, Runner]:
    one = runner("one", remote, Clock(), locked=False)
    memory = RunMemory(OpenMemory(one.memory, one.lock, 60.0), url, ownership=Ownership("here"), run="a run")
    memory.read()
    return memory, one


@pytest.mark.parametrize("in_git", [False, True])
@pytest.mark.parametrize(("effect", "in_doubt"), [(effects.status(403), False), (effects.drop(), True)])
def test_what_the_server_said_is_told_even_if_it_cannot_be_remembered(
    tmp_path: Path, in_git: bool, effect: Effect, in_doubt: bool
) -> None:
    ledger, remote = tmp_path / "ledger.json", SimulatedRefs(SimulatedRemote())

    def hinder() -> None:
        if in_git:
            remote.away = True
        else:
            ledger.unlink()
            ledger.mkdir()

    faults = Faults([Fault(after(hinder, effect), "POST", "*/identity-secret", nth=1)])
    with emulated(CHANNEL, faults=faults) as api:
        memory, _ = memory_on(remote, api.url)
        with pytest.raises(ApiError) as raised:
            rotate_once(api, tmp_path, memory if in_git else None)
        assert (raised.value.in_doubt, raised.value.attempts, api.taken_calls()) == (in_doubt, 1, ["POST"])
        assert (raised.value.hint == IN_DOUBT_HINT) == in_doubt


@pytest.mark.parametrize(
    ("refused", "outcome"), [(True, "Didn't create an identity secret"), (False, "Delivered an identity secret")]
)
def test_the_history_says_of_which_channel_a_secret_was_created(tmp_path: Path, refused: bool, outcome: str) -> None:
    faults = Faults([Fault(effects.status(403), "POST", "*/identity-secret")] * refused)
    with emulated(CHANNEL, faults=faults) as api:
        memory, one = memory_on(SimulatedRefs(SimulatedRemote()), api.url)
        with pytest.raises(ApiError, match="403") if refused else nullcontext():
            rotate_once(api, tmp_path, memory)
    assert [entry.note for entry in one.memory.history()] == [
        Note(outcome, ("Support",)),
        Note("About to create an identity secret", ("Support",)),
    ]


def test_a_refused_secret_of_which_no_copy_could_be_kept_in_full(tmp_path: Path) -> None:
    command = ("sh", "-c", "cat >/dev/null; rm -rf recovery; touch recovery")
    with emulated(CHANNEL, faults=Faults([Fault(effects.status(401), "POST", SESSIONS)])) as api:
        case = Case(tmp_path, api, sinks=(Sink("command", argv=command, folder=str(tmp_path)),))
        result, message, hint = failed(case, verify=True)
        assert isinstance(result.error, UndeliveredError)
        assert message.endswith("; no copy could be kept")
        assert hint == '`webchat-sync apply --rotate "Support"` creates and delivers a new secret.'
