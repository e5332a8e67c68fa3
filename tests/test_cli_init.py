from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from commands import Finished, invoke
from linters import lint
from recording_pip import recording_python
from variations import variation
from webchat_sync import __version__
from webchat_sync.cli.starter import host_of

ROOT = Path(__file__).parents[1]
ENVIRON = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def init(*arguments: object) -> Finished:
    return invoke("init", *arguments, environ=ENVIRON)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=ENVIRON)  # noqa: S607


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_folder_plans_applies_and_plans_empty_in_the_sandbox(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = init("my channels")
    assert made.code == 0
    assert made.out.splitlines() == [
        "",
        "Next:",
        "  1. Try the example in my channels/channels.yaml without an account:",
        "       webchat-sync plan 'my channels/' --sandbox",
        "     Then replace it with your own channels. If you already have some, set",
        "     MOSEND_API_KEY and MOSEND_ORG_ID, and import them:",
        "       rm 'my channels/channels.yaml' && webchat-sync import --out 'my channels/'",
        "  2. Set MOSEND_API_KEY and MOSEND_ORG_ID, and compare your channels with what's",
        "     live:",
        "       webchat-sync plan 'my channels/'",
        "  3. Write a pipeline for GitHub or GitLab, for example:",
        "       webchat-sync init 'my channels' --host github",
    ]
    folder = here / "my channels"
    assert (here / ".gitignore").read_text(encoding="utf-8") == ".webchat-sync/\n"
    first, second, *_ = (folder / "channels.yaml").read_text(encoding="utf-8").splitlines()
    schema = folder / first.removeprefix("# yaml-language-server: $schema=")
    monkeypatch.chdir(folder)
    schema.unlink()
    assert "`webchat-sync init` in this folder puts the schema back" in second
    assert init().code == 0
    assert schema.is_file()
    assert invoke("validate", "channels.yaml").code == 0
    assert invoke("validate").code == 0
    assert invoke("plan", "--sandbox", "--detailed-exitcode").code == 2
    assert invoke("apply", "--sandbox", "--auto-approve").code == 0
    assert invoke("plan", "--sandbox", "--detailed-exitcode").code == 0


def test_nothing_that_exists_is_overwritten_and_what_is_missing_comes_back(here: Path) -> None:
    (here / "channels.yaml").write_bytes(b"mine")
    (here / ".gitignore").write_bytes(b"*.log\r\n# \xff")
    made = init()
    assert made.code == 0
    assert "channels.yaml already exists; left unchanged." in made.err
    assert contents(here)["channels.yaml"] == b"mine"
    assert contents(here)[".gitignore"] == b"*.log\r\n# \xff\r\n.webchat-sync/\r\n"
    before = contents(here)
    (here / ".webchat-sync" / "channel.schema.json").unlink()
    assert init().code == 0
    assert contents(here) == before


@pytest.mark.parametrize("line", ["/.webchat-sync/", ".webchat-sync", "  .webchat-sync/"])
def test_a_folder_that_is_ignored_already_is_not_ignored_again(here: Path, line: str) -> None:
    (here / ".gitignore").write_text(f"a\n{line}\n", encoding="utf-8")
    init()
    assert (here / ".gitignore").read_text(encoding="utf-8") == f"a\n{line}\n"


def assert_hashed(folder: Path, script: str) -> None:
    """Run the lines that install, with a pip that keeps what it is asked for."""
    asked = recording_python(folder / "bin", folder / "asked")
    subprocess.run(["sh", "-ec", script], env=asked, check=True)  # noqa: S607
    ours, ourselves, others = (folder / "asked").read_text(encoding="utf-8").splitlines()[:3]
    assert "--only-binary :all: --no-deps --requirement " in ours
    assert ourselves == f"webchat-sync=={__version__}"
    assert "--only-binary :all: --require-hashes" in others
    assert others.endswith("/webchat_sync/requirements.txt")
    shutil.rmtree(folder / "bin")
    (folder / "asked").unlink()


FOLDERS = [(".", "channels.yaml"), ("config/chat", "config/chat/"), ("it's", "it's/")]


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize(("folder", "path"), FOLDERS)
def test_on_github_the_files_plan_apply_the_reviewed_plan_and_look_for_drift(
    here: Path, folder: str, path: str
) -> None:
    git(here, "init", "--quiet", "--initial-branch", "main")
    git(here, "remote", "add", "origin", "git@github.com:acme/gitlab-tools.git")
    commit = "0123456789" * 4
    assert init(folder, "--action", f"acme/webchat-sync@{commit}").code == 0
    files = sorted((here / ".github" / "workflows").iterdir())
    assert [file.name for file in files] == [f"webchat-sync-{name}.yml" for name in ("apply", "drift", "plan")]
    workflows = {file.stem.rpartition("-")[2]: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}
    steps = {
        name: step
        for name, workflow in workflows.items()
        for step in workflow["jobs"][name]["steps"]
        if step.get("uses", "").startswith("acme/webchat-sync@")
    }
    assert {step["uses"] for step in steps.values()} == {f"acme/webchat-sync@{commit}"}
    assert {step["with"]["paths"] for step in steps.values()} == {path}
    assert {step["with"]["organization"] for step in steps.values()} == {"${{ vars.MOSEND_ORG_ID }}"}
    assert {name: step["with"]["command"] for name, step in steps.items()} == {name: name for name in workflows}
    assert steps["apply"]["with"]["reviewed"].endswith("|| 'required' }}")
    assert workflows["plan"]["jobs"]["plan"]["permissions"]["pull-requests"] == "write"
    assert [step["if"].count("dependabot") for step in workflows["plan"]["jobs"]["planned"]["steps"]] == [0, 1]
    assert "schedule" in workflows["drift"][True]
    assert workflows["apply"][True]["push"] == {
        "branches": ["main"],
        "paths": [path if folder == "." else f"{path}**"],
    }
    everything = "".join(file.read_text(encoding="utf-8") for file in files)
    assert "channels/" not in everything.replace(path, "")
    assert "fork:" not in everything
    lint("actionlint", *files, folder=here)
    lint("zizmor", "--offline", "--quiet", *files, folder=here)
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files, folder=here)


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize(("folder", "path"), FOLDERS)
def test_on_gitlab_a_file_to_include_is_made(here: Path, folder: str, path: str) -> None:
    git(here, "init", "--quiet")
    git(here, "remote", "add", "upstream", "https://user@gitlab.example.com/acme/github-mirror.git")
    assert init(folder).code == 0
    file = here / "webchat-sync.gitlab-ci.yml"
    pipeline = yaml.safe_load(file.read_text(encoding="utf-8"))
    jobs = {name: job["script"] for name, job in pipeline.items() if name != ".webchat-sync"}
    assert list(jobs) == ["webchat-sync-plan", "webchat-sync-apply", "webchat-sync-drift"]
    quoted = shlex.quote(path)
    assert f"webchat-sync validate {quoted}" in jobs["webchat-sync-plan"]
    assert (
        f"webchat-sync plan {quoted} --out plan.json --render gitlab=terraform.json || code=$?"
        in jobs["webchat-sync-plan"]
    )
    assert jobs["webchat-sync-apply"] == ["exec webchat-sync apply plan.json --auto-approve"]
    assert pipeline["webchat-sync-apply"]["needs"] == ["webchat-sync-plan"]
    assert f"webchat-sync drift {quoted} --detailed-exitcode --out drift.json || code=$?" in jobs["webchat-sync-drift"]
    assert yaml.safe_load((here / ".gitlab-ci.yml").read_text("utf-8")) == {"include": [{"local": file.name}]}
    assert "0000" not in file.read_text(encoding="utf-8")
    assert_hashed(here, "\n".join(pipeline[".webchat-sync"]["before_script"]))
    assert not (here / ".github").exists()
    lint("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", file, folder=here)


def test_the_jobs_for_gitlab_are_those_of_the_example_under_other_names(here: Path) -> None:
    git(here, "init", "--quiet")
    assert init("channels", "--host", "gitlab").code == 0
    made = yaml.safe_load((here / "webchat-sync.gitlab-ci.yml").read_text(encoding="utf-8"))
    example = yaml.safe_load((ROOT / "examples" / "gitlab" / "plain.gitlab-ci.yml").read_text(encoding="utf-8"))
    example["apply"]["needs"] = ["webchat-sync-plan"]
    del example["adopt"]  # for those who want their files edited
    assert {name.removeprefix("webchat-sync-"): job for name, job in made.items() if name != ".webchat-sync"} == {
        name: job for name, job in example.items() if name != ".webchat-sync"
    }
    base, known = made[".webchat-sync"], example[".webchat-sync"]
    assert base["image"] == known["image"]
    # The same but for the hash of the wheel, which the wheel itself cannot hold.
    assert base["before_script"] == [
        re.sub(" --hash=sha256:0+", "", line)
        .replace(" --require-hashes", "")
        .replace("$pip --req", "$pip --require-hashes --req")
        for line in known["before_script"]
    ]


def test_a_folder_with_manifests_gets_no_example(here: Path) -> None:
    git(here, "init", "--quiet")
    (here / "chat").mkdir()
    (here / "chat" / "support.yaml").write_text("version: 1\nchannels: [{name: Support}]\n", encoding="utf-8")
    made = init("chat", "--host", "gitlab")
    assert (made.code, (here / "chat" / "channels.yaml").exists()) == (0, False)
    assert "       webchat-sync plan chat/ --sandbox\n" in made.out
    assert "import" not in made.out


def test_in_the_root_of_a_repository_manifests_elsewhere_are_not_left_out_in_silence(here: Path) -> None:
    git(here, "init", "--quiet")
    (here / "package.json").touch()
    for folder, advice in (
        ("config/chat", "init config/chat`"),
        ("config", "init config`"),
        (".", "channels/. Run init"),
    ):
        (here / folder).mkdir(parents=True, exist_ok=True)
        (here / folder / "a.yaml").write_text("version: 1\nchannels: [{name: Support}]\n", encoding="utf-8")
        refused = init("--host", "github")
        assert (refused.code, advice in refused.err, (here / "channels.yaml").exists()) == (1, True, False)
    (here / "channels.yaml").write_text("version: 1\nchannels: []\n", encoding="utf-8")
    assert init("--host", "github").code == 0


def test_without_a_repository_the_pipeline_is_for_one_in_the_current_directory(here: Path) -> None:
    made = init("channels", "--host", "github")
    assert (made.code, "no Git repository yet" in made.err) == (0, True)
    assert (here / ".github/workflows/webchat-sync-plan.yml").is_file()
    assert "Create a repository on GitHub." in made.out


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_what_it_wrote_is_valid_in_the_folder_it_was_written_to(here: Path, host: str) -> None:
    git(here, "init", "--quiet")
    assert init("--host", host).code == 0
    assert invoke("validate").code == 0
    for name in ("azure-pipelines.yml", "bitbucket-pipelines.yml"):
        shutil.copy(ROOT / "examples" / name.partition("-")[0] / name, here)
    assert invoke("validate").code == 0


ORGANIZATIONS = {
    "named": ("organization: acme", None, ["MOSEND_API_KEY"], None),
    "by the flag": ("settings: {}", "acme", ["MOSEND_API_KEY"], "acme"),
    "by no one": ("settings: {}", None, ["MOSEND_API_KEY"], "${{ vars.MOSEND_ORG_ID }}"),
    "by a variable": ("organization: ${MOSEND_ORG_ID}", None, ["MOSEND_API_KEY"], "${{ vars.MOSEND_ORG_ID }}"),
    "with a key": ("organization: acme\nsettings: {apiKeyEnv: MOSEND_API_KEY_A}", None, ["MOSEND_API_KEY_A"], None),
    "with a key that is none": (
        "organization: acme\nsettings: {apiKeyEnv: GITHUB_TOKEN}",
        None,
        ["MOSEND_API_KEY"],
        None,
    ),
}


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize(("owner", "flag", "keys", "organization"), ORGANIZATIONS.values(), ids=ORGANIZATIONS)
@pytest.mark.parametrize("others", [0, 2])
def test_a_pipeline_gives_the_manifests_the_keys_and_the_organisation_that_they_need(
    here: Path, owner: str, flag: str | None, keys: list[str], organization: str | None, others: int
) -> None:
    git(here, "init", "--quiet")
    (here / "channels").mkdir()
    owners = [owner, *(f"organization: o{n}\nsettings: {{apiKeyEnv: MOSEND_API_KEY_O{n}}}" for n in range(others))]
    for number, text in enumerate(owners):
        manifest = f"version: 1\n{text}\nchannels: [{{name: Support}}]\n"
        (here / "channels" / f"{number}.yaml").write_text(manifest, encoding="utf-8")
    wanted = [*keys, *(f"MOSEND_API_KEY_O{n}" for n in range(others))]
    arguments = ["channels", *(["--org", flag] if flag else [])]
    made = init(*arguments, "--host", "github")
    assert made.code == 0
    files = sorted((here / ".github" / "workflows").iterdir())
    for file in files:
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        job = workflow["jobs"][file.stem.rpartition("-")[2]]
        step = job["steps"][-1]
        given = step.get("env", {})
        secrets = {name for name in given if name.startswith("MOSEND")}
        secrets |= {"MOSEND_API_KEY"} if "api-key" in step["with"] else set()
        assert secrets == set(wanted)
        assert all(given[name] == f"${{{{ secrets.{name} }}}}" for name in secrets - {"MOSEND_API_KEY"})
        assert step["with"].get("organization") == organization
    lint("actionlint", *files, folder=here)
    lint("zizmor", "--offline", "--quiet", *files, folder=here)
    said = " ".join(made.out.split())
    assert all(key in said for key in wanted)
    assert ("variable MOSEND_ORG_ID" in said) == (organization is not None and organization.startswith("$"))

    made = init(*arguments, "--host", "gitlab")
    base = yaml.safe_load((here / "webchat-sync.gitlab-ci.yml").read_text(encoding="utf-8"))[".webchat-sync"]
    literal = None if organization is None or organization.startswith("$") else organization
    assert base["variables"].get("MOSEND_ORG_ID") == literal
    said = " ".join(made.out.split())
    assert all(key in said for key in [*wanted, "GITLAB_TOKEN", "the role Developer or above", "schedule"])
    command = next(line.strip() for line in made.out.splitlines() if "--sandbox" in line)
    variable, _, command = command.rpartition("webchat-sync ")
    environ = ENVIRON | dict([variable.strip().split("=")] if variable else [])
    assert invoke(*shlex.split(command), environ=environ).code == ("GITHUB_TOKEN" in owner)


def test_no_link_out_of_the_repository_says_whose_the_manifests_are(
    here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    git(here, "init", "--quiet")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "a.yaml"
    elsewhere.write_text("version: 1\norganization: private\nchannels: []\n", encoding="utf-8")
    (here / "channels").mkdir()
    (here / "channels" / "a.yaml").symlink_to(elsewhere)
    made = init("channels", "--host", "github", "--org", "acme")
    assert (made.code, "private" in made.err) == (0, False)


@pytest.mark.parametrize("given", ["../x", "a/", ".."])
def test_an_organisation_that_is_no_id_is_refused(given: str, here: Path) -> None:
    refused = init("channels", "--org", given)
    assert (refused.code, "can't be an organisation id" in refused.err) == (64, True)
    assert not (here / "channels").exists()
    pasted = init("channels", "--org", " acme\n")
    assert pasted.code == 0
    assert "organization: acme\n" in (here / "channels/channels.yaml").read_text(encoding="utf-8")


def test_an_organisation_that_the_manifests_contradict_is_not_taken_in_silence(here: Path) -> None:
    (here / "channels.yaml").write_text("version: 1\norganization: acme\nchannels: []\n", encoding="utf-8")
    ignored = "--org other is ignored: the manifests already name their organisation"
    assert f"{ignored} (acme).\n" in init("--host", "github", "--org", "other").err
    assert "ignored" not in init("--host", "github", "--org", "acme").err
    with (here / "channels.yaml").open("a", encoding="utf-8") as file:
        file.write("---\nversion: 1\norganization: beta\nchannels: []\n")
    assert f"{ignored}s (acme and beta).\n" in init("--host", "github", "--org", "other").err


@pytest.mark.parametrize("edited", ["", variation("'"), '"'])
@pytest.mark.parametrize("host", ["github", "gitlab"])
@pytest.mark.parametrize(
    ("first", "second", "is_used", "needs_variable"),
    [
        (None, "12345", False, True),
        ("12345", "12345", True, False),
        ("12345", None, True, False),
        ("acme", "12345", False, False),
        ("12345", "acme", False, False),
        (None, None, True, True),
    ],
)
def test_an_organisation_that_existing_files_do_not_have_is_not_taken_in_silence(
    here: Path, host: str, first: str | None, second: str | None, is_used: bool, needs_variable: bool, edited: str
) -> None:
    git(here, "init", "--quiet")
    (here / "channels").mkdir()
    (here / "channels" / "a.yaml").write_text("version: 1\nchannels: [{name: Support}]\n", encoding="utf-8")
    init("channels", "--host", host, *(["--org", first] if first else []))
    for file in [*here.glob(".github/workflows/*.yml"), *here.glob("webchat-sync.*.yml")]:
        text = file.read_text(encoding="utf-8")
        for written in ('"12345"', " acme\n"):
            text = text.replace(
                written, f" {edited}{written.strip().strip(chr(34))}{edited} # ours\n" if edited else written
            )
        file.write_text(text, encoding="utf-8")
    again = init("channels", "--host", host, *(["--org", second] if second else []))
    assert again.code == 0
    assert (" wasn't written to " not in again.err) == is_used, again.err
    if not is_used:
        line = 'organization: "12345"' if second == "12345" else "organization: acme"
        assert f"Write `{line}` in the manifests that don't name an organisation, or delete th" in again.err
    assert ("variable MOSEND_ORG_ID" in " ".join(again.out.split())) == needs_variable, again.out


@pytest.mark.parametrize("folder", [".", "channels"])
def test_an_organisation_without_a_file_to_write_it_to_is_not_taken_in_silence(here: Path, folder: str) -> None:
    (here / folder).mkdir(exist_ok=True)
    (here / folder / "channels.yaml").write_text("version: 1\nchannels: [{name: Support}]\n", encoding="utf-8")
    made = init(folder, "--org", "acme")
    assert made.code == 0
    assert (
        "--org acme wasn't written to the manifests, since existing files aren't changed. Write "
        "`organization: acme` in the manifests that don't name an organisation, or set MOSEND_ORG_ID to it.\n"
    ) in made.err
    assert "Set MOSEND_API_KEY and MOSEND_ORG_ID" in made.out


@pytest.mark.parametrize("organization", ["12345", "null", "true", "1e5", "0x10", "2026-11-28", "~", "-x", "a: b", "é"])
def test_an_organisation_is_text_whatever_it_looks_like(here: Path, organization: str) -> None:
    assert init("--org", organization).code == 0
    assert yaml.safe_load((here / "channels.yaml").read_text(encoding="utf-8"))["organization"] == organization


@pytest.mark.parametrize(
    ("first", "further", "remote_head", "branch"),
    [
        ("main", "x", None, "main"),
        ("master", "x", None, "master"),
        ("master", "main", None, "main"),
        ("1.0", None, None, "1.0"),
        ("topic", "main", None, "main"),
        ("main", None, "release/2", "release/2"),
    ],
)
def test_the_merge_that_applies_is_into_the_main_branch(
    here: Path, first: str, further: str | None, remote_head: str | None, branch: str
) -> None:
    git(here, "init", "--quiet", "--initial-branch", first)
    git(here, "remote", "add", "upstream", "git@github.com:acme/x.git")
    git(here, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "--message", "x")
    if further:
        git(here, "branch", further)
    if remote_head:
        git(here, "update-ref", f"refs/remotes/upstream/{remote_head}", "HEAD")
        git(here, "symbolic-ref", "refs/remotes/upstream/HEAD", f"refs/remotes/upstream/{remote_head}")
    made = init()
    assert f"the merge into {branch} applies it" in " ".join(made.out.split())
    apply = yaml.safe_load((here / ".github/workflows/webchat-sync-apply.yml").read_text(encoding="utf-8"))
    assert apply[True]["push"]["branches"] == [branch]


@pytest.mark.parametrize(("host", "request_name"), [("github", "pull request"), ("gitlab", "merge request")])
def test_a_repository_without_a_branch_needs_one_to_merge_into_first(host: str, request_name: str, here: Path) -> None:
    first = f"Push a first commit to main, for example with a README, since a {request_name} needs a branch"
    git(here, "init", "--quiet", "--initial-branch", "main")
    assert first in " ".join(init("--host", host).out.split())
    git(here, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--allow-empty", "--message", "First")
    again = " ".join(init("--host", host).out.split())
    assert first not in again
    assert f"Push the files to a branch and open a {request_name}." in again


def test_a_second_run_says_what_the_first_one_left_to_do(here: Path) -> None:
    git(here, "init", "--quiet")
    init("channels", "--host", "github")
    again = init("channels", "--host", "github", "--action", f"acme/webchat-sync@{'0123456789' * 4}")
    assert "webchat-sync-plan.yml already exists; left unchanged. To get the current version, delete it" in again.err
    assert "Replace OWNER/webchat-sync@000" in again.out
    init("channels", "--host", "gitlab")
    assert "Include" not in init("channels", "--host", "gitlab").out
    (here / ".gitlab-ci.yml").write_text("stages: [test]\n", encoding="utf-8")
    assert "Include webchat-sync.gitlab-ci.yml in .gitlab-ci.yml." in init("channels", "--host", "gitlab").out


@pytest.mark.parametrize(
    ("remote", "example"),
    [
        ("git@bitbucket.org:acme/x.git", "examples/bitbucket"),
        ("git@ssh.dev.azure.com:v3/acme/x/y", "examples/azure"),
        ("https://acme.visualstudio.com/x/_git/y", "examples/azure"),
    ],
)
def test_for_a_host_without_a_pipeline_of_its_own_it_names_the_example(here: Path, remote: str, example: str) -> None:
    git(here, "init", "--quiet")
    git(here, "remote", "add", "origin", remote)
    made = invoke("init", "--org", "acme", environ=ENVIRON, interactive=True, stdin="")
    assert (made.code, example in made.out) == (0, True), made.err
    assert (ROOT / example / "README.md").is_file()


def test_the_organisation_of_the_flag_is_declared_and_its_variable_is_not_asked_for(here: Path) -> None:
    git(here, "init", "--quiet")
    made = init("--host", "github", "--org", "0123-4567")
    assert made.code == 0
    assert yaml.safe_load((here / "channels.yaml").read_text(encoding="utf-8"))["organization"] == "0123-4567"
    assert "MOSEND_ORG_ID" not in made.out + (here / ".github/workflows/webchat-sync-plan.yml").read_text("utf-8")
    assert invoke("validate", "channels.yaml").code == 0
    assert [line[:5] for line in made.out.splitlines() if line[2:3].isdigit()] == ["  1. ", "  2. ", "  3. "]
    assert max(len(line) for line in made.out.splitlines() if "       " not in line) <= 80  # commands aren't broken
    assert " webchat-sync import --org 0123-4567 --out channels.yaml\n" in made.out


@pytest.mark.parametrize(
    ("arguments", "typed", "file", "organization"),
    [
        ([], "gitlab\nacme\n", "webchat-sync.gitlab-ci.yml", "acme"),
        ([], "github\n\n", ".github/workflows/webchat-sync-plan.yml", None),
        (["--host", "gitlab"], "acme: x\n", "webchat-sync.gitlab-ci.yml", "acme: x"),
        (["--org", "acme"], "nobody\ngitlab\n", "webchat-sync.gitlab-ci.yml", "acme"),
    ],
)
def test_in_a_terminal_it_asks_for_what_it_cannot_tell(
    here: Path, arguments: list[str], typed: str, file: str, organization: str | None
) -> None:
    made = invoke("init", *arguments, environ=ENVIRON, interactive=True, stdin=typed)
    assert made.code == 0, made.err
    assert ('Error: "nobody" isn\'t one of github, gitlab or none.' in made.out + made.err) == ("nobody" in typed)
    assert (here / file).is_file()
    assert yaml.safe_load((here / "channels.yaml").read_text(encoding="utf-8")).get("organization") == organization


@pytest.mark.parametrize("action", ["acme/webchat-sync@v1", "acme@" + "0" * 40, "acme/x@" + "0" * 39, ""])
def test_an_action_that_is_not_pinned_to_a_commit_is_refused(here: Path, action: str) -> None:
    refused = init("--action", action)
    assert (refused.code, contents(here)) == (64, {})
    assert "40 digits" in refused.err


@pytest.mark.parametrize(
    ("remote", "arguments", "reason"),
    [
        ("", ["--host", "gitlab"], "the pipeline is for GitLab"),
        ("git@gitlab.com:acme/web.git", [], "the pipeline is for GitLab"),
        ("", ["--host", "none"], "no pipeline is written"),
        ("git@bitbucket.org:acme/web.git", [], "no pipeline is written"),
        ("git@bitbucket.org:acme/web.git", ["--host", "github"], None),
        ("", [], None),
    ],
)
def test_an_action_is_used_or_refused(here: Path, remote: str, arguments: list[str], reason: str | None) -> None:
    git(here, "init", "--quiet", "--initial-branch", "main")
    if remote:
        git(here, "remote", "add", "origin", remote)
    action = f"acme/webchat-sync@{'0123456789' * 4}"
    made = init(*arguments, "--action", action)
    if reason is None:
        assert made.code == 0
        assert action in (here / ".github/workflows/webchat-sync-plan.yml").read_text(encoding="utf-8")
    else:
        assert (made.code, contents(here)) == (64, {})
        assert f"--action is for a pipeline on GitHub, and {reason}\n  Leave it out, or use --host github." in made.err


@pytest.mark.parametrize(
    ("existing", "made"),
    [(".github/x", ".github/workflows/webchat-sync-plan.yml"), (".gitlab-ci.yml", "webchat-sync.gitlab-ci.yml")],
)
def test_without_a_remote_the_files_of_the_repository_tell_the_host(here: Path, existing: str, made: str) -> None:
    git(here, "init", "--quiet")
    (here / existing).parent.mkdir(exist_ok=True)
    (here / existing).touch()
    assert init("chat").code == 0
    assert (here / made).is_file()
    (here / made).write_text("mine", encoding="utf-8")
    assert f"{made} already exists" in init("chat").err
    assert (here / made).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("remote", "host"),
    [
        ("https://github.com/acme/x.git", "github"),
        ("ssh://git@github.acme.example:2222/x", "github"),
        ("git@gitlab.com:github/x.git", "gitlab"),
        ("https://token@git.example.com/gitlab/x", None),
        ("/srv/github/x.git", None),
        ("https://[github/x.git", None),
        ("", None),
    ],
)
def test_the_host_is_known_by_the_name_of_the_server(remote: str, host: str | None) -> None:
    assert host_of(remote) == host


def test_a_folder_that_cannot_be_made_is_an_error_and_git_is_not_needed(here: Path) -> None:
    (here / "file").touch()
    refused = init("file/below")
    assert (refused.code, "can't write" in refused.err) == (1, True)
    assert "Check the path, that its folder exists, and the permissions." in refused.err
    assert invoke("init", "new", environ={"PATH": ""}).code == 0


@pytest.mark.parametrize(
    ("remote", "host", "memory"),
    [("origin", "github", "git"), ("origin", "gitlab", "git"), ("upstream", "github", None), ("origin", "none", None)],
)
def test_the_manifest_shares_the_memory_of_its_pipeline(here: Path, remote: str, host: str, memory: str | None) -> None:
    git(here, "init", "--quiet", "--initial-branch", "main")
    git(here, "remote", "add", remote, "git@git.example.com:acme/site.git")
    assert init("--host", host).code == 0
    text = (here / "channels.yaml").read_text(encoding="utf-8")
    settings = yaml.safe_load(text).get("settings") or {}
    assert settings.get("memory") == memory
    assert "memory: git" in text
    assert invoke("validate", "channels.yaml", environ={"MOSEND_ORG_ID": "acme"}).code == 0


@pytest.mark.parametrize("name", ["channels.yaml", ".gitignore"])
def test_a_pipe_is_refused_instead_of_waited_for(here: Path, name: str) -> None:
    os.mkfifo(here / name)
    refused = invoke("init", "--host", "none")
    assert (refused.code, f"can't use {name}: it's a FIFO" in refused.err) == (1, True), refused.err


def test_a_pipe_in_place_of_the_pipeline_is_not_read(here: Path) -> None:
    os.mkfifo(here / ".gitlab-ci.yml")
    assert invoke("init", "channels", "--host", "gitlab").code == 0
