"""The pipeline this runs in, and what its environment variables say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.model import Secret
from webchat_sync.strict_json import load_json

_BRANCHES: Final = "refs/heads/"
_COMMIT: Final = re.compile(r"(?=.*[1-9a-f])[0-9a-f]{40,64}")
"""The id of a commit, but not the zeros that mean none."""
_ANY_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_PAGE: Final = re.compile(r"https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~%/-]*)?")
_PULL_REQUEST_REF: Final = re.compile(r"refs/pull/([0-9]+)/")


Host: TypeAlias = Literal["github", "gitlab", "bitbucket", "azure"]


@frozen
class PipelineRun:
    """One run of a pipeline.

    ``project`` is the project's name in the host's API; ``number`` is that of the pull or merge request, None outside
    one; ``head`` is ``owner:branch`` if nothing else is known about it. ``page`` is the project's web page and
    ``run_url`` the run's, each empty if unknown. ``summary`` is the file of the job summary. An empty ``token`` means a
    missing one. ``commit`` and ``branch`` are what the run is for; ``repeated``: someone restarted it. ``before`` is
    the head of the branch before a push.
    """

    host: Host
    api_url: str
    project: str
    token: Secret = field(repr=False)
    number: int | None
    page: str
    run_url: str
    summary: Path | None = None
    graphql_url: str = ""
    head: str = ""
    commit: str = ""
    branch: str = ""
    event: str = ""
    repeated: bool = False
    before: str = ""


def read_run(environ: Mapping[str, str], *, elsewhere: str = "") -> PipelineRun:
    """The run that ``environ`` describes.

    Raises InputError if its host isn't supported; ``elsewhere`` says what to do then.
    """
    match pipeline_host(environ):
        case "github":
            return _github(environ)
        case "gitlab":
            return _gitlab(environ)
        case "bitbucket":
            return _bitbucket(environ)
        case "azure":
            return _azure(environ)
        case None:
            pass
    raise InputError(
        [
            Diagnostic(
                "this isn't a job of GitHub Actions, GitLab CI, Bitbucket Pipelines or Azure Pipelines",
                hint="They're detected by GITHUB_ACTIONS, GITLAB_CI, BITBUCKET_BUILD_NUMBER and TF_BUILD. "
                f"{elsewhere}".rstrip(),
            )
        ]
    )


def pipeline_host(environ: Mapping[str, str]) -> Host | None:
    """The host of the pipeline that ``environ`` is from; None if there is none, or if it isn't supported."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    if environ.get("GITLAB_CI") == "true":
        return "gitlab"
    if environ.get("BITBUCKET_BUILD_NUMBER"):
        return "bitbucket"
    return "azure" if environ.get("TF_BUILD", "").lower() == "true" else None


def run_url(environ: Mapping[str, str]) -> str:
    """The web page of the pipeline's run on any host; empty if it's unknown."""
    if run := environ.get("GITHUB_RUN_ID"):
        return f"{_page(environ)}/actions/runs/{run}"
    if (run := environ.get("BITBUCKET_BUILD_NUMBER")) and (page := environ.get("BITBUCKET_GIT_HTTP_ORIGIN")):
        return f"{page}/pipelines/results/{run}"
    if (run := environ.get("BUILD_BUILDID")) and (collection := environ.get("SYSTEM_COLLECTIONURI", "").rstrip("/")):
        return f"{collection}/{quote(environ.get('SYSTEM_TEAMPROJECT', ''))}/_build/results?buildId={run}"
    return environ.get("CI_JOB_URL") or environ.get("BUILD_URL", "")


def source_pages(environ: Mapping[str, str], folder: Path) -> str:
    """The address below which the host shows the files in ``folder``, without a trailing slash.

    Empty outside a pipeline or its checkout, and if its variables are incomplete.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        page = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        checkout, commit, blob = environ.get("GITHUB_WORKSPACE", ""), _proposed_commit(environ), "blob"
    elif environ.get("GITLAB_CI") == "true":
        page, checkout = environ.get("CI_PROJECT_URL", ""), environ.get("CI_PROJECT_DIR", "")
        commit, blob = environ.get("CI_COMMIT_SHA", ""), "-/blob"
    else:
        return ""
    if not (checkout and _PAGE.fullmatch(page) and _ANY_COMMIT.fullmatch(commit)):
        return ""
    here, root = folder.resolve(), Path(checkout).resolve()
    if not here.is_relative_to(root):
        return ""
    below = "".join(f"/{quote(part)}" for part in here.relative_to(root).parts)
    return f"{page}/{blob}/{commit}{below}"


def _page(environ: Mapping[str, str]) -> str:
    """GitHub's web page of the repository."""
    return f"{environ.get('GITHUB_SERVER_URL') or 'https://github.com'}/{environ.get('GITHUB_REPOSITORY', '')}"


def _github(environ: Mapping[str, str]) -> PipelineRun:
    """The variables of GitHub Actions (GitHub's reference of default environment variables)."""
    project = _needed(environ, "GITHUB_REPOSITORY")
    page = _page(environ)
    api_url = (environ.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/")
    event = _read_event(environ.get("GITHUB_EVENT_PATH"))
    try:
        number = _number(event, environ.get("GITHUB_REF", ""))
        head = "" if number else _head(event)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        hint = "Check what changes this file, which the runner writes."
        raise InputError(
            [Diagnostic("the file in GITHUB_EVENT_PATH doesn't have the format of a GitHub event", hint=hint)]
        ) from error
    return PipelineRun(
        "github",
        api_url=api_url,
        project=project,
        token=Secret(environ.get("GITHUB_TOKEN", "").strip()),
        number=number,
        page=page,
        run_url=run_url(environ),
        summary=Path(environ["GITHUB_STEP_SUMMARY"]) if environ.get("GITHUB_STEP_SUMMARY") else None,
        graphql_url=environ.get("GITHUB_GRAPHQL_URL") or f"{api_url.removesuffix('/v3')}/graphql",
        head=head,
        commit=environ.get("GITHUB_SHA", ""),
        branch=ref.removeprefix(_BRANCHES) if (ref := environ.get("GITHUB_REF", "")).startswith(_BRANCHES) else "",
        event=environ.get("GITHUB_EVENT_NAME", ""),
        repeated=environ.get("GITHUB_RUN_ATTEMPT", "1") != "1",
        before=_before(event),
    )


def _gitlab(environ: Mapping[str, str]) -> PipelineRun:
    """The variables of GitLab CI (GitLab's reference of predefined variables)."""
    # For a merge request from a fork, the pipeline may be the fork's, but the request belongs to its target.
    project = environ.get("CI_MERGE_REQUEST_PROJECT_ID") or _needed(environ, "CI_PROJECT_ID")
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    return PipelineRun(
        "gitlab",
        api_url=_needed(environ, "CI_API_V4_URL").rstrip("/"),
        project=project,
        token=Secret(environ.get("GITLAB_TOKEN", "").strip()),
        number=int(number) if number.isdecimal() else None,
        page=environ.get("CI_MERGE_REQUEST_PROJECT_URL") or environ.get("CI_PROJECT_URL", ""),
        run_url=run_url(environ),
        commit=environ.get("CI_COMMIT_SHA", ""),
        branch=environ.get("CI_COMMIT_BRANCH", ""),
    )


def _bitbucket(environ: Mapping[str, str]) -> PipelineRun:
    """The variables of Bitbucket Pipelines (Atlassian's "Variables and secrets")."""
    workspace, repository = _needed(environ, "BITBUCKET_WORKSPACE"), _needed(environ, "BITBUCKET_REPO_SLUG")
    number, page = environ.get("BITBUCKET_PR_ID", ""), environ.get("BITBUCKET_GIT_HTTP_ORIGIN", "")
    return PipelineRun(
        "bitbucket",
        api_url=(environ.get("BITBUCKET_API_URL") or "https://api.bitbucket.org/2.0").rstrip("/"),
        project=f"{workspace}/{repository}",
        token=Secret(environ.get("BITBUCKET_TOKEN", "").strip()),
        number=int(number) if number.isdecimal() else None,
        page=page,
        run_url=run_url(environ),
    )


def _azure(environ: Mapping[str, str]) -> PipelineRun:
    """The variables of Azure Pipelines (Microsoft's "Use predefined variables")."""
    collection = _needed(environ, "SYSTEM_COLLECTIONURI").rstrip("/")
    project, repository = _needed(environ, "SYSTEM_TEAMPROJECT"), _needed(environ, "BUILD_REPOSITORY_ID")
    number = environ.get("SYSTEM_PULLREQUEST_PULLREQUESTID", "")
    name = quote(environ.get("BUILD_REPOSITORY_NAME", ""))
    return PipelineRun(
        "azure",
        api_url=collection,
        project=f"{project}/{repository}",
        token=Secret(environ.get("SYSTEM_ACCESSTOKEN", "").strip()),
        number=int(number) if number.isdecimal() else None,
        page=f"{collection}/{quote(project)}/_git/{name}" if name else "",
        run_url=run_url(environ),
    )


def _needed(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name):
        return value
    raise InputError(
        [
            Diagnostic(
                f"the variable {name} isn't set",
                hint="Check what unsets this variable, which the pipeline's host sets.",
            )
        ]
    )


def _read_event(path: str | None) -> Mapping[str, Any]:
    """GitHub's event that triggered the run; empty if it can't be read."""
    try:
        event = load_json(Path(path).read_bytes()) if path else {}
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def _proposed_commit(environ: Mapping[str, str]) -> str:
    """The proposed commit; GITHUB_SHA is a temporary merge."""
    event: Mapping[str, Any] = _read_event(environ.get("GITHUB_EVENT_PATH"))
    match event:
        case {"pull_request": {"head": {"sha": str(commit)}}}:
            return commit
        case _:
            return environ.get("GITHUB_SHA", "")


def _before(event: Mapping[str, Any]) -> str:
    before = event.get("before")
    return before if isinstance(before, str) and _COMMIT.fullmatch(before) else ""


def _number(event: Mapping[str, Any], ref: str) -> int | None:
    """The number of the pull request, from an event about it, a comment on it, or a workflow that it triggered."""
    pull_request: Any = event.get("pull_request")
    if pull_request is None and "pull_request" in (event.get("issue") or {}):
        pull_request = event["issue"]
    if pull_request is not None:
        return int(pull_request["number"])
    if (number := _of_workflow(event)) is not None:
        return number
    merge_ref = _PULL_REQUEST_REF.match(ref)
    return int(merge_ref[1]) if merge_ref else None


def _of_workflow(event: Mapping[str, Any]) -> int | None:
    """The number of the pull request that triggered the workflow that this run follows.

    GitHub lists every pull request with that branch or commit, even of other repositories, whose plans differ.
    """
    run: Any = event.get("workflow_run") or {}
    for pull_request in run.get("pull_requests") or () if run.get("event") == "pull_request" else ():
        base, head = pull_request["base"]["repo"]["id"], pull_request["head"]["repo"]["id"]
        if (base, head) == (event["repository"]["id"], run["head_repository"]["id"]) and (
            pull_request["head"]["sha"] == run["head_sha"]
        ):
            return int(pull_request["number"])
    return None


def _head(event: Mapping[str, Any]) -> str:
    """The head of the pull request from a fork that triggered the preceding workflow, where GitHub gives no number."""
    run: Any = event.get("workflow_run") or {}
    if run.get("event") != "pull_request" or not run.get("head_repository"):
        return ""
    return f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
