"""``webchat-sync ci adopt``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.adopt import Asked, adopt_live, adopt_options, find_broken, say_broken, say_left
from webchat_sync.cli.as_committed import as_committed, committed_repository
from webchat_sync.cli.fleet import exit_codes
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.cli.targets import label_option
from webchat_sync.cli.tone import note
from webchat_sync.errors import Diagnostic, InputError, worst_exit_code
from webchat_sync.flat import flat

if TYPE_CHECKING:
    from webchat_sync.forge.adopt_request import Proposal, RequestResult
    from webchat_sync.forge.environment import PipelineRun
    from webchat_sync.git import Repository
    from webchat_sync.workflow.adopt import Adopted

_REQUEST: Final = {
    "opened": "Opened the request",
    "updated": "Updated the request",
    "unchanged": "The request is already up to date",
    "incomplete": "Left the request as it is, since not every organisation could be read",
    "closed": "Closed the request, since there's nothing left to adopt",
    "absent": "Nothing to adopt, and no open request.",
    "declined": "Someone closed the request, and nothing has changed since",
}


@click.command("adopt")
@adopt_options
@label_option
@click.option("--new-channels", is_flag=True, help="Also add a file for each live channel that no file declares.")
@click.pass_obj
def command(runtime: Runtime, *, asked: Asked, label: str, new_channels: bool) -> int:
    """Maintain one pull or merge request with what changed live.

    The request updates the files to match what is live. PATH is a manifest file or a folder of them; without one, the
    current directory. What `adopt` would write is committed on top of the checked-out commit and pushed to the branch
    webchat-sync/adopt, or webchat-sync/adopt-LABEL with --label. The request is opened, updated, and closed once
    nothing differs. It says what changed and how undoing it would affect visitors. A branch that someone else
    committed to is left alone. A request that was closed without merging isn't opened again until something else
    changes. If a live value breaks a policy, or another rule that `validate` checks, the request says so.

    If one of several organisations fails, it's reported and left out, and the exit code is the most severe one.

    Only declared fields and channels are adopted; --new-channels adds a file for every other live channel.

    GitHub Actions: needs `permissions: {contents: write, pull-requests: write}`, GITHUB_TOKEN, and a repository that
    allows Actions to create pull requests. GitLab CI: needs GITLAB_TOKEN, a project access token with the scopes api
    and write_repository and the role Developer or above.

    \b
    Examples:
      webchat-sync ci adopt channels/
      webchat-sync ci adopt channels/ --overlay production.yaml --label production
      webchat-sync ci adopt channels/ --new-channels
    """
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.forge.adopt_request import Proposal
    from webchat_sync.forge.branch import branch_name
    from webchat_sync.forge.environment import read_run
    from webchat_sync.forge.host import most_characters
    from webchat_sync.render.adopt_request import (
        AdoptSummary,
        adopt_marker,
        adopt_title,
        closed_marker,
        commit_message,
        render_adopt,
    )
    from webchat_sync.render.comment import about_the_same
    from webchat_sync.workflow.new_manifests import new_manifests

    run = read_run(
        runtime.environ, elsewhere="Elsewhere, run `adopt`, which edits the files, and commit them yourself."
    )
    name = branch_name(label)
    _check(run, name, asked.overlays, new_channels=new_channels)
    repository = committed_repository(asked.paths, asked.overlays, runtime)
    adopted = adopt_live(asked, runtime)
    _refuse_a_share(adopted, label)
    undeclared = adopted.undeclared if new_channels else {}
    added = new_manifests(undeclared, asked.paths, load_catalogue())
    adopted = replace(adopted, left=(*adopted.left, *added.left))
    files = {path: edited.data for path, edited in adopted.edited} | {new.path: new.data for new in added.files}
    broken = find_broken(files, asked, runtime)
    summary = AdoptSummary(
        adopted.undo,
        adopted.moved,
        [(manifest.organization, manifest.channel) for manifest in added.files],
        [problem.message for problem in adopted.left],
        broken,
    )
    proposal = Proposal(
        branch=name,
        base=run.branch,
        title=adopt_title(summary, label),
        body=render_adopt(summary, label=label, run_url=run.run_url, longest=most_characters(run)),
        closed=closed_marker(adopted.undo, label),
        is_marker=partial(about_the_same, marker=adopt_marker(adopted.undo, label)),
        files=as_committed(files, repository),
        message=commit_message(summary, label),
        whole=not adopted.undo.failed,
    )
    result = wait_for(partial(_upsert_request, run, repository, proposal, runtime))
    say_left(adopted, sandbox=asked.connection.sandbox, undeclared=not new_channels)
    say_broken(broken)
    if result.action == "foreign":
        about = f" The request: {result.url}" if result.url else ""
        click.echo(flat(f"Left the branch {name} alone because someone else committed to it.{about}"))
        note("For new changes to be proposed, merge the branch, or close its request and delete the branch.")
    else:
        click.echo(flat(f"{_REQUEST[result.action]}{f': {result.url}' if result.url else ''}"))
    return worst_exit_code(exit_codes(adopted.undo.failed))


def _check(run: PipelineRun, name: str, overlays: Sequence[Path], *, new_channels: bool) -> None:
    """Raise InputError if this run can't propose anything."""
    from webchat_sync.forge.host import unsupported

    if run.host not in ("github", "gitlab"):
        raise unsupported("requests")
    if new_channels and overlays:
        hint = "Leave out --new-channels: undeclared channels are listed, with the command that writes their files."
        raise InputError(
            [
                Diagnostic(
                    "--new-channels can't be used with overlays, because nothing says which environments a new file "
                    "belongs to",
                    hint=hint,
                )
            ]
        )
    if run.number is not None or not run.branch:
        hint = "Run it on a schedule, or on pushes to the branch that the request is for."
        raise InputError([Diagnostic("`ci adopt` must run on a branch, and this run isn't on one", hint=hint)])
    if run.branch == name:
        hint = f"Exclude branches that begin with {name.partition('/')[0]}/ from the pipeline."
        raise InputError([Diagnostic(f"this run is on {name}, the branch of the request itself", hint=hint)])


def _refuse_a_share(adopted: Adopted, label: str) -> None:
    """Raise InputError for some of the organisations without a name of their own: all have one request, which goes."""
    if adopted.undo.limited and not label:
        problem = (
            "this run covers only some organisations, and without --label it would replace the request for all of them"
        )
        hint = "Give each such run a --label of its own, or cover all organisations (--shard 1/1 in a parallel job)."
        raise InputError([Diagnostic(problem, hint=hint)])


async def _upsert_request(
    run: PipelineRun, repository: Repository, proposal: Proposal, runtime: Runtime
) -> RequestResult:
    from webchat_sync.forge.adopt_request import upsert_request
    from webchat_sync.forge.branch import open_branch
    from webchat_sync.forge.host import open_forge
    from webchat_sync.render.adopt_request import render_farewell

    parent = repository.commit("HEAD").id
    async with open_forge(run, runtime, to_write="requests") as forge:
        with open_branch(run, repository.root, parent, proposal.branch, runtime) as branch:
            farewell = render_farewell(run.run_url)
            return await upsert_request(forge, branch, proposal, farewell=farewell, sleep=runtime.sleep)
