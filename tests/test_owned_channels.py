"""Which channels `prune: owned` deletes: those that these manifests declared, and only once no file declares them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands import Emulated, Finished, emulated
from repositories import ENVIRON, git, repository

REMOTES = {"site": "https://git.example/acme/site.git", "other": "https://git.example/acme/other.git"}


@dataclass
class Machine:
    """A machine that keeps its memory in its current folder, with a clone of each repository in a folder beside it."""

    folder: Path
    api: Emulated

    def write(self, file: str, *channels: str) -> None:
        """A manifest that declares these channels, in a clone of the repository that the path begins with."""
        path = self.folder / file
        name = Path(file).parts[0]
        if name in REMOTES and not (self.folder / name).exists():
            git(repository(self.folder / name), "remote", "add", "origin", REMOTES[name])
        path.parent.mkdir(parents=True, exist_ok=True)
        head = "version: 1\norganization: acme\nsettings: {prune: owned}\nchannels:\n"
        lines = [f"  - name: {channel}\n" for channel in channels] or ["  []\n"]
        path.write_text(head + "".join(lines), encoding="utf-8")

    def apply(self, *paths: str, more: Sequence[str] = ()) -> Finished:
        places = [f"../{path}" for path in paths]
        done = self.api.invoke("apply", *places, "--auto-approve", "--allow-empty", *more, environ=ENVIRON)
        assert done.code == 0, done.err
        return done

    def plan(self, *paths: str) -> str:
        return self.api.invoke("plan", *(f"../{path}" for path in paths), "--verbose", environ=ENVIRON).out

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
