"""What git is told when it speaks to the remote of a memory: nothing of a repository's runs, and no token is shown."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from webchat_sync.memory.place import Remote

_SETTINGS: Final = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("protocol.ext.allow", "never"),
    ("http.followRedirects", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("push.gpgSign", "false"),
    ("push.followTags", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.useForceIfIncludes", "false"),
    ("fetch.recurseSubmodules", "no"),
    ("log.showSignature", "false"),
)
"""What holds whatever the operator's own configuration says: nothing of a repository's runs, nothing goes elsewhere."""


def git_environment(remote: Remote, environ: Mapping[str, str]) -> dict[str, str]:
    """The operator's environment, without the API's keys and without what would print or store a token."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("GIT_TRACE", "MOSEND_")) and name != "GIT_CURL_VERBOSE"
    }
    settings = [*_SETTINGS]
    headers = [header.reveal() for header in remote.headers]
    if remote.credentials:
        headers = [f"Authorization: Basic {b64encode(remote.credentials.reveal().encode()).decode()}"]
    if headers:
        # An empty one forgets those of the operator's configuration: a server refuses two of them.
        settings += [(f"http.{remote.url}.extraHeader", header) for header in ("", *headers)]
    first = int(kept["GIT_CONFIG_COUNT"]) if kept.get("GIT_CONFIG_COUNT", "").isdecimal() else 0
    for number, (key, value) in enumerate(settings, first):
        kept |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    names = {"GIT_AUTHOR_NAME": "webchat-sync", "GIT_AUTHOR_EMAIL": "webchat-sync@localhost"}
    names |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in names.items()}
    return {
        **names,
        **kept,
        "GIT_CONFIG_COUNT": str(first + len(settings)),
        "GIT_ALLOW_PROTOCOL": remote.protocols,
        "SSH_ASKPASS_REQUIRE": "never",
    }
