"""Git's environment for a remote: the only place for the token, with settings that keep foreign code from running."""

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
"""Override the operator's configuration: no hooks run, and nothing is sent elsewhere."""


def git_environment(remote: Remote, environ: Mapping[str, str]) -> dict[str, str]:
    """The operator's environment, without the API's keys and without variables that would print or store a token."""
    allowed = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("GIT_TRACE", "MOSEND_")) and name != "GIT_CURL_VERBOSE"
    }
    settings = [*_SETTINGS]
    headers = [header.reveal() for header in remote.headers]
    if remote.credentials:
        headers = [f"Authorization: Basic {b64encode(remote.credentials.reveal().encode()).decode()}"]
    if headers:
        # An empty value removes the operator's headers, since servers reject two of them.
        settings += [(f"http.{remote.url}.extraHeader", header) for header in ("", *headers)]
    first = int(allowed["GIT_CONFIG_COUNT"]) if allowed.get("GIT_CONFIG_COUNT", "").isdecimal() else 0
    for number, (key, value) in enumerate(settings, first):
        allowed |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    names = {"GIT_AUTHOR_NAME": "webchat-sync", "GIT_AUTHOR_EMAIL": "webchat-sync@localhost"}
    names |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in names.items()}
    return {
        **names,
        **allowed,
        "GIT_CONFIG_COUNT": str(first + len(settings)),
        "GIT_ALLOW_PROTOCOL": remote.protocols,
        "SSH_ASKPASS_REQUIRE": "never",
    }
