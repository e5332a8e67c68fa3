"""The organisation for commands about single channels, from the options or the manifests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.connection import ConnectionOptions, KeyVariable, key_variables, one_organization
from webchat_sync.cli.files import OUTPUT, input_path
from webchat_sync.cli.manifests import allow_options, load
from webchat_sync.cli.memory import MemoryOptions, folder_of, memory_option, memory_options
from webchat_sync.cli.rotations import ledger_option
from webchat_sync.cli.runtime import Runtime
from webchat_sync.domain.names import same
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import GitMemory, Sink
from webchat_sync.sentences import MOST_NAMED, in_a_row
from webchat_sync.workflow.state import LEDGER, MemoryPlace, declared_memory, ledgers_of

if TYPE_CHECKING:
    from webchat_sync.model import Declaration, Manifest


ANYWHERE: Final = ConnectionOptions(None, base_url=None, api_key_file=None, sandbox=False)
"""For commands that need no server."""


_NAMING: Final = lazy_pattern(rb"(?m)^(?:[^#\n]|(?<=\S)#)*?\b(?:memory|ledger)\b")
"""A line with a setting that says where the memory is, outside of comments."""

WITH_KEY: Final = "Take the organisation, its key and its ledger from the manifests in PATH."
WITHOUT_KEY: Final = "Take the organisation and its ledger from the manifests in PATH."
"""What the commands for secrets use manifests for, in the help of --manifest."""

UNLESS_MEMORY: Final = "without --memory, the manifests in the current directory, if any"
"""The default of --manifest for commands that only use :func:`shared_place`."""


def manifest_option(
    use: str, default: str = "the manifests in the current directory, if any"
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Give a command the option --manifest, as ``paths``, and those that say what manifests may read.

    ``use`` says in its help what the command uses the manifests in PATH for, and ``default`` which ones without PATH.
    """
    option = click.option(
        "--manifest",
        "paths",
        metavar="PATH",
        multiple=True,
        type=input_path,
        help=f"{use} May be repeated.  [default: {default}]",
    )
    return lambda command: option(allow_options(command))


@frozen
class LedgerOptions:
    """The operator's options for the ledger: a ``ledger`` file, or else ``memory``."""

    ledger: Path | None = None
    memory: MemoryOptions = field(default_factory=MemoryOptions)

    def given(self, runtime: Runtime) -> bool:
        """Whether the operator says where the memory is, by an option or a variable."""
        from webchat_sync.memory.opened import VARIABLE

        return bool(self.ledger or self.memory.given or runtime.environ.get(VARIABLE, "").strip())

    def place(
        self,
        ledgers: Mapping[str, Path],
        runtime: Runtime,
        *,
        declared: GitMemory | None = None,
        clone: Path = Path(),
        in_files: bool = False,
    ) -> MemoryPlace:
        """The place of the memory; ``ledgers`` and ``declared`` are the settings of the manifests in ``clone``."""
        return MemoryPlace(
            ledgers=dict.fromkeys(ledgers, self.ledger) if self.ledger else ledgers,
            declared=declared,
            given=self.memory.given,
            clone=clone,
            in_files=in_files or self.ledger is not None,
            by_hand=True,
            allowed_paths=runtime.allowed_paths,
        )


def with_ledger_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command --ledger, --memory and --lock-timeout, and hand them to it as ``ledger_options``."""

    @ledger_option
    @memory_options
    @wraps(command)
    def wrapped(*arguments: object, ledger: Path | None, memory: MemoryOptions, **rest: object) -> object:
        return command(*arguments, ledger_options=_one_place(ledger, memory), **rest)

    return wrapped


def with_ledger_to_read(command: Callable[..., object]) -> Callable[..., object]:
    """Like :func:`with_ledger_options`, for a command that takes no lock: without --lock-timeout."""

    @ledger_option
    @memory_option
    @wraps(command)
    def wrapped(*arguments: object, ledger: Path | None, memory: str | None, **rest: object) -> object:
        return command(*arguments, ledger_options=_one_place(ledger, MemoryOptions(memory)), **rest)

    return wrapped


def _one_place(ledger: Path | None, memory: MemoryOptions) -> LedgerOptions:
    if ledger is not None and memory.given is not None:
        raise click.UsageError("--ledger and --memory name different places; use only one of them.")
    return LedgerOptions(ledger, memory)


@frozen
class Subject:
    """The organisation, the variable with its own key, its memory, the channel's declaration, and its manifest."""

    organization: str
    key_variable: KeyVariable | None
    place: MemoryPlace
    declaration: Declaration | None = None
    settings: tuple[Manifest, ...] = ()

    @property
    def keys(self) -> Mapping[str, KeyVariable | None]:
        """The argument for a connection."""
        return {self.organization: self.key_variable}

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """Where the channel's secret goes as currently declared."""
        block = self.declaration.identity_secret if self.declaration else None
        return block.deliver if block else ()


class _UnreadableError(InputError):
    """The manifests can't be read, and may name a memory. The next apply would rotate a secret recorded elsewhere."""


class _SeveralError(InputError):
    """The ``manifests`` belong to several organisations, and nothing says which one is meant."""

    def __init__(self, manifests: Sequence[Manifest]) -> None:
        self.manifests = manifests
        named = in_a_row([manifest.organization for manifest in manifests], most=MOST_NAMED)
        hint = "Use --org ID, or --manifest PATH with the files of one of them."
        super().__init__([Diagnostic(f"the manifests belong to several organisations: {named}", hint=hint)])


def find_subject(
    paths: Sequence[Path],
    connection: ConnectionOptions,
    runtime: Runtime,
    ledger_options: LedgerOptions,
    name: str = "",
) -> Subject:
    """What the manifests and the options say about the channel ``name``; --org and --ledger take precedence.

    Raises InputError if no organisation is named or several match, and for manifests that can't be read, unless they
    weren't named and the options are sufficient.
    """
    manifests = _manifests(paths, connection, runtime, memory_given=ledger_options.given(runtime))
    manifest = _one_of(manifests, connection, name)
    if manifest is None:
        organization = one_organization(connection, runtime)
        return Subject(
            organization, None, ledger_options.place({organization: LEDGER}, runtime, in_files=connection.sandbox)
        )
    declared = next(
        (declaration for declaration in manifest.declarations if name and _is_called(declaration, name)),
        None,
    )
    place = ledger_options.place(
        ledgers_of([manifest]), runtime, declared=manifest.memory, clone=folder_of(paths), in_files=connection.sandbox
    )
    return Subject(
        manifest.organization, key_variables([manifest])[manifest.organization], place, declared, (manifest,)
    )


def find_offline(
    paths: Sequence[Path],
    runtime: Runtime,
    ledger_options: LedgerOptions,
    name: str,
    organization: str | None = None,
) -> Subject:
    """Like :func:`find_subject`, for commands without network: no ``organization`` is required.

    If several match, it's none of them in particular, and the memory is that of all.
    """
    try:
        connection = replace(ANYWHERE.offline, organization=organization)
        subject = find_subject(paths, connection, runtime, ledger_options, name)
        return replace(subject, place=replace(subject.place, in_files=ledger_options.ledger is not None))
    except _SeveralError as several:
        declared = declared_memory(several.manifests)
        ledgers = ledgers_of(several.manifests)
        return Subject("", None, ledger_options.place(ledgers, runtime, declared=declared, clone=folder_of(paths)))
    except _UnreadableError:
        raise
    except InputError:
        if paths:
            raise
        return Subject("", None, ledger_options.place({"": LEDGER}, runtime))


def _manifests(
    paths: Sequence[Path], connection: ConnectionOptions, runtime: Runtime, *, memory_given: bool
) -> Sequence[Manifest]:
    """The manifests in ``paths``, or else those in the current directory, where other files are ignored.

    ``memory_given``: it doesn't matter which memory the manifests name.
    """
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.manifest.glance import manifest_files

    files = paths or manifest_files([Path()], runtime.environ)
    if not files:
        return ()
    try:
        return load(files, connection, load_catalogue(), runtime).manifests
    except InputError as error:
        named_outputs = any(problem.code == OUTPUT for problem in error.problems)
        if paths or named_outputs or not connection.default_organization(runtime):
            raise
        if not memory_given and any(_NAMING.search(file.read_bytes()) for file in files):
            raise _UnreadableError(error.problems) from None
        # Files that weren't named mustn't prevent the command if the options are sufficient.
        return ()


def _one_of(manifests: Sequence[Manifest], connection: ConnectionOptions, name: str) -> Manifest | None:
    """The matching manifest: the one for --org, else the one that declares the channel, else the only one."""
    if connection.organization:
        return next((manifest for manifest in manifests if manifest.organization == connection.organization), None)
    if len(manifests) <= 1:
        return manifests[0] if manifests else None
    declaring = [
        manifest
        for manifest in manifests
        if any(_is_called(declaration, name) for declaration in manifest.declarations)
    ]
    if len(declaring) == 1:
        return declaring[0]
    raise _SeveralError(manifests)


def _is_called(declaration: Declaration, name_or_id: str) -> bool:
    return declaration.id == name_or_id or same(declaration.name, name_or_id)


def shared_place(paths: Sequence[Path], given: str | None, runtime: Runtime) -> MemoryPlace:
    """Where the memory of all manifests in ``paths`` or the current directory is. Raises InputError."""
    options = LedgerOptions(memory=MemoryOptions(given))
    manifests = (
        () if given and not paths else _manifests(paths, ANYWHERE.offline, runtime, memory_given=options.given(runtime))
    )
    return MemoryPlace(
        ledgers=ledgers_of(manifests) or {"": LEDGER},
        declared=declared_memory(manifests),
        given=given,
        clone=folder_of(paths),
        allowed_paths=runtime.allowed_paths,
    )
