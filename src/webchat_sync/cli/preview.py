"""``webchat-sync preview``."""

from __future__ import annotations

import bisect
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webchat_sync.cli.connection import ConnectionOptions, connect, connection_options, key_variables
from webchat_sync.cli.files import check_outputs
from webchat_sync.cli.fleet import FleetOptions, choose, fleet_options
from webchat_sync.cli.live import live_option, open_snapshot
from webchat_sync.cli.manifests import load, overlay_option, paths_argument
from webchat_sync.cli.port import port_option
from webchat_sync.cli.runtime import Runtime, wait_for
from webchat_sync.environment import API_KEY_VARIABLE
from webchat_sync.errors import Diagnostic, InputError, WebchatSyncError
from webchat_sync.tree import exists

if TYPE_CHECKING:
    from webchat_sync.domain.catalogue import Catalogue
    from webchat_sync.manifest import Loaded
    from webchat_sync.model import Json, LiveChannel, Manifest
    from webchat_sync.render.html.preview import Asked, Seen
    from webchat_sync.workflow.listings import Readings


@click.command("preview", short_help="Show each declared channel as visitors would see it.")
@paths_argument
@overlay_option
@connection_options
@live_option
@fleet_options
@port_option(8766)
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
@click.pass_obj
def command(
    runtime: Runtime,
    *,
    paths: tuple[Path, ...],
    overlays: tuple[Path, ...],
    connection: ConnectionOptions,
    live: Path | None,
    fleet: FleetOptions,
    port: int,
    open_page: bool,
) -> None:
    """Show each declared channel as visitors would see it, on a page that updates as you save, until Ctrl-C.

    PATH is a manifest file or a folder of them; without one, the current directory. Only this machine can open the
    page. Each channel is shown with the problems that `validate` finds in it. You can choose the time and, with a key,
    --live or --sandbox, show what is live instead of what is declared.

    \b
    Examples:
      webchat-sync preview channels/ --open
      webchat-sync preview channels/ --live live.json
      webchat-sync preview examples/quickstart --sandbox
    """
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.manifest.files import SUFFIXES
    from webchat_sync.preview import Watch, build_app

    inputs = [*(paths or [Path()]), *([live] if live else [])]
    check_outputs({"--debug-http": connection.debug_http}, inputs, overlays=overlays)
    watched = [*inputs, *overlays]
    if missing := [path for path in watched if not exists(path)]:
        hint = "Check the path. Files with errors are fine: the page shows the errors."
        raise InputError([Diagnostic(f"{path} doesn't exist", hint=hint) for path in missing])
    # After the preview, whose extra contains that of the emulator.
    from webchat_sync.emulator import serve_forever

    watch = Watch(watched, SUFFIXES)
    desk = _Desk(paths, overlays, connection, live, fleet, load_catalogue(), runtime, watch.version)

    def ready(url: str) -> None:
        click.echo(f"Serving the preview at {url}/", err=True)
        if open_page and not webbrowser.open(f"{url}/"):
            click.echo("Can't open a browser.", err=True)

    with watch.running():
        serve_forever(build_app(desk.page, watch.version), host="127.0.0.1", port=port, on_ready=ready)


@dataclass(slots=True)
class _Desk:
    """Makes the page. ``manifests`` are the ones shown last, so that a mistake doesn't empty the page."""

    paths: Sequence[Path]
    overlays: Sequence[Path]
    connection: ConnectionOptions
    snapshot: Path | None
    fleet: FleetOptions
    catalogue: Catalogue
    runtime: Runtime
    version: Callable[[], int]
    manifests: Sequence[Manifest] = field(default_factory=tuple)

    def page(self, asked: Asked) -> str:
        """The requested page, from the current files."""
        from webchat_sync.render.html.preview import render_preview

        version = self.version()  # read before the files, so that changes meanwhile aren't missed
        problems = list(self._read())
        live: Mapping[str, Sequence[LiveChannel]] = {}
        if asked.side == "live" and self._live_from:
            live, unread = self._live()
            problems += unread
        seen, loose = _seen(self.manifests, live, problems)
        return render_preview(seen, loose, asked, now=self.runtime.now(), version=version, live_from=self._live_from)

    def _read(self) -> Sequence[Diagnostic]:
        try:
            loaded = load(
                self.paths, self.connection.offline, self.catalogue, self.runtime, self.overlays, despite_errors=True
            )
        except InputError as error:
            return error.problems
        try:
            manifests, _ = choose(loaded, self.fleet)
        except InputError as error:  # the one that is meant may be in a file that has an error now
            return [*loaded.problems, *error.problems]
        self.manifests = _drawn(replace(loaded, manifests=manifests), self.manifests)
        return loaded.problems

    @property
    def _live_from(self) -> str:
        if self.snapshot is not None:
            return str(self.snapshot)
        if self.connection.sandbox:
            return "the sandbox"
        return "the API" if self.connection.api_key_file or self.runtime.environ.get(API_KEY_VARIABLE) else ""

    def _live(self) -> tuple[Mapping[str, Sequence[LiveChannel]], Sequence[Diagnostic]]:
        """The live channels of each organisation that could be read, and the problems of the others."""
        from webchat_sync.plan.organizations import of_organization

        try:
            readings = self._readings()
        except InputError as error:
            return {}, error.problems
        except WebchatSyncError as error:
            return {}, [Diagnostic(error.message, hint=error.hint)]
        live = {name: listing.channels for name, listing in readings.listings.items()}
        return live, [
            problem
            for failed in readings.failed
            for problem in of_organization(failed.problems, failed.organization, several=True)
        ]

    def _readings(self) -> Readings:
        from webchat_sync.workflow.listings import Readings, list_readings

        if self.snapshot is not None:
            snapshot, _ = open_snapshot(self.snapshot, self.runtime)
            return Readings(snapshot.listings, snapshot.failed)
        single = len(self.manifests) < 2
        with connect(self.connection, self.runtime, key_variables(self.manifests), self.manifests) as connected:
            return wait_for(lambda: list_readings(connected, self.runtime, single=single))


def _drawn(loaded: Loaded, before: Sequence[Manifest]) -> Sequence[Manifest]:
    """The current manifests, with the earlier declarations of files that are too broken to declare anything."""
    named = {declaration.place.file for manifest in loaded.manifests for declaration in manifest.declarations}
    broken = {
        problem.place.file for problem in loaded.problems if problem.place and problem.severity == "error"
    } - named
    drawn = {manifest.organization: manifest for manifest in loaded.manifests}
    for manifest in before:
        earlier = tuple(declaration for declaration in manifest.declarations if declaration.place.file in broken)
        now = drawn.get(manifest.organization)
        if earlier:
            drawn[manifest.organization] = replace(
                manifest, declarations=(*(now.declarations if now else ()), *earlier)
            )
    return tuple(drawn.values())


def _seen(
    manifests: Sequence[Manifest], live: Mapping[str, Sequence[LiveChannel]], problems: Sequence[Diagnostic]
) -> tuple[list[Seen], list[Diagnostic]]:
    """Each declared channel with its live fields and its problems, and the other problems."""
    from webchat_sync.plan.match_channels import match_channels
    from webchat_sync.render.html.preview import Seen

    declarations = [
        declaration for manifest in manifests for declaration in manifest.declarations if not declaration.absent
    ]
    starts = sorted((declaration.place.file, declaration.place.line) for declaration in declarations)
    of_channel: dict[tuple[str, int], list[Diagnostic]] = {start: [] for start in starts}
    loose: list[Diagnostic] = []
    for problem in problems:
        place = problem.place
        at = bisect.bisect_right(starts, (place.file, place.line)) - 1 if place else -1
        inside = place is not None and at >= 0 and starts[at][0] == place.file
        (of_channel[starts[at]] if inside else loose).append(problem)
    seen: list[Seen] = []
    for manifest in manifests:
        listed = live.get(manifest.organization)
        for declaration, channel in match_channels(manifest.declarations, listed or ()).pairs:
            if not declaration.absent:
                place = declaration.place
                seen.append(
                    Seen(
                        declaration.name,
                        manifest.organization,
                        place,
                        declared=_hidden(declaration.fields),
                        live=None if channel is None else _hidden(channel.fields),
                        listed=listed is not None,
                        problems=tuple(of_channel[place.file, place.line]),
                    )
                )
    return seen, loose


def _hidden(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The fields with secrets redacted."""
    from webchat_sync.leaks import redact_value

    return {name: redact_value(value, name) for name, value in fields.items()}
