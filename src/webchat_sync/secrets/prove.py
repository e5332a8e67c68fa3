"""Proves a new identity secret: one session signed with it, and one with a wrong signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from webchat_sync.environment import Environment
from webchat_sync.errors import ApiError, InputError
from webchat_sync.model import LiveChannel, Secret
from webchat_sync.secrets.deliver import PAUSE, TRIES
from webchat_sync.secrets.ports import SecretApi

Outcome: TypeAlias = Literal["proven", "off", "unproven", "refused", "open"]


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of it; ``reason`` says why it is not ``proven``.

    ``refused``: the server says that the signature is wrong. ``open``: it takes any signature for right. ``off``: the
    channel opens no sessions. ``unproven``: nothing was said about signatures, so nothing speaks against the secret.
    """

    outcome: Outcome
    reason: str = ""


_NEEDED: Final = {"token", "enabled", "allowedDomains"}

PROVEN: Final = Proof("proven")
OFF: Final = Proof("off", "the channel is switched off")


async def prove(
    api: SecretApi,
    channel_id: str,
    secret: Secret,
    environment: Environment,
    answered: LiveChannel | None = None,
) -> Proof:
    """Open a session signed with ``secret``, as a page of the channel's first site would, and try a wrong signature.

    The channel is looked for in the list, unless the server has just ``answered`` all that is needed of it. Calls that
    fail in passing are repeated.
    """
    try:
        if answered is not None and answered.fields.keys() >= _NEEDED:
            channel: LiveChannel | None = answered
        else:
            channel = next((channel for channel in await api.list_channels() if channel.id == channel_id), None)
        token = channel.fields.get("token") if channel else None
        if channel is not None and channel.fields.get("enabled") is False:
            return OFF
        if channel is None or not isinstance(token, str):
            return _unproven("the server doesn't list a token for the channel")
        right = await _patiently(api, token, secret, channel, environment)
        if right is False:
            return Proof("refused", "the server refuses a visitor signed with the new secret")
        wrong = await _patiently(api, token, Secret(environment.new_id()), channel, environment)
    except (ApiError, InputError) as error:
        return _unproven(error.message)
    if wrong is False or (right and wrong is None):
        return PROVEN
    return Proof("open", "the server accepts a visitor with an invalid signature")


def _unproven(reason: str) -> Proof:
    return Proof("unproven", f"it couldn't be verified: {reason}")


async def _patiently(
    api: SecretApi,
    token: str,
    secret: Secret,
    channel: LiveChannel,
    environment: Environment,
) -> bool | None:
    domains = channel.fields.get("allowedDomains")
    for attempt in range(1, TRIES):
        try:
            return await api.verifies_signature(token, secret, visitor_id=environment.new_id(), domains=domains)
        except ApiError as error:
            # One more session does no harm, so what may pass is tried again.
            if not (error.transient or error.in_doubt):
                raise
            await environment.sleep(PAUSE * 2.0 ** (attempt - 1))
    return await api.verifies_signature(token, secret, visitor_id=environment.new_id(), domains=domains)
