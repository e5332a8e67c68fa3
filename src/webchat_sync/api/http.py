"""HTTP: one httpx client, from a call to a reliable response."""

from __future__ import annotations

import json
import os
import ssl
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.util import find_spec
from types import ModuleType
from typing import Final, TypeVar, cast

import anyio
import httpx

from webchat_sync import __version__
from webchat_sync.api.exchange import NAMED_BY, SHARED_KEY, Answer, Call, read_answer
from webchat_sync.api.failures import refusal
from webchat_sync.api.pace import Pacer
from webchat_sync.api.retry import repeat
from webchat_sync.api.settings import key_header
from webchat_sync.api.transfer import DEADLINE, Deadline, begin, finish
from webchat_sync.environment import NEVER, Ending, Environment
from webchat_sync.errors import ApiError, Diagnostic, InputError, NotSentError
from webchat_sync.model import Json, Secret
from webchat_sync.redact import KeyRing

TIMEOUT: Final = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=30.0)
"""Seconds. Reading and writing count between bytes, not for the whole body."""
SLOWEST_UPLOAD: Final = 16 * 1024
"""Bytes per second; extends the deadline of an upload."""
IN_FLIGHT: Final = 32
"""The limit of simultaneous calls in a run, over all organisations."""
LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=IN_FLIGHT, keepalive_expiry=2.0)
"""Idle connections are closed before the 5 s after which many servers close them, or a write could be in doubt."""
HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"webchat-sync/{__version__}",
}

T = TypeVar("T")

if find_spec("sniffio") is None:
    # httpcore imports it for every lock that it creates, and Python would search the file system every time: 12% of
    # the CPU time of a whole `apply` of 300 new channels over loopback.
    cast("dict[str, ModuleType | None]", sys.modules)["sniffio"] = None  # marks a missing module


class Network:
    """What the organisations of a run share: one client, :data:`IN_FLIGHT` simultaneous calls, one pace per key.

    ``base_url`` has been validated. ``keys`` never appear in errors, since a server may reveal another organisation's.
    A transport of the ``environment`` is closed with it.
    """

    def __init__(
        self,
        base_url: str,
        environment: Environment,
        *,
        keys: Iterable[Secret],
        timeout: httpx.Timeout = TIMEOUT,
        on_wait: Callable[[float], object] = lambda _: None,
    ) -> None:
        self.keys = KeyRing(keys)
        self.client = open_client(environment.transport, timeout, tls=base_url.lower().startswith("https:"))
        self.gate = anyio.Semaphore(IN_FLIGHT, fast_acquire=True)
        self._pacers = defaultdict[Secret, Pacer](lambda: Pacer(environment, on_wait))

    def pacer(self, key: Secret) -> Pacer:
        """The pace of all calls with this key, since servers limit keys rather than organisations."""
        return self._pacers[key]

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()


class Wire:
    """Sends calls. ``base_url`` and ``key``, one of the network's, have been validated; ``network`` stays open.

    ``key_source`` and ``organization_source`` are where the user sets the key and the organisation's id, for hints.
    """

    def __init__(
        self,
        network: Network,
        *,
        base_url: str,
        key: Secret,
        key_source: str = SHARED_KEY,
        organization_source: str = NAMED_BY,
        environment: Environment,
        on_exchange: Callable[[Mapping[str, Json]], object] | None,
        deadline: float = DEADLINE,
        permitted: Callable[[], bool] = lambda: True,
        ending: Ending = NEVER,
    ) -> None:
        self._deadline = deadline
        self._ending = ending
        self._permitted = permitted
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._key_source, self._organization_source = key_source, organization_source
        self._repeat = partial(repeat, environment=environment)
        self._pacer = network.pacer(key)
        self._now = environment.now
        self._on_exchange = on_exchange
        self._keys = network.keys
        self._client, self._gate = network.client, network.gate

    def remember(self, secret: Secret) -> None:
        """Keep ``secret`` out of all errors from now on."""
        self._keys.add(secret)

    async def send(self, call: Call, read: Callable[[Answer], T]) -> T:
        """The result of ``read``, which may raise ApiAnswerError, for the response to ``call``.

        A failed attempt is repeated if that's sure to be harmless: a POST only if it had no effect. Raises InputError
        if the request can't be encoded, and otherwise the errors of :class:`ApiError`.
        """
        guarded = replace(
            call, keys=self._keys, key_source=self._key_source, organization_source=self._organization_source
        )

        async def attempt(number: int) -> T:
            response, body = await self._exchange(guarded, ending)
            return read(read_answer(guarded, response, body, attempts=number))

        permitted, ending = (self._permitted, self._ending) if call.method != "GET" else (lambda: True, NEVER)
        return await self._repeat(attempt, repeatable=call.repeatable, permitted=permitted, ending=ending)

    async def _exchange(self, call: Call, ending: Ending) -> tuple[httpx.Response, bytes]:
        """The 2xx response to one request, and its complete body. Raises ApiError."""
        request = self._request(call)
        async with self._pacer.turn(ending) as may_send, self._gate:
            if not may_send:
                reason = "not sent, because the run was interrupted while it waited for the rate limit"
                raise call.error(NotSentError, reason, processed=False, hint="Run it again.")
            # The deadline starts after the wait for the rate limit.
            uploading = len(call.upload.content) / SLOWEST_UPLOAD if call.upload else 0.0
            deadline = Deadline(self._deadline + uploading)
            try:
                response = await begin(self._client, call, request, deadline)
            except ApiError as error:
                self._tell(call, request, None, None, error.__cause__)
                raise
        self._pacer.learn(response.headers, refused=not response.is_success)
        try:
            body = await finish(call, response, deadline)
        except ApiError as error:
            self._tell(call, request, response, None, error.__cause__)
            if response.is_success:
                raise
            raise refusal(call, response, b"", now=self._now()) from error
        self._tell(call, request, response, body, None)
        if not response.is_success:
            raise refusal(call, response, body, now=self._now())
        return response, body

    def _tell(
        self,
        call: Call,
        request: httpx.Request,
        response: httpx.Response | None,
        body: bytes | None,
        error: BaseException | None,
    ) -> None:
        # Searching a whole listing for secrets would take longer than reading it.
        if self._on_exchange is not None:
            from webchat_sync.api.transcript import transcript

            self._on_exchange(transcript(call, request, response, body, error))

    def _request(self, call: Call) -> httpx.Request:
        headers = {} if call.public else key_header(self._key)
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        if call.origin:
            headers["Origin"] = call.origin
        upload = call.upload
        try:
            content = None
            if call.body is not None:
                content = json.dumps(call.body, ensure_ascii=False, allow_nan=False).encode()
                headers["Content-Type"] = "application/json"
            return self._client.build_request(
                call.method,
                self._base_url + call.path,
                headers=headers,
                content=content,
                files={"file": (upload.file_name, upload.content, upload.mime_type)} if upload else None,
            )
        except (ValueError, httpx.InvalidURL) as error:
            why = "it contains text that isn't valid Unicode" if isinstance(error, UnicodeEncodeError) else error
            raise InputError([Diagnostic(f"{call.method} {call.path}: can't write the request: {why}")]) from error


def _trusted() -> ssl.SSLContext | bool:
    """The trusted authorities: the system's and httpx's, or only those that environment variables name.

    httpx itself reads SSL_CERT_FILE and SSL_CERT_DIR.
    """
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return True
    import certifi
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    return context


def open_client(transport: httpx.AsyncBaseTransport | None, timeout: httpx.Timeout, *, tls: bool) -> httpx.AsyncClient:
    """A client that follows no redirect and stores no cookie, so that each call only sends what it was given.

    ``tls``: it also calls https URLs. Raises InputError if the certificates or the proxy settings can't be used.
    """
    try:
        return httpx.AsyncClient(
            transport=transport,
            # Certificates take long to load and plain http needs none; a proxy's is still verified.
            verify=_trusted() if tls else False,
            timeout=timeout,
            limits=LIMITS,
            headers=HEADERS,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
    except OSError as error:
        problem = Diagnostic(
            f"can't read the certificates: {error.strerror}", hint="Check SSL_CERT_FILE and SSL_CERT_DIR."
        )
        raise InputError([problem]) from error
    except ImportError:
        hint = "Install it alongside webchat-sync (pip install socksio), or use an HTTP proxy."
        raise InputError(
            [Diagnostic("a SOCKS proxy needs the package socksio, which isn't installed", hint=hint)]
        ) from None
    except (ValueError, httpx.InvalidURL):
        # Its message could quote a part of a password.
        hint = (
            "Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. A proxy's URL begins with http://, https:// or "
            "socks5://."
        )
        raise InputError([Diagnostic("the proxy settings aren't valid", hint=hint)]) from None
