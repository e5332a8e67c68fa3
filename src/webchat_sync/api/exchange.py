"""The two halves of an exchange: the call that the client requests, and the response once it's reliable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final, Literal, TypeVar

import httpx

from webchat_sync.api.sanitize import hide, one_line
from webchat_sync.api.types import Upload
from webchat_sync.errors import ApiAnswerError, ApiError
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json, LiveChannel, Secret, WriteResult
from webchat_sync.redact import NO_KEYS, KeyRing
from webchat_sync.strict_json import JsonError, load_json

IN_DOUBT_HINT: Final = "The request may have taken effect: check the live channels before you repeat it."
MESSAGE_IN_DOUBT: Final = "The message may have been sent: check the conversation before you send it again."
UPLOAD_IN_DOUBT: Final = "The file may have been uploaded, but its id was lost: upload it again."
NOT_THE_API_HINT: Final = (
    "Check that the base URL (MOSEND_BASE_URL) points to the API, and that no proxy responds instead."
)
SHARED_KEY: Final = "MOSEND_API_KEY (or --api-key-file)"
"""Where the key is set, unless the organisation has its own."""
NAMED_BY: Final = "--org, MOSEND_ORG_ID"
"""Where the organisation's id is set, unless it's known more exactly."""

_FAULTS: Final = ("errors", "error", "fault", "exception")
_FAILED: Final = lazy_pattern("[45][0-9]{2}|errors?|fail(?:ed|ure)?")

E = TypeVar("E", bound=ApiError)


@frozen
class Call:
    """One call. ``path`` is percent-encoded and below the base URL.

    ``public``: without the API key. ``may_be_empty``: a 204 without a body is also a success. ``confidential``: the
    response may contain a new secret. ``asks``: a POST that changes nothing. ``origin``: the site whose page makes the
    call; empty for none. ``secrets`` and ``keys`` mustn't appear in errors. ``key_source`` and
    ``organization_source`` are where the user sets the key and the organisation's id. ``doubt_hint`` says what to do if
    the call is in doubt.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    body: Mapping[str, Json] | None = None
    upload: Upload | None = None
    idempotency_key: str | None = None
    public: bool = False
    may_be_empty: bool = False
    confidential: bool = False
    asks: bool = False
    origin: str = ""
    secrets: tuple[Secret, ...] = ()
    keys: KeyRing = NO_KEYS
    key_source: str = SHARED_KEY
    organization_source: str = NAMED_BY
    doubt_hint: str = IN_DOUBT_HINT

    def hide(self, text: str, *, tokens: bool = False) -> str:
        """``text`` without the call's secrets and keys; see :func:`webchat_sync.api.sanitize.hide`."""
        return hide(text, (*self.secrets, *self.keys.within(text)), tokens=tokens)

    @property
    def repeatable(self) -> bool:
        """Whether sending the call twice has the same effect as once (RFC 9110, 9.2.2; PATCH replaces fields)."""
        return self.method != "POST" or self.asks

    @property
    def writes(self) -> bool:
        """Whether the call may change anything."""
        return self.method != "GET" and not self.asks

    def error(
        self,
        kind: type[E],
        reason: str,
        *,
        response: httpx.Response | None = None,
        messages: Sequence[str] = (),
        processed: bool,
        hint: str,
        transient: bool = False,
        retry_after: float | None = None,
    ) -> E:
        """The error of this call, without secrets; ``processed``: the server may have acted on the request."""
        in_doubt = processed and self.writes
        return kind(
            self._clean(reason),
            method=self.method,
            path=self.hide(self.path),
            status=response.status_code if response else None,
            messages=[self._clean(message, tokens=self.confidential) for message in messages],
            request_id=self.request_id(response) if response else None,
            in_doubt=in_doubt,
            transient=transient,
            retry_after=retry_after,
            hint=self.doubt_hint if in_doubt else hint,
        )

    def request_id(self, response: httpx.Response) -> str | None:
        """The id by which the server's support can find this call, without secrets."""
        return self._clean(response.headers.get("x-request-id", ""), tokens=self.confidential) or None

    def _clean(self, text: str, *, tokens: bool = False) -> str:
        return one_line(self.hide(text, tokens=tokens))


@frozen
class Answer:
    """A 2xx response of ``size`` bytes, which was received at the last of ``attempts``.

    ``envelope`` is a JSON object with ``data``. A response without the envelope, as in the vendor's OpenAPI document,
    is wrapped in one.
    """

    call: Call
    response: httpx.Response
    envelope: Mapping[str, Json] = field(repr=False)
    attempts: int
    size: int = 0

    @property
    def data(self) -> Json:
        """The content of the envelope."""
        return self.envelope["data"]

    def write_result(self, channel: LiveChannel | None = None) -> WriteResult:
        """The result of a write; ``channel`` is the channel in the response."""
        return WriteResult(self.response.status_code, self.call.request_id(self.response), self.attempts, channel)

    def untrusted(self, reason: str, *, hint: str = NOT_THE_API_HINT) -> ApiAnswerError:
        """The error for unexpected ``data``.

        A read isn't repeated, since the response would be the same; a write is in doubt.
        """
        return _untrusted(self.call, self.response, reason, transient=self.call.writes, hint=hint)


def read_answer(call: Call, response: httpx.Response, body: bytes, *, attempts: int) -> Answer:
    """The content of ``response``, which is a 2xx with the complete ``body``.

    Raises ApiAnswerError if the body is empty, isn't JSON within the limits of :func:`load_json`, is neither an object
    nor a list, or reports a failure.
    """
    if not body:
        if call.may_be_empty and response.status_code == httpx.codes.NO_CONTENT:
            return Answer(call, response, {"data": None}, attempts)
        raise _untrusted(call, response, "the response is empty")
    try:
        document = load_json(body)
    except JsonError as error:
        if error.beyond:
            reason = f"the response can't be read: {error.reason}"
            raise _untrusted(call, response, reason, transient=call.writes) from None
        named = response.headers.get("content-type", "no content type")
        if "json" in named:
            named = f"line {error.line}, column {error.column}: {error.reason}"
        # Without the JSON error as its cause, which has the body and perhaps a secret.
        raise _untrusted(call, response, f"the response isn't JSON ({named})") from None
    if isinstance(document, list):
        return Answer(call, response, {"data": document}, attempts, len(body))
    if not isinstance(document, dict) or not document:
        raise _untrusted(call, response, "the response is neither an object with content nor a list")
    if failure := failure_in(document):
        raise _untrusted(call, response, failure, transient=call.writes)
    return Answer(call, response, document if "data" in document else {"data": document}, attempts, len(body))


def failure_in(document: Mapping[str, Json]) -> str:
    """The failure that a response with a successful status reports; empty if there is none.

    A record without the envelope can have fields with those names, such as a message that couldn't be delivered.
    """
    names = ("statusCode",) if "id" in document else ("statusCode", "status", "code")
    for name in names:
        status = document.get(name)
        if _is_failure(status):
            return f"the response contains `{name}` {status}"
    for name in ("success", "ok"):
        if document.get(name) in (False, "false"):
            return f"the response contains `{name}: false`"
    return next(
        (f"the response contains `{name}`" for name in _FAULTS if document.get(name) and "id" not in document), ""
    )


def _is_failure(status: Json) -> bool:
    return isinstance(status, int | str) and _FAILED.fullmatch(str(status).lower()) is not None


def _untrusted(
    call: Call, response: httpx.Response, reason: str, *, transient: bool = True, hint: str = NOT_THE_API_HINT
) -> ApiAnswerError:
    return call.error(
        ApiAnswerError,
        f"HTTP {response.status_code}, but {reason}",
        response=response,
        processed=True,
        hint=hint,
        transient=transient,
    )
