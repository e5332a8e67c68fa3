"""Secrets that no sink has yet: how they are found, delivered and told of, to the last word."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from commands import invoke
from fake_time import FakeTime
from ledgers import read_ledger, record
from planning import NOW
from remembering import SimulatedRefs, SimulatedRemote, runner
from rotating import entry_of, rotations
from webchat_sync.errors import ApplyError, InputError
from webchat_sync.memory.opened import OpenMemory
from webchat_sync.memory.ports import Note
from webchat_sync.model import ChannelKey, LedgerEntry, Secret, Sink
from webchat_sync.secrets.deliver import deliver_waiting
from webchat_sync.secrets.ledger import secret_hash
from webchat_sync.secrets.recovery import WaitingSecret, drop, find_waiting, held, keep, waiting
from webchat_sync.workflow.ownership import Ownership
from webchat_sync.workflow.remembering import RunMemory

URL = "https://api.example"
KEY = ChannelKey(URL, "acme", "c-1")


def recovered(folder: Path, channel_id: str = "c-1", **other: Any) -> WaitingSecret:
    sinks = (Sink("file", "support.secret", folder=str(folder)),)
    usual = WaitingSecret(ChannelKey(URL, "acme", channel_id), "Support", "a-1", "2026-Q4", sinks, Secret("s3cret"))
    return replace(usual, **other)


def deliver(found: WaitingSecret, folder: Path, *instead: Sink, time: FakeTime | None = None) -> None:
    engine = rotations(URL, folder, {}, time or FakeTime())
    recovery = folder / "recovery"

    async def run() -> None:
        await deliver_waiting(
            found, engine.sinks, folder=recovery, book=engine.book, instead=instead, environment=engine.environment
        )

    anyio.run(run)


def refusal(folder: Path, name: str = "Support") -> tuple[str, str]:
    with pytest.raises(InputError) as raised:
        find_waiting(folder / "recovery", read_ledger(folder / "ledger.json"), name)
    (problem,) = raised.value.problems
    return problem.message, problem.hint


def test_what_waits_is_read_as_it_was_kept(tmp_path: Path) -> None:
    kept = [recovered(tmp_path), recovered(tmp_path, "c-2", rotation=None, name="Sales")]
    for waits in kept:
        keep(tmp_path / "recovery", waits)
    assert sorted(waiting(tmp_path / "recovery"), key=lambda waits: waits.key) == kept
    drop(tmp_path / "recovery", kept[0].key)
    assert waiting(tmp_path / "recovery") == kept[1:]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit for the size of files")
def test_a_copy_that_is_there_counts_though_it_cannot_be_written_again(tmp_path: Path) -> None:
    """A sink may have filled the disk since: there's no need for another rotation, which locks visitors out."""
    import resource

    waits = recovered(tmp_path)
    path = keep(tmp_path / "recovery", waits)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        assert keep(tmp_path / "recovery", waits) == path
        with pytest.raises(OSError, match="File too large"):
            keep(tmp_path / "recovery", replace(waits, secret=Secret("another")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert waiting(tmp_path / "recovery") == [waits]


def test_what_does_not_wait_is_told_with_what_does(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (
        "no secret is waiting for delivery",
        (
            "`webchat-sync secret status` shows whether the secret was delivered. If it wasn't, run this in the folder "
            f"where it was created: its copy is kept there, in {tmp_path / 'recovery'}/. If that machine is gone, "
            "`webchat-sync apply --rotate NAME` creates and delivers another secret."
        ),
    )
    for channel_id in ("c-1", "c-2"):
        keep(tmp_path / "recovery", recovered(tmp_path, channel_id))
    message, hint = refusal(tmp_path)
    assert message == 'several secrets are waiting for a channel with the name or id "Support"'
    assert sorted(hint.removeprefix("Use an id. Waiting: ").removesuffix(".").split(", ")) == [
        '"Support" of acme (c-1)',
        '"Support" of acme (c-2)',
    ]
    assert find_waiting(tmp_path / "recovery", read_ledger(tmp_path / "ledger.json"), "c-2").key.channel_id == "c-2"
    message, hint = refusal(tmp_path, "Sales")
    assert message == 'no secret is waiting for a channel with the name or id "Sales"'
    assert hint.startswith('Use the right name. Waiting: "Support" of acme (c-')


def test_what_another_rotation_followed_is_told_with_its_time(tmp_path: Path) -> None:
    keep(tmp_path / "recovery", recovered(tmp_path))
    record(tmp_path / "ledger.json", KEY, LedgerEntry("Support", "intended", "a-2", NOW, None))
    assert refusal(tmp_path) == (
        'the waiting secret of "Support" was replaced by another rotation at 2026-11-02T12:00:00+00:00',
        "It's probably no longer valid. Rotate the secret again.",
    )


@pytest.mark.parametrize("document", [{}, [], {"base_url": 1, "secret": None}])
def test_a_damaged_file_is_told_with_the_way_out(tmp_path: Path, document: Any) -> None:
    (tmp_path / "recovery").mkdir()
    (tmp_path / "recovery" / "x.json").write_text(json.dumps(document), encoding="utf-8")
    assert refusal(tmp_path) == (
        f"{tmp_path / 'recovery' / 'x.json'} is damaged",
        "It's a copy of a secret that wasn't delivered. Remove it, and rotate that secret again.",
    )


@pytest.mark.parametrize("odd", [None, 1, True, [], {}, ["x"], [["x"]]], ids=json.dumps)
def test_a_value_of_another_type_is_damage(tmp_path: Path, odd: Any) -> None:
    path = keep(tmp_path / "recovery", recovered(tmp_path))
    document = json.loads(path.read_text(encoding="utf-8"))
    for name in document.keys() - ({"rotation"} if odd is None else {"sinks"} if odd in ([], {}) else set()):
        path.write_text(json.dumps({**document, name: odd}), encoding="utf-8")
        with pytest.raises(InputError, match="is damaged"):
            waiting(tmp_path / "recovery")


def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "recovery" / "x.json").mkdir(parents=True)
    assert refusal(tmp_path) == (
        f"can't read {tmp_path / 'recovery' / 'x.json'}: Is a directory",
        "Check the path and the permissions.",
    )


def test_a_file_that_names_two_channels_is_damaged(tmp_path: Path) -> None:
    path = keep(tmp_path / "recovery", recovered(tmp_path))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"name":', '"name": "Sales", "name":'), encoding="utf-8")
    with pytest.raises(InputError, match="is damaged"):
        waiting(tmp_path / "recovery")


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_delivery_is_remembered_as_that_of_the_rotation(tmp_path: Path, remembered: bool, elsewhere: bool) -> None:
    found = recovered(tmp_path)
    keep(tmp_path / "recovery", found)
    before = LedgerEntry("Support, then", "undelivered", "a-1", NOW.replace(hour=9), "2026-Q3", fresh=True)
    if remembered:
        record(tmp_path / "ledger.json", KEY, before)
    instead = (Sink("file", "other.secret", folder=str(tmp_path)),) if elsewhere else ()
    deliver(found, tmp_path, *instead)
    entry = entry_of(tmp_path, URL)
    assert entry is not None
    made = before if remembered else LedgerEntry("Support", "delivered", "a-1", NOW, "2026-Q4")
    assert len(entry.salt) == 32
    assert entry == replace(
        made,
        state="delivered",
        salt=entry.salt,
        secret_hash=secret_hash(found.secret, entry.salt),
        secret_length=len(found.secret.reveal()),
        sinks=instead or found.sinks,
    )
    name = "other.secret" if elsewhere else "support.secret"
    assert (tmp_path / name).read_text(encoding="utf-8").strip() == "s3cret"
    assert waiting(tmp_path / "recovery") == []


@pytest.mark.parametrize("named", ["Support", "c-2"])
def test_a_secret_that_waits_goes_to_the_sinks_that_its_own_organisation_declares_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Another organisation has a channel of that name, and no manifest has its id."""
    monkeypatch.chdir(tmp_path)
    for organization in ("acme", "globex"):
        sync = f"sync: {{identitySecret: {{deliver: [{{file: {organization}.secret}}]}}}}"
        text = f"version: 1\norganization: {organization}\nchannels:\n  - name: Support\n    {sync}\n"
        (tmp_path / f"{organization}.yaml").write_text(text, encoding="utf-8")
    keep(tmp_path / ".webchat-sync" / "recovery", recovered(tmp_path, key=ChannelKey(URL, "globex", "c-2")))

    assert invoke("secret", "deliver", named).code == 0

    assert (tmp_path / "globex.secret").read_text(encoding="utf-8").strip() == "s3cret"
    assert sorted(path.name for path in tmp_path.glob("*.secret")) == ["globex.secret"]


def test_the_history_of_a_memory_in_git_names_the_channel_whose_secret_was_delivered(tmp_path: Path) -> None:
    found = recovered(tmp_path)
    run = runner("one", SimulatedRefs(SimulatedRemote()), locked=False)
    memory = RunMemory(OpenMemory(run.memory, run.lock, 60.0), URL, ownership=Ownership("here"), run="a run")
    memory.read()
    engine = rotations(URL, tmp_path, {}, FakeTime())

    async def bring() -> None:
        folder, environment = tmp_path / "recovery", engine.environment
        await deliver_waiting(found, engine.sinks, folder=folder, book=memory, instead=(), environment=environment)

    anyio.run(bring)
    (entry,) = run.memory.history()
    assert entry.note == Note("Delivered an identity secret", ("Support",))


def test_a_delivery_tells_a_command_whose_secret_it_is(tmp_path: Path) -> None:
    command = Sink("command", argv=("sh", "-c", "cat > taken; env > told"), folder=str(tmp_path))
    deliver(recovered(tmp_path, sinks=(command,)), tmp_path)
    told = (tmp_path / "told").read_text(encoding="utf-8")
    values = [value for name, value in re.findall(r"^(WEBCHAT_SYNC_\w+)=(.*)$", told, re.MULTILINE)]
    assert {"Support", "c-1", "acme", "2026-Q4"} <= set(values)
    assert "s3cret" not in told


@pytest.mark.parametrize("cleaning", ["true", "rm -rf recovery"])
def test_a_delivery_that_fails_leaves_the_secret_waiting(tmp_path: Path, cleaning: str) -> None:
    command = ("sh", "-c", f"cat >/dev/null; {cleaning}; exit 1")
    found = recovered(tmp_path, sinks=(Sink("command", argv=command, folder=str(tmp_path)),))
    keep(tmp_path / "recovery", found)
    with pytest.raises(ApplyError) as raised:
        deliver(found, tmp_path)
    assert raised.value.hint == "The secret is still waiting. Try again, or use --to FILE."
    assert waiting(tmp_path / "recovery") == [found]
    assert entry_of(tmp_path, URL) is None


@pytest.mark.parametrize(("failures", "waits"), [(0, []), (1, [1.0]), (2, [1.0, 2.0]), (3, [1.0, 2.0])])
def test_a_sink_that_fails_is_tried_three_times_with_longer_and_longer_pauses(
    tmp_path: Path, failures: int, waits: list[float]
) -> None:
    script = f"cat > /dev/null; echo try >> tries; test $(wc -l < tries) -gt {failures}"
    found = recovered(tmp_path, sinks=(Sink("command", argv=("sh", "-c", script), folder=str(tmp_path)),))
    time = FakeTime()
    if failures < 3:
        deliver(found, tmp_path, time=time)
    else:
        with pytest.raises(ApplyError) as raised:
            deliver(found, tmp_path, time=time)
        said = f"the sink `{found.sinks[0].label}` didn't accept the secret: `sh` exited with code 1"
        assert raised.value.message == said
    assert time.waits == waits
    assert (tmp_path / "tries").read_text(encoding="utf-8") == "try\n" * (len(waits) + 1)


@pytest.mark.parametrize(
    ("probe", "taken", "reason"),
    [
        ("exit 1", False, "its probe failed: `sh` exited with code 1"),
        ('test "$WEBCHAT_SYNC_CHANNEL_ID" != c-1', False, "its probe failed: `sh` exited with code 1"),
        ("exit 0", True, f'it holds the secret of "Old" of organisation "acme" on {URL}'),
    ],
)
def test_a_sink_that_is_not_ready_leaves_the_secret_waiting(
    tmp_path: Path, probe: str, taken: bool, reason: str
) -> None:
    first = Sink("file", "first.secret", folder=str(tmp_path))
    last = Sink("file", "last.secret", folder=str(tmp_path), probe=("sh", "-c", probe))
    found = recovered(tmp_path, sinks=(first, last))
    keep(tmp_path / "recovery", found)
    if taken:
        old = LedgerEntry("Old", "delivered", "a-9", NOW, None, sinks=(last,))
        record(tmp_path / "ledger.json", ChannelKey(URL, "acme", "c-9"), old)
    with pytest.raises(ApplyError) as raised:
        deliver(found, tmp_path)
    assert raised.value.message == f"the sink `{last.label}` isn't ready to accept the secret: {reason}"
    assert raised.value.hint == "The secret is still waiting. Try again, or use --to FILE."
    assert waiting(tmp_path / "recovery") == [found]
    assert not list(tmp_path.glob("*.secret"))
    assert entry_of(tmp_path, URL) is None


def test_a_delivery_that_fails_is_told_even_if_no_copy_can_be_kept(tmp_path: Path) -> None:
    command = ("sh", "-c", "cat >/dev/null; rm -rf recovery; touch recovery; exit 1")
    found = recovered(tmp_path, sinks=(Sink("command", argv=command, folder=str(tmp_path)),))
    keep(tmp_path / "recovery", found)
    with pytest.raises(ApplyError, match="exited with code 1"):
        deliver(found, tmp_path)


def test_a_copy_that_cannot_be_removed_is_told_with_its_place(tmp_path: Path) -> None:
    path = keep(tmp_path / "recovery", recovered(tmp_path))
    path.unlink()
    path.mkdir()
    with pytest.raises(ApplyError) as raised:
        drop(tmp_path / "recovery", KEY)
    assert raised.value.message == "can't remove the copy of a secret that's no longer needed: Is a directory"
    assert raised.value.hint == f"Remove {path}."
    drop(tmp_path / "nowhere", KEY)


def test_what_waits_is_known_even_beside_a_damaged_file(tmp_path: Path) -> None:
    keep(tmp_path / "recovery", recovered(tmp_path))
    (tmp_path / "recovery" / "0.json").write_text("{}", encoding="utf-8")
    assert held(tmp_path / "recovery") == [Secret("s3cret")]
    assert held(tmp_path / "nowhere") == []
