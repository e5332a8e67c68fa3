"""The connection options, and the API clients for them: the real server's or the sandbox's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.debug import json_lines
from webchat_sync.cli.files import FilledPath, output_path, read_bytes
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.targets import org_option
from webchat_sync.domain.ids import is_id, no_id
from webchat_sync.environment import API_KEY_VARIABLE, BASE_URL_VARIABLE, ORGANIZATION_VARIABLE
from webchat_sync.errors import Diagnostic, InputError, Place
from webchat_sync.flat import flat
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import show
from webchat_sync.model import SANDBOX, FailedOrganization, Json, LiveChannel, Manifest, OrganizationPlan, Secret
from webchat_sync.sentences import in_a_row
from webchat_sync.workflow.connection import Connection, open_apis
from webchat_sync.workflow.state import STATE_FOLDER

if TYPE_CHECKING:
    from webchat_sync.api import Mosend

BASE_URL: Final = "https://api.mosend.dev"
"""The address of the vendor's API (the vendor's API reference)."""


@frozen
class ConnectionOptions:
    """The connection options on the command line, without the environment."""

    organization: str | None
    base_url: str | None
    api_key_file: Path | None
    sandbox: bool
    debug_http: Path | None = None

    def default_organization(self, runtime: Runtime) -> str | None:
        """The organisation for everything that names none itself."""
        return self.named_organization(runtime) or (SANDBOX if self.sandbox else None)

    def named_organization(self, runtime: Runtime) -> str | None:
        """The organisation in --org or the environment; raises InputError for an invalid id."""
        named = self.organization or runtime.environ.get(ORGANIZATION_VARIABLE) or None
        if named is not None and not is_id(named):
            source = "--org" if self.organization else ORGANIZATION_VARIABLE
            wrong = f'{source} is "{flat(named)}", which can\'t be an organisation id: {no_id(named)}'
            raise InputError([Diagnostic(wrong, hint="Use the organisation's id as Mosend shows it.")])
        return named

    @property
    def offline(self) -> ConnectionOptions:
        """For reading manifests only: an unnamed organisation isn't an error."""
        return ConnectionOptions(self.organization, base_url=None, api_key_file=self.api_key_file, sandbox=True)

    def named_label(self, runtime: Runtime) -> str | None:
        """What a plan calls the server, as far as options or environment name it."""
        if self.sandbox:
            return SANDBOX
        named = self.base_url or runtime.environ.get(BASE_URL_VARIABLE)
        return named.rstrip("/") if named else None

    def label(self, runtime: Runtime) -> str:
        """What a plan calls the server."""
        return self.named_label(runtime) or BASE_URL


@frozen
class KeyVariable:
    """The environment variable with an organisation's own API key, and where its name was written."""

    name: str
    place: Place | None


def connection_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the connection options, as ``connection``."""

    @org_option
    @click.option("--base-url", metavar="URL", help=f"The API's address.  [env: MOSEND_BASE_URL; default: {BASE_URL}]")
    @click.option(
        "--api-key-file",
        metavar="FILE",
        type=FilledPath(path_type=Path, dir_okay=False),
        help="Read the API key from FILE.  [default: the variable MOSEND_API_KEY]",
    )
    @click.option(
        "--debug-http",
        metavar="FILE",
        type=output_path,
        help="Write every request and response to FILE, readable by you only, without keys and secrets.",
    )
    @click.option("--sandbox", is_flag=True, help="Use a built-in emulator of the API instead of an account.")
    @wraps(command)
    def wrapped(
        *arguments: object,
        org: str | None,
        base_url: str | None,
        api_key_file: Path | None,
        sandbox: bool,
        debug_http: Path | None,
        **rest: object,
    ) -> object:
        if sandbox and (base_url or api_key_file):
            raise click.UsageError("--sandbox can't be used with --base-url or --api-key-file.")
        options = ConnectionOptions(org, base_url, api_key_file, sandbox, debug_http)
        return command(*arguments, connection=options, **rest)

    return wrapped


def key_variables(settings: Iterable[Manifest | OrganizationPlan]) -> dict[str, KeyVariable | None]:
    """The organisations of ``settings``, with the variable for their own key, or None."""
    variables: dict[str, KeyVariable | None] = {}
    for item in settings:
        place = item.api_key_place if isinstance(item, Manifest) else None
        variables[item.organization] = KeyVariable(item.api_key_env, place) if item.api_key_env else None
    return variables


@contextmanager
def connect(
    options: ConnectionOptions,
    runtime: Runtime,
    organizations: Mapping[str, KeyVariable | None],
    settings: Iterable[Manifest | OrganizationPlan] = (),
) -> Iterator[Connection]:
    """The connection for the options; with --sandbox, the emulator runs until the block ends.

    ``organizations`` come from :func:`key_variables`; the sandbox supports the catalogue entries in ``settings``.
    Raises InputError with the problems of the keys if none is usable.
    """
    settings = tuple(settings)
    entries = {name: entry for item in settings for name, entry in item.field_entries.items()}
    sources = {item.organization: _named_by(item, options) for item in settings}
    sources = {name: sources.get(name) or _option(options) for name in organizations}
    opened = _connect(options, runtime, organizations, entries)
    with json_lines("--debug-http", options.debug_http, runtime) as on_exchange, opened as connection:
        yield replace(connection, on_exchange=on_exchange, organization_sources=sources)


def _named_by(item: Manifest | OrganizationPlan, options: ConnectionOptions) -> str:
    """Where the id of an organisation is set, in words; empty for the options."""
    if not isinstance(item, Manifest):
        return "it's from the saved plan"
    if item.organization_place is None:
        return ""
    place = f"`organization` at {item.organization_place}"
    variables = [
        _option(options) if name == ORGANIZATION_VARIABLE else name
        for name in dict.fromkeys(item.organization_variables)
    ]
    return f"{in_a_row(variables)}, which {place} names" if variables else place


def _option(options: ConnectionOptions) -> str:
    return "--org" if options.organization else ORGANIZATION_VARIABLE


@contextmanager
def _connect(
    options: ConnectionOptions,
    runtime: Runtime,
    organizations: Mapping[str, KeyVariable | None],
    entries: Mapping[str, Mapping[str, Json]],
) -> Iterator[Connection]:
    if options.sandbox:
        from webchat_sync.cli.sandbox import sandbox_store
        from webchat_sync.emulator import build_app, serve

        with closing(sandbox_store(STATE_FOLDER, runtime, entries)) as store, serve(build_app(store)) as base_url:
            keys = dict.fromkeys(organizations, Secret("mk_test_4f19e2.c7a05d83b6"))  # a word in it would be hidden
            yield Connection(base_url=base_url, label=SANDBOX, keys=keys, sandbox=True)
    else:
        default = runtime.environ.get(BASE_URL_VARIABLE) or BASE_URL
        base_url = default if options.base_url is None else options.base_url  # an empty one is wrong
        keys, failed = _api_keys(options, runtime, organizations)
        own = {name: variable.name for name, variable in organizations.items() if variable is not None}
        yield Connection(base_url=base_url, label=options.label(runtime), keys=keys, failed=failed, key_variables=own)


def one_organization(options: ConnectionOptions, runtime: Runtime, hint: str = "") -> str:
    """The organisation in --org or the environment; raises InputError, with the ``hint``, if there is none."""
    if (organization := options.default_organization(runtime)) is None:
        raise InputError([Diagnostic("no organisation is given", hint=hint or "Use --org ID or set MOSEND_ORG_ID.")])
    return organization


@asynccontextmanager
async def open_api(options: ConnectionOptions, runtime: Runtime) -> AsyncIterator[Mosend]:
    """The API client for the organisation in --org or the environment."""
    organization = one_organization(options, runtime)
    with connect(options, runtime, {organization: None}) as connection:
        async with open_apis(connection, runtime) as apis:
            yield apis[organization]


async def live_channel(api: Mosend, name_or_id: str) -> LiveChannel:
    """The live channel with that name or id; raises InputError if there is none or several."""
    from webchat_sync.workflow.secret import find_live

    return find_live(await api.list_channels(), name_or_id)


def _api_keys(
    options: ConnectionOptions, runtime: Runtime, organizations: Mapping[str, KeyVariable | None]
) -> tuple[dict[str, Secret], tuple[FailedOrganization, ...]]:
    """The key of every organisation, its own or the shared one, and the organisations without one.

    The shared key is only read if it's needed. Raises InputError if no organisation has a key.
    """
    from webchat_sync.api.settings import key_problems

    variables = {name: variable for name, variable in organizations.items() if variable is not None}
    _refuse_foreign(variables.values(), runtime)
    keys: dict[str, Secret] = {}
    problems: dict[str, Sequence[Diagnostic]] = {}
    shared: Secret | InputError | None = None
    for organization, variable in organizations.items():
        if variable is not None:
            key = Secret(runtime.environ.get(variable.name, "").strip())
            wrong: Sequence[Diagnostic] = key_problems(key) if key else [_keyless(organization, variable, runtime)]
        else:
            shared = shared or _shared_key(options, runtime)
            key = shared if isinstance(shared, Secret) else Secret("")
            wrong = [] if isinstance(shared, Secret) else shared.problems
        if wrong:
            problems[organization] = wrong
        else:
            keys[organization] = key
    if problems and not keys:
        # Report the missing shared key only once.
        raise InputError(tuple(dict.fromkeys(problem for several in problems.values() for problem in several)))
    failed = (FailedOrganization(name, InputError.exit_code, tuple(several)) for name, several in problems.items())
    return keys, tuple(failed)


def _shared_key(options: ConnectionOptions, runtime: Runtime) -> Secret | InputError:
    from webchat_sync.api.settings import key_problems

    try:
        key = _api_key(options, runtime)
    except InputError as error:
        return error
    return InputError(problems) if (problems := key_problems(key)) else key


def _refuse_foreign(variables: Iterable[KeyVariable], runtime: Runtime) -> None:
    """Raise InputError for variables that may not contain a key, since a saved plan can name any."""
    from webchat_sync.check.variables import Variables
    from webchat_sync.manifest.load import FOREIGN_KEY, FOREIGN_KEY_HINT

    rules = Variables.of(runtime.environ, runtime.allowed_env)
    refused = [
        Diagnostic(
            FOREIGN_KEY,
            variable.place,
            ("settings", "apiKeyEnv") if variable.place else (),
            hint=FOREIGN_KEY_HINT,
            code="variable",
        )
        for variable in variables
        if not rules.may_hold_key(variable.name)
    ]
    if refused:
        raise InputError(refused)


def _keyless(organization: str, variable: KeyVariable, runtime: Runtime) -> Diagnostic:
    lacks = "is empty" if variable.name in runtime.environ else "isn't set"
    of = "" if variable.place else f" of organisation {show(organization)}"
    return Diagnostic(
        f"the environment variable {variable.name}, which `apiKeyEnv`{of} names, {lacks}",
        variable.place,
        ("settings", "apiKeyEnv") if variable.place else (),
        hint=f"Set {variable.name}, or remove `apiKeyEnv` to use MOSEND_API_KEY or --api-key-file.",
        code="variable",
    )


def _api_key(options: ConnectionOptions, runtime: Runtime) -> Secret:
    file = options.api_key_file
    if file is None:
        key = Secret(runtime.environ.get(API_KEY_VARIABLE, "").strip())
        hint = "Set MOSEND_API_KEY, use --api-key-file FILE, or try --sandbox."
        missing = Diagnostic("no API key is given", hint=hint)
    else:
        key = Secret(read_bytes(file).decode("utf-8", "replace").strip())
        missing = Diagnostic(f"the API key file {file} is empty", hint="Write the key to the file, and nothing else.")
    if not key:
        raise InputError([missing])
    return key
