"""The memory on remotes over HTTP and ssh: who gets which token, what is refused, what becomes of lost answers."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from commands import emulated
from git_server import PASSWORD, GitServer, have_http_backend, serve_git
from programs import recording_git, write_program
from remembering import Clock, bare, remote_runner
from repositories import ENVIRON, commit, git, repository
from scripted_server import ScriptedServer, answer
from webchat_sync.errors import InputError, MemoryUnavailableError
from webchat_sync.memory.clone import owner_of
from webchat_sync.memory.place import declared_remote, named_remote
from webchat_sync.model import NO_REPOSITORY, GitMemory

pytestmark = pytest.mark.slow

needs_http = pytest.mark.skipif(not have_http_backend(), reason="this git has no http-backend")
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
TOKEN = {**ENVIRON, "WEBCHAT_SYNC_MEMORY_TOKEN": PASSWORD}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    git(bare(tmp_path / "served" / "remote.git"), "config", "http.receivepack", "true")
    with serve_git(tmp_path / "served") as server:
        yield server


@pytest.mark.alike
@needs_http
@pytest.mark.parametrize(
    "environ",
    [
        TOKEN,
        {**ENVIRON, "WEBCHAT_SYNC_MEMORY_TOKEN": f"x-access-token:{PASSWORD}"},
        {
            **TOKEN,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": "Authorization: x",
        },
    ],
)
def test_the_token_is_sent_once_and_lies_nowhere(server: GitServer, environ: dict[str, str], tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with remote_runner("one", named_remote(f"{server.url}/remote.git", environ), environ=environ) as one:
        one.lock.acquire(0)
        one.write("a")
        store = one.refs._store  # type: ignore[attr-defined]  # noqa: SLF001
        assert all(PASSWORD.encode() not in file.read_bytes() for file in store.rglob("*") if file.is_file())
        one.lock.release()
    with remote_runner("two", named_remote(f"{server.url}/remote.git", environ), environ=environ) as two:
        assert two.remembered() == {"a"}
    assert server.refused == 0


@needs_http
def test_the_token_is_in_no_command_line(server: GitServer, tmp_path: Path) -> None:
    log = tmp_path / "log"
    wrapper = recording_git(tmp_path / "bin" / "git", log)
    environ = {**TOKEN, "PATH": f"{wrapper.parent}:{ENVIRON['PATH']}"}
    with remote_runner("one", named_remote(f"{server.url}/remote.git", environ), environ=environ) as one:
        one.lock.acquire(0)
        one.write("a")
    lines = log.read_text(encoding="utf-8")
    assert " push " in lines
    assert PASSWORD not in lines
    assert _basic() not in lines


@needs_http
def test_a_wrong_token_is_an_error_that_does_not_show_it(server: GitServer) -> None:
    remote = named_remote(f"{server.url}/remote.git", {**ENVIRON, "WEBCHAT_SYNC_MEMORY_TOKEN": "wr0ng-t0ken"})
    with remote_runner("one", remote) as one, pytest.raises(MemoryUnavailableError) as failed:
        one.lock.acquire(0)
    assert "wr0ng" not in f"{failed.value.message}{failed.value.hint}"
    assert "the token (WEBCHAT_SYNC_MEMORY_TOKEN, or" in failed.value.hint


@needs_http
def test_a_redirect_is_not_followed(server: GitServer) -> None:
    there = f"{server.url}/remote.git/info/refs?service=git-upload-pack"
    with ScriptedServer(otherwise=answer(302, headers={"Location": there})) as front:
        remote = named_remote(f"{front.url}/remote.git", TOKEN)
        with remote_runner("one", remote, environ=TOKEN) as one, pytest.raises(MemoryUnavailableError):
            one.lock.acquire(0)
    assert server.headers == []


@pytest.mark.alike
@needs_http
@pytest.mark.parametrize("organizations", [("org-1",), ("org-1", "org-2")])
def test_a_push_that_took_effect_and_was_not_answered_is_found(
    server: GitServer, organizations: tuple[str, ...]
) -> None:
    remote = named_remote(f"{server.url}/remote.git", TOKEN)
    with remote_runner("one", remote, Clock(), environ=TOKEN, organizations=organizations) as one:
        server.drop = 1
        assert one.lock.acquire(0) == ()
        assert one.lock.still_held()
        server.drop = 1
        one.write("a")
        assert one.remembered() == {"a"}
        assert len(one.memory.history()) == 1
        server.drop = 1
        assert one.lock.renew()
        server.drop = 1
        one.lock.release()
        assert one.lock.holders() == ()
    assert server.pushes == 4


@needs_http
def test_the_password_in_the_url_of_a_clone_and_its_header_are_used_and_not_shown(
    server: GitServer, tmp_path: Path
) -> None:
    clone = repository(tmp_path / "clone")
    address = f"{server.url}/remote.git"
    git(clone, "remote", "add", "origin", address.replace("://", f"://x-access-token:{PASSWORD}@"))
    found = declared_remote(GitMemory(), clone, ENVIRON)
    assert found.url == address
    assert PASSWORD not in repr(found)
    with remote_runner("one", found) as one:
        one.lock.acquire(0)
        one.lock.release()
    git(clone, "remote", "set-url", "origin", address)
    header = f"AUTHORIZATION: basic {_basic()}"
    git(clone, "config", f"http.{server.url}/.extraheader", header.replace("basic", "Basic"))
    with remote_runner("one", declared_remote(GitMemory(), clone, ENVIRON)) as one:
        one.lock.acquire(0)
        one.lock.release()
    assert server.refused == 0


def _basic() -> str:
    from base64 import b64encode

    return b64encode(f"x-access-token:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize(
    ("url", "environ", "credentials"),
    [
        (
            "https://github.com/a/b",
            {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_TOKEN": "t"},
            "x-access-token:t",
        ),
        ("https://evil.example/a/b", {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_TOKEN": "t"}, ""),
        ("https://github.com.evil.example/a", {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_TOKEN": "t"}, ""),
        ("http://127.0.0.1/a", {"GITHUB_SERVER_URL": "https://127.0.0.1", "GITHUB_TOKEN": "t"}, ""),
        ("https://gitlab.com/a/b", {"CI_SERVER_URL": "https://gitlab.com", "CI_JOB_TOKEN": "t"}, "gitlab-ci-token:t"),
        ("https://evil.example/a", {"CI_SERVER_URL": "https://gitlab.com", "GITLAB_TOKEN": "t"}, ""),
        ("git@github.com:a/b", {"WEBCHAT_SYNC_MEMORY_TOKEN": "t"}, ""),
        ("https://any.example/a", {"WEBCHAT_SYNC_MEMORY_TOKEN": "t"}, "x-access-token:t"),
        (
            "https://gitlab-ci-token:j@gitlab.com/a",
            {"CI_SERVER_URL": "https://gitlab.com", "GITLAB_TOKEN": "t"},
            "oauth2:t",
        ),
        ("https://u:p@any.example/a", {"WEBCHAT_SYNC_MEMORY_TOKEN": "v:t"}, "v:t"),
        ("https://u:p@any.example/a", {}, "u:p"),
    ],
)
def test_a_token_goes_to_its_own_host_only(url: str, environ: dict[str, str], credentials: str) -> None:
    assert named_remote(url, {**ENVIRON, **environ}).credentials.reveal() == credentials


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ext::sh -c true",
            "-oProxyCommand=true",
            "ssh://-oProxyCommand=true/x",
            "-host:path",
            "http://example.com/a",
        ),
        *("git://example.com/a", "ftp://example.com/a", "fd::17/a", "EXT::sh", "--upload-pack=true"),
        *("https://", "ssh:///a", "https:///a"),
    ],
)
def test_a_remote_that_could_run_something_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="memory can't be kept in"):
        named_remote(url, ENVIRON)
    clone = repository(tmp_path / "clone")
    git(clone, "config", "remote.origin.url", url)
    with pytest.raises(InputError):
        declared_remote(GitMemory(), clone, ENVIRON)


@pytest.mark.parametrize("name", ["upstream", "https://evil.example/a", "../elsewhere", "--all", "-v", "", "."])
def test_a_manifest_names_a_remote_of_the_clone_and_no_other(name: str, tmp_path: Path) -> None:
    clone = repository(tmp_path / "clone")
    git(clone, "remote", "add", "origin", "https://example.com/a")
    assert declared_remote(GitMemory(), clone, ENVIRON).url == "https://example.com/a"
    with pytest.raises(InputError, match="no remote") as refused:
        declared_remote(GitMemory(remote=name), clone, ENVIRON)
    assert "Its remotes: origin. " in refused.value.problems[0].hint


@pytest.mark.parametrize("make", [repository, bare])
def test_a_path_as_the_remote_begins_in_the_clone_even_if_its_name_has_line_breaks(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    clone = make(tmp_path / "a\nclone\n")
    git(clone, "remote", "add", "origin", "../remote.git")
    assert declared_remote(GitMemory(), clone, ENVIRON).url == str(tmp_path / "remote.git")


def test_a_clone_without_any_remote_needs_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='no remote "origin"') as refused:
        declared_remote(GitMemory(), repository(tmp_path / "clone"), ENVIRON)
    assert refused.value.problems[0].hint.startswith(
        "Add it with `git remote add`, run this in the clone of the manifests, or use"
    )


@pytest.mark.parametrize(
    "ref",
    [
        *("refs/heads/main", "refs/tags/v1", "main", "HEAD", "refs/x", "-refs/a/b", "refs/a/b..c", "refs/a/b c", ""),
        *(
            "refs/a/b.lock",
            "refs/a/*",
            "refs/remotes/origin/x",
            "refs/pull/1/head",
            "+refs/a/b",
            "refs/a/b:refs/heads/main",
        ),
    ],
)
def test_a_ref_that_git_has_a_use_for_is_refused(ref: str, tmp_path: Path) -> None:
    clone = repository(tmp_path / "clone")
    git(clone, "remote", "add", "origin", "https://example.com/a")
    with pytest.raises(InputError, match=r"ref|memory"):
        declared_remote(GitMemory(ref=ref), clone, ENVIRON)


def test_hooks_and_settings_of_the_clone_run_nothing(tmp_path: Path) -> None:
    clone, trap = repository(tmp_path / "clone"), tmp_path / "trapped"
    script = write_program(tmp_path / "trap", f"touch {trap}")
    (clone / ".git" / "hooks").mkdir(exist_ok=True)
    for name in ("pre-push", "reference-transaction", "post-checkout"):
        shutil.copy(script, clone / ".git" / "hooks" / name)
    git(clone, "remote", "add", "origin", str(bare(tmp_path / "remote.git")))
    for key in ("core.fsmonitor", "core.sshCommand", "remote.origin.uploadpack", "remote.origin.receivepack"):
        git(clone, "config", key, str(script))
    git(clone, "config", "credential.helper", f"!{script}")
    with remote_runner("one", declared_remote(GitMemory(), clone, ENVIRON)) as one:
        one.lock.acquire(0)
        one.write("a")
        one.lock.release()
    assert not trap.exists()


@contextmanager
def sshd(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """An sshd of our own: the URL of the folder ``/`` on it, and the environment that leads there."""
    for name in ("host", "user"):
        command = [
            shutil.which("ssh-keygen") or "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-f",
            str(folder / name),
        ]
        subprocess.run(command, check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    port = _free_port()
    config = f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
    (folder / "config").write_text(f"{config}StrictModes no\nPidFile none\nUsePAM no\n", encoding="utf-8")
    assert SSHD
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    options = f"-i {folder}/user -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    try:
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, "sshd ended"
            time.sleep(0.05)
        environ = {**ENVIRON, "GIT_SSH_COMMAND": f"ssh -F /dev/null {options}"}
        yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}", environ
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.skipif(SSHD is None or os.geteuid() != 0, reason="no sshd is installed, or it may not be started")
def test_a_remote_over_ssh(tmp_path: Path) -> None:
    repository_path = bare(tmp_path / "remote.git")
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    with (
        sshd(keys) as (url, environ),
        remote_runner("one", named_remote(f"{url}{repository_path}", environ), environ=environ) as one,
    ):
        one.lock.acquire(0)
        one.write("a")
        one.lock.release()
        assert one.remembered() == {"a"}


@pytest.mark.variation
@pytest.mark.skipif(SSHD is None or os.geteuid() != 0, reason="no sshd is installed, or it may not be started")
def test_two_applies_on_thrown_away_runners_share_a_memory_over_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote, keys = bare(tmp_path / "remote.git"), tmp_path / "keys"
    keys.mkdir(mode=0o700)
    manifest = (
        "version: 1\norganization: acme\nchannels:\n"
        "  - {name: Support, sync: {identitySecret: {rotation: %s, deliver: [{file: secret}]}}}\n"
    )
    with sshd(keys) as (url, environ), emulated() as api:
        memory = ["--memory", f"{url}{remote}"]
        made = []
        for job, rotation in enumerate(["one", "one", "two"]):
            folder = repository(tmp_path / f"job-{job}")
            commit(folder, {"channels.yaml": manifest % rotation})
            monkeypatch.chdir(folder)
            done = api.invoke("apply", "channels.yaml", "--auto-approve", *memory, environ=environ)
            assert done.code == 0, done.err
            made.append((folder / "secret").exists())
        assert made == [True, False, True]
        assert api.invoke("history", "Support", *memory, environ=environ).out.count("Support") >= 2


@pytest.mark.parametrize(
    "url",
    ["ssh://git:hunter2@example.com/a", "git:hunter2@example.com:a", "https://example.com/a.git?access_token=hunter2"],
)
def test_a_secret_that_git_would_get_as_an_argument_is_refused_and_not_shown(url: str, tmp_path: Path) -> None:
    clone = repository(tmp_path / "clone")
    git(clone, "remote", "add", "origin", url)
    for refused in (partial(named_remote, url, ENVIRON), partial(declared_remote, GitMemory(), clone, ENVIRON)):
        with pytest.raises(InputError, match="a password or a query") as error:
            refused()
        assert "hunter2" not in str(error.value.problems)
        assert "WEBCHAT_SYNC_MEMORY_TOKEN" in error.value.problems[0].hint


@pytest.mark.parametrize("url", ["https://git:hunter2@[x/a", "ssh://[::1", "file://["])
def test_what_is_no_url_is_refused_and_not_shown(url: str, tmp_path: Path) -> None:
    clone = repository(tmp_path / "clone")
    git(clone, "remote", "add", "origin", url)
    for refused in (partial(named_remote, url, ENVIRON), partial(declared_remote, GitMemory(), clone, ENVIRON)):
        with pytest.raises(InputError, match="the URL of the memory isn't valid") as error:
            refused()
        assert "hunter2" not in str(error.value.problems)
    assert owner_of(clone, ENVIRON) == NO_REPOSITORY


@pytest.mark.parametrize("name", ["GITHUB_SERVER_URL", "CI_SERVER_URL"])
def test_a_pipeline_whose_host_is_no_url_has_no_token_for_it(name: str) -> None:
    environ = {**ENVIRON, name: "https://[x", "GITHUB_TOKEN": "t", "GITLAB_TOKEN": "t"}
    assert named_remote("https://github.com/a/b", environ).credentials.reveal() == ""


@pytest.mark.parametrize("url", ["git@example.com:a/b@1.git", "ssh://git@example.com:22/a", "/srv/a?b"])
def test_a_remote_that_only_looks_like_one_with_a_secret_is_accepted(url: str) -> None:
    assert named_remote(url, ENVIRON).url == url
