"""The contents of a new folder's files."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

from webchat_sync.environment import API_KEY_VARIABLE, ORGANIZATION_VARIABLE, OWN_FOLDER
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.memory.place import server_and_path
from webchat_sync.sentences import in_a_row
from webchat_sync.strict_json import load_json

Host: TypeAlias = Literal["github", "gitlab"]

_MANIFEST: Final = """\
# yaml-language-server: $schema=.webchat-sync/manifest.schema.json
# (Completion and checks in your editor; after a fresh clone, `webchat-sync init` in this folder puts the schema back.)
#
# The web-chat channels of one Mosend organisation. What you don't declare isn't managed: a field that you leave out
# keeps its live value, and a channel that no file declares stays as it is.
version: 1

@ORGANIZATION@

@SETTINGS@

# Fields for every channel in this file. A channel's own value replaces the default.
# defaults:
#   theme: auto

channels:
  - name: Support
    color: "#0f766e" # in quotes: an unquoted # starts a comment
    welcomeMessage: Hi! How can we help?
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

_IN_GIT: Final = """\
settings:
  memory: git # on a ref of the remote, so that you and your pipelines share the ledger and the lock
  # prune: true # delete live channels that no file declares"""

_IN_FILES: Final = """\
# settings:
#   memory: git # on a ref of the remote, so that you and your pipelines share the ledger and the lock
#   prune: true # delete live channels that no file declares"""

_UNNAMED: Final = """\
# The organisation's id. Without it, --org or the variable MOSEND_ORG_ID says which.
# organization: 00000000-0000-0000-0000-000000000000"""

ACTION: Final = f"OWNER/webchat-sync@{'0' * 40}"
"""The repository of the Action, unless the operator gives another one."""

_WORKFLOWS: Final = ("plan", "apply", "drift")

GITLAB_MAIN: Final = ".gitlab-ci.yml"
GITLAB_FILE: Final = "webchat-sync.gitlab-ci.yml"
GITLAB_INCLUDE: Final = f"include:\n  - local: {GITLAB_FILE}\n"
"""All that a repository's own ``.gitlab-ci.yml`` needs."""

_UNPLANNED: Final = "if: github.event_name == 'pull_request' && !contains(needs.*.result, 'success')"
_NOT_DEPENDABOT: Final = "github.event.pull_request.user.login != 'dependabot[bot]'"
"""Dependabot gets no key, and changes no channel; if it did, the merge would still need a reviewed plan."""

_FORK: Final = lazy_pattern(r"^  # A fork's manifests.*?(?=^  # The check to require)", re.MULTILINE | re.DOTALL)
_PLAIN: Final = lazy_pattern(r"(?!(?:null|true|false|yes|no|on|off|y|n)$)[a-z_][\w./ =|$?-]*", re.ASCII | re.IGNORECASE)
"""What every reader of YAML takes for text without quotes."""

_GIVEN: Final = lazy_pattern(
    rf"""^[ ]+(?:organization|{ORGANIZATION_VARIABLE}):[ ]+("(?:[^"\\\n]|\\.)*"|[^\s$#"][^#\n]*?)\s*(?:#.*)?$""",
    re.MULTILINE,
)
_KEY_INPUT: Final = f"          api-key: ${{{{ secrets.{API_KEY_VARIABLE} }}}}\n"
_ENV: Final = "        env:\n"


@frozen
class Needs:
    """What manifests don't contain and a pipeline has to give them.

    ``organization`` is an id for manifests that name none, the variable if it is empty, and None if all of them name
    theirs. ``keys`` are the variables that contain their API keys.
    """

    organization: str | None = ""
    keys: tuple[str, ...] = (API_KEY_VARIABLE,)


@frozen
class Pipeline:
    """A pipeline file: its path from the root of the repository, and its content."""

    path: str
    text: str


def host_of(remote: str) -> Host | None:
    """The host that the URL of a Git remote leads to, by its name; None for others."""
    server, _ = server_and_path(remote)
    return "github" if "github" in server else "gitlab" if "gitlab" in server else None


def example_for(remote: str) -> str:
    """The folder in ``examples/`` for a host that no pipeline is written for; empty for all others."""
    server, _ = server_and_path(remote)
    azure = "dev.azure.com" in server or "visualstudio.com" in server
    return "bitbucket" if "bitbucket" in server else "azure" if azure else ""


def manifest(organization: str | None, *, in_git: bool = False) -> str:
    """The initial manifest, which names the organisation if it's known; ``in_git``: its memory is on the remote."""
    from webchat_sync.manifest.write import organization_line

    named = organization_line(organization).rstrip("\n") if organization else _UNNAMED
    settings = _IN_GIT if in_git else _IN_FILES
    return _MANIFEST.replace("@ORGANIZATION@", named).replace("@SETTINGS@", settings)


def pipelines(
    host: Host, *, folder: str, branch: str, version: str, action: str = ACTION, needs: Needs | None = None
) -> Iterator[Pipeline]:
    """The files that plan, apply and check the manifests in ``folder``, a path from the repository's root.

    They're those of ``examples/``, with the values of this repository. In the root itself (``.``), which may contain
    other YAML files, they only use ``channels.yaml``. ``branch`` is the one whose manifests are live; ``version`` is
    the version of webchat-sync to install, and ``action`` the repository and the commit of the Action.
    """
    path = "channels.yaml" if folder == "." else f"{folder}/"
    given = needs or Needs()
    if host == "gitlab":
        yield Pipeline(GITLAB_FILE, _for_gitlab(shlex.quote(path), version, given))
        return
    for name in _WORKFLOWS:
        text = _FORK.sub("", _workflow(f"{name}.yml"))
        for before, after in (
            (f"name: {name}\n", f"name: webchat-sync {name}\n"),
            ("needs: [plan, fork]", "needs: plan"),
            (" a success, and one of the two is always skipped.", " a success."),
            (_UNPLANNED, f"{_UNPLANNED} && {_NOT_DEPENDABOT}"),
            ("paths: [channels/**]", f"paths: [{_scalar('channels.yaml' if folder == '.' else f'{folder}/**')}]"),
            ("paths: channels/", f"paths: {_scalar(path)}"),
            ("branches: [main]", f"branches: [{_scalar(branch)}]"),
        ):
            text = text.replace(before, after)
        text = re.sub(r"OWNER/webchat-sync@0+ # v\S+", lambda _: f"{action} # v{version}", text)
        yield Pipeline(f".github/workflows/webchat-sync-{name}.yml", _with_needs(text, given))


def organization_in(pipeline: str) -> str:
    """The organisation that a pipeline file gives the manifests; empty if it leaves that to the variable."""
    found = _GIVEN.search(pipeline)
    if found is None:
        return ""
    try:
        return str(load_json(found[1]))  # as it was written, unless someone has edited it since
    except ValueError:
        return found[1].strip("'")


def _with_needs(workflow: str, needs: Needs) -> str:
    """A workflow for GitHub that gives the manifests the keys and the organisation that they need."""
    inputs = _KEY_INPUT if API_KEY_VARIABLE in needs.keys else ""
    if needs.organization is not None:
        value = _scalar(needs.organization) if needs.organization else f"${{{{ vars.{ORGANIZATION_VARIABLE} }}}}"
        inputs += f"          organization: {value}\n"
    variables = "".join(f"          {key}: ${{{{ secrets.{key} }}}}\n" for key in needs.keys if key != API_KEY_VARIABLE)
    if _ENV in workflow:
        return workflow.replace(_KEY_INPUT, inputs).replace(_ENV, _ENV + variables)
    return workflow.replace(_KEY_INPUT, inputs + (_ENV + variables if variables else ""))  # the last of the inputs


def _for_gitlab(path: str, version: str, needs: Needs) -> str:
    """The jobs of ``examples/gitlab`` without the component, with names that other jobs are unlikely to have."""
    values = {
        "VERSION": version,
        "KEYS": in_a_row(needs.keys),
        "ORGANIZATION": f"    {ORGANIZATION_VARIABLE}: {_scalar(needs.organization)}\n" if needs.organization else "",
        "VALIDATE": _scalar(f"webchat-sync validate {path}"),
        "PLAN": _scalar(f"webchat-sync plan {path} --out plan.json --render gitlab=terraform.json || code=$?"),
        "DRIFT": _scalar(f"webchat-sync drift {path} --detailed-exitcode --out drift.json || code=$?"),
    }
    text = Path(__file__).with_name("starter.gitlab-ci.yml").read_text(encoding="utf-8")
    return re.sub("@([A-Z]+)@", lambda mark: values[mark[1]], text)


def _workflow(file: str) -> str:
    """A file of ``examples/github``: inside an installed package, or else in the checkout."""
    package = Path(__file__).parent.parent
    installed, checkout = package / "workflows", package.parents[1] / "examples" / "github" / ".github" / "workflows"
    return ((installed if installed.is_dir() else checkout) / file).read_text(encoding="utf-8")


def ignoring(text: str) -> str | None:
    """``.gitignore`` with a line for the program's own folder; None if ``text`` already has one."""
    if any(line.strip().strip("/") == OWN_FOLDER for line in text.splitlines()):
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text}{'' if not text or text.endswith(newline) else newline}{OWN_FOLDER}/{newline}"


def _scalar(text: str) -> str:
    """``text`` as YAML that is read as this text, also inside brackets."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
