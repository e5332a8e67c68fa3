"""One request and its complete response, within limits of time and size: no server can stall or flood a run."""

from __future__ import annotations

from dataclasses import field
from io import BytesIO
from typing import Final

import anyio
import httpx

from webchat_sync.api.exchange import Call
from webchat_sync.api.failures import beyond_limit, cut_answer, late_answer, no_answer
from webchat_sync.errors import ApiError
from webchat_sync.frozen import frozen
from webchat_sync.sentences import in_seconds

DEADLINE: Final = 120.0
"""Seconds from sending a request to the end of its response, however slowly that arrives."""

MOST_BYTES: Final = 64 * 1024 * 1024
"""The largest response, after decompression."""

MOST_LISTED: Final = 4 * MOST_BYTES
"""The largest listing, all pages together."""

_ENCODINGS: Final = {"", "identity", "gzip", "deflate"}
"""Encodings from which 64 KiB can be decompressed without filling the memory; nested ones can't."""


@frozen
class Deadline:
    """``seconds`` from now."""

    seconds: float = DEADLINE
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends", anyio.current_time() + self.seconds)

    @property
    def left(self) -> float:
        """The remaining seconds."""
        return max(0.0, self._ends - anyio.current_time())


async def begin(client: httpx.AsyncClient, call: Call, request: httpx.Request, deadline: Deadline) -> httpx.Response:
    """Send ``request``; returns the response without its body, whatever its status. Raises ApiError."""
    host = request.url.netloc.decode("ascii")
    try:
        with anyio.fail_after(deadline.left):
            return await client.send(request, stream=True)
    except TimeoutError as error:
        raise late_answer(call, deadline.seconds, host=host) from error
    except Exception as error:
        raise no_answer(call, error, host=host) from error


async def finish(call: Call, response: httpx.Response, deadline: Deadline) -> bytes:
    """The decompressed body of the response from :func:`begin`, which is then closed. Raises ApiAnswerError."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    try:
        if encoding not in _ENCODINGS:
            raise beyond_limit(
                call, response, f"the response is compressed with {encoding[:40]}, which wasn't requested"
            )
        with anyio.fail_after(deadline.left):
            return await _read_all(response)
    except ApiError:
        raise
    except TimeoutError as error:
        reason = f"the response didn't finish within {in_seconds(deadline.seconds)}"
        raise beyond_limit(call, response, reason) from error
    except _TooLargeError as error:
        raise beyond_limit(call, response, f"the response is larger than {MOST_BYTES // 2**20} MiB") from error
    except Exception as error:
        raise cut_answer(call, response, error) from error
    finally:
        await response.aclose()


class _TooLargeError(Exception):
    """A response has more than MOST_BYTES."""


async def _read_all(response: httpx.Response) -> bytes:
    body = BytesIO()
    async for piece in response.aiter_bytes():
        body.write(piece)
        if body.tell() > MOST_BYTES:
            raise _TooLargeError
    return body.getvalue()
