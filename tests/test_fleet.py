"""Many organisations in one run: one that fails stops itself only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.responses import JSONResponse

from applying import KEY, NOW
from commands import Emulated, emulated
from planning import catalogue
from sizes import size
from webchat_sync.emulator import Store, build_app, serve
from webchat_sync.errors import worst_exit_code

FLEET: Final = size(12, thorough=40)
"""Organisations, more than are read at the same time."""

DEAD = {"statusCode": 401, "error": "Unauthorized", "message": "the API key was revoked"}
TROUBLES: dict[str, Callable[[], JSONResponse]] = {
    "revoked": lambda: JSONResponse(DEAD, 401),
    "broken": lambda: JSONResponse({"statusCode": 501, "error": "Not Implemented"}, 501),
    "wrong": lambda: JSONResponse({"data": [{"id": "c-1"}]}),
}


@contextmanager
def fleet(organizations: dict[str, str], live: dict[str, list[dict[str, Any]]] | None = None) -> Iterator[Emulated]:
    """A server of many organisations; those with a trouble have it for every call. ``troubles`` may be changed."""
    store = Store(catalogue=catalogue(), now=lambda: NOW)
    for organization, channels in (live or {}).items():
        store.seed(organization, channels)
    app = build_app(store)

    async def troubled(scope: Any, receive: Any, send: Any) -> None:
        parts = scope.get("path", "").split("/")
        trouble = organizations.get(parts[2]) if len(parts) > 2 else None
        await (TROUBLES[trouble]() if trouble else app)(scope, receive, send)

    with serve(troubled) as url:
        yield Emulated(url, store)


def declare(folder: Path, *organizations: str, channels: str = "[{name: Support}]", settings: str = "{}") -> Path:
    folder.mkdir(exist_ok=True)
    for organization in organizations:
        text = f"version: 1\norganization: {organization}\nsettings: {settings}\nchannels: {channels}\n"
        (folder / f"{organization}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return declare(tmp_path / "fleet", *(f"org-{number:02}" for number in range(FLEET)))


def names(api: Emulated, organization: str) -> list[Any]:
    return [channel["name"] for channel in api.store.channels(organization)]


@pytest.mark.waits
@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_dead_key_costs_one_line_and_not_the_run(folder: Path, trouble: str) -> None:
    with fleet({"org-07": trouble}) as api:
        planned = api.invoke("plan", folder, "--out", "plan.json", "--detailed-exitcode")
        assert planned.code == 6
        assert (
            planned.last_line
            == f"Plan: {FLEET - 1} to add, 0 to change, 0 to destroy. 1 organisation failed and is left out."
        )
        (error,) = (line for line in planned.err.splitlines() if line.startswith("Error:"))
        assert error.startswith('Error: organisation "org-07": GET /organizations/org-07/web-chat/channels: HTTP ')
        assert f"1 of {FLEET} organisations failed. The other {FLEET - 1} weren't affected." in planned.err
        document = json.loads(Path("plan.json").read_text(encoding="utf-8"))
        assert [failed["organization"] for failed in document["failed"]] == ["org-07"]
        assert document["failed"][0]["exit_code"] == 6
        assert (document["complete"], len(document["organizations"])) == (False, FLEET - 1)

        applied = api.invoke("apply", folder, "--auto-approve", "--report", "report.json")
        assert applied.code == 6
        assert applied.err.count("org-07") == applied.out.count("org-07") == 2
        assert applied.last_line == f"In the others: {FLEET - 1} added, 0 changed, 0 destroyed."
        report = json.loads(Path("report.json").read_text(encoding="utf-8"))
        assert report["outcome"] == "incomplete"
        assert [failed["organization"] for failed in report["failed"]] == ["org-07"]
        assert report["summary"] == {"done": FLEET - 1, "failed": 0, "not_started": 0, "in_doubt": 0}
        assert names(api, "org-07") == []
        assert all(names(api, f"org-{number:02}") == ["Support"] for number in range(FLEET) if number != 7)

        again = api.invoke("plan", folder, "--detailed-exitcode")
        assert again.code == 6
        assert again.last_line.startswith("No changes. The live channels that were considered match the manifest. 1 ")


def test_every_organisation_that_fails_is_named_with_its_own_reason(folder: Path) -> None:
    with fleet({"org-01": "revoked", "org-02": "wrong", "org-03": "broken"}) as api:
        planned = api.invoke("plan", folder, "--format", "json")
    assert planned.code == 6
    assert [failed["organization"] for failed in planned.json()["failed"]] == ["org-01", "org-02", "org-03"]
    lines = [line for line in planned.err.splitlines() if line.startswith("Error: organisation")]
    assert ["HTTP 401" in lines[0], "without a name" in lines[1], "HTTP 501" in lines[2]] == [True] * 3


@pytest.mark.slow
def test_when_all_fail_all_are_named(folder: Path) -> None:
    with fleet({f"org-{number:02}": "revoked" for number in range(FLEET)}) as api:
        planned = api.invoke("plan", folder, "--format", "json")
        applied = api.invoke("apply", folder, "--auto-approve")
        for command in ("plan", "drift", "apply --auto-approve"):
            ended = api.invoke(*command.split(), folder)
            assert (ended.code, ended.last_line) == (6, f"Nothing was compared: all {FLEET} organisations failed.")
    assert (planned.code, applied.code) == (6, 6)
    assert len(planned.json()["failed"]) == FLEET
    assert planned.err.count("the API key was revoked") == applied.err.count("the API key was revoked") == FLEET


@pytest.mark.slow
def test_an_organisation_whose_listing_cannot_be_matched_stops_itself_only(folder: Path) -> None:
    twins = [{"name": "Support"}, {"name": "Support"}]
    with fleet({"org-09": "revoked"}, {"org-05": twins}) as api:
        planned = api.invoke("plan", folder, "--format", "json")
        assert planned.code == 6
        failed = planned.json()["failed"]
        assert {failure["organization"]: failure["exit_code"] for failure in failed} == {"org-05": 1, "org-09": 6}
        place = next(failure for failure in failed if failure["exit_code"] == 1)["problems"][0]["place"]
        assert place["file"].endswith("org-05.yaml")
        assert api.invoke("apply", folder, "--auto-approve").code == 6
        assert len(names(api, "org-05")) == 2
        assert names(api, "org-06") == ["Support"]


def test_one_organisation_alone_fails_as_it_did(folder: Path) -> None:
    with fleet({"org-07": "revoked"}) as api:
        planned = api.invoke("plan", folder / "org-07.yaml", "--format", "json")
    assert (planned.code, planned.out) == (6, "")
    assert planned.err.startswith("Error: GET /organizations/org-07/web-chat/channels: HTTP 401")


def test_a_missing_key_stops_the_organisation_that_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = declare(tmp_path / "fleet", "one", settings="{apiKeyEnv: MOSEND_API_KEY_ONE}")
    declare(folder, "two", "three")
    with fleet({}) as api:
        planned = api.invoke("plan", folder, "--format", "json")
        assert planned.code == 1
        assert [failed["organization"] for failed in planned.json()["failed"]] == ["one"]
        assert "MOSEND_API_KEY_ONE" in planned.err
        assert len(planned.json()["organizations"]) == 2
        broken = api.invoke("plan", folder, "--format", "json", environ={"MOSEND_API_KEY_ONE": "a key"})
        assert "a character that no key has" in broken.json()["failed"][0]["problems"][0]["message"]
        assert api.invoke("snapshot", folder, "--out", "live.json").code == 1


@pytest.mark.slow
def test_a_saved_plan_is_applied_but_for_the_organisation_that_fails_since(folder: Path) -> None:
    troubles: dict[str, str] = {}
    with fleet(troubles) as api:
        assert api.invoke("plan", folder, "--out", "plan.json").code == 0
        troubles["org-03"] = "revoked"
        applied = api.invoke("apply", "plan.json", "--auto-approve", "--report", "report.json")
        assert applied.code == 6
        report = json.loads(Path("report.json").read_text(encoding="utf-8"))
        assert report["summary"] == {"done": FLEET - 1, "failed": 0, "not_started": 1, "in_doubt": 0}
        assert [failed["organization"] for failed in report["failed"]] == ["org-03"]
        assert "not started" in applied.out
        assert names(api, "org-03") == []
        assert names(api, "org-04") == ["Support"]


@pytest.mark.slow
def test_a_plan_that_named_a_failure_is_applied_and_names_it_again(folder: Path) -> None:
    with fleet({"org-03": "revoked"}) as api:
        assert api.invoke("plan", folder, "--out", "plan.json").code == 6
        shown = api.invoke("show", "plan.json")
        assert 'Error: organisation "org-03"' in shown.err
        notices = api.invoke("show", "plan.json", "--format", "markdown").out.split("\n\n")[1]
        assert all(word in notices for word in ("Failed", "org", "401"))
        applied = api.invoke("apply", "plan.json", folder, "--auto-approve")
        assert (applied.code, names(api, "org-04")) == (6, ["Support"])


def test_deletes_wait_for_their_own_organisation_and_for_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = declare(tmp_path / "fleet", "one", "two", settings="{prune: true}")
    declare(folder, "one", channels="[{name: Support}, {name: New}]", settings="{prune: true}")
    live = [{"name": "Support"}, {"name": "Old"}]
    with emulated() as api:
        for organization in ("one", "two"):
            api.store.seed(organization, live)
        store = api.store
        app = build_app(store)

        async def refusing(scope: Any, receive: Any, send: Any) -> None:
            creates = scope["type"] == "http" and scope["method"] == "POST" and "/one/" in scope["path"]
            answer = JSONResponse({"statusCode": 422, "error": "no", "message": "no"}, 422)
            await (answer if creates else app)(scope, receive, send)

        with serve(refusing) as url:
            applied = Emulated(url, store).invoke("apply", folder, "--auto-approve")
        assert applied.code == 3
        assert names(api, "one") == ["Support", "Old"]
        assert names(api, "two") == ["Support"]


def test_nothing_of_an_organisation_that_failed_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = declare(tmp_path / "fleet", "one", "two", settings="{prune: true}")
    live = {name: [{"name": "Support"}, {"name": "Old"}] for name in ("one", "two")}
    with fleet({"one": "wrong"}, live) as api:
        assert api.invoke("apply", folder, "--auto-approve").code == 6
        assert names(api, "one") == ["Support", "Old"]
        assert names(api, "two") == ["Support"]


def test_a_guard_stops_the_run_and_outranks_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = declare(tmp_path / "fleet", "one", "two", "three", settings="{prune: true}")
    many = [{"name": name} for name in ("Support", "A", "B", "C")]
    with fleet({"one": "revoked"}, {"two": many}) as api:
        refused = api.invoke("apply", folder, "--auto-approve")
        assert refused.code == 5
        assert names(api, "three") == []
        assert api.invoke("apply", folder, "--target-org", "t[!w]*", "--auto-approve").code == 0
        assert names(api, "three") == ["Support"]


@pytest.mark.parametrize(
    ("codes", "worst"),
    [
        ([], 0),
        ([0, 2], 2),
        ([2, 1], 1),
        ([1, 6], 6),
        ([6, 3], 3),
        ([6, 4], 4),
        ([4, 5], 5),
        ([5, 7], 7),
        ([3, 130], 130),
    ],
)
def test_the_worst_exit_code_is_that_of_what_went_furthest_wrong(codes: list[int], worst: int) -> None:
    assert worst_exit_code(codes) == worst_exit_code(reversed(codes)) == worst


def test_drift_names_what_failed_and_compares_the_rest(folder: Path) -> None:
    with fleet({"org-07": "revoked"}) as api:
        drifted = api.invoke("drift", folder, "--format", "json", "--detailed-exitcode")
    assert drifted.code == 6
    document = drifted.json()
    assert [failed["organization"] for failed in document["failed"]] == ["org-07"]
    assert (document["drifted"], document["complete"]) == (True, False)


def test_a_snapshot_is_saved_without_the_organisation_that_fails_and_names_it(folder: Path) -> None:
    live = {"org-08": [{"name": "Support", "theme": "dark"}]}
    with fleet({"org-07": "revoked"}, live) as api:
        saved = api.invoke("snapshot", folder, "--out", "live.json")
        assert (saved.code, saved.err.count('organisation "org-07"')) == (6, 1)
        assert saved.err.splitlines()[-1] == "Saved 1 live channel to live.json."
        document = json.loads(Path("live.json").read_text(encoding="utf-8"))
        assert [failed["organization"] for failed in document["failed"]] == ["org-07"]
        assert len(document["listings"]) == FLEET - 1
        planned = api.invoke("plan", folder, "--live", "live.json", "--format", "json")
        assert (planned.code, api.taken_calls()) == (6, [])
        assert [failed["organization"] for failed in planned.json()["failed"]] == ["org-07"]
        assert api.invoke("plan", folder, "--live", "live.json", "--target-org", "org-08").code == 0
        assert api.invoke("drift", folder, "--live", "live.json").code == 6
        for paths in ([folder], []):
            of_all = api.invoke("shapes", *paths, "--live", "live.json")
            assert (of_all.code, of_all.err.count('Error: organisation "org-07"')) == (6, 1), of_all.err
        for chosen in (f"{folder} --target-org org-08", "--org org-08"):
            of_one = api.invoke("shapes", *chosen.split(), "--live", "live.json")
            assert (of_one.code, "org-07" in of_one.err) == (0, False), of_one.err
        learned = api.invoke("shapes", folder, "--format", "json")
        assert (learned.code, len(learned.json()["organizations"])) == (6, FLEET - 1)


def test_where_no_organisation_can_be_read_the_older_snapshot_stays(folder: Path) -> None:
    Path("live.json").write_text("older", encoding="utf-8")
    with fleet({f"org-{number:02}": "revoked" for number in range(FLEET)}) as api:
        assert api.invoke("snapshot", folder, "--out", "live.json").code == 6
    assert Path("live.json").read_text(encoding="utf-8") == "older"


@pytest.mark.slow
def test_adopt_takes_from_all_organisations_but_the_one_that_fails(folder: Path) -> None:
    declare(folder, *(f"org-{number:02}" for number in range(FLEET)), channels="[{name: Support, theme: light}]")
    live = {f"org-{number:02}": [{"name": "Support", "theme": "dark", "id": f"c-{number}"}] for number in range(FLEET)}
    live["org-05"] = [{"name": "Support", "id": "c-1"}, {"name": "Support", "id": "c-2"}]
    with fleet({"org-07": "revoked"}, live) as api:
        assert api.invoke("adopt", folder, "--check").code == 6
        adopted = api.invoke("adopt", folder, "--auto-approve")
        assert (adopted.code, adopted.err.count("Wrote ")) == (6, FLEET - 2)
        errors = [line for line in adopted.err.splitlines() if line.startswith("Error: ")]
        assert ["org-07" in errors[0], "org-05" in errors[1], len(errors)] == [True, True, 2]
        texts = {file.stem: file.read_text(encoding="utf-8") for file in folder.iterdir()}
        assert {name for name, text in texts.items() if "theme: light" in text} == {"org-05", "org-07"}
        again = api.invoke("adopt", folder, "--auto-approve")
        assert (again.code, again.err.splitlines()[-1]) == (6, "Nothing to adopt from the other organisations.")
        alone = api.invoke("adopt", folder / "org-07.yaml", "--auto-approve")
        assert (alone.code, alone.err.startswith("Error: GET /organizations/org-07/")) == (6, True)


def test_a_key_of_its_own_is_not_repeated_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keys = {f"MOSEND_API_KEY_{number}": f"mk_test_{number:03}.s3cr3t0f{number:03}" for number in range(30)}
    for number, variable in enumerate(keys):
        declare(tmp_path / "fleet", f"org-{number:02}", settings=f"{{apiKeyEnv: {variable}}}")
    loose = keys["MOSEND_API_KEY_17"]
    TROUBLES["telling"] = lambda: JSONResponse({"statusCode": 403, "error": "no", "message": f"not {loose}!"}, 403)
    with fleet({"org-03": "telling"}) as api:
        planned = api.invoke("plan", tmp_path / "fleet", environ=keys)
    assert planned.code == 6
    assert "not ***!" in planned.err
    assert KEY not in planned.err


def test_a_refused_key_is_named_by_the_variable_that_it_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    declare(tmp_path / "fleet", "org-01", settings="{apiKeyEnv: MOSEND_API_KEY_ONE}")
    declare(tmp_path / "fleet", "org-02", "org-03")
    with fleet({"org-01": "revoked", "org-02": "revoked"}) as api:
        planned = api.invoke("plan", tmp_path / "fleet", environ={"MOSEND_API_KEY_ONE": "mk_test_one.s3cr3t"})
        (alone,) = api.invoke(
            "plan", tmp_path / "fleet/org-01.yaml", environ={"MOSEND_API_KEY_ONE": "mk_test_one.s3cr3t"}
        ).err.splitlines()[1:]
    assert [line for line in planned.err.splitlines() if line.startswith("  ")] == [
        "  Check MOSEND_API_KEY_ONE, and that the key belongs to this organisation.",
        "  Check MOSEND_API_KEY (or --api-key-file), and that the key belongs to this organisation.",
    ]
    assert alone == "  Check MOSEND_API_KEY_ONE, and that the key belongs to this organisation."
