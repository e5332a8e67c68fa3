"""The image, and the pods of ``examples/kubernetes`` and ``examples/argocd`` in it, run by podman.

On demand, as ``docs/contributing/podman.md`` says: ``WEBCHAT_SYNC_PODMAN`` is the command. podman plays pods and not
jobs, so each test makes the pods as a cluster does it from the template of a job. They reach the emulator, and a
repository, on loopback.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tomllib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from applying import KEY
from commands import Emulated, emulated
from git_server import GitServer, serve_git
from remembering import bare
from repositories import commit, git, repository
from test_kubernetes import EXAMPLES, FLEET, JOBS, SHARDS, filled, read
from webchat_sync.emulator import Fault, Faults, effects

PODMAN: Final = "WEBCHAT_SYNC_PODMAN"
BUILD: Final = "WEBCHAT_SYNC_PODMAN_BUILD"
"""More arguments for the build, such as a volume with the certificates of a network."""

ROOT: Final = Path(__file__).parents[1]
IMAGE: Final = "localhost/webchat-sync:test"
SECRET: Final = "webchat-sync"
MOUNTED: Final = {"/home/webchat-sync", "/tmp"}  # noqa: S108 - where the pods have volumes
MADE_BY_PODMAN: Final = {"/etc", "/home", "/run", *MOUNTED}
"""What a container's own layer has: the places of what is mounted."""


def test_the_image_is_built_from_all_that_the_wheel_takes() -> None:
    copied = {
        source.removeprefix("./").rstrip("/")
        for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
        for source in sources.split()
    }
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    taken = [*wheel["force-include"], *wheel["packages"], project["project"]["readme"], "pyproject.toml"]
    for file in taken:
        above = {file, *map(str, Path(file).parents)}
        assert above & copied, f"the Dockerfile doesn't copy {file}"
        assert any(fnmatch(path, pattern) for path in above for pattern in sent), f".dockerignore leaves out {file}"


@dataclass(frozen=True)
class Ended:
    """How the containers of a pod ended: the exit code of the last one, and what it printed."""

    code: int
    printed: str


def podman(*arguments: str, given: str | None = None, check: bool = True) -> str:
    """Run podman with ``given`` on its stdin; gives what it printed."""
    command = [*shlex.split(os.environ[PODMAN]), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"{shlex.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def image() -> str:
    """The image that the Dockerfile makes."""
    if PODMAN not in os.environ:
        pytest.skip(f"{PODMAN} is not set; see docs/contributing/podman.md")
    more = shlex.split(os.environ.get(BUILD, ""))
    podman("build", "--network", "host", "--pull=missing", *more, "--tag", IMAGE, str(ROOT))
    return IMAGE


@dataclass(frozen=True)
class Cluster:
    """Plays pods one after the other; ``secret`` is what the Secret of a cluster holds."""

    image: str
    secret: Mapping[str, str]

    def run(self, template: Mapping[str, Any], *documents: Mapping[str, Any], **more: str) -> Ended:
        """Make a pod from the template of a job, and wait for its end; ``more`` are variables of its container."""
        pod = self.pod(template, more)
        played = yaml.safe_dump_all([*documents, pod])
        (container,) = pod["spec"]["containers"]
        name = f"{pod['metadata']['name']}-{container['name']}"
        try:
            podman("kube", "play", "--network", "host", "-", given=played)
            code = int(podman("wait", name))
            self.check(name)
            return Ended(code, podman("logs", name))
        finally:
            podman("kube", "down", "-", given=played, check=False)

    def pod(self, template: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, Any]:
        """What a cluster makes of the template."""
        spec = json.loads(json.dumps(template["spec"]))
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["image"].startswith("REGISTRY/webchat-sync@")
            container |= {"image": self.image, "imagePullPolicy": "Never"}
            # Podman takes $(NAME) as it is written.
            container |= {
                name: [filled(word, self.secret) for word in container[name]]
                for name in {"command", "args"} & {*container}
            }
        spec["containers"][0]["env"] += [{"name": name, "value": value} for name, value in more.items()]
        metadata = {**template["metadata"], "name": "webchat-sync-test"}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def check(self, container: str) -> None:
        """It had no rights, and wrote nothing beside what is mounted."""
        (ran,) = json.loads(podman("inspect", container))
        assert ran["Config"]["User"] == "10001:10001"
        assert ran["HostConfig"]["ReadonlyRootfs"] is True
        assert (ran["EffectiveCaps"], ran["BoundingCaps"]) == (None, None)
        assert "no-new-privileges" in ran["HostConfig"]["SecurityOpt"]
        changed = {line.split(maxsplit=1)[1] for line in podman("diff", container).splitlines()}
        assert changed <= MADE_BY_PODMAN, changed


@contextmanager
def cluster(image: str, **values: str) -> Iterator[Cluster]:
    """A cluster with this Secret, as podman keeps it; before 4.4 it reads back the data alone."""
    data = {name: b64encode(value.encode()).decode() for name, value in values.items()}
    version = tuple(map(int, re.findall(r"\d+", podman("--version"))[:2]))
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "data": data}
    podman("secret", "create", SECRET, "-", given=json.dumps(data if version < (4, 4) else document))
    try:
        yield Cluster(image, values)
    finally:
        podman("secret", "rm", SECRET)


@contextmanager
def served_fleet(folder: Path) -> Iterator[GitServer]:
    """The manifests of a fleet, and an empty repository for a memory, behind a password."""
    commit(repository(folder / "source"), FLEET)
    git(folder / "source", "clone", "--quiet", "--bare", ".", str(folder / "served" / "channels.git"))
    bare(folder / "served" / "memory.git")
    with serve_git(folder / "served") as server:
        yield server


def with_password(server: GitServer, name: str) -> str:
    """The address of a repository, which contains a read-only token."""
    return f"http://{server.user}:{server.password}@{urlsplit(server.url).netloc}/{name}"


def variables(api: Emulated, **more: str) -> dict[str, str]:
    declared = set(read(EXAMPLES / "kubernetes" / "secret.yaml")["stringData"])
    given = {"MOSEND_API_KEY": KEY, "MOSEND_BASE_URL": api.url, **more}
    assert declared <= given.keys()
    return given


def shards(on: Cluster, name: str) -> list[Ended]:
    """The pods of an Indexed Job, each of which is given its index."""
    return [on.run(JOBS[name]["template"], JOB_COMPLETION_INDEX=str(index)) for index in range(SHARDS)]


def codes(pods: Sequence[Ended]) -> list[int]:
    return [pod.code for pod in pods]


@pytest.mark.slow
def test_the_image_runs_as_nobody_and_without_a_place_to_write(image: str) -> None:
    alone = ("run", "--rm", "--network", "none", "--read-only", image)
    assert podman(*alone, "--version").startswith("webchat-sync ")
    assert "uid=10001(webchat-sync)" in podman(*alone[:-1], "--entrypoint", "id", image)
    # What `init` writes comes with the wheel, from outside of the package.
    written = podman("run", "--rm", "--network", "none", image, "init", "--host", "github")
    assert "Wrote .github/workflows/webchat-sync-apply.yml." in written


@pytest.mark.slow
def test_the_pods_of_the_jobs_apply_a_fleet_remember_it_and_see_its_drift(image: str, tmp_path: Path) -> None:
    with emulated() as api, served_fleet(tmp_path) as server:
        repositories = {"REPOSITORY": with_password(server, "channels.git")}
        memory = {
            "WEBCHAT_SYNC_MEMORY": f"{server.url}/memory.git",
            "WEBCHAT_SYNC_MEMORY_TOKEN": f"{server.user}:{server.password}",
        }
        with cluster(image, **variables(api, **repositories, **memory)) as made:
            applied = shards(made, "apply.yaml")
            assert codes(applied) == [0] * SHARDS, applied
            assert [len(api.store.channels(f"org-{number}")) for number in range(10)] == [1] * 10
            taken = [re.findall(r"WEBCHAT_SYNC_SHARDS: (\d+) of 10", pod.printed) for pod in applied]
            assert sum(int(number) for (number,) in taken) == 10
            references = git(server.root / "memory.git", "for-each-ref", "--format=%(refname)")
            assert "refs/webchat-sync/memory" in references
            assert codes(shards(made, "drift.yaml")) == [0] * SHARDS
            (channel,) = api.store.channels("org-3")
            path = f"{api.url}/organizations/org-3/web-chat/channels/{channel['id']}"
            httpx.patch(path, json={"color": "#111111"}, headers={"X-Api-Key": KEY}).raise_for_status()
            seen = shards(made, "drift.yaml")
            assert sorted(codes(seen)) == [0, 0, 0, 2]
            assert any("#111111" in pod.printed for pod in seen)


@pytest.mark.slow
def test_the_hook_of_argo_cd_applies_what_the_config_map_holds(image: str) -> None:
    held = read(EXAMPLES / "argocd" / "channels.yaml")
    template = JOBS["presync.yaml"]["template"]
    try:
        with emulated() as api, cluster(image, **variables(api, MOSEND_ORG_ID="acme", REPOSITORY="")) as made:
            applied = made.run(template, held)
            assert applied.code == 0, applied.printed
            (channel,) = api.store.channels("acme")
            assert (channel["name"], channel["allowedDomains"]) == ("Support", ["www.example.com"])
            protected = held["data"]["support.yaml"] + "    enabled: false\n    sync: {protect: true}\n"
            refused = made.run(template, {**held, "data": {"support.yaml": protected}})
            assert (refused.code, "--allow-protected" in refused.printed) == (5, True), refused.printed
            assert [channel["enabled"] for channel in api.store.channels("acme")] == [True]
    finally:
        podman("volume", "rm", "--force", held["metadata"]["name"], check=False)


@pytest.mark.slow
def test_the_signal_that_ends_a_container_ends_the_apply_in_it(image: str, tmp_path: Path) -> None:
    (tmp_path / "channels.yaml").write_text("version: 1\norganization: acme\nchannels: [{name: Support}]\n", "utf-8")
    tmp_path.chmod(0o755)
    with emulated(faults=Faults([Fault(effects.delay(300), "POST")])) as api:
        given = [part for name, value in api.environ.items() for part in ("--env", f"{name}={value}")]
        files = ["--volume", f"{tmp_path}:/channels:ro"]
        name = podman(
            "run", "--detach", "--network", "host", *given, *files, image, "apply", "/channels", "--auto-approve"
        )
        name = name.strip()
        try:
            while "Plan: 1 to add" not in podman("logs", name):
                assert json.loads(podman("inspect", name))[0]["State"]["Running"], podman("logs", name)
            podman("stop", "--time", "60", name)
            assert podman("wait", name).strip() == "130", "it was killed"
            assert "Apply was interrupted." in podman("logs", name)
        finally:
            podman("rm", "--force", name)
