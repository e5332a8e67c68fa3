"""Files for live channels that no file declares yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.manifest.adopt import refusals
from webchat_sync.manifest.file_names import file_names
from webchat_sync.manifest.write import write_manifest
from webchat_sync.model import LiveChannel
from webchat_sync.tree import is_folder


@frozen
class NewManifest:
    """A file for a live channel that no file declares yet."""

    organization: str
    channel: str
    path: Path
    data: bytes


@frozen
class NewManifests:
    """The new files, and a warning for every channel that no file can declare."""

    files: Sequence[NewManifest] = ()
    left: Sequence[Diagnostic] = ()


def new_manifests(
    undeclared: Mapping[str, Sequence[LiveChannel]], paths: Sequence[Path], catalogue: Catalogue
) -> NewManifests:
    """A file for each of the ``undeclared`` channels, in the first folder of ``paths``.

    Each file names its organisation and declares the channel's live values. Raises InputError if no path is a folder.
    """
    every = [(organization, channel) for organization, channels in undeclared.items() for channel in channels]
    # A file that can't declare its channel wouldn't keep later runs from proposing another one.
    reasons = [refusals({"name": channel.name}, catalogue=catalogue).get("name") for _, channel in every]
    channels = [entry for entry, reason in zip(every, reasons, strict=True) if reason is None]
    left = [_left(channel, reason) for (_, channel), reason in zip(every, reasons, strict=True) if reason is not None]
    if not channels:
        return NewManifests(left=left)
    folder = next((path for path in paths if is_folder(path)), None)
    if folder is None:
        hint = "Give the folder of the manifests as PATH, so that later runs read the new files, too."
        raise InputError([Diagnostic("there's no folder for the files of new channels", hint=hint)])
    existing = [path.name.casefold() for path in folder.iterdir()]
    names = file_names((channel.name for _, channel in channels), taken=existing)
    files = [
        NewManifest(
            organization,
            channel.name,
            folder / name,
            write_manifest(organization, [channel], catalogue=catalogue).encode(),
        )
        for name, (organization, channel) in zip(names, channels, strict=True)
    ]
    return NewManifests(files, left)


def _left(channel: LiveChannel, reason: str) -> Diagnostic:
    message = f"no file can declare the live channel with the id {channel.id}, because of its name: {reason}"
    return Diagnostic(message, hint="Rename the channel where it's live.", severity="warning")
