"""What a Git process for a remote gets, which includes the token, and why it failed, which doesn't."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterable, Mapping
from subprocess import CompletedProcess
from typing import Final

from webchat_sync.git_messages import in_short
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.memory.place import Remote
from webchat_sync.model import Secret
from webchat_sync.redact import redact
from webchat_sync.sentences import ended

LONGEST_TEXT: Final = 4_000
"""Characters to show of a remote's texts, such as a commit message or a reason."""

_CONTROL: Final = lazy_pattern(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_SAID_EVERY_TIME: Final = (
    "not read from remote repository.",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
    "error: failed to push some refs to ",
)
"""What's in lines that Git adds to every failure."""

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


def refusals(porcelain: bytes) -> str:
    """The lines of a push about refs that weren't changed, with the remote's reasons."""
    lines = porcelain.decode("utf-8", "replace").splitlines()
    return "\n".join(line.split("\t")[-1] for line in lines if line.startswith("!"))


def reason(result: CompletedProcess[bytes], secrets: Iterable[Secret]) -> str:
    """What Git and the remote said, without ``secrets`` and without what Git says every time."""
    stderr = _CONTROL.sub("", redact(result.stderr.decode("utf-8", "replace"), secrets))
    lines = [line.strip() for line in (*stderr.splitlines(), *refusals(result.stdout).splitlines())]
    telling = [line for line in lines if line and not any(text in line for text in _SAID_EVERY_TIME)]
    return in_short(telling or lines)[:LONGEST_TEXT] or f"git {ended(result.returncode)}"
