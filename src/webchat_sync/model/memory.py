"""What is remembered between runs apart from rotations, and where a manifest wants it kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from webchat_sync.frozen import frozen
from webchat_sync.model.identity_secret import Ledger, OrganizationKey
from webchat_sync.model.values import Json, moment_text, read_moment

NO_REPOSITORY: Final = "local"
"""The owner of manifests that aren't in a repository with a remote: all of them, so it identifies none."""


ITS_REPOSITORY: Final = "."
"""The owner of the manifests in the repository that also keeps the memory, whatever its name is."""

_IN_WORDS: Final = {
    NO_REPOSITORY: "manifests without a repository",
    ITS_REPOSITORY: "the manifests next to the memory",
}


def manifests_in_words(owners: Iterable[str]) -> str:
    """The manifests of ``owners``, in words."""
    return " and ".join(_IN_WORDS.get(owner, f"the manifests of {owner}") for owner in owners)


_FLAGS: Final = ("protected", "unlisted", "unfinished")


@frozen
class GitMemory:
    """``settings.memory: {git: {remote: NAME, ref: REF}}``: a ref of one of the clone's remotes."""

    remote: str = "origin"
    ref: str = "refs/webchat-sync/memory"


@frozen
class KnownChannel:
    """What is remembered about a channel that is or was live.

    ``seen`` is when an apply last recorded it as live, aware. ``owner`` identifies whose manifests declared it, empty
    if none did, and ``file`` is the file that did, from the root of its repository, empty if that's unknown.
    ``protected``: it had ``sync.protect`` when it was last declared. ``unlisted``: an apply created it, but no list has
    had it yet. ``unfinished``: an apply created it switched off, and couldn't switch it on. ``others`` are further
    owners that declared it and haven't dropped it since, with their files.
    """

    name: str
    seen: datetime
    owner: str = ""
    protected: bool = False
    file: str = ""
    unlisted: bool = False
    unfinished: bool = False
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def owners(self) -> Mapping[str, str]:
        """Everyone who declared it and hasn't dropped it since, with the file."""
        # The owner comes first, and its file counts if the others have one for it, too.
        own = {self.owner: self.file} if self.owner else {}
        return {**own, **self.others, **own}

    def owned_by(self, owners: Mapping[str, str]) -> KnownChannel:
        """With these ``owners`` and their files."""
        owner = next(iter(owners), "")
        others = {other: file for other, file in owners.items() if other != owner}
        return replace(self, owner=owner, file=owners.get(owner, ""), others=others)

    def as_json(self) -> dict[str, Json]:
        """The entry in a memory."""
        return {
            "name": self.name,
            "seen": moment_text(self.seen),
            "owner": self.owner,
            "protected": self.protected,
            "file": self.file,
            "unlisted": self.unlisted,
            "unfinished": self.unfinished,
            "others": dict(self.others),
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> KnownChannel:
        """The inverse of :meth:`as_json`. Raises KeyError, TypeError and ValueError."""
        name, owner, file = texts = stored["name"], stored.get("owner", ""), stored.get("file", "")
        protected, unlisted, unfinished = flags = [stored.get(flag, False) for flag in _FLAGS]
        others = stored.get("others", {})
        if not isinstance(others, dict) or {*map(type, (*texts, *others.values()))} != {str}:
            raise TypeError(stored)
        if {*map(type, flags)} != {bool}:
            raise TypeError(stored)
        return KnownChannel(name, _moment(stored["seen"]), owner, protected, file, unlisted, unfinished, others)


@frozen
class DoubtfulCreate:
    """A create that may have taken effect: it was about to be sent at ``at``, and its outcome is unknown.

    ``run`` is the URL of the run, or its machine.
    """

    name: str
    at: datetime
    run: str = ""

    def as_json(self) -> dict[str, Json]:
        """The entry in a memory."""
        return {"name": self.name, "at": moment_text(self.at), "run": self.run}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> DoubtfulCreate:
        """The inverse of :meth:`as_json`. Raises KeyError, TypeError and ValueError."""
        name, run = stored["name"], stored.get("run", "")
        if not isinstance(name, str) or not isinstance(run, str):
            raise TypeError(stored)
        return DoubtfulCreate(name, _moment(stored["at"]), run)


KnownChannels: TypeAlias = Mapping[OrganizationKey, Mapping[str, KnownChannel]]
"""The channels of an organisation, by id."""


@frozen
class Remembered:
    """Everything a plan can use: rotations by channel, channels and creates in doubt by server and organisation.

    ``owner`` identifies whose manifests these are, as in :class:`KnownChannel`. ``kept`` says, by id, why these
    manifests mustn't delete a channel although they declared it. ``elsewhere`` are the files outside this run that
    declare channels, by the names and ids of the channels.
    """

    ledger: Ledger = field(default_factory=dict)
    channels: KnownChannels = field(default_factory=dict)
    creates: Mapping[OrganizationKey, Sequence[DoubtfulCreate]] = field(default_factory=dict)
    owner: str = ""
    kept: Mapping[OrganizationKey, Mapping[str, str]] = field(default_factory=dict)
    elsewhere: Mapping[OrganizationKey, Mapping[str, str]] = field(default_factory=dict)


NOTHING_REMEMBERED = Remembered()


def _moment(text: object) -> datetime:
    moment = read_moment(text) if isinstance(text, str) else None
    if moment is None:
        raise ValueError(text)
    return moment
