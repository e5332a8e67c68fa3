"""The sinks: each is probed before a secret exists, and takes one when it does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from webchat_sync.errors import WebchatSyncError
from webchat_sync.files import write_private
from webchat_sync.flat import flat
from webchat_sync.model import Secret, Sink
from webchat_sync.redact import redact
from webchat_sync.secrets.command import run_command
from webchat_sync.secrets.dotenv import read_key, replace_key
from webchat_sync.secrets.ledger import writable
from webchat_sync.tree import ALLOW_HINT, escape, outside, read_regular, special

TIME_LIMIT: Final = 60.0
"""Seconds that a command may take."""

MOST_OUTPUT: Final = 2000
"""Characters of a failed command's output that are shown."""


class SinkError(WebchatSyncError):
    """A sink did not take a secret. The message holds no secret."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Whose secret it is, and for which declared rotation; commands get it in environment variables."""

    name: str
    channel_id: str
    organization: str
    rotation: str | None

    def environ(self) -> dict[str, str]:
        """The variables of a command."""
        return {
            "WEBCHAT_SYNC_CHANNEL_NAME": self.name,
            "WEBCHAT_SYNC_CHANNEL_ID": self.channel_id,
            "WEBCHAT_SYNC_ORGANIZATION": self.organization,
            "WEBCHAT_SYNC_ROTATION": self.rotation or "",
        }


@dataclass(frozen=True, slots=True)
class Sinks:
    """Delivers secrets. ``keys`` are secrets that no command may see: variables that hold one are not passed on.

    ``show`` prints a secret, for the sink of that kind. Without ``run_commands``, commands take secrets without being
    run. ``time_limit`` is in seconds. ``allowed_paths`` are globs of paths outside of the tree that may be used in CI.
    """

    environ: Mapping[str, str] = field(repr=False)
    keys: tuple[Secret, ...] = ()
    show: Callable[[str], object] = print
    run_commands: bool = True
    time_limit: float = TIME_LIMIT
    allowed_paths: tuple[str, ...] = ()

    async def probe(self, sink: Sink, occasion: Occasion) -> str:
        """Why the sink will not take a secret, as far as can be told without one; empty when nothing is against it."""
        if sink.kind == "command" and (missing := self._missing(sink.argv, sink)):
            return missing
        if sink.kind in {"file", "dotenv"} and (flaw := _file_flaw(sink) or self._unallowed(_path(sink), sink)):
            return flaw
        if not sink.probe or not self.run_commands:
            return ""
        if missing := self._missing(sink.probe, sink):
            return missing
        try:
            await self._run(sink.probe, sink, occasion, None)
        except SinkError as error:
            return f"its probe failed: {error.message}"
        return ""

    async def deliver(self, sink: Sink, occasion: Occasion, secret: Secret) -> None:
        """Put ``secret`` where the sink says. Raises SinkError."""
        if sink.kind == "command" and not self.run_commands:
            return
        if sink.kind == "command":
            await self._run(sink.argv, sink, occasion, secret)
        elif sink.kind == "show":
            if flat(secret.reveal()) != secret.reveal():
                raise SinkError("it has line feeds or invisible characters, or speaks to a log, and is not printed")
            self.show(secret.reveal())
        else:
            _write(sink, secret)

    def _unallowed(self, path: Path, sink: Sink) -> str:
        if outside(path, Path(), self.environ, self.allowed_paths):
            return f"{path} lies outside of the repository, which needs the operator's word in CI. {ALLOW_HINT}"
        return ""

    def _missing(self, argv: Sequence[str], sink: Sink) -> str:
        folder = Path(sink.folder or ".").resolve()
        if not folder.is_dir():
            return f"{sink.folder} is no folder to run a command in"
        if flaw := self._unallowed(folder, sink):
            return flaw
        if shutil.which(_program(argv, folder), path=self.environ.get("PATH", os.defpath)) is None:
            return f"there is no executable {argv[0]}"
        return ""

    async def _run(self, argv: Sequence[str], sink: Sink, occasion: Occasion, secret: Secret | None) -> None:
        """Run a command, which gets ``secret`` on its standard input. Raises SinkError."""
        environ = {**self._harmless_environ(), **occasion.environ()}
        secrets = (*self.keys, secret) if secret else self.keys
        folder = Path(sink.folder or ".").resolve()
        try:
            ended = await run_command(
                [_program(argv, folder), *argv[1:]],
                folder=folder,
                environ=environ,
                secret=secret,
                time_limit=self.time_limit,
                most_output=MOST_OUTPUT * 4,
            )
        except OSError as error:
            raise SinkError(f"{argv[0]} cannot be run: {error.strerror}") from None
        except ValueError as error:
            raise SinkError(str(error)) from None
        if ended.code is None:
            raise SinkError(f"{argv[0]} was ended after {self.time_limit:.0f} s")
        if ended.code:
            raise SinkError(f"{argv[0]} failed with exit code {ended.code}{_said(ended.output, secrets)}")
        if ended.unread:
            raise SinkError(f"{argv[0]} did not read all of its input, the secret{_said(ended.output, secrets)}")

    def _harmless_environ(self) -> dict[str, str]:
        keys = [key.reveal() for key in self.keys if key]
        return {
            name: value
            for name, value in self.environ.items()
            if name != "MOSEND_API_KEY" and not any(key in value for key in keys)
        }


def read_sink(sink: Sink) -> Secret | None:
    """The secret that a file or a dotenv sink holds now; None when it holds none or is of another kind.

    Raises OSError when the file cannot be read.
    """
    path = _path(sink)
    if sink.kind not in {"file", "dotenv"} or not path.exists():
        return None
    if sink.kind == "file":
        text: str | None = read_regular(path).decode().removesuffix("\n")
    else:
        text = read_key(read_regular(path), sink.key)
    return Secret(text) if text else None


def _path(sink: Sink) -> Path:
    # Through links: what they lead to is replaced, not the link.
    return Path(sink.folder, sink.path).expanduser().resolve()


def _file_flaw(sink: Sink) -> str:
    named = Path(sink.folder, sink.path).expanduser()
    if link := escape(named, named.parent):
        return f"{named} is not written: the link {link} leads out of the repository"
    path = _path(sink)
    if flaw := special(path):
        return f"{path} cannot be written: {flaw}"
    if not path.parent.is_dir():
        return f"{path} cannot be written: No such folder"
    if path.is_dir():
        return f"{path} cannot be written: it is a folder"
    if flaw := writable(path.parent):
        return f"{path} cannot be written: {flaw}"
    if path.exists() and not os.access(path, os.R_OK):
        return f"{path} cannot be read"
    return ""


def _write(sink: Sink, secret: Secret) -> None:
    path = _path(sink)
    try:
        if sink.kind == "file":
            write_private(path, secret.reveal() + "\n")
        else:
            content = read_regular(path) if path.exists() else b""
            write_private(path, replace_key(content, sink.key, secret.reveal()))
    except OSError as error:
        raise SinkError(f"{path} cannot be written: {error.strerror}") from None
    except ValueError as error:
        raise SinkError(f"{path} cannot take the secret: {error}") from None


def _program(argv: Sequence[str], folder: Path) -> str:
    """The program of ``argv``, from ``folder`` on when it is named by a path."""
    return str(folder / argv[0]) if os.sep in argv[0] else argv[0]


def _said(output: bytes, secrets: Sequence[Secret]) -> str:
    # What was cut off at the front may begin inside a secret, which redaction of parts takes care of.
    text = redact(output.decode("utf-8", "replace"), secrets).strip()[-MOST_OUTPUT:]
    return f": {text}" if text else ""
