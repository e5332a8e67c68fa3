"""Whose a channel is: sets of manifests with a common memory, in any order of edits, moves, faults and applies.

The machine knows the promises of docs/how-to/memory.md, and nothing of the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from commands import Finished, emulated
from manifest_sets import REMOTES, Declared, Files, World
from sizes import examples
from variations import variation
from webchat_sync.emulator import Fault, Faults

pytestmark = pytest.mark.slow

Key = tuple[str, str]
"""An organisation, and the id of a channel."""

PAIRS = [("site", "other"), ("site", "local"), ("local", "site"), ("bare", "site")]
"""Two sets, of which at most one has no remote, since all of those have the same owner."""

which = st.sampled_from([0, 0, 1])
names = st.sampled_from("ABC")
folders = st.sampled_from(["shop", "help", "store"])
paths = st.builds("{}/{}.yaml".format, folders, st.sampled_from("abz"))
parts = st.sampled_from([("help", "shop"), ("shop/*",), ("help/*",), ("shop/a.yaml",), ("store", "help")])


@dataclass(frozen=True)
class Run:
    """An apply of the ``given`` files and folders of a set with these ``files``."""

    owner: str
    given: tuple[str, ...]
    files: Files

    def reads(self, path: str) -> bool:
        return any(PurePosixPath(path).is_relative_to(given) for given in self.given)

    def is_for(self, path: str) -> bool:
        """Whether it reads the file, or would if the file weren't gone."""
        folder = PurePosixPath(path).parent
        beside = any(PurePosixPath(given).suffix and PurePosixPath(given).parent == folder for given in self.given)
        return self.reads(path) or (beside and path not in self.files)

    def takes_over(self, path: str) -> bool:
        """Whether the folder of the file may have been renamed to one that it reads."""
        return not any(PurePosixPath(path).parent == PurePosixPath(other).parent for other in self.files)

    @property
    def covered(self) -> Files:
        return {path: channels for path, channels in self.files.items() if self.reads(path)}


@dataclass
class Owners:
    """What can be known from outside.

    ``certain`` are the files that declared a channel at the last apply of their set, by set; ``possible`` are all sets
    and files that may have declared it in any apply, unless the set has dropped it since; ``names`` are those it may be
    remembered by.
    """

    certain: dict[Key, dict[str, str]] = field(default_factory=dict)
    possible: dict[Key, set[tuple[str, str]]] = field(default_factory=dict)
    names: dict[Key, set[str]] = field(default_factory=dict)


class Sets(RuleBasedStateMachine):
    """Two sets in two organisations; what's applied is checked against ``owners``."""

    world: ClassVar[World]

    @initialize(pair=st.sampled_from(PAIRS), both=st.booleans())
    def begin(self, pair: tuple[str, str], both: bool) -> None:
        self.world.begin()
        self.pair, self.owners = pair, Owners()
        self.commits: dict[str, Files] = {owner: {} for owner in pair}
        self.backup: tuple[str | None, Owners] | None = None
        for index in range(1 + both):
            files = {"shop/a.yaml": "A", "shop/b.yaml": "B", "help/a.yaml": "C"}
            self.world.files[pair[index]] = {path: (Declared(name),) for path, name in files.items()}
            self.apply_all(index)

    @rule(index=which, path=paths, name=names)
    def declare(self, index: int, path: str, name: str) -> None:
        files = self.world.files[self.pair[index]]
        if name not in {channel.name for channel in files.get(path, ())}:
            files[path] = (*files.get(path, ()), Declared(name))

    @rule(index=which, name=names)
    def drop(self, index: int, name: str) -> None:
        files = self.world.files[self.pair[index]]
        files |= {path: tuple(other for other in files[path] if other.name != name) for path in files}

    @rule(index=which, name=names, new=names, says=st.booleans())
    def rename(self, index: int, name: str, new: str, says: bool) -> None:
        files = self.world.files[self.pair[index]]
        for path, channels in files.items():
            renamed = [Declared(new, name if says else None) if old.name == name else old for old in channels]
            files[path] = tuple({channel.name: channel for channel in renamed}.values())

    @rule(index=which, name=names, path=paths)
    def move(self, index: int, name: str, path: str) -> None:
        files = self.world.files[self.pair[index]]
        if any(channel.name == name for channel in chain(*files.values())):
            self.drop(index, name)
            files[path] = (*files.get(path, ()), Declared(name))

    @rule(index=which, path=paths, new=paths)
    def rename_file(self, index: int, path: str, new: str) -> None:
        files = self.world.files[self.pair[index]]
        if path in files and new not in files and self.world.organization(path) == self.world.organization(new):
            files[new] = files.pop(path)

    @rule(index=which, folder=folders, new=folders)
    def rename_folder(self, index: int, folder: str, new: str) -> None:
        files = self.world.files[self.pair[index]]
        if not any(path.startswith(new) for path in files):
            self.world.files[self.pair[index]] = {path.replace(f"{folder}/", f"{new}/"): files[path] for path in files}

    @rule(index=which, path=paths)
    def remove_file(self, index: int, path: str) -> None:
        self.world.files[self.pair[index]].pop(path, None)

    @rule(index=which, name=names)
    def want_absent(self, index: int, name: str) -> None:
        files = self.world.files[self.pair[index]]
        gone = Declared(name, absent=True)
        files |= {path: tuple(gone if old.name == name else old for old in files[path]) for path in files}

    @rule(index=which)
    def commit(self, index: int) -> None:
        self.commits[self.pair[index]] = dict(self.world.files[self.pair[index]])

    @rule(index=which)
    def check_out_the_old_commit(self, index: int) -> None:
        self.world.files[self.pair[index]] = dict(self.commits[self.pair[index]])

    @rule(prune=st.sampled_from(["owned", "owned", "false"]))
    def set_prune(self, prune: str) -> None:
        self.world.prune = prune

    @rule(index=st.integers(0, 1), name=names)
    def create_by_hand(self, index: int, name: str) -> None:
        organization = self.world.organizations[index]
        if name not in {live for key, live in self.world.live().items() if key[0] == organization}:
            self.world.api.store.seed(organization, [{"name": name}])

    @rule(name=names)
    def delete_by_hand(self, name: str) -> None:
        for key in [key for key, live in self.world.live().items() if live == name]:
            self.world.api.store.delete(*key)

    @rule(name=names, new=names)
    def rename_by_hand(self, name: str, new: str) -> None:
        live = self.world.live()
        taken = {(key[0], other) for key, other in live.items()}
        for key in [key for key, other in live.items() if other == name and (key[0], new) not in taken]:
            self.world.api.store.update(*key, {"name": new})

    @rule(times=st.sampled_from([1, 9]), committing=st.booleans())
    def fail_creates(self, times: int, committing: bool) -> None:
        self.world.failing, self.world.committing = times, committing

    @rule()
    def let_lists_lag(self) -> None:
        self.world.lagging = True

    @rule()
    def back_the_memory_up(self) -> None:
        self.backup = self.world.saved(), deepcopy(self.owners)

    @precondition(lambda self: self.backup)
    @rule()
    def restore_the_memory(self) -> None:
        assert self.backup
        self.world.restore(self.backup[0])
        self.owners = deepcopy(self.backup[1])

    @rule()
    def delete_the_memory(self) -> None:
        self.world.restore(None)
        self.owners = Owners()

    @rule(index=which)
    def apply_all(self, index: int) -> None:
        self.apply(index, (".",))

    @rule(index=which, folder=folders)
    def apply_a_folder(self, index: int, folder: str) -> None:
        self.apply(index, (folder,))

    @rule(index=which, part=parts)
    def apply_a_part(self, index: int, part: tuple[str, ...]) -> None:
        self.apply(index, part)

    @rule(index=which, name=names, folder=st.sampled_from([".", "shop", "help"]))
    def drop_and_apply(self, index: int, name: str, folder: str) -> None:
        self.drop(index, name)
        self.apply(index, (folder,))

    @rule(index=which, name=names, path=paths)
    def move_and_apply_where_it_was(self, index: int, name: str, path: str) -> None:
        files = self.world.files[self.pair[index]]
        old = [file for file in files if any(channel.name == name for channel in files[file])]
        self.move(index, name, path)
        self.apply(index, tuple(str(PurePosixPath(file).parent) for file in old[:1]))

    @rule(index=which, folder=folders, new=folders, name=names)
    def rename_a_folder_and_apply(self, index: int, folder: str, new: str, name: str) -> None:
        self.rename_folder(index, folder, new)
        self.drop(index, name)
        self.apply(index, (new,))

    @rule(index=which, only=names)
    def apply_one_channel(self, index: int, only: str) -> None:
        self.apply(index, (".",), "--target", only)

    @rule(index=which, only=st.sampled_from(["acme*", "zeta*"]))
    def apply_one_organization(self, index: int, only: str) -> None:
        self.apply(index, (".",), "--target-org", only)

    def apply(self, index: int, part: tuple[str, ...], *limit: str) -> None:
        """Apply what there is of it, unless that's nothing, and check what comes of it."""
        files = self.world.files[self.pair[index]]
        # As a shell does.
        named = (
            [path for path in sorted(files) if PurePosixPath(path).match(one)] if "*" in one else [one] for one in part
        )
        given = tuple(path for path in chain(*named) if any(PurePosixPath(file).is_relative_to(path) for file in files))
        if not given:
            return
        run = Run(self.pair[index], given, dict(files))
        before, remembered = self.world.live(), self.world.remembered()
        faulty = bool(self.world.failing or self.world.lagging)
        options = ("--auto-approve", "--max-deletes", "100", "--allow-empty")
        done = self.world.invoke("apply", run.owner, given, *options, *limit)
        after = self.world.live()
        if done.code in {1, 5}:
            assert (before, remembered) == (after, self.world.remembered()), done
            return
        assert done.code == 0 or (done.code == 3 and faulty), done
        for key in before.keys() - after.keys():
            self.check_delete(run, key, before[key], done)
        for key in after.keys() - before.keys():
            assert [other for other in after if (other[0], after[other]) == (key[0], after[key])] == [key], done
        self.check_memory(run, before, remembered)
        clean = done.code == 0 and not limit and not faulty
        # In a memory that others use, manifests without a remote own nothing.
        if REMOTES[run.owner] or not self.world.in_git:
            self.note(run, before, after, clean=clean)
        if clean:
            self.check_end(run, done)

    def check_delete(self, run: Run, key: Key, name: str, done: Finished) -> None:
        """Nothing is deleted unless the conditions of the guide hold."""
        story = f"{name} {key} was deleted by {run}: {self.owners.certain.get(key)}\n{done.out}"
        here = {path: run.files[path] for path in run.files if self.world.organization(path) == key[0]}
        if any(channel.absent and channel.name == name for path in here if run.reads(path) for channel in here[path]):
            return
        assert self.world.prune == "owned", story
        known = {name, *self.owners.names.get(key, ())}
        # Without a repository, other folders aren't searched.
        searched = chain(*(here[path] for path in here if run.owner != "bare" or run.reads(path)))
        assert not [channel for channel in searched if channel.names & known], story
        certain = self.owners.certain.get(key, {})
        assert certain.keys() <= {run.owner}, story
        declared = [path for owner, path in self.owners.possible.get(key, ()) if owner == run.owner]
        for files in (declared, [certain[run.owner]] if certain else declared):
            assert any(run.is_for(path) or run.takes_over(path) for path in files), story

    def check_memory(self, run: Run, before: dict[Key, str], remembered: dict[Key, dict[str, str]]) -> None:
        """No owner of a channel is forgotten, apart from the one whose apply it was."""
        now = self.world.remembered()
        for key in remembered.keys() & now.keys() & before.keys():
            old, new = ({part["owner"], *part.get("others", ())} for part in (remembered[key], now[key]))
            assert len(old - new) <= 1, (run, remembered[key], now[key])
            assert new, (run, remembered[key], now[key])

    def note(self, run: Run, before: dict[Key, str], after: dict[Key, str], *, clean: bool) -> None:
        declared = [
            (self.world.organization(path), path, channel) for path in run.covered for channel in run.covered[path]
        ]
        owners, organizations = self.owners, {self.world.organization(path) for path in run.covered}
        owners.certain = {key: certain for key, certain in owners.certain.items() if key in after}
        for key, name in after.items():
            certain = owners.certain.setdefault(key, {})
            here = [(path, channel) for organization, path, channel in declared if organization == key[0]]
            alike = {path for path, channel in here if channel.names & {name, before.get(key)}}
            owners.possible.setdefault(key, set()).update((run.owner, path) for path in alike)
            exactly = [path for path, channel in here if channel.name == name and not channel.absent]
            if not clean:
                certain.pop(run.owner, None)
                owners.names.setdefault(key, set()).add(name)
            elif exactly:
                certain[run.owner] = exactly[0]
                owners.names[key] = {name}
            elif key[0] in organizations and run.owner in certain and run.is_for(certain[run.owner]):
                others = {(owner, path) for owner, path in owners.possible[key] if owner != run.owner}
                if len(certain) > 1:
                    owners.possible[key] = others
                if others:
                    del certain[run.owner]

    def check_end(self, run: Run, done: Finished) -> None:
        """After a complete apply, a plan is empty, every channel has its owner, and what was dropped is gone."""
        live, remembered = self.world.live(), self.world.remembered()
        again = self.world.invoke("plan", run.owner, run.given, "--detailed-exitcode")
        assert again.code == 0, (run, done, again)
        organizations = {self.world.organization(path) for path in run.covered}
        for key in live.keys() & self.owners.certain.keys():
            certain = self.owners.certain[key]
            assert not certain or remembered[key]["owner"], (key, certain, remembered)
            names = {live[key], *self.owners.names.get(key, ())}
            files = (path for path in run.files if self.world.organization(path) == key[0])
            declared = any(channel.names & names for path in files for channel in run.files[path])
            alone = {owner for owner, _ in self.owners.possible[key]} == {run.owner} == certain.keys()
            ours = alone and run.is_for(certain[run.owner]) and key[0] in organizations
            assert not ours or declared or self.world.prune != "owned", f"{live[key]} {key} stays: {run}, {done}"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(tmp_path)
    world.prepare()
    monkeypatch.chdir(tmp_path / "machine")
    with emulated(faults=Faults([Fault(world)])) as world.api:
        yield world


@pytest.mark.parametrize("in_git", [False, variation(True)], ids=["file", "git"])
def test_nobody_deletes_a_channel_of_others_and_nobody_loses_its_own(world: World, in_git: bool) -> None:
    class Here(Sets):
        pass

    Here.world, world.in_git = world, in_git
    # Shrinking over real calls would take minutes.
    phases = [phase for phase in Phase if phase is not Phase.shrink]
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples(5, thorough=300),
            stateful_step_count=20,
            deadline=None,
            phases=phases,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
