"""The pipeline this runs in, and what its environment variables say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.forge.github_event import commit_before, head_of, number_of, proposed_commit, read_event
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import is_unicode
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Secret

_BRANCHES: Final = "refs/heads/"
_COMMIT: Final = lazy_pattern(r"[0-9a-f]{7,64}")
_NUMBER: Final = lazy_pattern(r"[0-9]{1,18}")
_PAGE: Final = lazy_pattern(r"https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~%/-]*)?")

_ANY_BYTES: Final = frozenset(
    (
        *("GITHUB_EVENT_PATH", "GITHUB_STEP_SUMMARY"),
        *("BITBUCKET_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "SYSTEM_ACCESSTOKEN"),
    )
)
"""Variables that needn't be valid UTF-8: paths, and tokens, which :mod:`~webchat_sync.forge.access` checks."""

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

    Raises InputError if its host isn't supported, and ``elsewhere`` says what to do then. Raises it too for variables
    that are missing or not valid UTF-8.
    """
    host, environ = pipeline_host(environ), _Variables(environ)
    match host:
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
    page = _run_page(environ)
    return page if is_unicode(page) else ""


def _run_page(environ: Mapping[str, str]) -> str:
    if run := environ.get("GITHUB_RUN_ID"):
        return f"{_page(environ)}/actions/runs/{run}"
    if (run := environ.get("BITBUCKET_BUILD_NUMBER")) and (page := environ.get("BITBUCKET_GIT_HTTP_ORIGIN")):
        return f"{page}/pipelines/results/{run}"
    if (run := environ.get("BUILD_BUILDID")) and (collection := environ.get("SYSTEM_COLLECTIONURI", "").rstrip("/")):
        project = quote(environ.get("SYSTEM_TEAMPROJECT", ""), errors="surrogateescape")
        return f"{collection}/{project}/_build/results?buildId={run}"
    return environ.get("CI_JOB_URL") or environ.get("BUILD_URL", "")


def source_pages(environ: Mapping[str, str], folder: Path) -> str:
    """The address below which the host shows the files in ``folder``, without a trailing slash.

    Empty outside a pipeline or its checkout, and if its variables are incomplete.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        page = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        checkout, commit, blob = environ.get("GITHUB_WORKSPACE", ""), proposed_commit(environ), "blob"
    elif environ.get("GITLAB_CI") == "true":
        page, checkout = environ.get("CI_PROJECT_URL", ""), environ.get("CI_PROJECT_DIR", "")
        commit, blob = environ.get("CI_COMMIT_SHA", ""), "-/blob"
    else:
        return ""
    if not (checkout and _PAGE.fullmatch(page) and _COMMIT.fullmatch(commit)):
        return ""
    here, root = folder.resolve(), Path(checkout).resolve()
    if not here.is_relative_to(root):
        return ""
    below = "".join(f"/{quote(part, errors='surrogateescape')}" for part in here.relative_to(root).parts)
    return f"{page}/{blob}/{commit}{below}"


def _page(environ: Mapping[str, str]) -> str:
    """GitHub's web page of the repository."""
    return f"{environ.get('GITHUB_SERVER_URL') or 'https://github.com'}/{environ.get('GITHUB_REPOSITORY', '')}"


def _github(environ: Mapping[str, str]) -> PipelineRun:
    """The variables of GitHub Actions (GitHub's reference of default environment variables)."""
    project = _needed(environ, "GITHUB_REPOSITORY")
    page = _page(environ)
    api_url = (environ.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/")
    event = read_event(environ.get("GITHUB_EVENT_PATH"))
    try:
        number = number_of(event, environ.get("GITHUB_REF", ""))
        head = "" if number else head_of(event)
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
        before=commit_before(event),
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
        number=int(number) if _NUMBER.fullmatch(number) else None,
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
        number=int(number) if _NUMBER.fullmatch(number) else None,
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
        number=int(number) if _NUMBER.fullmatch(number) else None,
        page=f"{collection}/{quote(project)}/_git/{name}" if name else "",
        run_url=run_url(environ),
    )


class _Variables(Mapping[str, str]):
    """The variables of ``environ``. Raises InputError for one that's read and isn't valid UTF-8: no URL can have it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value = self._environ[name]
        if not is_unicode(value) and name not in _ANY_BYTES:
            hint = "Check what overwrites this variable, which the pipeline's host sets."
            raise InputError([Diagnostic(f"the variable {name} isn't valid UTF-8", hint=hint)])
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def _needed(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name):
        return value
    raise InputError(
        [
            Diagnostic(
                f"the variable {name} isn't set or is empty",
                hint="Check what changes this variable, which the pipeline's host sets.",
            )
        ]
    )
