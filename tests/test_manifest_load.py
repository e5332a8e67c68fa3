from __future__ import annotations

import copy
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manifest_files import HEAD, declared, load, problems, short
from planning import catalogue
from webchat_sync.domain.catalogue import load_catalogue, load_schema
from webchat_sync.errors import InputError, Place
from webchat_sync.manifest import load_manifests
from webchat_sync.manifest.files import read_source
from webchat_sync.model import Declaration, Json
from webchat_sync.yaml12.document import Source

ONE = HEAD + "channels: [{name: A}]\n"


def test_a_declaration_holds_its_fields_with_the_defaults_and_the_place_of_each(tmp_path: Path) -> None:
    text = """\
settings: {prune: true}
defaults:
  color: "#fff"
  operatingHours: {timezone: Europe/Madrid, days: {mon: ["09:00-13:00"]}}
channels:
  - name: Support
    operatingHours: {days: {}}
    offlineMessage: null
    sync:
      id: c-1
      renamedFrom: Soporte
      protect: true
      ignore: [departments, theme]
  - {name: Old, sync: {state: absent}}
  - sync: {state: absent, id: c-2}
"""
    (manifest,) = load(tmp_path, HEAD + text).manifests
    support, old, nameless = manifest.declarations
    file = (tmp_path / "1.yaml").as_posix()
    hours: Json = {"timezone": "Europe/Madrid", "days": {"mon": ["09:00-13:00"]}}
    assert (manifest.organization, manifest.prune) == ("acme", True)
    assert support == Declaration(
        name="Support",
        fields={"name": "Support", "color": "#fff", "operatingHours": {"days": {}}, "offlineMessage": None},
        place=Place(file, 8, 5),
        field_places={
            "name": Place(file, 8, 11),
            "color": Place(file, 5, 10),
            "operatingHours": Place(file, 9, 21),
            "offlineMessage": Place(file, 10, 21),
        },
        id="c-1",
        renamed_from="Soporte",
        protect=True,
        ignore=frozenset(("departments", "theme")),
    )
    assert old.absent
    assert old.fields == {"name": "Old", "color": "#fff", "operatingHours": hours}
    assert (nameless.name, nameless.id, nameless.absent) == ("c-2", "c-2", True)


def test_documents_of_one_organisation_are_one_manifest_in_the_order_of_the_paths(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.yml").write_text("version: 1\nchannels: [{name: A1}]\n---\n" + ONE.replace("A}", "A2}"))
    (tmp_path / "b" / "x.json").write_text('{"version": 1, "organization": "acme", "channels": [{"name": "B"}]}')
    (tmp_path / "c.yaml").write_text(HEAD + "settings: {prune: true}\n---\n" + HEAD + "settings: {prune: true}\n")
    (tmp_path / "d.yaml").write_text(HEAD.replace("acme", "other") + "channels: [{name: A1}]\n")
    loaded = load_manifests([tmp_path], catalogue=catalogue(), environ={}, organization="acme")
    assert [
        (each.organization, [declaration.name for declaration in each.declarations], each.prune)
        for each in loaded.manifests
    ] == [("acme", ["A1", "A2", "B"], True), ("other", ["A1"], False)]
    assert [file.name for file in loaded.files] == ["a.yml", "x.json", "c.yaml", "d.yaml"]


def test_only_manifests_that_are_not_hidden_are_read_from_a_folder_and_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "a.yaml",
        "sub/b.yml",
        ".hidden.yaml",
        ".git/c.yaml",
        "node_modules/d.json",
        "venv/lib/site-packages/g.json",
        "sub/e.txt",
        "f.yaml~",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(ONE.replace("A}", f"{name}}}"))
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    (tmp_path / "loop").symlink_to(".")
    monkeypatch.chdir(tmp_path)

    def read(*paths: str) -> list[str]:
        loaded = load_manifests([Path(path) for path in paths], catalogue=catalogue(), environ={})
        assert {declaration.place.file for declaration in loaded.manifests[0].declarations} == {
            file.as_posix() for file in loaded.files
        }
        return [file.as_posix() for file in loaded.files]

    assert read(".") == ["a.yaml", "sub/b.yml"]
    assert read("sub", "sub/b.yml", "./a.yaml", str(tmp_path / "a.yaml")) == ["a.yaml", "sub/b.yml"]
    assert read("sub/e.txt", ".git") == [".git/c.yaml", "sub/e.txt"]


def test_every_path_that_leads_to_nothing_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "good.yaml").write_text(ONE)
    (tmp_path / "loop").symlink_to("loop")
    odd = [Path("a\0b"), Path("x" * 300), Path("loop"), Path(os.fsdecode(b"\xff.yaml"))]
    with pytest.raises(InputError) as caught:
        load_manifests([Path("none.yaml"), Path("empty"), Path("good.yaml"), *odd], catalogue=catalogue(), environ={})
    messages = [problem.message for problem in caught.value.problems]
    assert {"none.yaml doesn't exist", "the folder empty contains no manifests", "\ufffd.yaml doesn't exist"} < set(
        messages
    )
    assert sum("can't read " in message for message in messages) == 3
    assert all(problem.hint for problem in caught.value.problems)


STRANGER = "kind: Deployment\nspec: {}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "messages"),
    [
        ({"a.yaml": STRANGER}, ["this isn't a manifest"]),
        ({"a.yaml": STRANGER, "b.json": "{}"}, ["none of these 2 files is a manifest: a.yaml and b.json"]),
        (
            {f"{number:04}.yaml": STRANGER for number in range(1203)},
            ["none of these 1,203 files is a manifest: 0000.yaml, 0001.yaml, 0002.yaml and 1,200 more"],
        ),
        ({"a.yaml": STRANGER, "b.yaml": STRANGER, "c.yaml": ONE}, ["this isn't a manifest"] * 2),
        (
            {"a.yaml": STRANGER, "b.yaml": STRANGER, "c.yaml": ""},
            ["none of these 2 files is a manifest: a.yaml and b.yaml", "this file is empty"],
        ),
        (
            {"a.yaml": STRANGER, "b.yaml": STRANGER, "c.yaml": "{{- if .Values.chat }}\n"},
            ["none of these 2 files is a manifest: a.yaml and b.yaml", "a value is missing here"],
        ),
    ],
    ids=["one", "two", "many", "beside a manifest", "beside an empty file", "beside a template"],
)
def test_a_folder_of_something_else_is_one_problem_and_beside_a_manifest_each_file_is(
    files: dict[str, str], messages: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        load_manifests([Path()], catalogue=catalogue(), environ={})
    assert [problem.message for problem in caught.value.problems] == messages
    assert all(problem.hint for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("package.json", '{"name": "shop", "version": "1.4.0", "private": true}'),
        ("docker-compose.yml", 'version: "3"\nservices: {db: {environment: {PASSWORD: hunter2}}}\n'),
        ("compose.yaml", "version: 3.8\nservices: {}\n"),
        ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n"),
        ("rules.yml", "version: 2\nupdates: []\n"),
    ],
)
def test_a_file_with_another_version_is_no_manifest_and_not_quoted(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / "channels.yaml").write_text(ONE)
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        load_manifests([tmp_path], catalogue=catalogue(), environ={})
    (problem,) = caught.value.problems
    assert (problem.message, problem.line) == ("this isn't a manifest", "")


@pytest.mark.parametrize("version", ["1", '"1"', "1.0", "2\nchannels: []", '"1.0"\norganization: acme', "1\n\tbroken"])
def test_what_may_be_a_manifest_is_checked_as_one(version: str, tmp_path: Path) -> None:
    (tmp_path / "channels.yaml").write_text(f"version: {version}\nchanels: []\n")
    with pytest.raises(InputError) as caught:
        load_manifests([tmp_path], catalogue=catalogue(), environ={})
    assert "this isn't a manifest" not in [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("content", "is_schema"),
    [
        ('{"name": "shop", "type": "module", "scripts": {}}', False),
        ('{"$schema": "https://json.schemastore.org/tsconfig", "compilerOptions": {}}', False),
        ('{"properties": {"color": {"const": "#0f766e"}}}', True),
        ('{"type": "object", "required": ["allowedDomains"]}', True),
        ('{"anyOf": []}', True),
    ],
)
def test_only_of_a_schema_it_says_how_policies_are_named(content: str, is_schema: bool, tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text(content)
    with pytest.raises(InputError) as caught:
        load_manifests([tmp_path], catalogue=catalogue(), environ={})
    assert [".schema.json" in problem.hint for problem in caught.value.problems] == [is_schema]


def test_a_link_in_a_folder_that_leads_to_nothing_is_named_as_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(ONE)
    (tmp_path / "former.yaml").symlink_to("gone.yaml")
    with pytest.raises(InputError) as caught:
        load_manifests([Path()], catalogue=catalogue(), environ={})
    (problem,) = caught.value.problems
    assert problem.message == "can't read former.yaml: it's a link to a file that doesn't exist"
    assert "link" in problem.hint


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing keeps this user from reading")
def test_a_folder_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(InputError, match=r"can't read closed: Permission denied"):
        load_manifests([closed], catalogue=catalogue(), environ={})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this file is empty"),
        ("# nothing\n", "this file contains only comments"),
        ("---\n---\n", "this file is empty"),
        ("\ufeff\r\n", "this file is empty"),
    ],
)
def test_an_empty_file_is_a_problem(tmp_path: Path, text: str, message: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert (short(problem), problem.message) == ("1.yaml:1:1 ", message)


def test_all_problems_of_all_files_are_told_at_once_sorted_by_place(tmp_path: Path) -> None:
    texts: list[str | bytes] = ["version: 2\nchannels: [{name: []}]\n", "a: [", b"\xff", ONE + "  - x\n", ONE]
    found = problems(tmp_path, *texts)
    assert [short(each) for each in found] == [
        "1.yaml:1:1 ",
        "1.yaml:1:10 version",
        "1.yaml:2:19 channels[0].name",
        "2.yaml:2:1 ",
        "3.yaml:1:1 ",
        "4.yaml:4:3 ",
    ]


def test_a_manifest_without_an_organisation_is_told_how_to_name_one(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "version: 1\nchannels: []\n")
    assert (short(problem), problem.message) == ("1.yaml:1:1 ", "this manifest doesn't name an organisation")
    assert all(way in problem.hint for way in ("`organization:`", "--org", "MOSEND_ORG_ID"))
    assert load(tmp_path, "version: 1\n", organization="acme").manifests[0].organization == "acme"


def test_settings_of_one_organisation_must_agree(tmp_path: Path) -> None:
    first, same, other = (HEAD + f"settings: {{prune: {prune}}}\n" for prune in ("true", "true", "false"))
    (problem,) = problems(tmp_path, first, same, HEAD, other)
    assert short(problem) == "4.yaml:3:19 settings.prune"
    assert f"{tmp_path.as_posix()}/1.yaml:3:19" in problem.message
    assert len(load(tmp_path, first, same, HEAD, other.replace("acme", "b")).manifests) == 2


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("{name: A}", "{name: A}", "name"),
        ("{name: A}", "{name: ' A '}", "name"),
        ("{name: A, sync: {id: x}}", "{name: A}", "name"),
        ("{name: A}", "{name: A, sync: {state: absent}}", "name"),
        ("{name: A, sync: {id: x}}", "{name: A, sync: {id: y}}", None),
        ("{name: A, sync: {id: x}}", "{name: B, sync: {id: x}}", "sync.id"),
        ("{name: A, sync: {id: x}}", "{sync: {id: x, state: absent}}", "sync.id"),
        ("{name: A}", "{name: a}", "name"),
        ("{name: A}", "{name: b}", None),
        ("{name: A, sync: {renamedFrom: C}}", "{name: B, sync: {renamedFrom: C}}", "sync.renamedFrom"),
        ("{name: A, sync: {renamedFrom: C, id: x}}", "{name: B, sync: {renamedFrom: C, id: y}}", None),
        ("{name: A}", "{name: B, sync: {renamedFrom: A}}", "sync.renamedFrom"),
        ("{name: A, sync: {state: absent}}", "{name: B, sync: {renamedFrom: A}}", "sync.renamedFrom"),
        ("{name: A, sync: {id: x}}", "{name: B, sync: {renamedFrom: A}}", None),
        ("{name: A}", "{name: B, sync: {renamedFrom: A, id: y}}", None),
        ("{name: A}", "{name: B, sync: {renamedFrom: A, state: absent}}", None),
    ],
)
def test_two_declarations_must_not_mean_one_channel(
    tmp_path: Path, first: str, second: str, expected: str | None
) -> None:
    texts = [HEAD + f"channels: [{each}]\n" for each in (first, second)]
    if expected is None:
        assert len(load(tmp_path, *texts).manifests[0].declarations) == 2
    else:
        (problem,) = problems(tmp_path, *texts)
        assert short(problem).endswith(f" channels[0].{expected}")
        assert short(problem).startswith("2.yaml:3:")
        assert "1.yaml:3:" in problem.message
        assert problem.hint


def test_channels_of_different_organisations_have_nothing_to_do_with_each_other(tmp_path: Path) -> None:
    assert len(load(tmp_path, ONE, ONE.replace("acme", "other")).manifests) == 2


def test_a_rename_to_the_same_name_is_a_warning_that_a_good_manifest_brings_along(tmp_path: Path) -> None:
    loaded = load(tmp_path, HEAD + "channels: [{name: A, sync: {renamedFrom: A}}]\n")
    assert [(each.severity, short(each)) for each in loaded.problems] == [
        ("warning", "1.yaml:3:42 channels[0].sync.renamedFrom")
    ]
    both = "channels: [{name: A, sync: {renamedFrom: A}}, {name: B, sync: {renamedFrom: A}}]\n"
    assert [each.message for each in problems(tmp_path, HEAD + both)] == [
        "the channel already has this name, so nothing is renamed",
        f"this is also the name of the channel declared at {tmp_path / '1.yaml'}:3:19",
    ]
    found = problems(tmp_path, HEAD + "channels: [{name: A, sync: {renamedFrom: A}}, {}]\n")
    assert [each.severity for each in found] == ["warning", "error"]


def test_an_api_key_is_refused_wherever_it_stands_and_never_printed(tmp_path: Path) -> None:
    key = "mk_live_ab12.s3cr3t-part"
    text = f"""\
x-a: {key}
{key}: 1
defaults: {{welcomeMessage: "key: {key}"}}
channels:
  - name: A
    color: {key}
    operatingHours: {{{key}: [{key}]}}
    {key}: 1
    offlineMessage: ${{WEBCHAT_KEY}}
    offlineMessageLunch: ${{WEBCHAT_OTHER:-{key}}}
    sync: {{id: {key}, ignore: [{key}]}}
"""
    found = problems(tmp_path, HEAD + text, environ={"WEBCHAT_KEY": key, "WEBCHAT_OTHER": "x"})
    printed = repr(found)
    assert "s3cr3t" not in printed
    lines = [each.place.line for each in found if each.place and "API key" in each.message]
    assert lines == [3, 4, 5, 8, 9, 9, 10, 11, 12, 13, 13]
    assert declared(tmp_path, "channels: [{name: Keys begin with mk_live_ or mk_test_}]\n")


def test_a_field_of_the_vendors_is_known_as_soon_as_the_catalogue_has_it(tmp_path: Path) -> None:
    text = HEAD + "channels: [{name: A, tags: [x], limit: {soft: 1}}]\n"
    assert [short(each) for each in problems(tmp_path, text)] == [
        "1.yaml:3:22 channels[0].tags",
        "1.yaml:3:33 channels[0].limit",
    ]
    schema = copy.deepcopy(load_schema("channel"))
    schema["properties"]["tags"] = {"type": "array", "items": {"type": "string"}}
    schema["properties"]["limit"] = {"type": "object", "minProperties": 1}
    (manifest,) = load(tmp_path, text, fields=load_catalogue(schema)).manifests
    assert manifest.declarations[0].fields == {"name": "A", "tags": ["x"], "limit": {"soft": 1}}


def test_countless_problems_come_to_an_end(tmp_path: Path) -> None:
    keys = "".join(f"key{number}: 1\n" for number in range(3000))
    found = problems(tmp_path, HEAD + keys)
    assert len(found) == 1001
    assert "this document has more than 1,000 problems, and not all of them are listed" in {
        each.message for each in found
    }


YAML_LIKE = st.lists(
    st.sampled_from(
        [
            *"\n{}[],:-?&*!|>'\"%@`#~<= \t\r\0\x85\u2028é😀0x",
            "\n  ", "\n- ", ": ", " #", "&a ", "*a", "<<: ", "---\n", "...\n", "!!str ", "!x ", "${", "$${", "${A:-",
            "version: 1\n", "channels:\n", "- name: ", "sync: ", "settings: ", "defaults:\n  ", "color", "null", "1e9",
        ]
    )
).map("".join)  # fmt: skip


@pytest.mark.slow
@settings(derandomize=True, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.text().map(str.encode) | YAML_LIKE.map(str.encode), st.booleans())
def test_nothing_but_an_input_error_ever_leaves_the_reader(tmp_path: Path, data: bytes, headed: bool) -> None:
    file = tmp_path / "fuzz.yaml"
    file.write_bytes(HEAD.encode() + data if headed else data)
    try:
        loaded, found = True, load_manifests([file], catalogue=catalogue(), environ={"A": "x"}).problems
    except InputError as error:
        loaded, found = False, error.problems
    assert loaded == all(problem.severity == "warning" for problem in found)
    assert all(problem.message and problem.place for problem in found)


def test_importing_the_room_and_loading_good_manifests_takes_no_heavy_imports(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ONE)
    program = """
import sys
import tracemalloc
from pathlib import Path
import webchat_sync.manifest
from webchat_sync.domain.catalogue import load_catalogue
print({"yaml", "jsonschema"} & set(sys.modules))
webchat_sync.manifest.load_manifests([Path(sys.argv[1])], catalogue=load_catalogue(), environ={})
print({"jsonschema"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\nset()\n"


def test_a_file_is_read_as_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\r\n")
    assert read_source(tmp_path / "a.yaml") == Source.of((tmp_path / "a.yaml").as_posix(), b"\xff\r\n")


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_file_of_the_output_is_no_manifest(tmp_path: Path, stream: str) -> None:
    (tmp_path / "channels.yaml").write_text(ONE, encoding="utf-8")
    command = [sys.executable, "-m", "webchat_sync", "plan", "--sandbox", "--format", "json"]
    with (tmp_path / "plan.json").open("w", encoding="utf-8") as output:
        out, err = (output, None) if stream == "stdout" else (subprocess.DEVNULL, output)
        assert subprocess.run(command, cwd=tmp_path, stdout=out, stderr=err, check=False).returncode == 0


def test_the_text_of_all_files_is_never_in_memory_at_once(tmp_path: Path) -> None:
    comment = f"# {'long ' * 20}\n" * 500
    texts = [f"version: 1\norganization: acme-{n}\nchannels: [{{name: Support}}]\n{comment}" for n in range(60)]
    # Not from files, for which a large buffer is allocated.
    written = {tmp_path / f"{number}.yaml": text.encode() for number, text in enumerate(texts)}
    load_manifests([], written=written, catalogue=catalogue(), environ={}, organization=None)
    tracemalloc.start()
    try:
        loaded = load_manifests([], written=written, catalogue=catalogue(), environ={}, organization=None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(loaded.manifests) == len(texts)
    assert peak < sum(map(len, texts)) / 4
