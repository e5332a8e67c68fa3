"""The files that a new folder begins with, as texts."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Host: TypeAlias = Literal["github", "gitlab"]

MANIFEST: Final = """\
# yaml-language-server: $schema=.webchat-sync/manifest.schema.json
# (Completion and checks in your editor; after a fresh clone, `webchat-sync init` puts the schema back.)
#
# The web-chat channels of one Mosend organisation, as they shall be. What is not declared here is not managed:
# an absent field keeps its live value, and a channel that no file declares stays.
version: 1

# The organisation's id. Without it, --org or the variable MOSEND_ORG_ID says which.
# organization: 00000000-0000-0000-0000-000000000000

# settings:
#   prune: true # delete live channels that no file declares

# Fields for every channel of this file; a channel's own field replaces the default whole.
# defaults:
#   theme: auto

channels:
  - name: Support
    welcomeMessage: Hi! How can we help?
    color: "#0f766e" # quoted, since # begins a comment
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
    # sync: # everything that is webchat-sync's and not the API's
    #   renamedFrom: Help # the name it had before: renamed in place, never deleted and created
    #   protect: true # refuse to delete it or to switch it off
    #   ignore: [departments] # edited in the dashboard, left alone here
"""

_GITHUB: Final = """\
# Shows the plan on a pull request and applies it on merge.
# Needs the secret MOSEND_API_KEY and the variable MOSEND_ORG_ID (Settings > Secrets and variables > Actions).
name: webchat-sync

on:
  pull_request:
    paths: [@WATCHED@, .github/workflows/webchat-sync.yml]
  push:
    branches: [@BRANCH@]
    paths: [@WATCHED@, .github/workflows/webchat-sync.yml]

permissions:
  contents: read

env:
  WEBCHAT_SYNC_MEMORY: git # what later runs have to know, as rotations, is kept in refs/webchat-sync of this repository

concurrency: # one at a time, and none cut off half-way
  group: webchat-sync-${{ github.ref }}
  cancel-in-progress: false

jobs:
  plan:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions:
      contents: read
      pull-requests: write # the comment
    steps:
      - uses: actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0 # v7.0.0
        with:
          persist-credentials: false
      - uses: actions/setup-python@ece7cb06caefa5fff74198d8649806c4678c61a1 # v6.3.0
        with:
          python-version: "3.13"
      - run: python -I -m pip install webchat-sync==@VERSION@
      - run: rm -f plan.json # never the one that is committed
      - run: @VALIDATE@
      - run: @PLAN@
        if: >-
          github.event.pull_request.head.repo.full_name == github.repository
          && github.event.pull_request.user.login != 'dependabot[bot]' # both get no secrets
        env:
          MOSEND_API_KEY: ${{ secrets.MOSEND_API_KEY }}
          MOSEND_ORG_ID: ${{ vars.MOSEND_ORG_ID }}
          GITHUB_TOKEN: ${{ github.token }} # reads the memory
      - run: exec webchat-sync ci comment plan.json # also of a plan that a guard refuses
        if: >-
          !cancelled() && hashFiles('plan.json') != ''
          && github.event.pull_request.head.repo.full_name == github.repository
          && github.event.pull_request.user.login != 'dependabot[bot]'
        env:
          GITHUB_TOKEN: ${{ github.token }}

  apply:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions:
      contents: write # the memory, in refs/webchat-sync of this repository; no branch is written
    steps:
      - uses: actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0 # v7.0.0
        with:
          persist-credentials: false
      - uses: actions/setup-python@ece7cb06caefa5fff74198d8649806c4678c61a1 # v6.3.0
        with:
          python-version: "3.13"
      - run: python -I -m pip install webchat-sync==@VERSION@
      - run: @APPLY@ # exec: the signal that ends a job reaches it
        env:
          MOSEND_API_KEY: ${{ secrets.MOSEND_API_KEY }}
          MOSEND_ORG_ID: ${{ vars.MOSEND_ORG_ID }}
          GITHUB_TOKEN: ${{ github.token }} # writes the memory, and refuses to repeat the run of an old commit
"""

_GITLAB: Final = """\
# Shows the plan in a merge request and applies it on merge. Include it in .gitlab-ci.yml:
#   include:
#     - local: webchat-sync.gitlab-ci.yml
# Needs the variables MOSEND_API_KEY (masked) and MOSEND_ORG_ID (Settings > CI/CD > Variables). With GITLAB_TOKEN
# (masked), a project access token with the scopes api and write_repository, the plan becomes a comment, and what later
# runs have to know, as rotations, is kept in refs/webchat-sync of this project.

.webchat-sync:
  image: python:3.13 # not the slim one: the memory needs git
  variables:
    WEBCHAT_SYNC_MEMORY: git
  before_script:
    # What is imported comes from the image and the index, never from the checkout.
    - unset PYTHONPATH PYTHONHOME; export PYTHONSAFEPATH=1 PYTHONNOUSERSITE=1
    - python -I -m pip install --quiet webchat-sync==@VERSION@

webchat-sync-plan:
  extends: .webchat-sync
  stage: test
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      changes: [@WATCHED@, webchat-sync.gitlab-ci.yml]
  script:
    - rm -f plan.json # never the one that is committed
    - @VALIDATE@
    - code=0
    - @TRY@
    - if [ -e plan.json ] && [ -n "$GITLAB_TOKEN" ]; then webchat-sync ci comment plan.json; fi
    - exit "$code"

webchat-sync-apply:
  extends: .webchat-sync
  stage: deploy
  resource_group: webchat-sync # one at a time
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      changes: [@WATCHED@, webchat-sync.gitlab-ci.yml]
  script:
    - @APPLY@ # exec: the signal that ends a job reaches it
"""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ '=-]*")
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


def pipeline(host: Host, *, folder: str, branch: str, version: str) -> Pipeline:
    """The pipeline that plans and applies the manifests in ``folder``, a path from the root of the repository.

    In the root itself (``.``), where other files in YAML may lie, only ``channels.yaml`` is meant. ``branch`` is the
    one whose state is live; ``version`` is that of webchat-sync to be installed.
    """
    path = shlex.quote("channels.yaml" if folder == "." else f"{folder}/")
    values = {
        "WATCHED": _scalar("channels.yaml" if folder == "." else f"{folder}/**"),
        "BRANCH": _scalar(branch),
        "VERSION": version,
        "VALIDATE": _scalar(f"webchat-sync validate {path}"),
        "PLAN": _scalar(f"exec webchat-sync plan {path} --out plan.json"),
        "TRY": _scalar(f"webchat-sync plan {path} --out plan.json || code=$?"),  # also a refused plan is shown
        "APPLY": _scalar(f"exec webchat-sync apply {path} --auto-approve"),
    }
    file, text = {
        "github": (".github/workflows/webchat-sync.yml", _GITHUB),
        "gitlab": ("webchat-sync.gitlab-ci.yml", _GITLAB),
    }[host]
    return Pipeline(file, re.sub("@([A-Z]+)@", lambda found: values[found[1]], text))


def ignoring(text: str) -> str | None:
    """The ``.gitignore`` ``text`` with a line for the program's own folder; None when it has one."""
    if any(line.strip().strip("/") == ".webchat-sync" for line in text.splitlines()):
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text}{'' if not text or text.endswith(newline) else newline}.webchat-sync/{newline}"


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
