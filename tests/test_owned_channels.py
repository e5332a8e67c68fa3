"""Which channels `prune: owned` deletes: those that these manifests declared, and only once no file declares them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands import Emulated, Finished, emulated
from remembering import bare
from repositories import ENVIRON, commit, git, repository

REMOTES = {"site": "https://git.example/acme/site.git", "other": "https://git.example/acme/other.git"}


@dataclass
class Machine:
    """A machine that keeps its memory in its current folder, with a clone of each repository in a folder beside it."""

    folder: Path
    api: Emulated

    def write(self, file: str, *channels: str, organization: str = "acme") -> None:
        """A manifest that declares these channels, in a clone of the repository that the path begins with."""
        path = self.folder / file
        name = Path(file).parts[0]
        if name in REMOTES and not (self.folder / name).exists():
            git(repository(self.folder / name), "remote", "add", "origin", REMOTES[name])
        path.parent.mkdir(parents=True, exist_ok=True)
        head = f"version: 1\norganization: {organization}\nsettings: {{prune: owned}}\nchannels:\n"
        lines = [f"  - name: {channel}\n" for channel in channels] or ["  []\n"]
        path.write_text(head + "".join(lines), encoding="utf-8")

    def apply(self, *paths: str, more: Sequence[str] = (), organization: str = "acme") -> Finished:
        places = [f"../{path}" for path in paths]
        environ = {**ENVIRON, "MOSEND_ORG_ID": organization}
        done = self.api.invoke("apply", *places, "--auto-approve", "--allow-empty", *more, environ=environ)
        assert done.code == 0, done.err
        return done

    def plan(self, *paths: str) -> str:
        return self.api.invoke("plan", *(f"../{path}" for path in paths), "--verbose", environ=ENVIRON).out

    @property
    def remote(self) -> Path:
        """A memory that's the same in every folder."""
        path = self.folder / "memory.git"
        return path if path.exists() else bare(path)

    @property
    def remembered(self) -> list[dict[str, Any]]:
        """What the memory in the current folder has about channels."""
        stored = json.loads(Path(".webchat-sync/ledger.json").read_text(encoding="utf-8"))
        return [channel for part in stored["organizations"] for channel in part["channels"].values()]

    @property
    def live(self) -> list[str]:
        return sorted(str(channel["name"]) for channel in self.api.store.channels("acme"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    (tmp_path / "machine").mkdir()
    monkeypatch.chdir(tmp_path / "machine")
    with emulated() as api:
        yield Machine(tmp_path, api)


def test_two_folders_without_a_repository_own_their_channels_separately(machine: Machine) -> None:
    machine.write("one/channels.yaml", "A")
    machine.write("two/channels.yaml", "B")
    for folder in ("one", "two", "one"):
        machine.apply(folder)
    assert machine.live == ["A", "B"]


def test_a_part_of_a_folder_without_a_repository_leaves_the_rest_alone(machine: Machine) -> None:
    machine.write("channels/shop/a.yaml", "A")
    machine.write("channels/help/b.yaml", "B")
    for folder in ("channels", "channels/shop", "channels/help"):
        machine.apply(folder)
    assert machine.live == ["A", "B"]
    machine.write("channels/help/b.yaml")
    machine.apply("channels/help")
    assert machine.live == ["A"]


@pytest.mark.parametrize("order", [("shop", "help"), ("help", "shop")])
def test_a_channel_that_moves_to_another_folder_stays_whichever_is_applied_first(
    machine: Machine, order: tuple[str, str]
) -> None:
    machine.write("site/shop/a.yaml", "A", "B")
    machine.write("site/help/b.yaml", "C")
    machine.apply("site/shop")
    machine.apply("site/help")
    before = machine.api.store.channels("acme")
    machine.write("site/shop/a.yaml", "A")
    machine.write("site/help/b.yaml", "B", "C")
    for folder in order:
        machine.apply(f"site/{folder}")
    assert machine.api.store.channels("acme") == before
    machine.write("site/help/b.yaml", "C")
    machine.apply("site/help")
    assert machine.live == ["A", "C"]


def test_the_plan_says_which_file_keeps_a_channel(machine: Machine) -> None:
    machine.write("site/shop/a.yaml", "A", "B")
    machine.apply("site/shop")
    machine.write("site/shop/a.yaml", "A")
    machine.write("site/help/b.yaml", "B")
    assert "help/b.yaml declares it" in machine.plan("site/shop")


def test_a_channel_that_two_repositories_declare_lives_until_both_have_dropped_it(machine: Machine) -> None:
    for name in ("site", "other", "site"):
        machine.write(f"{name}/a.yaml", "A", f"Of {name}")
        machine.apply(name)
    machine.write("site/a.yaml", "Of site")
    assert "the manifests of git.example/acme/other declare it, too" in machine.plan("site")
    machine.apply("site")
    machine.apply("other")
    assert machine.live == ["A", "Of other", "Of site"]
    (known,) = (entry for entry in machine.remembered if entry["name"] == "A")
    assert (known["owner"], known["others"]) == ("git.example/acme/other", {})
    machine.write("other/a.yaml", "Of other")
    machine.apply("other")
    assert machine.live == ["Of other", "Of site"]


@pytest.mark.slow
def test_a_saved_plan_of_one_folder_drops_no_channel_of_another_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write("site/shop/a.yaml", "A")
    machine.write("site/help/b.yaml", "B")
    machine.write("other/b.yaml", "B")
    ledger, plan = ["--memory", str(machine.remote)], str(machine.folder / "plan.json")
    for path in ("site", "other"):
        machine.apply(path, more=ledger)
    monkeypatch.chdir(machine.folder / "site")
    assert machine.api.invoke("plan", "shop", *ledger, "--out", plan, environ=ENVIRON).code == 0
    assert machine.api.invoke("apply", plan, *ledger, "--auto-approve", environ=ENVIRON).code == 0
    machine.write("other/b.yaml")
    machine.apply("other", more=ledger)
    assert machine.live == ["A", "B"]


@pytest.mark.slow
def test_a_repository_that_keeps_the_memory_owns_its_channels_under_any_name(machine: Machine) -> None:
    machine.write("site/a.yaml", "A", "B")
    clone = machine.folder / "site"
    git(clone, "remote", "set-url", "origin", str(machine.remote))
    machine.apply("site", more=["--memory", "git"])
    renamed = machine.remote.rename(machine.folder / "renamed.git")
    git(clone, "remote", "set-url", "origin", f"file://{renamed}")
    machine.apply("site", more=["--memory", "git"])
    machine.write("site/a.yaml", "A")
    machine.apply("site", more=["--memory", "git"])
    assert machine.live == ["A"]


def test_what_is_dropped_while_its_folder_is_renamed_is_deleted(machine: Machine) -> None:
    machine.write("site/shop/a.yaml", "A")
    machine.write("site/shop/b.yaml", "B")
    machine.write("site/help/c.yaml", "C")
    machine.apply("site/shop")
    machine.apply("site/help")
    (machine.folder / "site" / "shop").rename(machine.folder / "site" / "store")
    (machine.folder / "site" / "store" / "b.yaml").unlink()
    machine.apply("site/help")
    assert machine.live == ["A", "B", "C"]
    machine.apply("site/store", more=["--target", "A"])
    machine.apply("site/store")
    assert machine.live == ["A", "C"]


def test_what_a_sparse_checkout_lacks_is_not_taken_for_gone(machine: Machine) -> None:
    for file, channel in (("shop/a", "A"), ("shop/b", "B"), ("store/c", "C")):
        machine.write(f"site/{file}.yaml", channel)
    machine.apply("site")
    machine.write("site/shop/a.yaml")
    machine.write("site/store/c.yaml", "A", "C")
    commit(machine.folder / "site", {})
    git(machine.folder / "site", "sparse-checkout", "set", "store")
    assert not (machine.folder / "site" / "shop").exists()
    machine.apply("site/store")
    assert machine.live == ["A", "B", "C"]


def test_the_plan_says_what_to_do_about_the_channels_of_a_folder_that_is_gone(machine: Machine) -> None:
    machine.write("site/shop/a.yaml", "A")
    machine.write("site/help/b.yaml", "B")
    machine.apply("site")
    (machine.folder / "site" / "shop" / "a.yaml").unlink()
    (machine.folder / "site" / "shop").rmdir()
    assert "its file shop/a.yaml is gone" in machine.plan("site/help")
    machine.apply("site/help")
    assert machine.live == ["A", "B"]
    machine.apply("site")
    assert machine.live == ["B"]


def test_a_saved_plan_does_not_give_its_channels_to_a_file_of_another_folder(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write("site/shop/a.yaml", "A")
    machine.write("site/help/a.yaml", "B")
    ledger, plan = ["--memory", str(machine.remote)], str(machine.folder / "plan.json")
    monkeypatch.chdir(machine.folder / "site" / "shop")
    assert machine.api.invoke("plan", *ledger, "--out", plan, environ=ENVIRON).code == 0
    monkeypatch.chdir(machine.folder / "site" / "help")
    assert machine.api.invoke("apply", plan, *ledger, "--auto-approve", environ=ENVIRON).code == 0
    assert machine.api.invoke("apply", *ledger, "--auto-approve", environ=ENVIRON).code == 0
    assert machine.live == ["A", "B"]


def test_the_manifests_of_another_environment_keep_no_channel_of_this_one(machine: Machine) -> None:
    variable = "${MOSEND_ORG_ID}"
    for name, organization in (("production", "acme"), ("staging", "test")):
        machine.write(f"site/{name}/a.yaml", "A", "B", organization=variable)
        machine.apply(f"site/{name}", organization=organization)
    machine.write("site/production/a.yaml", "A", organization=variable)
    machine.apply("site/production")
    assert machine.live == ["A"]


def test_a_channel_stays_that_moved_to_a_file_of_another_environment(machine: Machine) -> None:
    """That file has only been applied there, but not since the channel is in it, so it may be meant for here."""
    organization = "${MOSEND_ORG_ID}"
    machine.write("site/help/b.yaml", "C", "D", organization=organization)
    machine.apply("site/help", organization="test")
    machine.write("site/shop/a.yaml", "A", "B", "D", organization=organization)
    machine.apply("site/shop")
    machine.write("site/shop/a.yaml", "A", organization=organization)
    machine.write("site/help/b.yaml", "B", "C", "D", organization=organization)
    before = {channel["name"]: channel["id"] for channel in machine.api.store.channels("acme")}
    machine.apply("site/shop")
    assert machine.live == ["A", "B"], "D has been declared there before"
    machine.apply("site/help")
    assert {channel["name"]: channel["id"] for channel in machine.api.store.channels("acme")}["B"] == before["B"]
    machine.write("site/help/b.yaml", "C", organization=organization)
    machine.apply("site/help", more=["--max-deletes=2"])
    assert machine.live == ["A", "C"]


def test_a_channel_that_both_environments_get_keeps_none_that_was_dropped(machine: Machine) -> None:
    """Only until the other environment has been applied, nobody knows which of them it's for."""
    variable = "${MOSEND_ORG_ID}"
    for name, organization in (("production", "acme"), ("staging", "test")):
        machine.write(f"site/{name}/a.yaml", "A", organization=variable)
        machine.apply(f"site/{name}", organization=organization)
    machine.write("site/production/a.yaml", "A", "B", organization=variable)
    machine.apply("site/production")
    machine.write("site/staging/a.yaml", "A", "B", organization=variable)
    machine.write("site/production/a.yaml", "A", organization=variable)
    for applied, live in (("production", ["A", "B"]), ("staging", ["A", "B"]), ("production", ["A"])):
        machine.apply(f"site/{applied}", organization="acme" if applied == "production" else "test")
        assert machine.live == live, applied


@pytest.mark.parametrize("organization", ["${WEBCHAT_ORGANIZATION}", "''"], ids=["variable", "option"])
def test_a_channel_stays_that_moved_to_a_file_whose_organization_is_unknown_here(
    machine: Machine, organization: str
) -> None:
    machine.write("site/shop/a.yaml", "A", "B")
    machine.apply("site/shop")
    machine.write("site/shop/a.yaml", "A")
    machine.write("site/help/b.yaml", "B", organization=organization)
    environ = {**ENVIRON, "MOSEND_ORG_ID": ""}
    done = machine.api.invoke("apply", "../site/shop", "--auto-approve", environ=environ)
    assert (done.code, machine.live) == (0, ["A", "B"]), done.err


def test_a_manifest_that_cannot_be_read_keeps_what_it_may_declare(machine: Machine) -> None:
    machine.write("site/shop/a.yaml", "A", "B")
    machine.apply("site/shop")
    machine.write("site/shop/a.yaml", "A")
    broken = machine.folder / "site" / "help.yaml"
    broken.write_text("version: 1\nchannels:\n  - {name: B\n", encoding="utf-8")
    assert "help.yaml can't be read, and may declare it" in machine.plan("site/shop")
    machine.apply("site/shop")
    assert machine.live == ["A", "B"]
    broken.unlink()
    machine.apply("site/shop")
    assert machine.live == ["A"]


def test_a_channel_that_was_renamed_by_hand_stays_if_another_one_has_its_declared_name(machine: Machine) -> None:
    machine.write("site/a.yaml", "A")
    machine.apply("site")
    (channel,) = machine.api.store.channels("acme")
    machine.api.store.update("acme", str(channel["id"]), {"name": "Shop"})
    machine.api.store.seed("acme", [{"name": "A"}])
    assert 'this run declares "A", its name at the last apply' in machine.plan("site")
    machine.apply("site")
    assert machine.live == ["A", "Shop"]


@pytest.mark.parametrize("first", [True, False])
def test_what_another_server_has_of_an_organization_deletes_nothing_on_this_one(machine: Machine, first: bool) -> None:
    with emulated() as api:
        other = Machine(machine.folder, api)
        here, there = (machine, other) if first else (other, machine)
        variable = "${MOSEND_ORG_ID}"
        here.write("site/a.yaml", "A", organization=variable)
        here.write("site/b.yaml", "B", organization=variable)
        for file in ("site/a.yaml", "site/b.yaml"):
            here.apply(file)
        there.apply("site/a.yaml")
        here.write("site/a.yaml", organization=variable)
        here.write("site/b.yaml", "A", "B", organization=variable)
        here.apply("site/a.yaml")
        assert here.live == ["A", "B"]
