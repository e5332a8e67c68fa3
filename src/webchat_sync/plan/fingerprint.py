"""One short text that is the same as long as the live channels mean the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from webchat_sync.fields import Catalogue
from webchat_sync.model import LiveChannel
from webchat_sync.plan.diff import canonical


def fingerprint(organization: str, base_url: str, live: Sequence[LiveChannel], catalogue: Catalogue) -> str:
    """SHA-256 over where the channels are and what they are, as ``sha256:<hex>``.

    It covers the organisation, the base URL, and each channel's id and settable fields. The order of the
    listing, of keys and inside sets has no part in it, nor have times and other fields that the server owns.
    """
    channels = {
        channel.id: {
            name: canonical(catalogue.shape(name), channel.fields[name])
            for name in catalogue.declarable
            if channel.fields.get(name) is not None
        }
        for channel in live
    }
    text = json.dumps([organization, base_url, channels], sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
