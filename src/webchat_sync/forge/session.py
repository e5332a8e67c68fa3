"""HTTP with a host of code: one client, from a call to an answer in JSON; foreign errors end here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Any, Final, TypeVar

import httpx

from webchat_sync.api.exchange import Call
from webchat_sync.api.failures import no_answer, refusal
from webchat_sync.api.http import TIMEOUT, open_client
from webchat_sync.api.retry import LONGEST_WAIT, repeat
from webchat_sync.api.settings import HEADER_TEXT, base_url_problems
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiAnswerError, ApiError, ApiStatusError, InputError, Problem
from webchat_sync.model import Secret

_REFUSED: Final = {401, 403, 404, 410}
"""What a host answers to a token that may not do something: 404 where it shall not even learn what there is, 410 where
issues are switched off."""

_LIMITED: Final = {403, 429}
"""What a host answers to too many calls; GitHub says 403 for some of its limits."""

AGAIN: Final = "It may have taken effect all the same. Run this again: what was made is found by its marker."

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is and with which token.

    ``variable`` and ``token_variable`` are where either came from; ``headers`` makes those that carry the token;
    ``permission`` says what to do when the token is refused. ``others`` are further addresses by their variables.
    """

    api_url: str
    variable: str
    token: Secret
    token_variable: str
    headers: Callable[[str], Mapping[str, str]]
    permission: str
    others: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raise InputError with everything that keeps a request from being made."""
        problems = [
            Problem(f"{variable}: {each.message}", hint="The host of the pipeline sets it; check who else does.")
            for variable, url in {self.variable: self.api_url, **self.others}.items()
            for each in base_url_problems(url)
        ]
        if not self.token:
            problems.append(Problem(f"the variable {self.token_variable} is not set", hint=self.permission))
        elif not HEADER_TEXT.fullmatch(self.token.reveal()):
            hint = f"Check {self.token_variable}: a space, a line break or a letter with an accent is in it."
            problems.append(Problem(f"{self.token_variable} holds a character that no token has", hint=hint))
        if problems:
            raise InputError(problems)


class Session:
    """Sends calls one after the other, as both hosts ask for. Use it with ``async with``.

    What fails in passing is repeated where that is harmless; rate limits are waited for, up to a minute at a time.
    No redirect is followed: the token would go there too. Raises InputError for what is wrong with ``access``.
    """

    def __init__(self, access: Access, environment: Environment) -> None:
        access.check()
        self._access = access
        self._environment = environment
        self._repeat = partial(repeat, environment=environment)
        self._client = open_client(environment.transport, TIMEOUT, tls=True)

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(self, call: Call, read: Callable[[Any], T], *, url: str = "") -> T:
        """What ``read`` makes of the answer in JSON, which is None where none comes.

        ``url`` is where to send when it is not the call's path. Raises the errors of :class:`ApiError`.
        """
        return (await self._answer(call, read, url))[1]

    async def delete(self, path: str) -> None:
        """Delete what is there; what is gone already is well."""
        try:
            await self.send(Call("DELETE", path), str)
        except ApiStatusError as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise

    async def pages(
        self, path: str, query: str, read: Callable[[Any], T | None], following: Callable[[httpx.Response], str]
    ) -> list[T]:
        """What ``read`` makes of each entry of a listing, but None, over all its pages.

        ``following`` finds the next page's query in an answer, and nothing in the last one.
        """
        found: list[T] = []
        while query:
            call = Call("GET", f"{path}?{query}")
            response, page = await self._answer(call, lambda entries: [read(each) for each in entries])
            found += [each for each in page if each is not None]
            query = following(response)
        return found

    async def _answer(self, call: Call, read: Callable[[Any], T], url: str = "") -> tuple[httpx.Response, T]:
        guarded = replace(call, secrets=(self._access.token,))

        async def attempt(_: int) -> tuple[httpx.Response, T]:
            response = await self._exchange(guarded, url or self._access.api_url + call.path)
            try:
                return response, read(json.loads(response.content or b"null"))
            except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
                raise self._untrusted(guarded, response) from None

        try:
            return await self._repeat(attempt, repeatable=call.repeatable)
        except ApiError as error:
            if error.in_doubt:
                error.hint = AGAIN
            raise

    async def _exchange(self, call: Call, url: str) -> httpx.Response:
        access = self._access
        try:
            response = await self._client.request(
                call.method,
                url,
                headers=access.headers(access.token.reveal()),
                json=call.body,
            )
        except Exception as error:
            failed = no_answer(call, error, host=httpx.URL(url).netloc.decode("ascii"))
            failed.hint = f"Check {access.variable}, the network and the proxy settings."
            raise failed from error
        if response.is_success:
            return response
        raise self._refusal(call, response)

    def _refusal(self, call: Call, response: httpx.Response) -> ApiError:
        error = refusal(call, response, response.content, now=self._environment.now())
        error.hint = self._access.permission if response.status_code in _REFUSED else ""
        if response.status_code in _LIMITED and (wait := self._asked_wait(error, response)) is not None:
            error.transient, error.retry_after = True, wait
            error.hint = f"The rate limit is used up: run this again in {max(1, round(wait / 60))} min."
        return error

    def _asked_wait(self, error: ApiError, response: httpx.Response) -> float | None:
        """Seconds until calls are taken again, None when it is no limit that refused this one.

        As GitHub's guide to its rate limits has it: what the headers say, and else a minute.
        """
        if error.retry_after is not None:
            return error.retry_after
        reset = response.headers.get("x-ratelimit-reset", "")
        if response.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
            return max(0.0, float(reset) - self._environment.now().timestamp())
        limited = response.status_code == httpx.codes.TOO_MANY_REQUESTS or "secondary rate limit" in response.text
        return LONGEST_WAIT if limited else None

    def _untrusted(self, call: Call, response: httpx.Response) -> ApiError:
        return call.error(
            ApiAnswerError,
            f"HTTP {response.status_code}, but the answer is not of the API's shape",
            response=response,
            processed=True,
            hint=f"Check that {self._access.variable} is the API's own and no proxy answers for it.",
            transient=True,
        )


def text_of(entry: Mapping[str, Any], name: str) -> str:
    """A text of an answer; empty when it is null or missing."""
    value = entry.get(name)
    return value if isinstance(value, str) else ""
