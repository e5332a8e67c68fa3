"""Calls of the tests to servers on loopback, without the certificates that httpx loads for each: 20 ms of CPU time."""

from __future__ import annotations

import ssl
from functools import partial
from typing import Final

import httpx

NO_CERTIFICATES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that call http URLs only; it trusts nobody."""

request: Final = partial(httpx.request, verify=NO_CERTIFICATES)
get: Final = partial(httpx.get, verify=NO_CERTIFICATES)
post: Final = partial(httpx.post, verify=NO_CERTIFICATES)
client: Final = partial(httpx.Client, verify=NO_CERTIFICATES)
