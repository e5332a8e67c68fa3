"""What grows with organisations, channels, files and sinks takes work in proportion to them, counted in calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from planning import NOW, catalogue, declare, live, plan_for, refusals
from test_plan_secret import remembered, wants
from webchat_sync.check.variables import Variables
from webchat_sync.cli.saved import split_saved_plans
from webchat_sync.errors import ApiStatusError, Diagnostic, Place
from webchat_sync.manifest import load_manifests
from webchat_sync.manifest.adopt import Files, edit
from webchat_sync.manifest.file_names import file_names
from webchat_sync.manifest.files import manifests_below
from webchat_sync.manifest.fmt import canonical
from webchat_sync.manifest.left_out import Mention
from webchat_sync.manifest.ownership import shared
from webchat_sync.manifest.place_edits import Edit
from webchat_sync.manifest.read import Reader
from webchat_sync.memory.clone import ManifestFiles
from webchat_sync.memory.document import Document
from webchat_sync.model import (
    ApplyReport,
    ChannelKey,
    Create,
    KnownChannel,
    Listing,
    Manifest,
    Operation,
    OperationResult,
    OrganizationKey,
    Plan,
    Secret,
    Sink,
    Update,
)
from webchat_sync.plan.make import make_plan
from webchat_sync.plan.organizations import refused
from webchat_sync.plan.select import WHOLE, select
from webchat_sync.planfile.stale import forgotten, manifests_of, staleness
from webchat_sync.redact import KeyRing, redact
from webchat_sync.render.formats import FORMATS
from webchat_sync.render.report import render_report
from webchat_sync.secrets.addresses import occupied_sinks
from webchat_sync.workflow.memory_edits import ended
from webchat_sync.workflow.ownership import Ownership
from webchat_sync.yaml12.document import Source
from work import calls_of, steps_of

Work: TypeAlias = Callable[[], object]
NO_VARIABLES = Variables({}, ())


def fleet(count: int) -> Plan:
    """A plan of organisations with one changed channel each."""
    sides = [
        (
            Manifest(f"org-{number}", (declare(theme="dark"),)),
            Listing("https://api.example", (live("Support", f"c-{number}", theme="light"),)),
        )
        for number in range(count)
    ]
    return make_plan(sides, catalogue=catalogue(), created_at=NOW)


def shown(name: str, count: int, _: Path) -> Work:
    return partial(FORMATS[name], fleet(count))


def guarded(count: int, _: Path) -> Work:
    plan = fleet(count)
    return lambda: refusals(plan, strict=True)


def checked_again(count: int, _: Path) -> Work:
    plan = fleet(count)
    listings = {f"org-{n}": Listing("https://api.example", (live("Support", f"c-{n}"),)) for n in range(count)}
    manifests = [Manifest(f"org-{number}", ()) for number in range(count)]

    def work() -> None:
        refused(plan)
        forgotten(plan, {})
        staleness(plan, listings, catalogue())
        manifests_of(plan, manifests, [plan, plan])

    return work


def all_failed(count: int, _: Path) -> Work:
    """New channels that couldn't be switched on."""
    plan = plan_for([declare(f"C{number}", enabled=True, theme="dark") for number in range(count)], [])
    made = [(change, change.operations[-1]) for change in plan.organizations[0].changes if isinstance(change, Create)]
    report = ApplyReport("incomplete", tuple(_failed(change, operation) for change, operation in made))
    return partial(render_report, plan, report)


def _failed(change: Create, operation: Operation) -> OperationResult:
    error = ApiStatusError("PATCH /x: 422", method="PATCH", path="/x", status=422)
    return OperationResult("acme", change.address, operation, "failed", 422, error=error)


def chosen(count: int, _: Path) -> Work:
    names = [f"org-{number}" for number in range(count)]
    return partial(select, [Manifest(name, ()) for name in names], names, WHOLE)


def renamed_without_a_live_channel(count: int, _: Path) -> Work:
    """Every deleted channel may be the one that a new channel was renamed from."""
    declared = [replace(declare(f"New {number}"), renamed_from=f"Old {number}") for number in range(count)]
    plan = plan_for(declared, [live(f"Former {n}", f"c-{n}") for n in range(count)], prune=True)
    return partial(refusals, plan)


def plans_and_manifests(count: int, folder: Path) -> Work:
    paths = [folder / f"{number}.json" for number in range(count)]
    for path in paths:
        path.write_text('{"format_version": 1, "organizations": []}', encoding="utf-8")
    return partial(split_saved_plans, paths)


def sinks_in_one_file(count: int, folder: Path) -> Work:
    sinks = [Sink("dotenv", ".env", f"K{number}", folder=str(folder)) for number in range(count)]
    changes = _with_secrets([(sink,) for sink in sinks])
    ledger = {ChannelKey("https://api.example", "other", f"c-{n}"): remembered(sinks=(s,)) for n, s in enumerate(sinks)}
    return partial(occupied_sinks, changes, ledger, "https://api.example", {"other": []})


def sinks_of_one_channel(count: int, folder: Path) -> Work:
    sinks = tuple(Sink("file", str(number), folder=str(folder)) for number in range(count))
    return partial(occupied_sinks, _with_secrets([sinks, sinks]), {}, "https://api.example", {})


def _with_secrets(sinks: list[tuple[Sink, ...]]) -> list[Create | Update]:
    declared = [wants(declare(f"C{number}"), deliver=held) for number, held in enumerate(sinks)]
    changes = plan_for(declared, []).organizations[0].active_changes
    return [change for change in changes if isinstance(change, Create)]


def texts_beside_new_secrets(count: int, _: Path) -> Work:
    """Each response after a new secret is searched for all of them."""
    secrets = [Secret(f"{number:032x}".translate(str.maketrans("0123456789", "qwrtzuiopl"))) for number in range(count)]

    def work() -> None:
        ring = KeyRing()
        for secret in secrets:
            ring.add(secret)
            redact("7f9c4b3e-4e4b-4f0a-9d3f-2f1d6c1b8a90", ring.within("7f9c4b3e-4e4b-4f0a-9d3f-2f1d6c1b8a90"))

    return work


def files_given_and_others(count: int, folder: Path) -> Work:
    """Which manifests of a folder weren't given, if half of them were."""
    files = [folder / f"{number}.yaml" for number in range(2 * count)]
    for number, file in enumerate(files):
        file.write_text(document(number), encoding="utf-8")
    return partial(manifests_below, [folder], files[:count])


def document(number: int, *, organization: str = "") -> str:
    head = f"version: 1\norganization: {organization or f'org-{number}'}\n"
    return f"{head}channels:\n  - name: C{number}\n    theme: dark\n"


def documents_of_one_file(count: int, _: Path) -> Work:
    """An adopt in every document."""
    source = Source.of("all.yaml", "---\n".join(document(number) for number in range(count)).encode())
    edits = [Edit(Place("all.yaml", 4 + 6 * number, 5), {"theme": "light"}, f"c-{number}") for number in range(count)]
    return partial(edit, Files([source]), edits, environ=NO_VARIABLES)


def owners_of_one_file(count: int, folder: Path) -> Work:
    """Which of the documents of a file belong to one organisation."""
    file = folder / "all.yaml"
    file.write_text("---\n".join(document(number) for number in range(count)), encoding="utf-8")
    documents = Reader(NO_VARIABLES).read([file])
    return partial(shared, documents, [file], [folder])


def documents_to_format(count: int, _: Path) -> Work:
    text = "---\n".join(
        f"{{version: 1, organization: org-{number}, channels: []}} # x\n# y\n" for number in range(count)
    )
    return partial(canonical, Source.of("all.yaml", text.encode()), catalogue())


def bases_and_overlays(count: int, folder: Path) -> Work:
    """Manifests of one organisation that take it from a variable, next to an overlay with all their channels."""
    (folder / ".git").mkdir()
    files = [folder / f"base-{number}.yaml" for number in range(count)]
    for number, file in enumerate(files):
        file.write_text(document(number, organization="${MOSEND_ORG_ID}"), encoding="utf-8")
    channels = "".join(f"  - {{name: C{number}, color: red}}\n" for number in range(count))
    (folder / "staging.yaml").write_text(f"version: 1\nchannels:\n{channels}", encoding="utf-8")
    documents = Reader(Variables({"MOSEND_ORG_ID": "acme"}, ())).read(files)

    def work() -> list[Diagnostic]:
        found = shared(documents, files, files)
        assert len(found) == count
        return found

    return work


def overlay_of_all(count: int, folder: Path) -> Work:
    """An overlay with a document for every organisation."""
    base, over = folder / "base.yaml", folder / "over.yaml"
    base.write_text("---\n".join(document(number) for number in range(count)), encoding="utf-8")
    over.write_text("---\n".join(document(number) for number in range(count)), encoding="utf-8")
    return partial(
        load_manifests, [base], catalogue=catalogue(), environ=NO_VARIABLES, organization=None, overlays=[over]
    )


def channels_that_were_dropped(count: int, folder: Path) -> Work:
    """As many files of the run as others of the repository, and channels that other repositories declare, too."""
    given = [folder / f"{number}.yaml" for number in range(count)]
    others = [folder / f"other-{number}.yaml" for number in range(count)]
    for number, path in enumerate([*given, *others]):
        path.write_text(document(number), encoding="utf-8")
    known = {
        f"c-{number}": KnownChannel(f"C{number}", NOW, "site", file=f"{number}.yaml", others={"shop": "a.yaml"})
        for number in range(count)
    }
    scope = OrganizationKey("https://api.example", "acme")
    documents = {scope: Document().with_channels(known)}
    mentions = {path.name: [Mention(path, "acme", frozenset({path.stem}), varies=True)] for path in others}
    files = ManifestFiles(folder, tuple(given))
    ownership = Ownership("site", files, {"acme": {"new": "0.yaml"}}, frozenset({"acme"}), lambda: mentions)

    def work() -> None:
        assert {*manifests_below([folder], given)} == {*others}
        assert len([*ownership.kept("acme", documents[scope])]) == len(ownership.elsewhere(documents)[scope]) == count
        released = {*ownership.released(scope, known, documents)}
        sides: Any = {"settled": (), "gone": (), "live": {}, "listed": [*known], "now": NOW}
        after = ended(documents[scope], **sides, owner="site", released=released)
        assert not any("site" in channel.owners for channel in after.channels.values())

    return work


JOBS: dict[str, Callable[[int, Path], Work]] = {
    **{name: partial(shown, name) for name in FORMATS},
    **{
        job.__name__: job
        for job in (
            guarded,
            checked_again,
            all_failed,
            chosen,
            renamed_without_a_live_channel,
            plans_and_manifests,
            sinks_in_one_file,
            sinks_of_one_channel,
            texts_beside_new_secrets,
            files_given_and_others,
            documents_of_one_file,
            documents_to_format,
            owners_of_one_file,
            bases_and_overlays,
            overlay_of_all,
            channels_that_were_dropped,
        )
    },
}


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_ten_times_as_much_takes_ten_times_the_work(name: str, tmp_path: Path) -> None:
    calls = []
    for count in (1, 25, 250):
        folder = tmp_path / str(count)
        folder.mkdir()
        calls.append(calls_of(JOBS[name](count, folder)))
    _, few, many = calls
    assert many <= 12.5 * few


@pytest.mark.parametrize(("opened", "closed"), [("{a: ", "}"), ("[", "]"), ("[{a: [", "]}]")])
def test_formatting_a_value_in_many_brackets_takes_the_work_of_each_once(opened: str, closed: str) -> None:
    inner = "{" + ", ".join(f"key-{number}: value" for number in range(100)) + "}"

    def formatted(depth: int) -> Work:
        text = f"version: 1\nx: {opened * depth}{inner}{closed * depth}\n"
        return partial(canonical, Source.of("a.yaml", text.encode()), catalogue())

    formatted(1)()
    few, many = (calls_of(formatted(depth)) for depth in (3, 30))
    assert many <= 2 * few


def test_a_thousand_channels_whose_names_have_no_letters_get_file_names() -> None:
    few, many = (steps_of(partial(file_names, ["☎"] * count)) for count in (25, 250))
    assert many <= 11 * few
    assert file_names(["☎"] * 3, taken=["channel-2.yaml"]) == ["channel.yaml", "channel-3.yaml", "channel-4.yaml"]


def test_only_the_first_misspelt_channels_of_an_overlay_get_suggestions(tmp_path: Path) -> None:
    base, over = tmp_path / "base.yaml", tmp_path / "over.yaml"
    base.write_text("version: 1\norganization: acme\nchannels: [{name: Support}]\n", encoding="utf-8")
    over.write_text("version: 1\nchannels:\n" + "  - name: Suport\n" * 150, encoding="utf-8")
    options = {"catalogue": catalogue(), "environ": NO_VARIABLES, "organization": None, "overlays": [over]}
    with pytest.raises(Exception, match="no manifest declares") as caught:
        load_manifests([base], **options)  # type: ignore[arg-type]  # mypy can't see the names in a dictionary
    hints = [problem.hint for problem in caught.value.problems]  # type: ignore[attr-defined]  # it's an InputError
    assert sum("Did you mean `Support`?" in hint for hint in hints) == 100
