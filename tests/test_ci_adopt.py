"""Drift that comes back as a pull or merge request, over both hosts and a real remote."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from commands import Emulated, Finished, emulated
from fake_time import FakeTime
from git_server import have_http_backend, serve_git
from pipelines import GITHUB, GITLAB, Fake, Host
from programs import recording_git, write_program
from repositories import ENVIRON, commit, git, repository
from webchat_sync.emulator import Fault, Faults, effects

pytestmark = [pytest.mark.slow, pytest.mark.alike]

both = pytest.mark.parametrize("host", [GITHUB, GITLAB], ids=repr)

BRANCH = "webchat-sync/adopt"
HOURS = {"timezone": "UTC", "days": {"mon": ["09:00-17:00"]}}
FILE = """\
version: 1
organization: acme
channels:
  # Who comes first.
  - name: Support
    theme: dark
    identityRequired: true
    operatingHours:
      timezone: UTC
      days: {mon: ["09:00-17:00"]} # office hours
    sync: {id: c-1}
"""
SUPPORT: dict[str, Any] = {
    "name": "Support",
    "id": "c-1",
    "theme": "dark",
    "identityRequired": True,
    "operatingHours": HOURS,
}


@dataclass
class Site:
    """A project on a host: its bare remote, a person's clone, and what is live."""

    host: Host
    fake: Fake
    api: Emulated
    remote: Path
    clone: Path
    folder: Path

    def live(self, organization: str = "acme", **fields: Any) -> None:
        """What someone leaves live in the dashboard."""
        self.api.store.seed(organization, [{**SUPPORT, **fields}])

    def run(self, *arguments: object, environ: dict[str, str] | None = None) -> Finished:
        """``ci adopt`` in a fresh checkout of main, one commit deep, as runners make it."""
        checkout = self.folder / f"run-{len(list(self.folder.iterdir()))}"
        git(self.folder, "clone", "--quiet", "--depth=1", f"file://{self.remote}", str(checkout))
        return self.run_in(checkout, *arguments, environ=environ)

    def run_in(self, checkout: Path, *arguments: object, environ: dict[str, str] | None = None) -> Finished:
        variables = {**ENVIRON, **self.fake.environ(self.folder, number=None), **self.api.environ, **(environ or {})}
        time = FakeTime()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(checkout)
            done = self.api.invoke(
                "ci", "adopt", *arguments, environ=variables, sleep=time.sleep, clock=time.clock, random=lambda: 0.0
            )
        assert "c4n4ry" not in done.out + done.err
        return done

    def plan(self, *arguments: object) -> int:
        """The exit code of a plan of main."""
        git(self.clone, "pull", "--quiet", "origin", "main")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.clone)
            return self.api.invoke("plan", "channels", "--detailed-exitcode", *arguments).code

    def branches(self) -> list[str]:
        return git(self.remote, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()

    def file(self, name: str = "channels/support.yaml", branch: str = BRANCH) -> str:
        return git(self.remote, "show", f"{branch}:{name}") + "\n"

    def merge(self, branch: str = BRANCH) -> None:
        """Someone merges the newest request."""
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "pull", "--quiet", "origin", "main")
        git(self.clone, "merge", "--quiet", "--no-ff", "--message=Merge", f"origin/{branch}")
        git(self.clone, "push", "--quiet", "origin", "HEAD:main")
        self.fake.close(self.fake.pulls[-1], merged=True)

    def push(self, files: dict[str, str], branch: str = "main") -> None:
        """Someone commits."""
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "checkout", "--quiet", "-B", branch, f"origin/{branch}")
        commit(self.clone, files)
        git(self.clone, "push", "--quiet", "origin", f"HEAD:{branch}")
        git(self.clone, "checkout", "--quiet", "-B", "main", "origin/main")


@contextmanager
def site(host: Host, folder: Path, files: dict[str, str] | None = None, faults: Faults | None = None) -> Iterator[Site]:
    remote, clone, runs = folder / "remote.git", folder / "clone", folder / "runs"
    for new in (remote, runs):
        new.mkdir()
    git(remote, "init", "--quiet", "--bare", "--initial-branch=main")
    repository(clone)
    git(clone, "remote", "add", "origin", str(remote))
    commit(clone, {"README.md": "x", **(files or {"channels/support.yaml": FILE})})
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    with emulated() as api, host.begin(faults) as fake:
        fake.remote = remote
        made = Site(host, fake, api, remote, clone, runs)
        made.live()
        yield made


def said(done: Finished) -> str:
    assert done.code == 0, done.err
    return done.out.partition(": http")[0].strip()


@both
def test_drift_becomes_a_request_that_is_updated_merged_and_closed(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        assert said(web.run("channels")) == "Nothing to adopt, and no open request."
        assert (web.branches(), web.fake.methods) == (["main"], [])

        web.live(theme="light", identityRequired=False)
        assert web.plan() == 2
        assert said(web.run("channels")) == "Opened the request"
        assert web.branches() == ["main", BRANCH]
        assert web.file() == FILE.replace("theme: dark", "theme: light").replace(
            "identityRequired: true", "identityRequired: false"
        )
        (request,) = web.fake.requests
        assert request["title"] == 'Adopt what was changed live: "Support" (identityRequired, theme)'
        assert request["body"].startswith("<!-- webchat-sync adopt organization=acme label= state=")
        assert "doesn't record who changed it" in request["body"]
        assert '- theme: "dark"\n+ theme: "light"' in request["body"]
        assert "If you don't merge" in request["body"]
        before = git(web.remote, "rev-parse", BRANCH)

        web.fake.calls.clear()
        assert said(web.run("channels")) == "The request is already up to date"
        assert (web.fake.methods, git(web.remote, "rev-parse", BRANCH)) == ([], before)

        closed = {"timezone": "UTC", "days": {"mon": ["09:00-12:00"]}}
        web.live(theme="light", identityRequired=False, operatingHours=closed)
        assert said(web.run("channels")) == "Updated the request"
        (request,) = web.fake.requests
        assert 'days: {mon: ["09:00-12:00"]} # office hours' in web.file()
        assert "Mon ·········███············" in request["body"]
        assert git(web.remote, "rev-list", "--count", f"main..{BRANCH}") == "1"

        web.merge()
        assert web.plan() == 0
        assert said(web.run("channels")) == "Nothing to adopt, and no open request."
        assert len(web.fake.requests) == 1

        web.live()
        assert said(web.run("channels")) == "Opened the request"
        web.live(theme="light", identityRequired=False, operatingHours=closed)
        assert said(web.run("channels")) == "Closed the request, since there's nothing left to adopt"
        assert [request["open"] for request in web.fake.requests] == [web.fake.requests[0]["open"], False]
        assert web.branches() == ["main"]
        assert "There's nothing left to adopt" in web.fake.bodies[-1]
        web.live()
        assert said(web.run("channels")) == "Opened the request"


STAGED = {
    "channels/support.yaml": FILE.replace("acme", "${MOSEND_ORG_ID}").replace("    sync: {id: c-1}\n", ""),
    "staging.yaml": "version: 1\n",
    "production.yaml": "version: 1\nchannels: [{name: Support, sync: {id: c-1}}]\n",
}


@both
def test_each_of_two_environments_has_a_request_of_its_own(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path, STAGED) as web:
        web.live("acme-staging", id="s-1", theme="light")

        def adopt(environment: str, organization: str) -> str:
            overlay = ["--overlay", f"{environment}.yaml", "--label", environment]
            return said(web.run("channels", *overlay, environ={"MOSEND_ORG_ID": organization}))

        refused = web.run("channels", environ={"MOSEND_ORG_ID": "acme-staging"})
        assert (refused.code, "this manifest is shared" in refused.err) == (1, True)
        assert adopt("production", "acme") == "Nothing to adopt, and no open request."
        assert adopt("staging", "acme-staging") == "Opened the request"
        assert web.branches() == ["main", f"{BRANCH}-staging"]
        assert web.file("staging.yaml", f"{BRANCH}-staging") == (
            "version: 1\nchannels:\n  - name: Support\n    theme: light\n    sync: { id: s-1 }\n"
        )
        web.live(theme="auto")
        assert adopt("production", "acme") == "Opened the request"
        titles = [request["title"] for request in web.fake.requests]
        assert titles == [
            'Adopt what was changed live in staging: "Support" (theme)',
            'Adopt what was changed live in production: "Support" (theme)',
        ]
        web.merge(f"{BRANCH}-production")
        assert adopt("production", "acme") == "Nothing to adopt, and no open request."
        assert adopt("staging", "acme-staging") == "Updated the request"  # on top of what main is now
        web.fake.close(web.fake.pulls[0], merged=True)
        web.merge(f"{BRANCH}-staging")
        assert web.plan("--overlay", web.clone / "production.yaml", "--org", "acme") == 0
        assert web.plan("--overlay", web.clone / "staging.yaml", "--org", "acme-staging") == 0


@both
def test_any_label_has_a_branch_of_its_own(host: Host, tmp_path: Path) -> None:
    labels = ["x" * 300, "x" * 299, "日本", "a b/../c", "a-b-c", "-", "a\nb"]
    with site(host, tmp_path) as web:
        web.live(theme="light")
        for label in labels:
            assert said(web.run("channels", "--label", label)) == "Opened the request"
        assert len(web.branches()) == 1 + len(labels)
        assert all(len(branch) <= 140 for branch in web.branches())


@both
def test_an_organisation_that_fails_is_named_and_closes_no_request(host: Host, tmp_path: Path) -> None:
    files = {
        "channels/acme.yaml": FILE,
        "channels/shop.yaml": FILE.replace("acme", "shop\nsettings: {apiKeyEnv: MOSEND_API_KEY_SHOP}"),
    }
    key = {"MOSEND_API_KEY_SHOP": "mk_test_shop.c4n4ry-k3y-s3cr3t"}
    with site(host, tmp_path, files) as web:
        web.live("shop")
        web.live(theme="light")
        opened = web.run("channels")
        assert (opened.code, opened.out.partition(": http")[0]) == (1, "Opened the request")
        assert "MOSEND_API_KEY_SHOP" in opened.err
        (request,) = web.fake.requests
        assert "organization=acme,shop " in request["body"]
        assert "Nothing was adopted from this organisation:" in request["body"]
        web.live()
        kept = web.run("channels")
        left = "Left the request as it is, since not every organisation could be read"
        assert (kept.code, kept.out.partition(": http")[0]) == (1, left)
        assert [request["open"] for request in web.fake.requests] == [request["open"]]
        assert said(web.run("channels", environ=key)) == "Closed the request, since there's nothing left to adopt"
        assert web.branches() == ["main"]


@pytest.mark.variation
@both
def test_the_story_of_one_of_two_environments_leaves_the_other_as_it_is(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path, STAGED) as web:
        web.live("acme-staging", id="s-1")

        def adopt() -> str:
            arguments = ("channels", "--overlay", "staging.yaml", "--label", "staging")
            return said(web.run(*arguments, environ={"MOSEND_ORG_ID": "acme-staging"}))

        def plans() -> tuple[int, int]:
            overlays = [("staging", "acme-staging"), ("production", "acme")]
            staging, production = (web.plan("--overlay", f"{name}.yaml", "--org", org) for name, org in overlays)
            return staging, production

        assert adopt() == "Opened the request"  # for the id
        web.merge(f"{BRANCH}-staging")
        assert (adopt(), plans()) == ("Nothing to adopt, and no open request.", (0, 0))
        web.live("acme-staging", id="s-1", theme="light")
        assert (adopt(), plans()) == ("Opened the request", (2, 0))
        web.live("acme-staging", id="s-1", theme="light", identityRequired=False)
        assert (adopt(), adopt()) == ("Updated the request", "The request is already up to date")
        overlay = web.file("staging.yaml", f"{BRANCH}-staging")
        assert ["theme: light" in overlay, "identityRequired: false" in overlay] == [True, True]
        assert web.file(branch=f"{BRANCH}-staging") == STAGED["channels/support.yaml"]
        web.merge(f"{BRANCH}-staging")
        assert (adopt(), plans()) == ("Nothing to adopt, and no open request.", (0, 0))
        web.live("acme-staging", id="s-1")
        assert (adopt(), plans()) == ("Opened the request", (2, 0))
        web.live("acme-staging", id="s-1", theme="light", identityRequired=False)
        assert adopt() == "Closed the request, since there's nothing left to adopt"
        assert (web.branches(), plans()) == (["main"], (0, 0))


@both
def test_some_of_the_organisations_have_a_request_of_their_own(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        web.push({"channels/other.yaml": FILE.replace("acme", "other")})
        web.live(theme="light")
        web.live("other", theme="light")
        assert web.run("channels").code == 0
        some = web.run("channels", "--target-org", "oth*", "--label", "others")
        assert (some.code, some.out.startswith("Opened the request")) == (0, True), some.err
        assert web.branches() == ["main", BRANCH, f"{BRANCH}-others"]
        assert "theme: light" in web.file("channels/other.yaml", f"{BRANCH}-others")
        assert "theme: dark" in web.file("channels/support.yaml", f"{BRANCH}-others")
        assert [pull["state"] for pull in web.fake.pulls] == [web.fake.pulls[0]["state"]] * 2


@both
def test_a_branch_that_a_person_committed_to_is_left_alone(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        web.push({"NOTES.md": "mine"}, BRANCH)
        theirs = git(web.remote, "rev-parse", BRANCH)
        web.fake.calls.clear()
        for theme in ("auto", "dark"):
            web.live(theme=theme)
            done = web.run("channels")
            assert said(done) == (
                "Left the branch webchat-sync/adopt alone because someone else committed to it. The request"
            )
            assert "merge the branch, or close its request and delete the branch." in done.err
        assert (web.fake.methods, git(web.remote, "rev-parse", BRANCH)) == ([], theirs)
        web.fake.close(web.fake.pulls[-1], merged=False)
        git(web.remote, "update-ref", "-d", f"refs/heads/{BRANCH}")
        web.live(theme="auto", identityRequired=False)
        assert said(web.run("channels")) == "Opened the request"


@both
def test_a_branch_of_a_person_that_was_merged_whole_is_free_again(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        web.push({"NOTES.md": "mine"}, BRANCH)
        web.merge()
        assert said(web.run("channels")) == "Nothing to adopt, and no open request."
        web.live(theme="auto")
        assert said(web.run("channels")) == "Opened the request"
        web.fake.close(web.fake.pulls[-1], merged=True)
        web.push({"NOTES.md": "more"}, BRANCH)  # after the merge
        web.live(theme="dark")
        assert said(web.run("channels")).startswith("Left the branch")


@both
def test_a_commit_of_ours_that_was_amended_or_moved_is_a_persons(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        git(web.clone, "fetch", "--quiet", "origin")
        git(web.clone, "checkout", "--quiet", "-B", "theirs", f"origin/{BRANCH}")
        (web.clone / "NOTES.md").write_text("mine", encoding="utf-8")
        git(web.clone, "add", "--all")
        git(web.clone, "commit", "--quiet", "--amend", "--no-edit")
        git(web.clone, "push", "--quiet", "--force", "origin", f"HEAD:{BRANCH}")
        web.live(theme="auto")
        assert said(web.run("channels")).startswith("Left the branch")


@both
def test_a_request_that_was_closed_stays_closed_until_something_else_moves(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        web.fake.close(web.fake.pulls[-1], merged=False)
        assert said(web.run("channels")) == "Someone closed the request, and nothing has changed since"
        web.live(theme="auto")
        assert said(web.run("channels")) == "Opened the request"
        assert [request["open"] for request in web.fake.requests] == [False, True]


@both
def test_what_people_wrote_into_the_request_stays_while_the_same_moved(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        noted = web.fake.requests[0]["body"] + "\n\nAna asks the shop."
        web.fake.pulls[0].update({"body": noted, "description": noted})
        web.push({"README.md": "y"})
        assert said(web.run("channels")) == "Updated the request"
        assert web.fake.requests[0]["body"].endswith("Ana asks the shop.")
        assert git(web.remote, "show", f"{BRANCH}:README.md") == "y"


@both
def test_a_request_whose_text_people_changed_is_still_updated_and_closed(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"

        def write(body: str) -> None:
            web.fake.pulls[-1].update({"body": body, "description": body})

        # Above the marker, which nobody sees, with the line ends of a browser.
        ours = web.fake.requests[-1]["body"]
        write("Ana asks the shop.\r\n\r\n" + ours.replace("\n", "\r\n"))
        assert said(web.run("channels")) == "The request is already up to date"
        web.live(theme="auto")
        assert said(web.run("channels")) == "Updated the request"
        assert '+ theme: "auto"' in web.fake.requests[-1]["body"]
        write("Ana asks the shop.\n\n" + ours)
        web.live()
        assert said(web.run("channels")) == "Closed the request, since there's nothing left to adopt"
        asked, closed, _ = web.fake.requests[-1]["body"].split("\n\n", 2)
        assert (asked, "state=closed -->\nThis channel" in closed) == ("Ana asks the shop.", True)
        # Without any text of ours, it stays theirs, but the branch is ours.
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        write("The shop wants this.")
        web.live(theme="auto")
        assert said(web.run("channels")) == "Updated the request"
        assert ("theme: auto" in web.file(), web.fake.requests[-1]["body"]) == (True, "The shop wants this.")
        web.live()
        assert said(web.run("channels")) == "Closed the request, since there's nothing left to adopt"
        assert web.branches() == ["main"]


@pytest.mark.parametrize("prefix", ["Draft: ", "[DRAFT] ", "(draft)"])
def test_a_draft_stays_one_on_gitlab_where_its_title_says_so(prefix: str, tmp_path: Path) -> None:
    with site(GITLAB, tmp_path) as web:
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        web.fake.pulls[0]["title"] = prefix + web.fake.pulls[0]["title"]
        web.live(theme="auto", identityRequired=False)
        assert said(web.run("channels")) == "Updated the request"
        assert web.fake.requests[0]["title"] == (
            f'{prefix}Adopt what was changed live: "Support" (identityRequired, theme)'
        )


@both
def test_a_run_of_a_commit_that_main_has_left_behind_proposes_only_its_own_change(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        checkout = web.folder / "old"
        git(web.folder, "clone", "--quiet", "--depth=1", f"file://{web.remote}", str(checkout))
        web.push({"README.md": "newer"})
        web.live(theme="light")
        assert said(web.run_in(checkout, "channels")) == "Opened the request"
        assert git(web.remote, "diff", "--name-only", f"main...{BRANCH}") == "channels/support.yaml"


@both
def test_new_channels_get_a_file_each_when_that_is_asked_for(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        web.api.store.seed(
            "acme", [SUPPORT, {"name": "Support", "id": "c-2"}, {"name": "It's | <new> @ana", "id": "c-3"}]
        )
        done = web.run("channels")
        assert said(done) == "Nothing to adopt, and no open request."
        assert "2 live channels aren't in any file" in done.err
        done = web.run("channels", "--new-channels")
        assert (said(done), "in no file" in done.err) == ("Opened the request", False)
        names = git(web.remote, "diff", "--name-only", "main", BRANCH).splitlines()
        assert names == ["channels/it-s-new-ana.yaml", "channels/support-2.yaml"]
        body = web.fake.requests[0]["body"]
        assert '`"It\'s | <new> @ana"`'.replace("|", "\\|") in body
        assert "no file declares them" in body
        assert "undoes all of them" not in body
        web.api.store.seed("acme", [{**SUPPORT, "theme": "light"}, {"name": "Another", "id": "c-4"}])
        assert said(web.run("channels", "--new-channels")) == "Updated the request"
        body = web.fake.requests[0]["body"]
        assert "undoes all of them" in body
        assert '`"Another"`. Without a file, an apply leaves them alone' in body
        web.api.store.seed(
            "acme", [SUPPORT, {"name": "Support", "id": "c-2"}, {"name": "It's | <new> @ana", "id": "c-3"}]
        )
        assert said(web.run("channels", "--new-channels")) == "Updated the request"
        web.merge()
        assert web.plan() == 0
        web.api.store.seed("acme", [SUPPORT, {"name": "Another", "id": "c-4"}])
        refused = web.run("channels/support.yaml", "--new-channels")
        assert (refused.code, "there's no folder" in refused.err) == (1, True)


@both
def test_a_new_channel_that_no_file_can_declare_is_named_and_not_proposed_every_night(
    host: Host, tmp_path: Path
) -> None:
    with site(host, tmp_path) as web:
        long, key = {"name": "n" * 300, "id": "c-2"}, {"name": "mk_live_ab12.K3yHq5rTj1uXo6iEa", "id": "c-3"}
        web.api.store.seed("acme", [SUPPORT, long, key])
        done = web.run("channels", "--new-channels")
        assert said(done) == "Nothing to adopt, and no open request."
        for live_id in ("c-2", "c-3"):
            assert f"no file can declare the live channel with the id {live_id}, because of its name" in done.err
        assert "K3yHq5rTj1uXo6iEa" not in done.err
        web.api.store.seed("acme", [{"name": "Sales", "id": "c-4"}])
        assert said(web.run("channels", "--new-channels")) == "Opened the request"
        assert git(web.remote, "diff", "--name-only", "main", BRANCH) == "channels/sales.yaml"
        assert "the live channel with the id c-2" in web.fake.requests[0]["body"].replace("\\", "").replace("`", "")
        web.merge()
        assert said(web.run("channels", "--new-channels")) == "Nothing to adopt, and no open request."


@both
def test_a_request_says_which_live_values_break_a_rule(host: Host, tmp_path: Path) -> None:
    policy = {"properties": {"theme": {"const": "dark", "x-message": "our sites are dark, ask @design"}}}
    first, rest = FILE.split("channels:", 1)
    manifest = f"{first}settings: {{policy: ../p.schema.json}}\nchannels:{rest}"
    files = {"channels/support.yaml": manifest, "p.schema.json": json.dumps(policy)}
    with site(host, tmp_path, files) as web:
        web.live(identityRequired=False)
        assert said(web.run("channels")) == "Opened the request"
        assert "If you merge" not in web.fake.requests[0]["body"]
        web.live(theme="light")
        done = web.run("channels")
        assert said(done) == "Updated the request"
        assert "channels/support.yaml:7:12: warning: channels[0].theme: with this live value, `validate`" in done.err
        body = web.fake.requests[0]["body"]
        assert "#### If you merge: `validate` and `plan` will fail, because live values break rules\n\n" in body
        assert (
            "\n- **error** at `channels/support.yaml:7:12` (`channels[0].theme`): `our sites are dark, ask @design`. A"
            in body
        )
        assert "change the policy" in body
        # A new file is checked, too.
        web.api.store.seed("acme", [SUPPORT, {"name": "Sales", "id": "c-2", "theme": "light"}])
        done = web.run("channels", "--new-channels")
        assert said(done) == "Updated the request"
        assert "channels/sales.yaml:" in done.err
        assert "**error** at `channels/sales.yaml:" in web.fake.requests[0]["body"]
        # A merge keeps what is live, and the files still follow it when it's fixed there.
        web.merge()
        assert web.plan() == 1
        web.api.store.seed("acme", [SUPPORT, {"name": "Sales", "id": "c-2", "theme": "dark"}])
        assert said(web.run("channels")) == "Opened the request"
        web.merge()
        assert web.plan() == 0


@both
@pytest.mark.parametrize("effect", [effects.drop(after_commit=True), effects.status(502)])
def test_a_request_whose_answer_is_lost_is_opened_once(host: Host, tmp_path: Path, effect: Any) -> None:
    faults = Faults([Fault(effect, "POST", host.requests_path, nth=1)])
    with site(host, tmp_path, faults=faults) as web:
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        assert len(web.fake.requests) == 1


@both
def test_what_keeps_a_run_from_proposing_is_said_before_anything_is_pushed(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path) as web:
        web.live(theme="light")
        pull = {"GITHUB_REF": "refs/pull/7/merge", "CI_COMMIT_BRANCH": "", "CI_MERGE_REQUEST_IID": "7"}
        own = {"GITHUB_REF": f"refs/heads/{BRANCH}", "CI_COMMIT_BRANCH": BRANCH}
        for environ, reason in (
            (pull, "must run on a branch"),
            (own, "the branch of the request itself"),
            ({"GITHUB_TOKEN": "", "GITLAB_TOKEN": ""}, "isn't set"),
        ):
            refused = web.run("channels", environ=environ)
            assert (refused.code, reason in refused.err) == (1, True), refused.err
        dirty = web.folder / "dirty"
        git(web.folder, "clone", "--quiet", f"file://{web.remote}", str(dirty))
        (dirty / "channels/support.yaml").write_text(FILE + "# mine\n", encoding="utf-8")
        refused = web.run_in(dirty, "channels")
        assert (refused.code, "has uncommitted changes" in refused.err) == (1, True)
        (dirty / "channels/support.yaml").write_text(FILE, encoding="utf-8")
        git(dirty, "commit", "--quiet", "--allow-empty", "--message=unpushed")
        refused = web.run_in(dirty, "channels")
        assert (refused.code, "the remote doesn't have the commit" in refused.err) == (1, True)
        git(dirty, "remote", "set-url", "origin", "http://git.example.com/acme/web.git")
        refused = web.run_in(dirty, "channels")
        assert (refused.code, "can't push to the URL of the remote `origin`" in refused.err) == (1, True)
        git(dirty, "remote", "remove", "origin")
        refused = web.run_in(dirty, "channels")
        assert (refused.code, "no remote `origin`" in refused.err) == (1, True)
        refused = web.run("channels", "--overlay", "channels/support.yaml", "--new-channels")
        assert (refused.code, "--new-channels" in refused.err) == (1, True)
        web.push({"channels/other.yaml": "version: 1\norganization: other\nchannels: []\n"})
        for some in (["--target-org", "ac*"], ["--org", "acme"], ["--shard", "1/2"]):
            refused = web.run("channels", *some)
            assert refused.code == 1
            assert "without --label it would replace the request for all of them" in refused.err
        assert (web.branches(), web.fake.requests) == (["main"], [])


def test_where_jobs_may_not_open_pull_requests_the_way_out_is_said(tmp_path: Path) -> None:
    with site(GITHUB, tmp_path) as web:
        web.live(theme="light")
        web.fake.pulls_off = True  # type: ignore[union-attr]
        refused = web.run("channels")
        assert refused.code == 6
        assert "is not permitted to create or approve pull requests" in refused.err
        assert "allows GitHub Actions to create pull requests" in " ".join(refused.err.split())


def test_a_hook_that_refuses_the_branch_is_named(tmp_path: Path) -> None:
    with site(GITHUB, tmp_path) as web:
        write_program(web.remote / "hooks" / "pre-receive", "echo 'no branches of robots' >&2\nexit 1")
        web.live(theme="light")
        refused = web.run("channels")
        assert refused.code == 6
        assert "no branches of robots" in refused.err
        assert "contents: write" in refused.err


@both
def test_someone_who_pushes_in_between_is_not_overwritten(host: Host, tmp_path: Path) -> None:
    """A person commits to the branch after it was looked at: the lease is theirs."""

    async def commit_meanwhile(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if BRANCH in webs[0].branches():
            webs[0].push({"NOTES.md": "mine"}, BRANCH)
        await app(scope, receive, send)

    webs: list[Site] = []
    faults = Faults([Fault(commit_meanwhile, "GET", host.requests_path, nth=2)])
    with site(host, tmp_path, faults=faults) as web:
        webs.append(web)
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        web.live(theme="auto")
        refused = web.run("channels")
        assert (refused.code, "someone pushed to the branch" in refused.err) == (6, True)
        assert web.file("NOTES.md") == "mine\n"


@pytest.mark.skipif(not have_http_backend(), reason="this git has no http-backend")
@pytest.mark.parametrize(("host", "user"), [(GITHUB, "x-access-token"), (GITLAB, "oauth2")], ids=["github", "gitlab"])
def test_the_token_goes_to_the_pipelines_own_host_and_into_no_command_line(
    host: Host, user: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    wrapper = recording_git(tmp_path / "bin" / "git", log)
    with site(host, tmp_path) as web, serve_git(tmp_path, user=user, password=host.token) as server:
        git(web.remote, "config", "http.receivepack", "true")
        checkout = web.folder / "checkout"
        git(web.folder, "clone", "--quiet", f"file://{web.remote}", str(checkout))
        address = f"{server.url}/remote.git"
        git(checkout, "remote", "set-url", "origin", address.replace("://", "://gitlab-ci-token:of-the-job@"))
        git(checkout, "config", f"http.{server.url}/.extraheader", "Authorization: basic b2YtY2hlY2tvdXQ=")
        web.live(theme="light")
        path = {"PATH": f"{wrapper.parent}{os.pathsep}{ENVIRON['PATH']}"}
        elsewhere = web.run_in(checkout, "channels", environ=path)
        assert f"`origin` is on {server.url}, but this pipeline runs on http" in elsewhere.err
        assert elsewhere.code == 1
        page = {"GITHUB_SERVER_URL": server.url, "CI_PROJECT_URL": f"{server.url}/acme/web"}
        assert said(web.run_in(checkout, "channels", environ={**path, **page})) == "Opened the request"
        assert (server.refused, server.pushes) == (0, 1)
        assert web.branches() == ["main", BRANCH]
    lines = log.read_text(encoding="utf-8")
    assert " push " in lines
    assert host.token not in lines
    assert b64encode(f"{user}:{host.token}".encode()).decode() not in lines


@both
def test_line_ends_that_git_converts_are_committed_as_they_were(host: Host, tmp_path: Path) -> None:
    with site(host, tmp_path, {".gitattributes": "*.yaml text eol=crlf\n", "channels/support.yaml": FILE}) as web:
        web.live(theme="light")
        assert said(web.run("channels")) == "Opened the request"
        (checkout,) = web.folder.glob("run-*")
        assert b"theme: dark\r\n" in (checkout / "channels/support.yaml").read_bytes()
        changed = git(web.remote, "diff", "--unified=0", "main", BRANCH).splitlines()[-2:]
        assert changed == ["-    theme: dark", "+    theme: light"]


@both
def test_what_a_commit_does_not_contain_as_it_was_read_is_refused(host: Host, tmp_path: Path) -> None:
    """Otherwise a request would replace a submodule by its files, or publish what a filter decrypted."""
    other = FILE.replace("acme", "other")
    with site(host, tmp_path) as web:
        web.push({".gitignore": "ignored.yaml\n", "channels/kept.yaml": other})
        repository(tmp_path / "submodule")
        commit(tmp_path / "submodule", {"sub.yaml": FILE.replace("acme", "sub")})
        add_module = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add")
        git(web.clone, *add_module, str(tmp_path / "submodule"), "channels/sub")
        git(web.clone, "commit", "--quiet", "--message=sub")
        git(web.clone, "push", "--quiet", "origin", "HEAD:main")
        for name in ("sub", "nested", "other", "third"):
            web.live(name, theme="light")

        def nest(checkout: Path) -> None:
            repository(checkout / "channels/nested")
            commit(checkout / "channels/nested", {"nested.yaml": FILE.replace("acme", "nested")})

        def ignore(checkout: Path) -> None:
            (checkout / "channels/ignored.yaml").write_text(FILE.replace("acme", "third"), encoding="utf-8")

        def add(checkout: Path) -> None:
            (checkout / "channels/added.yaml").write_text(FILE.replace("acme", "third"), encoding="utf-8")

        def hide(checkout: Path) -> None:
            git(checkout, "update-index", "--assume-unchanged", "channels/kept.yaml")
            (checkout / "channels/kept.yaml").write_text(other.replace("dark", "auto"), encoding="utf-8")

        def leave(_: Path) -> None:
            return

        plain, recursive = (), ("--recurse-submodules",)
        for prepare, options, reason in (
            (nest, plain, "channels/nested/nested.yaml is in another repository, channels/nested"),
            (leave, recursive, "channels/sub/sub.yaml is in another repository, channels/sub"),
            (ignore, plain, "channels/ignored.yaml isn't committed, because Git ignores it\n"),
            (add, plain, "channels/added.yaml isn't committed\n"),
            (hide, plain, "channels/kept.yaml has uncommitted changes"),
        ):
            checkout = web.folder / prepare.__name__
            clone = ("-c", "protocol.file.allow=always", "clone", "--quiet", *options)
            git(web.folder, *clone, f"file://{web.remote}", str(checkout))
            prepare(checkout)
            refused = web.run_in(checkout, "channels")
            assert (refused.code, reason in refused.err) == (1, True), refused.err
        assert web.branches() == ["main"]
        assert said(web.run("channels")) == "Opened the request"  # a submodule that isn't checked out declares nothing
        assert git(web.remote, "diff", "--name-only", "main", BRANCH) == "channels/kept.yaml"


@pytest.mark.parametrize("attribute", ["filter=crypt", "ident"])
def test_what_a_filter_decrypted_is_not_published(attribute: str, tmp_path: Path) -> None:
    filters = ("-c", "filter.crypt.clean=rev", "-c", "filter.crypt.smudge=rev")
    with site(GITHUB, tmp_path) as web:
        (web.clone / ".gitattributes").write_text(f"channels/* {attribute}\n", encoding="utf-8")
        (web.clone / "channels/support.yaml").write_text(f"# $Id$\n{FILE}", encoding="utf-8")
        git(web.clone, *filters, "add", "--all")
        git(web.clone, *filters, "commit", "--quiet", "--message=x")
        git(web.clone, "push", "--quiet", "origin", "HEAD:main")
        web.live(theme="light")
        checkout = web.folder / "checkout"
        git(web.folder, "clone", "--quiet", "--no-checkout", f"file://{web.remote}", str(checkout))
        git(checkout, *filters, "checkout", "--quiet", "main")
        # Git only compares the contents of files that changed lately.
        os.utime(checkout / "channels/support.yaml", (1_000_000_000, 1_000_000_000))
        git(checkout, *filters, "update-index", "--refresh")
        refused = web.run_in(checkout, "channels")
        assert (refused.code, f"its Git attributes say `{attribute}`" in refused.err) == (1, True), refused.err
        assert web.branches() == ["main"]
