"""The calls of the API, for one organisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Final
from urllib.parse import quote

import httpx

from webchat_sync.api import answers
from webchat_sync.api.exchange import MESSAGE_IN_DOUBT, NAMED_BY, SHARED_KEY, UPLOAD_IN_DOUBT, Answer, Call
from webchat_sync.api.http import TIMEOUT, Network, Wire
from webchat_sync.api.pages import INCOMPLETE_HINT
from webchat_sync.api.settings import (
    base_url_problems,
    key_problems,
    organization_problems,
    plain_http_problems,
    segment,
)
from webchat_sync.api.transfer import DEADLINE
from webchat_sync.api.types import HostIdentity, IdentitySecret, Media, Message, Upload
from webchat_sync.domain.hosts import first_origin
from webchat_sync.environment import NEVER, REAL, Ending, Environment
from webchat_sync.errors import ApiStatusError, Diagnostic, InputError
from webchat_sync.jsonvalue import is_unicode
from webchat_sync.model import Json, LiveChannel, Secret, WriteResult

LISTINGS: Final = 4
"""The limit of readings of a paged list, until two consecutive ones agree."""


class Mosend:
    """The API of one organisation. Use it with ``async with``, since it keeps connections open.

    Any call may raise ApiConnectionError (no response), ApiStatusError (a status other than 2xx; redirects aren't
    followed) and ApiAnswerError (a response that's empty, truncated, not JSON or not in the API's format), and one that
    writes NotSentError; ``in_doubt`` tells whether the request may still have taken effect. An id that can't be in a
    path, or a body that can't be written as JSON, is an InputError before anything is sent. Transient failures are
    retried if that's harmless: a POST only if it's sure to have had no effect. All calls slow down together before the
    server's rate limit is exhausted.

    ``key`` is sent in ``X-Api-Key`` if it starts with ``mk_live_`` or ``mk_test_``, otherwise as a Bearer token; hints
    name its ``key_source``, and ``organization_source``, where the organisation's id is set. A ``network`` is shared
    with other organisations, and stays open; without one, a transport of the ``environment`` is closed at the end.
    ``on_wait`` is called with the seconds for which the rate limit holds calls back, ``on_exchange`` with every attempt
    of a call, as JSON without secrets. A response that takes more than ``deadline`` seconds, or is larger than 64 MiB
    after decompression, fails without a retry. ``permitted`` is called before every attempt of a call that writes; if
    it's false, the call raises LockLostError instead. Once the ``ending`` is requested, such calls aren't repeated.
    Raises InputError with everything that's wrong with the organisation's id, the base URL and the key.
    """

    def __init__(
        self,
        *,
        organization: str,
        base_url: str,
        key: Secret,
        key_source: str = SHARED_KEY,
        organization_source: str = NAMED_BY,
        network: Network | None = None,
        environment: Environment = REAL,
        on_wait: Callable[[float], object] = lambda _: None,
        on_exchange: Callable[[Mapping[str, Json]], object] | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        deadline: float = DEADLINE,
        permitted: Callable[[], bool] = lambda: True,
        ending: Ending = NEVER,
    ) -> None:
        name = "the organisation's id"
        problems = [*organization_problems(organization), *base_url_problems(base_url), *key_problems(key)]
        problems += plain_http_problems(base_url)
        if problems:
            raise InputError(problems)
        self._organization_id = organization
        self._organization = f"/organizations/{segment(name, organization)}"
        self._own_network: Network | None = None
        if network is None:
            network = self._own_network = Network(base_url, environment, keys=[key], timeout=timeout, on_wait=on_wait)
        self._wire = Wire(
            network,
            base_url=base_url,
            key=key,
            key_source=key_source,
            organization_source=organization_source,
            environment=environment,
            on_exchange=on_exchange,
            deadline=deadline,
            permitted=permitted,
            ending=ending,
        )

    async def __aenter__(self) -> Mosend:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own_network is not None:
            await self._own_network.close()

    async def list_channels(
        self, enough: Callable[[tuple[LiveChannel, ...]], bool] = lambda _: False
    ) -> tuple[LiveChannel, ...]:
        """``GET /web-chat/channels``: every channel of the organisation, in the server's order.

        All pages are read. Since a paged list may move meanwhile, it's read again until two consecutive readings have
        the same ids, or until ``enough`` accepts one. Raises ApiAnswerError if anything indicates that the list is
        incomplete.
        """
        listing = await self._read_pages()
        for _ in range(LISTINGS - 1):
            if not listing.paged or enough(listing.channels):
                return listing.channels
            before, listing = listing, await self._read_pages()
            if listing.ids == before.ids and not listing.repeated:
                return listing.channels
        if listing.paged:
            raise listing.last.untrusted(
                f"the list kept changing while its pages were read {LISTINGS} times",
                hint="Run this again when no one is creating or deleting channels.",
            )
        return listing.channels

    async def _read_pages(self) -> answers.Listing:
        pages: list[answers.ChannelPage] = []
        cursors: set[str] = set()
        path, items, size = self._channels(), 0, 0
        while True:
            read = partial(
                answers.channel_page,
                organization=self._organization_id,
                items_before=items,
                pages_before=len(pages),
                bytes_before=size,
            )
            page = await self._wire.send(Call("GET", path), read)
            pages.append(page)
            items, size = items + len(page.channels), size + page.answer.size
            if page.next_cursor is None:
                return answers.whole(pages)
            if page.next_cursor in cursors:
                raise page.answer.untrusted(
                    "the list is incomplete: a cursor leads back to a page that was already read", hint=INCOMPLETE_HINT
                )
            if not is_unicode(page.next_cursor):
                raise page.answer.untrusted(
                    "the list is incomplete: its cursor isn't valid Unicode", hint=INCOMPLETE_HINT
                )
            cursors.add(page.next_cursor)
            path = f"{self._channels()}?cursor={quote(page.next_cursor, safe='')}"

    async def create_channel(self, body: Mapping[str, Json], *, idempotency_key: str) -> WriteResult:
        """``POST /web-chat/channels``: the result has the new channel.

        ``idempotency_key`` identifies this create for servers that support that; it isn't documented whether this one
        does, so a create in doubt must be looked for before it's sent again.
        """
        call = Call("POST", self._channels(), body=body, idempotency_key=idempotency_key)
        return await self._wire.send(call, answers.stored)

    async def update_channel(self, channel_id: str, body: Mapping[str, Json]) -> WriteResult:
        """``PATCH /web-chat/channels/{id}``: the result has the changed channel.

        Fields that aren't in ``body`` stay; those that are get replaced completely. Also raises ApiAnswerError if the
        response has a different channel.
        """
        call = Call("PATCH", self._channels(channel_id), body=body)
        return await self._wire.send(call, partial(answers.stored, channel_id=channel_id))

    async def delete_channel(self, channel_id: str) -> WriteResult:
        """``DELETE /web-chat/channels/{id}``.

        Raises ApiStatusError with status 404 if it's already gone, even if an earlier attempt of this call deleted it.
        """
        call = Call("DELETE", self._channels(channel_id), may_be_empty=True)
        return await self._wire.send(call, Answer.write_result)

    async def get_snippet(self, channel_id: str) -> str:
        """``GET /web-chat/channels/{id}/snippet``: the HTML to paste into the site's pages."""
        return await self._wire.send(Call("GET", self._channels(channel_id, "/snippet")), answers.snippet)

    async def rotate_identity_secret(self, channel_id: str) -> IdentitySecret:
        """``POST /web-chat/channels/{id}/identity-secret``: the new identity secret, only shown once.

        The old one stops working immediately. If the call is in doubt, the new one is lost: rotate again.
        """
        call = Call("POST", self._channels(channel_id, "/identity-secret"), confidential=True)
        new_secret = await self._wire.send(call, answers.identity_secret)
        self._wire.remember(new_secret.secret)
        return new_secret

    async def revoke_identity_secret(self, channel_id: str) -> WriteResult:
        """``DELETE /web-chat/channels/{id}/identity-secret``: the secret stops working, without a new one."""
        call = Call("DELETE", self._channels(channel_id, "/identity-secret"), may_be_empty=True, confidential=True)
        return await self._wire.send(call, Answer.write_result)

    async def send_message(
        self, conversation_id: str, message: Message, *, idempotency_key: str | None = None
    ) -> dict[str, Json]:
        """``POST /conversations/{id}/web-chat/send``: the message as the server stored it.

        ``idempotency_key`` identifies this message; the vendor documents that the server supports that here.
        """
        call = Call(
            "POST",
            self._conversation(conversation_id, "/send"),
            body=message.as_json(),
            idempotency_key=idempotency_key,
            doubt_hint=MESSAGE_IN_DOUBT,
        )
        return await self._wire.send(call, answers.record)

    async def upload_media(self, conversation_id: str, upload: Upload) -> Media:
        """``POST /conversations/{id}/web-chat/media``: the stored file; a message can contain its ``asset_id``."""
        path = self._conversation(conversation_id, "/media")
        call = Call("POST", path, upload=upload, doubt_hint=UPLOAD_IN_DOUBT)
        return await self._wire.send(call, answers.media)

    async def set_avatar(self, channel_id: str, upload: Upload) -> dict[str, Json]:
        """``POST /web-chat/channels/{id}/avatar``: the server's record of the stored image.

        Raises InputError before sending unless ``upload`` is a PNG, JPG or WebP of at most 8 MB.
        """
        call = Call("POST", self._channels(channel_id, "/avatar"), upload=upload.as_avatar())
        return await self._wire.send(call, answers.record)

    async def remove_avatar(self, channel_id: str) -> None:
        """``DELETE /web-chat/channels/{id}/avatar``: the widget uses its own image again."""
        await self._wire.send(
            Call("DELETE", self._channels(channel_id, "/avatar"), may_be_empty=True), Answer.write_result
        )

    async def open_session(
        self, token: str, *, visitor_id: str, identity: HostIdentity | None, origin: str = ""
    ) -> dict[str, Json]:
        """``POST /web-chat/{token}/sessions``: the session that the widget would open for a visitor.

        A public call, without the API key. ``identity`` is the visitor's, vouched for by the site; None is anonymous.
        ``origin`` is the site of the page, such as ``https://www.example.com``. Raises InputError without a visitor id.
        """
        if not visitor_id:
            raise InputError([Diagnostic("a session needs a visitor id")])
        call = Call(
            "POST",
            f"/web-chat/{segment('a token', token)}/sessions",
            body={"visitorId": visitor_id, **(identity.as_json() if identity else {"mode": "anonymous"})},
            public=True,
            origin=origin,
            secrets=(identity.secret,) if identity else (),
        )
        return await self._wire.send(call, answers.record)

    async def verifies_signature(self, token: str, secret: Secret, *, visitor_id: str, domains: Json) -> bool | None:
        """Whether the server verifies a visitor signed with ``secret``, by opening a session.

        The request's origin is the first of ``domains``, the channel's ``allowedDomains`` as listed. False: the server
        rejects the signature, by a 401 or an unverified session. None: the session's response doesn't say. Any other
        failure is raised, and says nothing about the signature.
        """
        identity, origin = HostIdentity(visitor_id, None, secret), first_origin(domains)
        try:
            session = await self.open_session(token, visitor_id=visitor_id, identity=identity, origin=origin)
        except ApiStatusError as error:
            if error.status != httpx.codes.UNAUTHORIZED:
                raise
            return False
        verified = session.get("identityVerified")
        return verified if isinstance(verified, bool) else None

    def _channels(self, channel_id: str | None = None, rest: str = "") -> str:
        one = "" if channel_id is None else f"/{segment('a channel id', channel_id)}"
        return f"{self._organization}/web-chat/channels{one}{rest}"

    def _conversation(self, conversation_id: str, rest: str) -> str:
        return f"{self._organization}/conversations/{segment('a conversation id', conversation_id)}/web-chat{rest}"
