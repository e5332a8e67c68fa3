"""The examples for Kubernetes and Argo CD: checked against the published schemas, their commands run as shards.

``WEBCHAT_SYNC_KUBERNETES_PYTHON`` is a Python that has kubernetes-validate, and so the schemas; ``.ci/run`` makes it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from applying import KEY
from commands import Emulated, emulated
from programs import PACKAGE, write_program
from repositories import commit, repository

VARIABLE: Final = "WEBCHAT_SYNC_KUBERNETES_PYTHON"
validated = pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} is not set; see CONTRIBUTING.md")

HOME = "/home/webchat-sync"
EXAMPLES: Final = Path(__file__).parents[1] / "examples"
FILES: Final = sorted((EXAMPLES / "kubernetes").glob("*.yaml")) + sorted((EXAMPLES / "argocd").glob("*.yaml"))
SHARDS: Final = 4


def read(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """The specification of every Job, that of a CronJob too."""
    for file in FILES:
        document = read(file)
        if document["kind"] == "CronJob":
            yield file.name, document["spec"]["jobTemplate"]["spec"]
        elif document["kind"] == "Job":
            yield file.name, document["spec"]


JOBS: Final = dict(jobs())


VALIDATE: Final = """
import sys, kubernetes_validate, yaml
for file in sys.argv[2:]:
    with open(file, encoding="utf-8") as text:
        kubernetes_validate.validate(yaml.safe_load(text), sys.argv[1], strict=True)
    print("valid")
"""
"""Its own program doesn't take a document with ``generateName``."""


def validate(version: str, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [os.environ[VARIABLE], "-c", VALIDATE, version, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@validated
@pytest.mark.parametrize("version", ["1.30", "1.34"])
def test_the_files_are_as_kubernetes_describes_them(version: str) -> None:
    done = validate(version, *FILES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("valid") == len(FILES), done.stdout


@validated
def test_the_schemas_would_notice_a_mistake(tmp_path: Path) -> None:
    document = read(EXAMPLES / "kubernetes" / "apply.yaml")
    document["spec"]["completionmode"] = document["spec"].pop("completionMode")
    file = tmp_path / "apply.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = validate("1.34", file)
    assert (done.returncode, "completionmode" in done.stdout + done.stderr) == (1, True)


@pytest.mark.parametrize("name", JOBS)
def test_every_container_is_confined(name: str) -> None:
    pod = JOBS[name]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    written = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        confined = container["securityContext"]
        assert (confined["readOnlyRootFilesystem"], confined["allowPrivilegeEscalation"]) == (True, False)
        assert confined["capabilities"] == {"drop": ["ALL"]}
        assert written == {mount["name"] for mount in container["volumeMounts"]} - {"channels"}
        assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"])
    if JOBS[name].get("completionMode") == "Indexed":
        environ = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}
        assert environ["WEBCHAT_SYNC_SHARDS"] == str(JOBS[name]["completions"]) == str(SHARDS)


def filled(word: str, environ: Mapping[str, str]) -> str:
    """``word`` with the value of every ``$(NAME)``, as Kubernetes gives it to a container."""
    return re.sub(r"\$\((\w+)\)", lambda name: environ[name[1]], word)


def run_pod(pod: Mapping[str, Any], work: Path, secret: Mapping[str, str], index: int | None = None) -> tuple[int, str]:
    """Run the containers of one pod in their order, with ``work`` for HOME; the exit code, and what they printed."""
    work.mkdir(exist_ok=True)
    program = write_program(work.parent / "bin" / "webchat-sync", PACKAGE)
    printed = ""
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        given = {entry["name"]: entry["value"].replace(HOME, str(work)) for entry in container["env"]}
        given |= {} if index is None else {"JOB_COMPLETION_INDEX": str(index)}
        assert container["envFrom"] == [{"secretRef": {"name": "webchat-sync"}}]
        assert container["workingDir"] == HOME
        environ = {**secret, **given}
        command = [
            filled(word, environ) for word in (*container.get("command", [str(program)]), *container.get("args", []))
        ]
        path = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "NO_PROXY": "127.0.0.1"}
        ended = subprocess.run(
            command, cwd=work, env={**path, **environ}, capture_output=True, text=True, check=False, timeout=120
        )
        printed += ended.stdout + ended.stderr
        if ended.returncode:
            return ended.returncode, printed
    return 0, printed


FLEET: Final = {
    f"{number}.yaml": f"version: 1\norganization: org-{number}\nchannels: [{{name: Support, color: '#0f766e'}}]\n"
    for number in range(10)
}


def secret_of(api: Emulated, **more: str) -> dict[str, str]:
    """What the cluster's Secret holds: all that the file has, made for here."""
    declared = set(read(EXAMPLES / "kubernetes" / "secret.yaml")["stringData"])
    given = {"MOSEND_API_KEY": api.environ["MOSEND_API_KEY"], **more}
    assert declared <= given.keys()
    return {**given, "MOSEND_BASE_URL": api.url}


@pytest.mark.variation
@pytest.mark.slow
def test_the_shards_of_the_jobs_apply_a_fleet_and_see_its_drift(tmp_path: Path) -> None:
    source = repository(tmp_path / "source")
    commit(source, FLEET)
    apply, drift = (JOBS[name]["template"]["spec"] for name in ("apply.yaml", "drift.yaml"))
    with emulated() as api:
        secret = secret_of(api, REPOSITORY=str(source))
        shares = [run_pod(apply, tmp_path / f"apply-{index}", secret, index) for index in range(SHARDS)]
        assert [code for code, _ in shares] == [0] * SHARDS, shares
        assert [len(api.store.channels(f"org-{number}")) for number in range(10)] == [1] * 10
        counted = [
            int(part) for _, printed in shares for part in re.findall(r"WEBCHAT_SYNC_SHARDS: (\d+) of 10", printed)
        ]
        assert sum(counted) == 10
        seen = [run_pod(drift, tmp_path / f"drift-{index}", secret, index)[0] for index in range(SHARDS)]
        assert seen == [0] * SHARDS
        (channel,) = api.store.channels("org-3")
        path = f"{api.url}/organizations/org-3/web-chat/channels/{channel['id']}"
        httpx.patch(path, json={"color": "#111111"}, headers={"X-Api-Key": KEY}).raise_for_status()
        seen = [run_pod(drift, tmp_path / f"drift-{index + SHARDS}", secret, index)[0] for index in range(SHARDS)]
        assert sorted(seen) == [0, 0, 0, 2]


@pytest.mark.slow
def test_the_hook_of_argo_cd_applies_what_the_config_map_holds(tmp_path: Path) -> None:
    manifests = read(EXAMPLES / "argocd" / "channels.yaml")["data"]
    with emulated() as api:
        secret = secret_of(api, MOSEND_ORG_ID="acme", REPOSITORY="")
        work = tmp_path / "work"
        # A ConfigMap is mounted as links into a folder that is a link itself, so that it changes as one.
        held = work / "channels" / "..2026_11_02"
        held.mkdir(parents=True)
        (work / "channels" / "..data").symlink_to(held.name)
        for name, text in manifests.items():
            (held / name).write_text(text, encoding="utf-8")
            (work / "channels" / name).symlink_to(f"..data/{name}")
        code, printed = run_pod(JOBS["presync.yaml"]["template"]["spec"], work, secret)
        assert code == 0, printed
        assert [channel["name"] for channel in api.store.channels("acme")] == ["Support"]


def test_the_hook_runs_before_the_sync_and_after_its_manifests() -> None:
    waves = {}
    for name in ("channels.yaml", "presync.yaml"):
        annotations = read(EXAMPLES / "argocd" / name)["metadata"]["annotations"]
        assert annotations["argocd.argoproj.io/hook"] == "PreSync"
        waves[name] = int(annotations.get("argocd.argoproj.io/sync-wave", "0"))
    assert waves["channels.yaml"] < waves["presync.yaml"]
