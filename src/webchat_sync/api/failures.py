"""Translates failures of HTTP into this project's errors."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import httpx

from webchat_sync.api.exchange import NOT_THE_API_HINT, Call
from webchat_sync.api.retry import retry_after_seconds
from webchat_sync.api.sanitize import excerpt
from webchat_sync.errors import ApiAnswerError, ApiConnectionError, ApiError, ApiStatusError
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.sentences import in_seconds
from webchat_sync.strict_json import JsonError, load_json

NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
"""Failures before the server has the whole request. After any other, it may have acted on it."""
_SILENT: Final = {
    httpx.ConnectTimeout: "the connection timed out",
    httpx.ReadTimeout: "the response timed out",
    httpx.WriteTimeout: "sending the request timed out",
    httpx.PoolTimeout: "no connection became free in time",
    httpx.NetworkError: "the connection broke",
    httpx.RemoteProtocolError: "what it sent isn't valid HTTP",
}
"""Errors that come without a message."""
_NUMBER: Final = lazy_pattern(r"^\[Errno -?\d+\] ")

TRANSIENT: Final = frozenset({408, 425, 429})
"""The statuses below 500 after which another attempt may succeed; so may every 5xx."""

CONNECTION_HINT: Final = (
    "Check the base URL (MOSEND_BASE_URL), the network and the proxy settings (HTTPS_PROXY, NO_PROXY)."
)
CERTIFICATE_HINT: Final = (
    "The server's certificate isn't trusted. Check {address}. If your company has its own certificate authority, set "
    "SSL_CERT_FILE to its certificate."
)
PUBLIC_HINT: Final = "Check the channel's token and its identity secret."
SITE_HINT: Final = "Check the channel's token, and that its allowedDomains include the site."
LIST_HINT: Final = "Check the organisation's id ({source}) and the base URL (MOSEND_BASE_URL)."
HINTS: Final = {
    402: "The organisation's subscription doesn't include this. See its billing page.",
    404: "Check the id; the channel or conversation may have been deleted since it was read.",
    429: "You've reached the rate limit. Run this again later.",
}


def server_hint(request_id: str | None) -> str:
    """What to do about a failure of the server, whose response has the ``request_id``, if any."""
    report = "; if it keeps failing, report it with the request id" if request_id else ""
    return f"The server failed. Run this again later{report}."


def no_answer(call: Call, error: Exception, *, host: str) -> ApiError:
    """The error if ``host`` didn't respond to ``call``. An untrusted certificate isn't retried."""
    if _is_beyond_buffer(error):
        return beyond_limit(call, None, f"the headers of the response from {host} are larger than 100 KiB")
    distrusted = is_distrust(error)
    return call.error(
        ApiConnectionError,
        f"no response from {host}: {_cause(error)}",
        processed=not isinstance(error, NEVER_SENT),
        hint=CERTIFICATE_HINT.format(address="the base URL (MOSEND_BASE_URL)") if distrusted else CONNECTION_HINT,
        transient=not distrusted,
    )


def _cause(error: Exception) -> str:
    """Why a connection failed, in the words of the operating system or the library, or in ours if they have none."""
    said = _NUMBER.sub("", str(error)).strip().rstrip(".")
    if isinstance(error, httpx.ProxyError):
        return f"the proxy refused the connection ({said})" if said else "the proxy refused the connection"
    return said or next((words for kind, words in _SILENT.items() if isinstance(error, kind)), type(error).__name__)


def is_distrust(error: BaseException) -> bool:
    """Whether the error or one of its causes is about a certificate."""
    return any(isinstance(reason, ssl.SSLCertVerificationError) for reason in _reasons(error))


def _is_beyond_buffer(error: BaseException) -> bool:
    """Whether h11 gave up on endless headers, or on endless data between the chunks of a body."""
    too_large = httpx.codes.REQUEST_HEADER_FIELDS_TOO_LARGE
    return any(getattr(reason, "error_status_hint", None) == too_large for reason in _reasons(error))


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def late_answer(call: Call, seconds: float, *, host: str) -> ApiError:
    """``host`` sent no complete head of a response in time. It's not retried, since the next one would be as late."""
    reason = f"no response from {host} within {in_seconds(seconds)}"
    return call.error(ApiConnectionError, reason, processed=True, hint=CONNECTION_HINT)


def beyond_limit(call: Call, response: httpx.Response | None, reason: str) -> ApiError:
    """A response takes too long or is too large. It's not retried, since the next one would be the same."""
    return call.error(
        ApiConnectionError if response is None else ApiAnswerError,
        reason if response is None else f"HTTP {response.status_code}, but {reason}",
        response=response,
        processed=True,
        hint=NOT_THE_API_HINT,
    )


def cut_answer(call: Call, response: httpx.Response, error: Exception) -> ApiError:
    """A response started with 2xx, but its body is incomplete."""
    if _is_beyond_buffer(error):
        return beyond_limit(call, response, "the data between the chunks of the response is larger than 100 KiB")
    return call.error(
        ApiAnswerError,
        f"HTTP {response.status_code}, but the response was cut short or damaged: {_cause(error)}",
        response=response,
        processed=True,
        hint=CONNECTION_HINT,
        transient=True,
    )


def refusal(call: Call, response: httpx.Response, body: bytes, *, now: datetime) -> ApiError:
    """The server responded with a status other than 2xx; ``body`` is what was received of its body."""
    status = response.status_code
    retry_after = retry_after_seconds(response.headers.get("retry-after"), now=now)
    reason = f"HTTP {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
    if response.next_request:
        host = response.next_request.url.netloc.decode("ascii")
        reason += f", a redirect to {host}, which isn't followed because your credentials would be sent there too"
    if retry_after is not None:
        reason += f", and the server asks you to wait {retry_after:,.0f} s"
    return call.error(
        ApiStatusError,
        reason,
        response=response,
        messages=_messages(call, body),
        processed=response.is_server_error or status == httpx.codes.REQUEST_TIMEOUT,
        hint=_hint(call, response),
        transient=response.is_server_error or status in TRANSIENT,
        retry_after=retry_after,
    )


def _messages(call: Call, body: bytes) -> list[str]:
    """The server's texts: ``message`` and ``errors`` in the error body, or else the start of its text.

    OAuth reports a rejected token as ``error`` and ``error_description``.
    """
    text = call.hide(body.decode("utf-8", "replace"))
    try:
        document = load_json(text)
    except JsonError:
        document = None
    if isinstance(document, dict):
        message = document.get("message") or document.get("error")
        texts = [*_texts(message), *_texts(document.get("error_description")), *_texts(document.get("errors"))]
        if texts:
            return list(dict.fromkeys(texts))
    beginning = excerpt(text)
    return [beginning] if beginning else []


def _texts(message: object) -> list[str]:
    """The texts in a server's message: a text, a list, or an object.

    The object has either reasons by field (GitLab), or a ``field`` and its ``code`` (GitHub).
    """
    if isinstance(message, str):
        return [message]
    if isinstance(message, list):
        return [text for entry in message for text in _texts(entry)]
    if not isinstance(message, dict):
        return []
    if isinstance(message.get("message"), str):
        return [message["message"]]
    if isinstance(message.get("code"), str):
        return [" ".join(text for name in ("resource", "field", "code") if isinstance(text := message.get(name), str))]
    return [f"{field} {text}" for field, reasons in message.items() for text in _texts(reasons)]


def _hint(call: Call, response: httpx.Response) -> str:
    status = response.status_code
    if call.public and status in {401, 403}:
        return PUBLIC_HINT if status == httpx.codes.UNAUTHORIZED else SITE_HINT
    if status in {401, 403}:
        return f"Check {call.key_source}, and that the key belongs to this organisation."
    if status == httpx.codes.NOT_FOUND and call.path.endswith("/web-chat/channels"):
        return LIST_HINT.format(source=call.organization_source)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return server_hint(call.request_id(response))
    return NOT_THE_API_HINT if status < 400 else HINTS.get(status, "")
