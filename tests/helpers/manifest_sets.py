"""Sets of manifests that share a memory: their files on a disk, and the server whose channels they declare."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any, Final

from anyio import sleep_forever
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from commands import Emulated, Finished
from fake_time import FakeTime
from remembering import bare
from repositories import ENVIRON, git, repository
from webchat_sync.cli.progress import STILL
from webchat_sync.emulator import effects
from webchat_sync.memory.place import REF

REMOTES: Final[Mapping[str, str | None]] = {
    "site": "https://git.example/acme/site.git",
    "other": "https://git.example/acme/other.git",
    "local": None,
    "bare": None,
}
"""The sets, by the folders of their repositories, with their remotes; the last one isn't in a repository."""

ORGANIZATIONS: Final = {"a": "acme", "b": "acme", "z": "zeta"}
"""The organisations of the files, by the stems of their names."""


@dataclass(frozen=True)
class Declared:
    """A channel in a file."""

    name: str
    former: str | None = None
    absent: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names under which the channel may be live."""
        return frozenset(filter(None, (self.name, self.former)))

    def text(self) -> str:
        rename = f", renamedFrom: {self.former}" if self.former else ""
        state = "absent" if self.absent else "present"
        return f"  - {{name: {self.name}, sync: {{state: {state}{rename}}}}}\n"


Files = dict[str, tuple[Declared, ...]]
"""The channels in the files of a set, by the path from its root."""


@dataclass
class World:
    """Folders next to each other: one for each set, and ``machine``, where all commands run.

    ``files`` are the channels in the files of a set, by the path from its root. ``failing`` creates get a 500 in the
    next command, before or after they take effect; with ``lagging``, its second list is like its first.
    """

    folder: Path
    api: Emulated = field(init=False)
    in_git: bool = False
    prune: str = "owned"
    number: int = 0
    files: dict[str, Files] = field(default_factory=dict)
    failing: int = 0
    committing: bool = False
    lagging: bool = False
    _outdated: dict[str, list[Any]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def prepare(self) -> None:
        for name, url in REMOTES.items():
            root = self.folder / name
            root.mkdir(parents=True)
            if name != "bare":
                repository(root)
            if url:
                git(root, "remote", "add", "origin", url)
        bare(self.folder / "memory.git")
        (self.folder / "machine").mkdir()

    def begin(self) -> None:
        """Forget everything; organisations have new names, so their channels need no cleaning."""
        self.number = next(self._numbers)
        self.files = {name: {} for name in REMOTES}
        self.failing, self.lagging, self.prune = 0, False, "owned"
        self.restore(None)

    def organization(self, path: str) -> str:
        return f"{ORGANIZATIONS[PurePosixPath(path).stem]}-{self.number}"

    @property
    def organizations(self) -> list[str]:
        return [f"{name}-{self.number}" for name in sorted(set(ORGANIZATIONS.values()))]

    def live(self) -> dict[tuple[str, str], str]:
        """The names of the live channels, by organisation and id."""
        return {
            (organization, str(channel["id"])): str(channel["name"])
            for organization in self.organizations
            for channel in self.api.store.channels(organization)
        }

    def write(self) -> None:
        """Make the files on the disk those of the sets."""
        for name, files in self.files.items():
            for entry in (self.folder / name).iterdir():
                if entry.name != ".git":
                    shutil.rmtree(entry)
            for path, declared in files.items():
                file = self.folder / name / path
                file.parent.mkdir(exist_ok=True)
                head = f"version: 1\norganization: {self.organization(path)}\nsettings: {{prune: {self.prune}}}\n"
                channels = "channels:\n" + ("".join(channel.text() for channel in declared) or "  []\n")
                file.write_text(head + channels, encoding="utf-8")

    def invoke(self, command: str, name: str, paths: Sequence[str], *options: str) -> Finished:
        """What comes of a command for these files and folders of a set, ``.`` being all of it."""
        self.write()
        time = FakeTime()

        async def sleep(seconds: float) -> None:
            if seconds == STILL:  # else the progress would let so much time pass that the lock is lost
                await sleep_forever()
            await time.sleep(seconds)

        places = [f"../{name}/{path}" if path != "." else f"../{name}" for path in paths]
        memory = ("--memory", "../memory.git" if self.in_git else "file")
        world: dict[str, Any] = {"sleep": sleep, "clock": time.clock, "environ": dict(ENVIRON)}
        finished = self.api.invoke(command, *places, *memory, *options, **world)
        self.failing, self.lagging = 0, False
        self._outdated.clear()
        return finished

    async def __call__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """The effect on every call."""
        organization = scope["path"].split("/")[2]
        if scope["method"] == "POST" and self.failing:
            self.failing -= 1
            await effects.status(500, after_commit=self.committing)(app, scope, receive, send)
        elif scope["method"] == "GET" and organization in self._outdated:
            await Request(scope, receive).body()
            listed = self._outdated.pop(organization)
            await JSONResponse({"data": listed, "timestamp": "2026-11-02T12:00:00Z"})(scope, receive, send)
        else:
            if scope["method"] == "GET" and self.lagging:
                self._outdated[organization] = self.api.store.channels(organization)
            await app(scope, receive, send)

    def saved(self) -> str | None:
        """The memory as it is, to be restored later."""
        if self.in_git:
            return git(self.folder / "memory.git", "for-each-ref", "--format=%(objectname)", REF) or None
        return self._ledger.read_text(encoding="utf-8") if self._ledger.exists() else None

    def restore(self, memory: str | None) -> None:
        """Make the memory what it was; None deletes it."""
        if self.in_git:
            git(self.folder / "memory.git", "update-ref", *([REF, memory] if memory else ["-d", REF]))
        elif memory is None:
            self._ledger.unlink(missing_ok=True)
        else:
            self._ledger.write_text(memory, encoding="utf-8")

    @property
    def _ledger(self) -> Path:
        return self.folder / "machine" / ".webchat-sync" / "ledger.json"

    def remembered(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What the memory has about channels, by organisation and id."""
        saved = self.saved()
        if self.in_git:
            remote = self.folder / "memory.git"
            names = git(remote, "ls-tree", "--name-only", saved).split("\n") if saved else []
            parts = [
                {"organization": name.removesuffix(".json").rpartition("@")[2], **load(remote, f"{saved}:{name}")}
                for name in names
            ]
        else:
            parts = json.loads(saved).get("organizations", []) if saved else []
        return {
            (part["organization"], channel_id): entry
            for part in parts
            for channel_id, entry in part.get("channels", {}).items()
        }


def load(remote: Path, blob: str) -> Any:
    return json.loads(git(remote, "show", blob))
