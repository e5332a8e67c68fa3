"""HTTP with a host of code: one client, from a call to an answer in JSON; foreign errors end here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Any, Final, TypeVar

import httpx

from webchat_sync.api.exchange import Call
from webchat_sync.api.failures import no_answer, refusal
from webchat_sync.api.http import TIMEOUT, open_client
from webchat_sync.api.retry import LONGEST_ASKED, LONGEST_WAIT, repeat
from webchat_sync.api.settings import HEADER_TEXT, base_url_problems
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiAnswerError, ApiError, ApiStatusError, Diagnostic, InputError
from webchat_sync.model import Secret
from webchat_sync.strict_json import load_json

_REFUSED: Final = {401, 403, 404, 410}
"""What a host answers to a token that may not do something: 404 where it shall not even learn what there is, 410 where
issues are switched off."""

_LIMITED: Final = {403, 429}
"""What a host answers to too many calls; GitHub says 403 for some of its limits."""

_FORBIDDEN: Final = {"FORBIDDEN", "INSUFFICIENT_SCOPES", "NOT_FOUND", "UNAUTHORIZED"}
"""The types of GraphQL's errors that another try does not help against."""

_LIMITED_QUERY: Final = "RATE_LIMITED"

_LOCKED: Final = re.compile(r"\blocked\b", re.IGNORECASE)

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

    @property
    def tls(self) -> bool:
        """Whether a certificate may have to be verified."""
        return any(url.lower().startswith("https:") for url in (self.api_url, *self.others.values()))

    def check(self) -> None:
        """Raise InputError with everything that keeps a request from being made."""
        problems = [
            Diagnostic(f"{variable}: {problem.message}", hint="The host of the pipeline sets it; check who else does.")
            for variable, url in {self.variable: self.api_url, **self.others}.items()
            for problem in base_url_problems(url)
        ]
        if not self.token:
            problems.append(Diagnostic(f"the variable {self.token_variable} is not set", hint=self.permission))
        elif not HEADER_TEXT.fullmatch(self.token.reveal()):
            hint = f"Check {self.token_variable}: a space, a line break or a letter with an accent is in it."
            problems.append(Diagnostic(f"{self.token_variable} holds a character that no token has", hint=hint))
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
        self._client = open_client(environment.transport, TIMEOUT, tls=access.tls)

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
            if not is_gone(error):
                raise

    async def redirect(self, call: Call) -> str:
        """Where the answer sends the caller, who goes there without the token."""

        async def attempt(_: int) -> str:
            response = await self._request(call, self._access.api_url + call.path)
            if response.has_redirect_location and response.next_request is not None:
                return str(response.next_request.url)
            raise self._untrusted(call, response) if response.is_success else self._refusal(call, response)

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
        """What ``read`` makes of every entry of a listing, but None, over all its pages.

        ``following`` finds the next page's query in an answer, and nothing in the last one; ``entries`` takes the
        entries out of an answer. With ``most``, no page is asked for after so many entries.
        """
        items: list[T] = []
        while query:
            call = Call("GET", f"{path}?{query}")
            response, page = await self._answer(call, lambda answer: [read(entry) for entry in entries(answer)])
            items += [item for item in page if item is not None]
            query = "" if most is not None and len(items) >= most else following(response)
        return items

    async def _answer(self, call: Call, read: Callable[[Any], T], url: str = "") -> tuple[httpx.Response, T]:
        guarded = replace(call, secrets=(self._access.token,))

        async def attempt(_: int) -> tuple[httpx.Response, T]:
            response = await self._exchange(guarded, url or self._access.api_url + call.path)
            try:
                document = load_json(response.content or b"null")
                if isinstance(document, dict) and document.get("errors"):
                    raise self._failed_query(guarded, response, document["errors"])
                return response, read(document)
            except (AttributeError, KeyError, TypeError, ValueError):
                raise self._untrusted(guarded, response) from None

        try:
            return await self._repeat(attempt, repeatable=call.repeatable)
        except ApiError as error:
            if error.in_doubt:
                error.hint = AGAIN
            raise

    async def _exchange(self, call: Call, url: str) -> httpx.Response:
        response = await self._request(call, url)
        if response.is_success:
            return response
        raise self._refusal(call, response)

    async def _request(self, call: Call, url: str) -> httpx.Response:
        access, upload = self._access, call.upload
        try:
            return await self._client.request(
                call.method,
                url,
                headers=access.headers(access.token.reveal()),
                json=call.body,
                files={"file": (upload.file_name, upload.content, upload.mime_type)} if upload else None,
            )
        except Exception as error:
            failed = no_answer(call, error, host=httpx.URL(url).netloc.decode("ascii"))
            failed.hint = f"Check {access.variable}, the network and the proxy settings."
            raise failed from error

    def _refusal(self, call: Call, response: httpx.Response) -> ApiError:
        error = refusal(call, response, response.content, now=self._environment.now())
        error.hint = self._hint(error)
        if response.status_code in _LIMITED and (wait := self._asked_wait(error, response)) is not None:
            error.transient, error.retry_after = True, wait
            error.hint = _limit_hint(wait)
        return error

    def _hint(self, error: ApiError) -> str:
        """What to do about a refusal, told by its status and its words."""
        if _LOCKED.search(" ".join(error.messages)):
            return "The conversation is locked: unlock it on its page, or let a token of a collaborator's write."
        if error.status == httpx.codes.GONE:
            return "Switch issues on in the repository's settings, or do without the issue."
        return self._access.permission if error.status in _REFUSED else ""

    def _failed_query(self, call: Call, response: httpx.Response, errors: list[Mapping[str, Any]]) -> ApiError:
        """GraphQL answers 200 to what it refuses, and says why in ``errors``: its rate limit comes so, too."""
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
            wait = self._asked_wait(error, response)
            error.retry_after = LONGEST_WAIT if wait is None else wait
            error.hint = _limit_hint(error.retry_after)
        return error

    def _asked_wait(self, error: ApiError, response: httpx.Response) -> float | None:
        """Seconds until calls are taken again, None when it is no limit that refused this one.

        As GitHub's guide to its rate limits has it: what the headers say, and else a minute.
        """
        if error.retry_after is not None:
            return error.retry_after
        reset = response.headers.get("x-ratelimit-reset", "")
        if response.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
            return min(max(0.0, float(reset) - self._environment.now().timestamp()), LONGEST_ASKED)
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


def is_gone(error: ApiError) -> bool:
    """Whether what the call is about is not there any more."""
    return error.status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}


def is_locked(error: ApiError) -> bool:
    """Whether nobody may comment because the conversation is locked."""
    return error.status == httpx.codes.FORBIDDEN and bool(_LOCKED.search(" ".join(error.messages)))


def _limit_hint(seconds: float) -> str:
    return f"The rate limit is used up: run this again in {max(1, round(seconds / 60))} min."


def text_of(entry: Mapping[str, Any], name: str) -> str:
    """A text of an answer; empty when it is null or missing."""
    value = entry.get(name)
    return value if isinstance(value, str) else ""
