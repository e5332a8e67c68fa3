"""HTTP with a code host: one client, from a call to a JSON response; foreign errors end here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

import httpx

from webchat_sync.api.exchange import Call
from webchat_sync.api.failures import CERTIFICATE_HINT, is_distrust, refusal, server_hint
from webchat_sync.api.http import TIMEOUT, open_client
from webchat_sync.api.pages import MOST_PAGES
from webchat_sync.api.retry import LONGEST_ASKED, LONGEST_WAIT, repeat
from webchat_sync.api.transfer import DEADLINE, MOST_LISTED, Deadline, begin, finish
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiAnswerError, ApiError, ApiStatusError
from webchat_sync.forge.access import Access
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.strict_json import load_json

_REFUSED: Final = {203, 401, 403, 404, 410}
"""The statuses for a token without permission: 203 has a sign-in page, 404 hides what exists, 410 is for disabled
issues."""

_LIMITED: Final = {403, 429}
"""The statuses for too many calls; GitHub uses 403 for some of its limits."""

_FORBIDDEN: Final = {"FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND", "UNAUTHORIZED"}
"""The types of GraphQL errors for which a retry doesn't help."""

_LIMITED_QUERY: Final = "RATE_LIMITED"

_LOCKED: Final = lazy_pattern(r"\blocked\b", re.IGNORECASE)

AGAIN: Final = "The call may have taken effect anyway. Run this again: whatever was created is found by its marker."

T = TypeVar("T")


@frozen
class _Answer(Generic[T]):
    """A 2xx response of ``size`` bytes, and the value read from it."""

    response: httpx.Response
    size: int
    value: T


class Session:
    """Sends calls one after the other, as hosts request. Use it with ``async with``.

    Temporary failures are retried if that's harmless; rate limits are waited for, up to a minute at a time. Redirects
    aren't followed, since the token would be sent there. Each attempt has ``deadline`` seconds, and the size of
    responses and listings is limited. Raises InputError for problems of ``access``.
    """

    def __init__(self, access: Access, environment: Environment, *, deadline: float = DEADLINE) -> None:
        access.check()
        self._access = access
        self._deadline = deadline
        self._environment = environment
        self._repeat = partial(repeat, environment=environment)
        self._client = open_client(environment.transport, TIMEOUT, tls=access.tls)

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, call: Call, read: Callable[[Any], T], *, url: str = "") -> T:
        """The result of ``read`` for the JSON response, which is None if it's empty.

        ``url`` replaces the call's path. Raises the errors of :class:`ApiError`.
        """
        return (await self._answer(call, read, url)).value

    async def delete(self, path: str) -> None:
        """Delete what's at the path; succeeds if it's already gone."""
        try:
            await self.send(Call("DELETE", path), str)
        except ApiStatusError as error:
            if not is_gone(error):
                raise

    async def redirect(self, call: Call) -> str:
        """The target of the redirect, to be used without the token."""

        guarded = replace(call, secrets=(self._access.token,))

        async def attempt(_: int) -> str:
            response, body = await self._exchange(guarded, self._access.api_url + call.path)
            if response.has_redirect_location and response.next_request is not None:
                return str(response.next_request.url)
            raise self._untrusted(guarded, response) if response.is_success else self._refusal(guarded, response, body)

        return await self._repeat(attempt, repeatable=call.repeatable)

    async def pages(
        self,
        path: str,
        query: str,
        read: Callable[[Any], T | None],
        following: Callable[[httpx.Response], str],
        *,
        entries: Callable[[Any], list[Any]] = list,
        most: int | None = None,
    ) -> list[T]:
        """The results of ``read``, except for None, for every entry of a listing, over all its pages.

        ``following`` returns the next page's query, or nothing on the last page; ``entries`` extracts the entries of a
        response. With ``most``, no page is requested after that many entries.
        """
        items: list[T] = []
        requested: set[str] = set()
        size = 0
        while query:
            requested.add(query)
            call = Call("GET", f"{path}?{query}")
            answer = await self._answer(call, lambda document: [read(entry) for entry in entries(document)])
            items += [item for item in answer.value if item is not None]
            size += answer.size
            if most is not None and len(items) >= most:
                break
            query = self._next_page(call, answer.response, following, requested, size)
        return items

    def _next_page(
        self,
        call: Call,
        response: httpx.Response,
        following: Callable[[httpx.Response], str],
        requested: Set[str],
        size: int,
    ) -> str:
        """The next query, empty after the last page; ``requested`` are those so far, ``size`` that of all pages."""
        try:
            query = following(response)
        except (ValueError, httpx.InvalidURL):
            raise self._untrusted(call, response, "the list links to an invalid next page") from None
        if query in requested:
            raise self._untrusted(call, response, "the list links back to a page that was already read")
        if query and len(requested) == MOST_PAGES:
            raise self._untrusted(call, response, f"the list has more than {MOST_PAGES:,} pages")
        if query and size > MOST_LISTED:
            raise self._untrusted(call, response, f"the pages of the list exceed {MOST_LISTED // 2**20} MiB")
        return query

    async def _answer(self, call: Call, read: Callable[[Any], T], url: str = "") -> _Answer[T]:
        guarded = replace(call, secrets=(self._access.token,))

        async def attempt(_: int) -> _Answer[T]:
            response, body = await self._exchange(guarded, url or self._access.api_url + call.path)
            # Azure DevOps returns 203 with a sign-in page.
            if not response.is_success or response.status_code == httpx.codes.NON_AUTHORITATIVE_INFORMATION:
                raise self._refusal(guarded, response, body)
            try:
                document = load_json(body or b"null")
                if isinstance(document, dict) and document.get("errors"):
                    raise self._failed_query(guarded, response, document["errors"])
                return _Answer(response, len(body), read(document))
            except (AttributeError, KeyError, TypeError, ValueError):
                raise self._untrusted(guarded, response) from None

        try:
            return await self._repeat(attempt, repeatable=call.repeatable)
        except ApiError as error:
            if error.in_doubt:
                error.hint = AGAIN
            raise

    async def _exchange(self, call: Call, url: str) -> tuple[httpx.Response, bytes]:
        """The response to one request, whatever its status, and its body."""
        access, upload = self._access, call.upload
        headers = access.headers(access.token.reveal())
        deadline = Deadline(self._deadline)
        try:
            request = self._client.build_request(
                call.method,
                url,
                headers=headers,
                json=call.body,
                files={"file": (upload.file_name, upload.content, upload.mime_type)} if upload else None,
            )
            response = await begin(self._client, call, request, deadline)
            try:
                return response, await finish(call, response, deadline)
            except ApiError:
                if response.is_success:
                    raise
                return response, b""
        except ApiError as error:
            error.hint = f"Check {access.variable}, the network and the proxy settings."
            if is_distrust(error):
                error.hint = CERTIFICATE_HINT.format(address=access.variable)
            raise

    def _refusal(self, call: Call, response: httpx.Response, body: bytes) -> ApiError:
        error = refusal(call, response, body, now=self._environment.now())
        error.hint = self._hint(error)
        if response.status_code in _LIMITED and (wait := self._asked_wait(error, response, body)) is not None:
            error.transient, error.retry_after = True, wait
            error.hint = _limit_hint(wait)
        return error

    def _hint(self, error: ApiError) -> str:
        """What to do about a refusal, judging by its status and its text."""
        if _LOCKED.search(" ".join(error.messages)):
            return "The conversation is locked: unlock it on its page, or use a collaborator's token."
        if error.status == httpx.codes.GONE:
            return "Turn on issues in the repository's settings, or remove this step."
        if error.status is not None and error.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return server_hint(error.request_id)
        return self._access.permission if error.status in _REFUSED else ""

    def _failed_query(self, call: Call, response: httpx.Response, errors: list[Mapping[str, Any]]) -> ApiError:
        """GraphQL returns 200 for failures, including its rate limit, with the reasons in ``errors``."""
        kinds = {str(error.get("type", "")) for error in errors}
        error = call.error(
            ApiStatusError,
            f"HTTP {response.status_code}, but the query failed",
            response=response,
            messages=[text_of(error, "message") for error in errors],
            processed=False,
            hint=self._access.permission if kinds & _FORBIDDEN else "",
            transient=not kinds & _FORBIDDEN,
        )
        if _LIMITED_QUERY in kinds:
            wait = self._asked_wait(error, response, b"")
            error.retry_after = LONGEST_WAIT if wait is None else wait
            error.hint = _limit_hint(error.retry_after)
        return error

    def _asked_wait(self, error: ApiError, response: httpx.Response, body: bytes) -> float | None:
        """Seconds until calls are accepted again; None if the refusal isn't a limit.

        As in GitHub's guide to its rate limits: what the headers say, or else a minute.
        """
        if error.retry_after is not None:
            return error.retry_after
        reset = response.headers.get("x-ratelimit-reset", "")
        if response.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
            return min(max(0.0, float(reset) - self._environment.now().timestamp()), LONGEST_ASKED)
        limited = response.status_code == httpx.codes.TOO_MANY_REQUESTS or b"secondary rate limit" in body
        return LONGEST_WAIT if limited else None

    def _untrusted(
        self, call: Call, response: httpx.Response, reason: str = "the response doesn't have the format of this API"
    ) -> ApiError:
        return call.error(
            ApiAnswerError,
            f"HTTP {response.status_code}, but {reason}",
            response=response,
            processed=True,
            hint=f"Check that {self._access.variable} points to the API, and that no proxy responds instead.",
            transient=True,
        )


def is_gone(error: ApiError) -> bool:
    """Whether the subject of the call no longer exists."""
    return error.status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}


def is_locked(error: ApiError) -> bool:
    """Whether comments are rejected because the conversation is locked."""
    return error.status == httpx.codes.FORBIDDEN and bool(_LOCKED.search(" ".join(error.messages)))


def _limit_hint(seconds: float) -> str:
    return f"You've reached the rate limit. Run this again in {max(1, round(seconds / 60)):,} min."


def text_of(entry: Mapping[str, Any], name: str) -> str:
    """A text in a response; empty if it's null or missing."""
    value = entry.get(name)
    return value if isinstance(value, str) else ""
