"""What is read and written stays in the tree: links, devices, FIFOs, sockets, and files that are no manifests."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from commands import invoke as run
from ledgers import read_ledger
from sink_kinds import FILE_KINDS
from variations import variation
from webchat_sync.errors import InputError
from webchat_sync.model import Sink
from webchat_sync.secrets.sinks import Occasion, Sinks, read_sink
from webchat_sync.tree import escape, outside, read_regular

CANARY = "q7Zk2canary"
MANIFEST = "version: 1\norganization: o\nchannels: []\n"
FOREIGN = {
    ".netrc": f"machine api.{CANARY}.com\nlogin {CANARY}\npassword {CANARY}: x\n",
    "config": f'[remote "{CANARY}"]\n\turl = https://{CANARY}@example.com/x\n',
    "shadow": f"root:$6${CANARY}:19000:0:99999:7:::\n",
    "credentials.json": f'{{"type": "service_account", "{CANARY}": ["{CANARY}"], "private_key": "{CANARY}\\q"}}\n',
    ".env": f"A={CANARY}\nB: {CANARY}\n",
    "id_rsa": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END OPENSSH PRIVATE KEY-----\n",
    ".npmrc": f"//registry.example.com/:_authToken={CANARY}\n",
    "pip.conf": f"[global]\nindex-url = https://u:{CANARY}@example.com\n",
    "aws": f"[default]\naws_access_key_id = {CANARY}\naws_secret_access_key = {CANARY}\n",
    "kubeconfig": f"apiVersion: v1\nkind: Config\nusers:\n- name: {CANARY}\n  user: {{token: {CANARY}}}\n{CANARY}: 1\n",
    "docker.json": f'{{"auths": {{"{CANARY}": {{"auth": "{CANARY}"}}}}}}\n',
    "list": f"- {CANARY}\n- [{CANARY}\n",
    "alias": f"*{CANARY}\n",
    "tags": f"&a [x]\n{CANARY}\n",
    "twice": f"{CANARY}: 1\n{CANARY}: 2\n",
    "variable": f"a: ${{{CANARY}}}\n",
    "tag": f"!{CANARY}!x y\n",
}
COMMANDS = [
    *(["validate", "--format", each] for each in ("text", "json", "github", "sarif", "codequality")),
    *(["plan", "--sandbox"], ["apply", "--sandbox", "--auto-approve"], ["drift", "--sandbox"]),
]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("way", ["file", variation("linked"), variation("overlay")])
def test_nothing_of_a_file_that_is_no_manifest_is_printed(tree: Path, name: str, way: str, command: list[str]) -> None:
    (tree.parent / "target").write_text(FOREIGN[name])
    (tree / "b.yaml").write_text(MANIFEST)
    if way == "file":
        (tree / "a.yaml").write_text(FOREIGN[name])
    else:
        (tree / "a.yaml").symlink_to("../target")
    result = run(*command, *(["b.yaml", "--overlay", "a.yaml"] if way == "overlay" else ["."]))
    assert result.code == 1
    assert CANARY not in result.out + result.err


@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize("way", ["named", "found", "chain", "parent", "folder", "overlay", ".git"])
def test_links_that_leave_the_tree_are_refused(tree: Path, git: bool, way: str) -> None:
    if git:
        subprocess.run(["git", "init", "-q"], check=True)  # noqa: S607 - git of the machine
    elsewhere = tree.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".git").mkdir()
    (elsewhere / "m.yaml").write_text(MANIFEST)
    (tree / "base.yaml").write_text(MANIFEST)
    (tree / ".git").mkdir(exist_ok=True) if way == ".git" else None
    if way == ".git":
        (tree / ".git" / "config").write_text(MANIFEST)
    (tree / "a.yaml").symlink_to(tree / ".git" / "config" if way == ".git" else elsewhere / "m.yaml")
    (tree / "b.yaml").symlink_to("a.yaml")
    (tree / "out").symlink_to(elsewhere)
    named = {"found": ["."], "chain": ["b.yaml"], "parent": ["out/m.yaml"], "folder": ["out"]}
    paths = ["base.yaml", "--overlay", "a.yaml"] if way == "overlay" else named.get(way, ["a.yaml"])
    result = run("validate", *paths)
    assert result.code == 1
    left = "the repository" if git or way == ".git" else "its folder"
    assert f"leads outside {left}\n" in result.err


def test_links_inside_the_tree_are_followed(tree: Path) -> None:
    (tree / "common").mkdir()
    (tree / "channels").mkdir()
    (tree / "common" / "m.yaml").write_text(MANIFEST)
    (tree / "channels" / "a.yaml").symlink_to("../common/m.yaml")
    (tree / ".git").mkdir()
    (tree / "linked").symlink_to("common")
    for path in ("channels", "channels/a.yaml", "linked", "linked/m.yaml"):
        assert run("validate", path).code == 0, path


def test_what_lies_above_the_tree_may_be_linked(tree: Path) -> None:
    (tree / "m.yaml").write_text(MANIFEST)
    (tree.parent / "current").symlink_to(tree)
    assert escape(tree.parent / "current" / "m.yaml", tree.parent / "current") is None


def special_file(kind: str, path: Path) -> None:
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    else:
        try:
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
            path.open("rb").close()
        except OSError:
            pytest.skip("devices cannot be made here")


@pytest.mark.parametrize("kind", ["FIFO", "socket", "device"])
def test_no_command_opens_a_device_a_fifo_or_a_socket(tree: Path, kind: str) -> None:
    special_file(kind, tree / "x.yaml")
    (tree / "m.yaml").write_text(MANIFEST)
    (tree / "l.yaml").write_text("version: 1\norganization: o\nsettings: {ledger: x.yaml}\nchannels: []\n")
    for command in (
        ["validate", "x.yaml"],
        ["plan", "--sandbox", "x.yaml"],
        ["apply", "x.yaml", "--sandbox", "--auto-approve"],
        ["show", "x.yaml"],
        ["plan", "m.yaml", "--live", "x.yaml"],
        ["validate", "m.yaml", "--overlay", "x.yaml"],
        ["plan", "m.yaml", "--api-key-file", "x.yaml"],
        ["plan", "--sandbox", "l.yaml"],
    ):
        result = run(*command)
        assert result.code == 1, (command, result.err)
        assert f"it's a {kind}" in result.err, command
    with pytest.raises(OSError, match="it's a"):
        read_regular(tree / "x.yaml")


def probed(sink: Sink, environ: dict[str, str], allowed: tuple[str, ...] = ()) -> str:
    return anyio.run(Sinks(environ, allowed_paths=allowed).probe, sink, Occasion("n", "i", "o", None))


@pytest.mark.parametrize("sink_kind", FILE_KINDS)
@pytest.mark.parametrize("kind", ["FIFO", "socket", "device"])
def test_a_sink_is_no_device_fifo_or_socket(tree: Path, kind: str, sink_kind: str) -> None:
    special_file(kind, tree / "x")
    assert f"it's a {kind}" in probed(Sink(sink_kind, "x", "KEY"), {})
    with pytest.raises(OSError, match="it's a"):
        read_sink(Sink(sink_kind, "x", "KEY"))


@pytest.mark.parametrize("linked", ["file", "folder", "missing"])
def test_a_sink_or_a_ledger_behind_a_link_out_of_the_tree_is_refused(tree: Path, linked: str) -> None:
    outer = tree.parent / "outer"
    outer.mkdir()
    (outer / "x").write_text("")
    (tree / "a").symlink_to({"file": outer / "x", "folder": outer, "missing": outer / "y"}[linked])
    path = "a/x" if linked == "folder" else "a"
    assert "leads outside its folder" in probed(Sink("file", path), {})
    with pytest.raises(InputError, match="leads outside its folder"):
        read_ledger(Path(path))


@pytest.mark.parametrize("command", [["plan"], ["apply", "--auto-approve"]])
def test_a_ledger_behind_a_folder_that_leaves_the_manifests_is_refused_wherever_the_command_runs(
    tree: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, outer = tree.parent / "here", tree.parent / "outer"
    for folder in (here, outer):
        folder.mkdir()
    (tree / "state").symlink_to(outer)
    (tree / "m.yaml").write_text(
        "version: 1\norganization: o\nsettings: {ledger: state/l.json}\nchannels: [{name: A}]\n"
    )
    monkeypatch.chdir(here)
    for path in (tree, f"../{tree.name}", tree / "m.yaml"):
        refused = run(*command, "--sandbox", path)
        assert (refused.code, "leads outside its folder" in refused.err) == (1, True), refused.out
    assert list(outer.iterdir()) == []


@pytest.mark.parametrize("name", [".git", ".GIT", ".Git", ".git.", ".git ", "GIT~1"])
def test_what_git_keeps_for_itself_is_no_part_of_the_tree_in_any_spelling(tree: Path, name: str) -> None:
    assert outside(tree / name / "config", tree, {"CI": "true"})
    assert outside(tree / "inner" / name / "hooks" / "x", tree, {"CI": "true"})
    assert not outside(tree / f"{name}ignore", tree, {"CI": "true"})


@pytest.mark.parametrize("variable", ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION"])
def test_what_lies_outside_the_tree_needs_the_operators_word_in_ci(tree: Path, variable: str) -> None:
    there = tree.parent / "there"
    there.mkdir()
    sinks = [
        *(Sink(kind, path, "KEY") for kind in FILE_KINDS for path in (str(there / "s"), "../there/s")),
        Sink("command", argv=("cat",), folder="../there"),
    ]
    path = {"PATH": os.environ["PATH"]}
    for sink in sinks:
        assert probed(sink, path) == ""
        assert "--allow-path" in probed(sink, {**path, variable: "true"})
        assert probed(sink, {**path, variable: "true"}, (f"{there}*",)) == ""
        assert probed(sink, {**path, variable: "true", "WEBCHAT_SYNC_ALLOW_PATHS": f"/x:{there}*"}) == ""
    assert not outside(tree / "s", tree, {variable: "true"})
    assert outside(tree / "../there/../s", tree, {variable: "true"}, ("there/*", f"{tree}/*"))


@pytest.mark.parametrize("command", ["plan", "drift", "apply"])
def test_a_ledger_outside_the_tree_needs_the_operators_word_in_ci(tree: Path, command: str) -> None:
    for arguments in (["init", "-q"], ["config", "user.email", "a@example.com"], ["config", "user.name", "A"]):
        subprocess.run(["git", *arguments], check=True)  # noqa: S607 - git of the machine
    (tree / "m.yaml").write_text("version: 1\norganization: o\nsettings: {ledger: ../l.json}\nchannels: []\n")
    subprocess.run("git add m.yaml && git commit -qm m", shell=True, check=True)  # noqa: S602, S607
    line = [command, "--sandbox", "m.yaml", *(["--auto-approve"] if command == "apply" else [])]
    assert run(*line).code == 0
    refused = run(*line, environ={"CI": "true", "PATH": os.environ["PATH"]})
    assert refused.code == 1
    assert "--allow-path" in refused.err
    allowed = run(*line, "--allow-path", "../l.json", environ={"CI": "true", "PATH": os.environ["PATH"]})
    assert allowed.code == 0, allowed.err


LONG = "y" * 300
UNREACHABLE = {
    LONG: "File name too long",
    f"{LONG}/x": "File name too long",
    "loop/x": "Too many levels",
    "closed/x": "",
}
NAMING = [
    *(["drift"], ["drift", "m.yaml", "--overlay"], ["plan", "--sandbox"], ["validate"], ["history", "--manifest"]),
    *(["plan", "--sandbox", "m.yaml", option] for option in ("--out", "--debug-http", "--live")),
    *(["apply", "--sandbox", "m.yaml", "--auto-approve", option] for option in ("--report", "--events")),
    *(["snapshot", "--sandbox", "--out"], ["import", "--sandbox", "--org", "o", "--out"], ["preview"]),
    *(["secret", "sign", "A", "--user-id", "u", "--from"], ["history", "--memory"]),
]


@pytest.mark.parametrize("path", UNREACHABLE)
@pytest.mark.parametrize("command", NAMING, ids=" ".join)
def test_a_path_that_nobody_can_look_at_is_refused_by_name(tree: Path, command: list[str], path: str) -> None:
    (tree / "m.yaml").write_text(MANIFEST)
    (tree / "loop").symlink_to("loop")
    (tree / "closed").mkdir(mode=0)
    commit = "git init -q && git add m.yaml && git -c user.name=A -c user.email=a@example.com commit -qm m"
    subprocess.run(commit, shell=True, check=True)  # noqa: S602 - a constant
    if path.startswith("closed") and os.access("closed", os.X_OK):
        pytest.skip("root may look at everything")
    refused = run(*command, path, environ={"PATH": os.environ["PATH"]})
    assert refused.code == (7 if "--memory" in command and "/" in path else 1), refused.err
    assert path.split("/")[0][:50] in refused.err
    assert "can't continue" not in refused.err


def test_a_link_to_itself_next_to_the_manifests_stops_no_adopt(tree: Path) -> None:
    (tree / "m.yaml").write_text("version: 1\norganization: sandbox\nchannels: [{name: A, theme: dark}]\n")
    (tree / "x.yaml").symlink_to("x.yaml")
    assert run("apply", "m.yaml", "--sandbox", "--auto-approve").code == 0
    (tree / "m.yaml").write_text("version: 1\nchannels: [{name: A, theme: light}]\n")
    adopted = run("adopt", "m.yaml", "--org", "sandbox", "--sandbox", "--auto-approve")
    assert (adopted.code, "theme: dark" in (tree / "m.yaml").read_text()) == (0, True), adopted.err


def test_a_file_that_would_have_to_be_waited_for_is_read_or_an_error() -> None:
    with suppress(OSError):  # it's empty, unless the kernel has just said something, and only the administrator's
        assert read_regular(Path("/proc/kmsg"))
