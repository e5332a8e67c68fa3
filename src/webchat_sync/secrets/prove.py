"""Verifies a new identity secret: one session with a valid signature, and one with an invalid one."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from webchat_sync.environment import Environment
from webchat_sync.errors import ApiError, InputError
from webchat_sync.frozen import frozen
from webchat_sync.model import LiveChannel, Secret
from webchat_sync.secrets.deliver import PAUSE, TRIES
from webchat_sync.secrets.ports import SecretApi

Outcome: TypeAlias = Literal["proven", "off", "unproven", "refused", "open"]


@frozen
class Proof:
    """The result; ``reason`` says why it isn't ``proven``.

    ``refused``: the server rejects the valid signature. ``open``: it accepts any signature. ``off``: the channel opens
    no sessions. ``unproven``: the responses say nothing about signatures, so the secret may well be right.
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
    latest: LiveChannel | None = None,
) -> Proof:
    """Open a session signed with ``secret``, as a page of the channel's first site would, and one signed wrongly.

    The channel is looked up in the list, unless ``latest``, the server's last response, has all the fields needed.
    Temporary failures are retried.
    """
    try:
        if latest is not None and latest.fields.keys() >= _NEEDED:
            channel: LiveChannel | None = latest
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
            # Another session does no harm, so temporary failures are retried.
            if not (error.transient or error.in_doubt):
                raise
            await environment.sleep(PAUSE * 2.0 ** (attempt - 1))
    return await api.verifies_signature(token, secret, visitor_id=environment.new_id(), domains=domains)
