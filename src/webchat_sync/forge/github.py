"""GitHub's REST API: pull requests, comments, issues, branches (docs.github.com, "REST API endpoints for issues")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from webchat_sync.api.exchange import Call
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiStatusError, Diagnostic, GuardError
from webchat_sync.forge.access import Access
from webchat_sync.forge.environment import PipelineRun
from webchat_sync.forge.ports import Comment, Issue, Request
from webchat_sync.forge.session import Session, text_of
from webchat_sync.model import Json

MOST_CHARACTERS: Final = 65_536
"""The length of a comment or an issue."""

MOST_LOOKED_AT: Final = 2_000
"""How many issues to search for one that has lost its label."""

_JOB_AUTH: Final = "Pass the job's token with `env: GITHUB_TOKEN: ${{ github.token }}`"
COMMENT_PERMISSION: Final = (
    f"{_JOB_AUTH}, and allow it to write with `permissions: pull-requests: write`. In a pull request from a "
    "fork, it can never write: post the comment from a workflow that runs `on: workflow_run`."
)
ISSUE_PERMISSION: Final = (
    f"{_JOB_AUTH}, allow it to write with `permissions: issues: write`, and check that issues are turned on in the "
    "repository."
)
REQUEST_PERMISSION: Final = (
    f"{_JOB_AUTH}, allow it to write with `permissions: {{contents: write, pull-requests: write}}`, and check "
    "that the repository allows GitHub Actions to create pull requests (Settings > Actions > General)."
)
_HEAD_PERMISSION: Final = "The token needs `contents: read`."


def access(run: PipelineRun, permission: str) -> Access:
    """The access to GitHub in this run."""
    return Access(
        run.api_url,
        "GITHUB_API_URL",
        run.token,
        "GITHUB_TOKEN",
        permission=permission,
        others={"GITHUB_GRAPHQL_URL": run.graphql_url},
    )


class GitHub:
    """The pull requests and issues of one repository; see :class:`webchat_sync.forge.ports.Forge`.

    GitHub's API can't store pictures, except in the repository, which is the user's.
    """

    def __init__(self, session: Session, run: PipelineRun) -> None:
        self._session = session
        self._graphql_url = run.graphql_url
        self._owner = run.project.partition("/")[0]
        self._repository = f"/repos/{quote(run.project)}"

    async def me(self) -> str:
        """The login of the token, requested in the one way that also works for the tokens of jobs."""
        call = Call("POST", "/graphql", {"query": "query { viewer { login } }"}, asks=True)
        return await self._session.send(call, _login, url=self._graphql_url)

    async def request_of(self, head: str) -> int | None:
        """The number of the newest open pull request whose head is ``owner:branch``."""
        query = f"state=open&per_page=100&head={quote(head, safe='')}"
        numbers = await self._session.pages(f"{self._repository}/pulls", query, _number, following)
        return max(numbers, default=None)

    async def list_requests(self, branch: str, base: str) -> list[Request]:
        """Every pull request, open or not, from ``branch`` of this repository to ``base``."""
        head = quote(f"{self._owner}:{branch}", safe="")
        query = f"state=all&per_page=100&head={head}&base={quote(base, safe='')}"
        return await self._session.pages(f"{self._repository}/pulls", query, _request, following)

    async def add_request(self, branch: str, base: str, title: str, body: str) -> Request:
        """Open a pull request."""
        fields: dict[str, Json] = {"title": title, "head": branch, "base": base, "body": body}
        return await self._session.send(Call("POST", f"{self._repository}/pulls", fields), _request)

    async def edit_request(self, request: Request, *, title: str, body: str, is_open: bool) -> Request:
        """Replace title and body, and close it unless ``is_open``."""
        fields: dict[str, Json] = {"title": title, "body": body, "state": "open" if is_open else "closed"}
        return await self._session.send(Call("PATCH", f"{self._repository}/pulls/{request.number}", fields), _request)

    async def head_of(self, branch: str) -> str | None:
        """The head of the branch; None if the token isn't allowed to read it, or there is no such branch."""
        call = Call("GET", f"{self._repository}/git/ref/heads/{quote(branch)}")
        try:
            return await self._session.send(call, lambda ref: str(ref["object"]["sha"]))
        except ApiStatusError as error:
            if error.status in {401, 403, 404}:
                return None
            raise

    async def list_comments(self, number: int) -> list[Comment]:
        """Every comment on the pull request or the issue, which GitHub treats alike."""
        path = f"{self._repository}/issues/{number}/comments"
        return await self._session.pages(path, "per_page=100", _comment, following)

    async def add_comment(self, number: int, body: str) -> Comment:
        """Comment on the pull request or the issue."""
        call = Call("POST", f"{self._repository}/issues/{number}/comments", {"body": body})
        return await self._session.send(call, _comment)

    async def edit_comment(self, number: int, comment: Comment, body: str) -> Comment:
        """Replace the body of a comment."""
        call = Call("PATCH", f"{self._repository}/issues/comments/{comment.id}", {"body": body})
        return await self._session.send(call, _comment)

    async def delete_comment(self, number: int, comment: Comment) -> None:
        """Delete a comment; succeeds if it's already gone."""
        await self._session.delete(f"{self._repository}/issues/comments/{comment.id}")

    async def list_issues(self, label: str) -> list[Issue]:
        """Every issue with the label, without pull requests, which GitHub lists as issues, too."""
        query = f"state=all&per_page=100&labels={quote(label, safe='')}"
        return await self._session.pages(f"{self._repository}/issues", query, _real_issue, following)

    async def list_own_issues(self, author: str) -> list[Issue]:
        """The newest issues of any author, since GitHub's APIs differ in the logins of bots."""
        del author
        query = "state=all&per_page=100"
        path = f"{self._repository}/issues"
        return await self._session.pages(path, query, _real_issue, following, most=MOST_LOOKED_AT)

    async def add_issue(self, label: str, title: str, body: str) -> Issue:
        """Open an issue with the label."""
        fields: dict[str, Json] = {"title": title, "body": body, "labels": [label]}
        return await self._session.send(Call("POST", f"{self._repository}/issues", fields), _issue)

    async def edit_issue(self, issue: Issue, *, title: str, body: str, is_open: bool) -> Issue:
        """Replace title and body, and close or reopen it."""
        fields: dict[str, Json] = {"title": title, "body": body, "state": "open" if is_open else "closed"}
        return await self._session.send(Call("PATCH", f"{self._repository}/issues/{issue.number}", fields), _issue)

    async def list_notes(self, issue: Issue) -> list[Comment]:
        """Every comment on the issue."""
        return await self.list_comments(issue.number)

    async def add_note(self, issue: Issue, body: str) -> Comment:
        """Comment on the issue."""
        return await self.add_comment(issue.number, body)


def following(response: httpx.Response) -> str:
    """The query of ``Link: …; rel="next"``. Its host and path are ignored, so the token isn't sent elsewhere."""
    link = response.links.get("next", {}).get("url", "")
    return httpx.URL(link).query.decode("ascii") if link else ""


def may_be_old(run: PipelineRun) -> bool:
    """Whether the commit may not be its branch's head by mistake.

    A push is applied even if the next one has arrived, since it waited for its turn. A restart may be of an old commit.
    """
    return run.host == "github" and bool(run.commit and run.branch) and (run.event != "push" or run.repeated)


async def refuse_old_commit(run: PipelineRun, environment: Environment) -> bool:
    """Raise GuardError if the run's commit isn't its branch's head; returns whether the host knows the head.

    Raises the errors of ApiError if the host doesn't respond.
    """
    async with Session(access(run, _HEAD_PERMISSION), environment) as session:
        head = await GitHub(session, run).head_of(run.branch)
    if head is not None and head != run.commit:
        raise GuardError(
            [
                Diagnostic(
                    f"this run is for {run.commit[:12]}, but {run.branch} is at {head[:12]}, so the run could "
                    "roll back newer changes",
                    hint="Start a new run instead of repeating an old one. If you want to roll back, use "
                    "--allow-old-commit (the Action's input allow-old-commit).",
                )
            ]
        )
    return head is not None


def _comment(entry: Mapping[str, Any]) -> Comment:
    return Comment(int(entry["id"]), _author(entry), text_of(entry, "body"), text_of(entry, "html_url"))


def _issue(entry: Mapping[str, Any]) -> Issue:
    """The issue, or what a pull request has in common with issues."""
    return Issue(
        int(entry["number"]),
        _author(entry),
        text_of(entry, "title"),
        text_of(entry, "body"),
        text_of(entry, "html_url"),
        entry.get("state") == "open",
    )


def _request(entry: Mapping[str, Any]) -> Request:
    return Request.of(_issue(entry), merged=entry.get("merged_at") is not None, head=text_of(entry["head"], "sha"))


def _real_issue(entry: Mapping[str, Any]) -> Issue | None:
    return None if "pull_request" in entry else _issue(entry)


def _number(entry: Mapping[str, Any]) -> int:
    return int(entry["number"])


def _login(answer: Mapping[str, Any]) -> str:
    return _name(str(answer["data"]["viewer"]["login"]))


def _author(entry: Mapping[str, Any]) -> str:
    """The author; empty if the account was deleted."""
    return _name(text_of(entry.get("user") or {}, "login"))


def _name(login: str) -> str:
    """A bot's login without the suffix, which differs between GitHub's two APIs."""
    return login.removesuffix("[bot]")
