"""The files that a new folder begins with, as texts."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

Host: TypeAlias = Literal["github", "gitlab"]

_MANIFEST: Final = """\
# yaml-language-server: $schema=.webchat-sync/manifest.schema.json
# (Completion and checks in your editor; after a fresh clone, `webchat-sync init` puts the schema back.)
#
# The web-chat channels of one Mosend organisation. What you don't declare isn't managed: a field that you leave out
# keeps its live value, and a channel that no file declares stays as it is.
version: 1

@ORGANIZATION@

# settings:
#   prune: true # delete live channels that no file declares

# Fields for every channel in this file. A channel's own value replaces the default.
# defaults:
#   theme: auto

channels:
  - name: Support
    welcomeMessage: Hi! How can we help?
    color: "#0f766e" # in quotes: an unquoted # starts a comment
    allowedDomains: [www.example.com] # an empty list lets any site embed the widget
    operatingHours:
      timezone: Europe/Madrid
      days: # a day left out is closed
        mon: ["09:00-14:00", "15:00-18:00"]
        tue: ["09:00-14:00", "15:00-18:00"]
        wed: ["09:00-14:00", "15:00-18:00"]
        thu: ["09:00-14:00", "15:00-18:00"]
        fri: ["09:00-14:00"]
    offlineMessage: We are closed. Leave a message and we will answer by e-mail.
    prechatFields:
      - { label: Email, type: email, required: true }
    # sync: # settings of webchat-sync; everything outside `sync` is a field of the API
    #   renamedFrom: Help # its former name: renamed in place, not deleted and created again
    #   protect: true # refuse to delete it or switch it off
    #   ignore: [departments] # edited in the dashboard, left alone here
"""

_UNNAMED: Final = """\
# The organisation's id. Without it, --org or the variable MOSEND_ORG_ID says which.
# organization: 00000000-0000-0000-0000-000000000000"""

ACTION: Final = f"OWNER/webchat-sync@{'0' * 40}"
"""Where the Action is, until the operator says it."""

_WORKFLOWS: Final = ("plan", "apply", "drift")
_GITLAB: Final = "webchat-sync.gitlab-ci.yml"

_FORK: Final = re.compile(r"^  # A fork's manifests.*?(?=^  # The check to require)", re.MULTILINE | re.DOTALL)
_LOCKED: Final = re.compile(r"^    # What is imported.*?(?=^\w)", re.MULTILINE | re.DOTALL)
_INSTALL: Final = """\
    # What is imported comes from the image and the index, never from the checkout.
    - unset PYTHONPATH PYTHONHOME; export PYTHONSAFEPATH=1 PYTHONNOUSERSITE=1
    - python -I -m pip install --quiet --root-user-action ignore webchat-sync==@VERSION@

"""
_INCLUDE: Final = """\
# Include this file in .gitlab-ci.yml:
#   include:
#     - local: webchat-sync.gitlab-ci.yml
# Variables (Settings > CI/CD > Variables): MOSEND_API_KEY, masked; MOSEND_ORG_ID, where the manifest names no
# organisation; GITLAB_TOKEN, masked, a project access token with the scope api, for the comment and the drift issue.
"""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ =|$?-]*")
_HOST: Final = re.compile(r"(?:[\w+.-]+://)?(?:[^@/]*@)?(?P<host>[^:/]+)[:/]")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline file: its path from the root of the repository, and its text."""

    path: str
    text: str


def host_of(remote: str) -> Host | None:
    """Which of the two the URL of a git remote leads to, by the name of its server."""
    found = _HOST.match(remote)
    server = found["host"].lower() if found else ""
    return "github" if "github" in server else "gitlab" if "gitlab" in server else None


def manifest(organization: str | None) -> str:
    """The manifest to begin with, which names the organisation if it is known."""
    named = f"organization: {_scalar(organization)}" if organization else _UNNAMED
    return _MANIFEST.replace("@ORGANIZATION@", named)


def pipelines(
    host: Host, *, folder: str, branch: str, version: str, action: str = ACTION, names_organization: bool = False
) -> Iterator[Pipeline]:
    """The files that plan, apply and watch the manifests in ``folder``, a path from the root of the repository.

    They are those of ``examples/``, with what is another in each repository put in. In the root itself (``.``), where
    other files in YAML may be, only ``channels.yaml`` is meant. ``branch`` is the one whose state is live; ``version``
    is that of webchat-sync to install, and ``action`` the repository and the commit that hold the Action.
    """
    path = "channels.yaml" if folder == "." else f"{folder}/"
    watched = _scalar("channels.yaml" if folder == "." else f"{folder}/**")
    if host == "gitlab":
        yield Pipeline(_GITLAB, _for_gitlab(shlex.quote(path), version))
        return
    organization = "" if names_organization else "\n          organization: ${{ vars.MOSEND_ORG_ID }}"
    for name in _WORKFLOWS:
        text = _FORK.sub("", _example("github", f"{name}.yml"))
        text = text.replace("needs: [plan, fork]", "needs: plan").replace(
            f"name: {name}\n", f"name: webchat-sync {name}\n", 1
        )
        text = text.replace("paths: [channels/**]", f"paths: [{watched}]").replace(
            "paths: channels/", f"paths: {_scalar(path)}"
        )
        text = text.replace("branches: [main]", f"branches: [{_scalar(branch)}]")
        text = text.replace(
            "api-key: ${{ secrets.MOSEND_API_KEY }}", "api-key: ${{ secrets.MOSEND_API_KEY }}" + organization
        )
        text = re.sub(r"OWNER/webchat-sync@0+ # v\S+", lambda _: f"{action} # v{version}", text)
        yield Pipeline(f".github/workflows/webchat-sync-{name}.yml", text)


def _for_gitlab(path: str, version: str) -> str:
    """The jobs without the component, with names of their own among those of others."""
    text = _example("gitlab", "plain.gitlab-ci.yml").partition("\n")[2]
    text = _LOCKED.sub(lambda _: _INSTALL.replace("@VERSION@", version), text)
    text = re.sub(r"^(plan|apply|drift):$", r"webchat-sync-\1:", text, flags=re.MULTILINE)
    text = text.replace("needs: [plan]", "needs: [webchat-sync-plan]")
    lines = (_with_path(line, path) for line in text.splitlines(keepends=True))
    return _INCLUDE + "".join(lines)


def _with_path(line: str, path: str) -> str:
    """A line of a script with that path for ``channels/``, quoted anew where YAML would read it as something else."""
    begin, dash, command = line.partition("- ")
    if not dash or "channels/" not in command:
        return line
    return f"{begin}- {_scalar(command.rstrip().replace('channels/', path))}\n"


def _example(*parts: str) -> str:
    """A file of ``examples/``: inside the package when installed from a wheel, else in the checkout."""
    package = Path(__file__).parent.parent
    installed, checkout = package / "pipelines", package.parents[1] / "examples"
    file = installed / parts[-1] if installed.is_dir() else next(checkout.joinpath(parts[0]).rglob(parts[-1]))
    return file.read_text(encoding="utf-8")


def ignoring(text: str) -> str | None:
    """The ``.gitignore`` ``text`` with a line for the program's own folder; None when it has one."""
    if any(line.strip().strip("/") == ".webchat-sync" for line in text.splitlines()):
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text}{'' if not text or text.endswith(newline) else newline}.webchat-sync/{newline}"


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
