"""How a new secret is verified, over real HTTP: which sessions are opened, and what each failure means."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from applying import client
from commands import Emulated, emulated
from fake_time import FakeTime
from test_secrets_rotate import CHANNEL, session
from webchat_sync.api.retry import ATTEMPTS
from webchat_sync.emulator import Fault, Faults, Quirks, effects
from webchat_sync.environment import Environment
from webchat_sync.model import LiveChannel, Secret
from webchat_sync.secrets.prove import OFF, PROVEN, Proof, prove

SESSIONS = "*/sessions"
SITE = {**CHANNEL, "enabled": True, "allowedDomains": ["shop.example", "other.example"], "identityRequired": True}


def proof(
    api: Emulated, time: FakeTime | None = None, *, secret: str = "", channel: str = "c-1", latest: Any = None
) -> tuple[Proof, list[str]]:
    """The proof of the channel's new secret, or of another one, and the calls for it."""
    time, numbers = time or FakeTime(), itertools.count()
    environment = Environment(sleep=time.sleep, new_id=lambda: f"visitor-{next(numbers)}")

    async def run() -> Proof:
        async with client(api.url, "acme", time) as mosend:
            made = await mosend.rotate_identity_secret("c-1")
            api.taken_calls()
            return await prove(mosend, channel, Secret(secret) if secret else made.secret, environment, latest)

    result = anyio.run(run)
    return result, api.taken_calls()


def test_a_secret_is_proven_on_the_first_site_of_the_channel() -> None:
    others = {"name": "Other", "id": "c-0", "token": "other"}
    with emulated(SITE, others, quirks=Quirks(check_origin=True)) as api:
        assert proof(api) == (PROVEN, ["GET", "POST", "POST"])


def test_a_secret_that_is_not_the_one_of_the_channel_is_refused() -> None:
    with emulated(SITE) as api:
        refused = Proof("refused", "the server refuses a visitor signed with the new secret")
        assert proof(api, secret="another") == (refused, ["GET", "POST"])


@pytest.mark.parametrize(
    ("changed", "calls"),
    [
        ({}, []),
        ({"title": "x"}, []),
        ({"token": None}, ["GET"]),
        ({"enabled": None}, ["GET"]),
        ({"allowedDomains": None}, ["GET"]),
    ],
)
def test_the_last_answer_is_used_if_it_has_all_that_is_needed(changed: dict[str, Any], calls: list[str]) -> None:
    needed = {name: SITE[name] for name in ("token", "enabled", "allowedDomains")}
    fields = {name: value for name, value in {**needed, **changed}.items() if value is not None}
    with emulated(SITE) as api:
        assert proof(api, latest=LiveChannel("c-1", "Support", fields)) == (PROVEN, [*calls, "POST", "POST"])


def test_a_channel_that_is_off_is_not_tried() -> None:
    with emulated({**SITE, "enabled": False}) as api:
        assert proof(api) == (OFF, ["GET"])


@pytest.mark.parametrize(("token", "channel"), [(None, "c-1"), ("tok", "c-9")])
def test_a_channel_without_a_token_is_not_tried(token: str | None, channel: str) -> None:
    with emulated({**SITE, "token": token}) as api:
        reason = "it couldn't be verified: the server doesn't list a token for the channel"
        assert proof(api, channel=channel) == (Proof("unproven", reason), ["GET"])


@pytest.mark.parametrize("effect", [effects.status(503), effects.drop()])
@pytest.mark.parametrize(
    ("failures", "outcome", "waits", "sessions"),
    [
        ([1], "proven", [1.0], 3),
        ([1, 2], "proven", [1.0, 2.0], 4),
        ([2], "proven", [1.0], 3),
        ([1, 2, 3], "unproven", [1.0, 2.0], 3),
    ],
)
def test_a_session_that_fails_for_a_while_is_opened_again(
    effect: effects.Effect, failures: Sequence[int], outcome: str, waits: list[float], sessions: int
) -> None:
    time = FakeTime()
    faults = Faults([Fault(effect, "POST", SESSIONS, nth=frozenset(failures))])
    with emulated(SITE, faults=faults, quirks=Quirks(check_origin=True)) as api:
        result, calls = proof(api, time)
        assert (result.outcome, time.waits, calls.count("POST")) == (outcome, waits, sessions)
        assert result.reason.startswith("it couldn't be verified: POST ") == (outcome == "unproven")


@pytest.mark.parametrize(("failures", "outcome"), [(0, "proven"), (ATTEMPTS, "proven"), (3 * ATTEMPTS, "unproven")])
def test_a_session_that_is_refused_for_now_is_opened_again_though_no_answer_was_lost(
    failures: int, outcome: str
) -> None:
    faults = Faults([Fault(effects.status(429), "POST", SESSIONS, nth=frozenset(range(1, failures + 1)))])
    with emulated(SITE, faults=faults) as api:
        result, calls = proof(api)
        assert (result.outcome, calls.count("POST")) == (outcome, failures + (2 if outcome == "proven" else 0))


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_session_that_is_refused_for_another_reason_is_not_opened_again(status: int) -> None:
    time = FakeTime()
    with emulated(SITE, faults=Faults([Fault(effects.status(status), "POST", SESSIONS)])) as api:
        result, calls = proof(api, time)
        assert (result.outcome, time.waits, calls) == ("unproven", [], ["GET", "POST"])


@pytest.mark.parametrize(
    ("right", "wrong", "outcome"),
    [
        (True, False, "proven"),
        (True, None, "proven"),
        (True, True, "open"),
        (None, False, "proven"),
        (None, None, "open"),
        (None, True, "open"),
        (False, False, "refused"),
        (False, True, "refused"),
    ],
)
def test_both_sessions_decide(right: bool | None, wrong: bool | None, outcome: str) -> None:
    def said(verified: bool | None) -> effects.Effect:
        return session() if verified is None else session(identityVerified=verified)

    faults = Faults([Fault(said(right), "POST", SESSIONS, nth=1), Fault(said(wrong), "POST", SESSIONS, nth=2)])
    with emulated(SITE, faults=faults) as api:
        result, _ = proof(api)
        assert result.outcome == outcome
        assert (result.reason == "the server accepts a visitor with an invalid signature") == (outcome == "open")
