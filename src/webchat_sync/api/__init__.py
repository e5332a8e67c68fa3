"""The HTTP client: turns calls into requests and responses into values; foreign errors end here."""

from __future__ import annotations

from webchat_sync.api.client import Mosend
from webchat_sync.api.http import Network
from webchat_sync.api.types import HostIdentity, IdentitySecret, Media, Message, Upload

__all__ = ["HostIdentity", "IdentitySecret", "Media", "Message", "Mosend", "Network", "Upload"]
