"""The rules of a team as a file: what they find and where, whom they are for, and what a hostile one cannot do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from commands import emulated, invoke

ROOT = Path(__file__).parents[1]
READY = sorted((ROOT / "examples" / "policies").glob("*.schema.json"))


def validated(
    folder: Path,
    policy: Any,
    manifest: str,
    *arguments: object,
    settings: str = "policy: p.schema.json",
    git: bool = True,
) -> list[dict[str, Any]]:
    """What is wrong with a manifest of ``acme`` that names the policy, as JSON."""
    if git:
        (folder / ".git").mkdir(exist_ok=True)
    text = policy if isinstance(policy, str) else json.dumps(policy)
    (folder / "p.schema.json").write_text(text, encoding="utf-8")
    (folder / "a.yaml").write_text(
        f"version: 1\norganization: acme\nsettings: {{{settings}}}\n{manifest}", encoding="utf-8"
    )
    done = invoke("validate", folder, "--format", "json", *arguments)
    findings: list[dict[str, Any]] = done.json()["diagnostics"]
    assert done.code == (1 if any(entry["severity"] == "error" for entry in findings) else 0)
    return findings


def told(findings: list[dict[str, Any]]) -> list[str]:
    """``file:line:column severity: message`` of each."""
    starts = [(entry, entry["range"]["start"]) for entry in findings]
    return [
        f"{Path(entry['range']['filename']).name}:{start['line']}:{start['column']} "
        f"{entry['severity']}: {entry['summary']}"
        for entry, start in starts
    ]


CHANNELS = """\
defaults: {theme: dark}
channels:
  - name: Support
    color: "#000000"
    allowedDomains: [a.example, b.example]
  - name: Sales
    theme: light
  - name: Gone
    sync: {state: absent}
"""


def test_each_finding_has_its_place_words_and_severity(tmp_path: Path) -> None:
    policy = {
        "x-message": "ask the design team",
        "x-severity": "warning",
        "properties": {
            "theme": {"const": "light"},
            "color": {"$ref": "#/$defs/brand"},
            "allowedDomains": {"items": {"pattern": r"^a\."}, "x-severity": "error"},
        },
        "$defs": {"brand": {"pattern": "^#0f", "x-message": "this is not our color"}},
        "allOf": [{"required": ["welcomeMessage"], "x-message": "greet visitors"}],
    }
    findings = validated(tmp_path, policy, CHANNELS)
    assert told(findings) == [
        "a.yaml:4:19 warning: ask the design team",
        "a.yaml:6:5 warning: greet visitors",
        "a.yaml:7:12 warning: this is not our color",
        "a.yaml:8:33 error: ask the design team",
        "a.yaml:9:5 warning: greet visitors",
    ]
    assert {entry["code"] for entry in findings} == {"policy"}
    assert "p.schema.json" in findings[0]["detail"]


@pytest.mark.parametrize(
    ("only", "lines"),
    [
        ({}, [6, 9]),
        ({"names": ["Supp*"]}, [6]),
        ({"names": ["support"]}, []),
        ({"organizations": ["acm?"]}, [6, 9]),
        ({"organizations": ["beta"]}, []),
        ({"names": ["Sales", "Support"], "organizations": ["acme"]}, [6, 9]),
        ({"names": ["Sales"], "organizations": ["beta"]}, []),
    ],
)
def test_a_rule_is_for_the_channels_and_organisations_that_it_names(
    tmp_path: Path, only: dict[str, Any], lines: list[int]
) -> None:
    rule = {"required": ["welcomeMessage"], "x-only-for": only}
    for policy in (rule, {"allOf": [rule]}, {"$ref": "#/$defs/a", "$defs": {"a": rule}}):
        findings = validated(tmp_path, policy, CHANNELS)
        assert [entry["range"]["start"]["line"] for entry in findings] == lines
        assert {entry["summary"] for entry in findings} <= {"`welcomeMessage` is missing"}


@pytest.mark.parametrize("name", ["Caf\u00e9 [ES]", "Cafe\u0301 [ES]", " Caf\u00e9 [ES]"])
@pytest.mark.parametrize("glob", ["Caf\u00e9 [ES]", "Cafe\u0301 [ES]", "Caf\u00e9 *"])
def test_a_rule_names_channels_as_targets_do(tmp_path: Path, name: str, glob: str) -> None:
    """A spelling that the server stores as the same name gets past no rule, and a name may look like a pattern."""
    rule = {"required": ["welcomeMessage"], "x-only-for": {"names": [glob]}}
    findings = validated(tmp_path, rule, f"channels: [{{name: {json.dumps(name)}}}]\n")
    assert "`welcomeMessage` is missing" in {entry["summary"] for entry in findings}


def test_a_rule_for_some_channels_can_have_conditions_inside_and_around_references(tmp_path: Path) -> None:
    """Next to a condition, ``x-only-for`` is about the whole rule; so it is in a schema that's required."""
    policy = {
        "allOf": [
            {
                "x-only-for": {"names": ["Sales"]},
                "x-message": "light needs a color",
                "if": {"$ref": "#/$defs/light"},
                "then": {"$ref": "#/$defs/colored"},
            },
            {"x-only-for": {"names": ["Support"]}, "x-message": "no theme", "not": {"$ref": "#/$defs/themed"}},
            {"$ref": "#/$defs/named"},
        ],
        "$defs": {
            "light": {"properties": {"theme": {"const": "light"}}},
            "colored": {"required": ["color"]},
            "themed": {"required": ["theme"]},
            "named": {"x-only-for": {"names": ["S*"]}, "minProperties": 9, "x-message": "more"},
            "unused": {"not": {"$ref": "#/$defs/unused"}},
        },
    }
    findings = validated(tmp_path, policy, CHANNELS)
    assert sorted(told(findings)) == [
        "a.yaml:6:5 error: more",
        "a.yaml:6:5 error: no theme",
        "a.yaml:9:5 error: light needs a color",
        "a.yaml:9:5 error: more",
    ]


def test_what_counts_is_what_overlays_make_of_it(tmp_path: Path) -> None:
    (tmp_path / "over").mkdir()
    overlay = tmp_path / "over" / "o.yaml"
    overlay.write_text("version: 1\nchannels: [{name: Support, theme: light}]\n", encoding="utf-8")
    folder = tmp_path / "channels"
    folder.mkdir()
    policy = {"properties": {"theme": {"const": "dark"}}}
    manifest = "channels: [{name: Support, theme: dark}]\n"
    assert validated(folder, policy, manifest) == []
    assert told(validated(folder, policy, manifest, "--overlay", overlay)) == [
        'o.yaml:2:35 error: "light" isn\'t accepted; it must be `dark`'
    ]
    overlay.write_text("version: 1\nsettings: {policy: q.schema.json}\n", encoding="utf-8")
    (tmp_path / "over" / "q.schema.json").write_text('{"required": ["color"]}', encoding="utf-8")
    assert told(validated(folder, policy, manifest, "--overlay", overlay)) == ["a.yaml:4:12 error: `color` is missing"]


def test_findings_reach_every_format_and_stop_a_plan(tmp_path: Path) -> None:
    validated(tmp_path, {"required": ["welcomeMessage"], "x-message": "greet | <b> @ana"}, CHANNELS)
    for name in ("text", "github", "sarif", "codequality"):
        done = invoke("validate", tmp_path, "--format", name)
        assert done.code == 1
        assert "greet" in done.out + done.err
    with emulated() as api:
        assert (api.invoke("plan", tmp_path).code, api.taken_calls()) == (1, [])


def test_all_that_is_missing_is_named_and_what_is_not_allowed_has_its_place(tmp_path: Path) -> None:
    policy = {
        "required": ["theme", "color", "botEnabled"],
        "properties": {"color": False, "sync": True},
        "patternProperties": {"^allowed": False},
        "additionalProperties": {"x-message": "only these", "not": {}},
        "x-only-for": {"names": ["Support"]},
    }
    assert told(validated(tmp_path, policy, CHANNELS)) == [
        "a.yaml:4:19 error: only these",
        "a.yaml:6:5 error: `botEnabled` is missing",
        "a.yaml:6:11 error: only these",
        "a.yaml:7:12 error: the policy doesn't allow this",
        "a.yaml:8:21 error: the policy doesn't allow this",
    ]
    more: dict[str, Any] = {"required": ["color", "botEnabled"], "additionalProperties": False}
    found = told(validated(tmp_path, more, CHANNELS))
    assert {
        "a.yaml:7:12 error: the policy doesn't allow this",
        "a.yaml:9:5 error: `color` and `botEnabled` are missing",
    } <= set(found)


@pytest.mark.parametrize(
    ("keyword", "hint"),
    [
        ("$id", "Remove it. References such as `#/$defs/NAME` don't need it."),
        ("$anchor", "Remove it, and refer to the schema by its place, for example `#/$defs/NAME`."),
        ("$dynamicRef", "Use `$ref` with the place of the schema, for example `#/$defs/NAME`."),
    ],
)
def test_references_by_name_are_refused_with_what_to_use_instead(tmp_path: Path, keyword: str, hint: str) -> None:
    (finding,) = validated(tmp_path, {keyword: "colours"}, CHANNELS)
    assert (finding["summary"], finding["detail"]) == (f"`{keyword}` isn't supported", hint)


@pytest.mark.parametrize(
    ("flaw", "reason", "hint"),
    [
        ({"required": "color"}, "expected a list, but this is text", ""),
        ({"type": "objekt"}, "this isn't a type", "Use `string`, `number`, "),
        ({"maxItems": -1}, "this number is too small", ""),
    ],
)
def test_a_policy_that_is_no_json_schema_says_what_it_should_be(
    tmp_path: Path, flaw: object, reason: str, hint: str
) -> None:
    (finding,) = validated(tmp_path, flaw, CHANNELS)
    assert f"this isn't valid JSON Schema: {reason}" in finding["summary"]
    assert hint in finding.get("detail", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "place", "message"),
    [
        ({"$ref": "https://evil.example/schema.json"}, "1:10", "this reference points outside the file"),
        ({"$ref": "other.json"}, "1:10", "this reference points outside the file"),
        ({"$ref": "file:///etc/passwd"}, "1:10", "this reference points outside the file"),
        ({"$id": "https://evil.example/"}, "1:9", "`$id` isn't supported"),
        ({"$dynamicRef": "#a"}, "1:17", "`$dynamicRef` isn't supported"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "1:13", "a policy must be JSON Schema 2020-12"),
        ({"$ref": "#/$defs/none"}, "1:10", "\"#/$defs/none\" doesn't match any schema in this file"),
        ({"$ref": "#/allOf/00", "allOf": [True]}, "1:10", "\"#/allOf/00\" doesn't match any schema in this file"),
        ({"$ref": f"#/allOf/{'9' * 5000}", "allOf": [True]}, "1:10", "doesn't match any schema in this file"),
        ({"properties": {"properties": {"pattern": "(a+)+$"}}}, None, "this pattern can take too long"),
        ({"properties": {"default": {"pattern": "(a+)+$"}}}, None, "this pattern can take too long"),
        ({"patternProperties": {"(a|a)*$": True}}, None, "this pattern can take too long"),
        ({"patternProperties": {"a": True, "(?i)b": True}}, None, "flags and names of groups aren't supported"),
        ({"patternProperties": {"(?P<x>a)": True, "(?P<x>b)": True}}, None, "flags and names of groups aren't"),
        ({"pattern": "("}, None, "this isn't a valid pattern"),
        ({"type": "hunter2"}, "1:10", "this isn't valid JSON Schema: this isn't a type"),
        ({"minLength": "hunter2"}, "1:15", "this isn't valid JSON Schema: expected a whole number, but this is text"),
        ({"required": ["hunter2"] * 2}, "1:14", "this isn't valid JSON Schema: an item of this list appears twice"),
        ({"multipleOf": 0}, "1:16", "this isn't valid JSON Schema: this number is too small"),
        ({"allOf": []}, "1:11", "this isn't valid JSON Schema: this list is empty"),
        ({"propertis": {"name": {"const": "x"}}}, "1:15", "`propertis` isn't a keyword, so it would be ignored"),
        ({"required": [], "x-mesage": "Sign in"}, "1:30", "`x-mesage` isn't a keyword, so it would be ignored"),
        ({"properties": {"name": {"minlength": 3}}}, "1:39", "`minlength` isn't a keyword, so it would be ignored"),
        ({"allOf": [{"items": {"anyof": []}}]}, "1:32", "`anyof` isn't a keyword, so it would be ignored"),
        *(
            ({keyword: value}, f"1:{len(keyword) + 6}", f"`{keyword}` isn't checked, so this rule would never fail")
            for keyword, value in (
                ("format", "email"),
                ("contentEncoding", "base64"),
                ("contentMediaType", "text/html"),
                ("contentSchema", {}),
                ("dependencies", {"theme": ["color"]}),
                ("additionalItems", False),
                ("$recursiveRef", "#"),
                ("disallow", "string"),
                ("divisibleBy", 2),
                ("extends", {}),
            )
        ),
        ({"then": {"required": ["color"]}}, "1:10", "`then` does nothing without `if`"),
        ({"else": {"required": ["color"]}}, "1:10", "`else` does nothing without `if`"),
        ({"if": {"required": ["color"]}}, "1:8", "`if` does nothing without `then` or `else`"),
        ({"properties": {"x": {"minContains": 2}}}, "1:38", "`minContains` does nothing without `contains`"),
        ({"maxContains": 2}, "1:17", "`maxContains` does nothing without `contains`"),
        *(
            ({keyword: value}, None, f"`x-only-for` can't be inside `{keyword}`")
            for condition in [{"x-only-for": {"names": ["Sales"]}, "required": ["color"]}]
            for keyword, value in (
                ("not", condition),
                ("contains", condition),
                ("anyOf", [condition, {}]),
                ("oneOf", [{}, {"properties": {"theme": {"allOf": [condition]}}}]),
            )
        ),
        (
            {"if": {"$ref": "#/$defs/a"}, "then": {}, "$defs": {"a": {"x-only-for": {"names": ["Sales"]}}}},
            "1:73",
            "`x-only-for` can't be inside `if`",
        ),
        ({"$ref": "#"}, None, "or one that refers to itself"),
        ({"allOf": [{"$ref": "#/allOf/0"}]}, None, "or one that refers to itself"),
        (
            {
                "$ref": "#/$defs/0",
                "$defs": {
                    **{str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(40)},
                    "40": {"minProperties": 1},
                },
            },
            None,
            "this policy has more than 5,000 rules",
        ),
        ({"x-severity": "fatal"}, "1:16", "`x-severity` must be `error` or `warning`"),
        ({"x-message": 1}, "1:15", "`x-message` must be a string"),
        ({"x-only-for": {"name": ["a"]}}, None, "`name` isn't a known key here"),
        ({"x-only-for": {"names": "a"}}, None, "this must be a list of strings"),
        ({"x-only-for": {"names": []}}, "1:26", "this list is empty, so the rule would never apply"),
        ("[]", "1:1", "a policy must be a mapping"),
        ("{", None, "this isn't a policy"),
        ('{"hunter2": 1, "hunter2": 2}', "1:16", "a key in this policy is used twice"),
        ("", None, "this isn't a policy"),
        ('{"not": ' * 100 + "true" + "}" * 100, None, ""),
        ("[" * 50_000, None, ""),
        (" " * 300_000 + "{}", None, "is larger than 256 KiB"),
        ("secret: hunter2\n{", None, "this isn't a policy"),
    ],
)  # fmt: skip
def test_a_hostile_or_broken_policy_is_refused(tmp_path: Path, policy: Any, place: str | None, message: str) -> None:
    findings = validated(tmp_path, policy, CHANNELS)
    assert findings
    assert {entry["severity"] for entry in findings} == {"error"}
    assert message in findings[0]["summary"]
    assert "hunter2" not in json.dumps(findings)
    if place:
        start = findings[0]["range"]["start"]
        assert (Path(findings[0]["range"]["filename"]).name, f"{start['line']}:{start['column']}") == (
            "p.schema.json", place,
        )  # fmt: skip


def test_what_several_parts_of_the_meta_schema_refuse_is_listed_once(tmp_path: Path) -> None:
    (finding,) = validated(tmp_path, {"properties": {"name": 5}}, CHANNELS)
    assert finding["summary"] == (
        "this isn't valid JSON Schema: expected a mapping or `true` or `false`, but this is a number"
    )


@pytest.mark.parametrize("name", ["../outside.schema.json", "link.schema.json", "/etc/passwd", "none.schema.json", "."])
def test_a_policy_that_is_not_there_or_lies_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.schema.json").write_text("{}", encoding="utf-8")
    (site / "link.schema.json").symlink_to(tmp_path / "outside.schema.json")
    (problem,) = validated(site, "{}", CHANNELS, settings=f"policy: {name}")
    assert ("Check the path and the permissions." in problem["detail"]) is (name == ".")
    assert problem["severity"] == "error"
    assert "policy" in problem["summary"]


@pytest.mark.parametrize(("git", "around"), [(True, "the repository"), (False, "the current directory")])
def test_what_a_policy_is_outside_of_is_said_with_and_without_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: bool, around: str
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.schema.json").write_text("{}", encoding="utf-8")
    (site / "link.schema.json").symlink_to("../outside.schema.json")
    monkeypatch.chdir(site)
    (problem,) = validated(site, "{}", CHANNELS, settings="policy: ../outside.schema.json", git=git)
    assert problem["summary"].endswith(f"outside.schema.json is outside {around}")
    (problem,) = validated(site, "{}", CHANNELS, settings="policy: link.schema.json", git=git)
    left = "the repository" if git else "its folder"
    assert problem["summary"].startswith("the policy ")
    assert problem["summary"].endswith(f"link.schema.json leads outside {left}")
    assert problem["detail"] == "Replace the link with what it leads to."


@pytest.mark.parametrize(
    ("policy", "column"),
    [
        ({"properties": {"colour": {"const": "#000000"}}}, 27),
        ({"allOf": [{"if": {"properties": {"colour": {"const": "x"}}}, "then": {}}]}, 45),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"colour": True}}, "b": {}}}, 64),
        ({"dependentSchemas": {"theme": {"properties": {"colour": True}}}}, 58),
    ],
)
def test_a_property_that_resembles_a_field_and_is_none_is_a_warning(tmp_path: Path, policy: Any, column: int) -> None:
    (finding,) = validated(tmp_path, policy, CHANNELS)
    assert told([finding]) == [
        f"p.schema.json:1:{column} warning: `colour` isn't a field of a channel, so this rule would never fail"
    ]
    assert finding["detail"] == "Did you mean `color`?"


def test_other_properties_are_not_taken_for_fields(tmp_path: Path) -> None:
    policy = {
        "properties": {
            "offlineMessages": {"const": "x"},  # an extra field that a channel declares
            "sync": {"properties": {"renamed_from": False}},
            "prechatFields": {"items": {"properties": {"colour": True}}},
            "unlikeAnyField": True,
        },
        "$defs": {"unused": {"properties": {"colour": True}}},
    }
    manifest = "channels: [{name: A, offlineMessages: x}]\n"
    settings = "policy: p.schema.json, extraFields: [offlineMessages]"
    assert validated(tmp_path, policy, manifest, settings=settings) == []


def test_several_policies_are_all_asked(tmp_path: Path) -> None:
    (tmp_path / "q.schema.json").write_text('{"required": ["color"]}', encoding="utf-8")
    findings = validated(
        tmp_path, {"required": ["theme"]}, "channels: [{name: A}]\n", settings="policy: [p.schema.json, q.schema.json]"
    )
    assert {entry["summary"] for entry in findings} == {"`theme` is missing", "`color` is missing"}
    (wrong,) = validated(tmp_path, {}, "channels: []\n", settings="policy: {}")
    assert wrong["code"] == "type"


@pytest.mark.parametrize("rule", ["patternProperties", "additionalProperties"])
def test_keys_that_are_too_long_for_a_pattern_are_refused(tmp_path: Path, rule: str) -> None:
    policy = {"properties": {"extra": {"patternProperties": {"a+b": False}, "additionalProperties": rule[0] == "p"}}}
    text = "channels:\n  - name: A\n    extra:\n      ? {key}\n      : v\n"
    settings = "policy: p.schema.json, extraFields: [extra]"
    (long,) = validated(tmp_path, policy, text.format(key="a" * 2_001), settings=settings)
    assert long["summary"] == "a key of more than 2,000 characters can't be checked with a policy"
    fits = "b" * 1_998 + ("ab" if rule[0] == "p" else "aa")
    (broken,) = validated(tmp_path, policy, text.format(key=fits), settings=settings)
    assert broken["summary"].startswith("the policy doesn't allow this")


def test_a_rule_says_what_it_accepts(tmp_path: Path) -> None:
    policy = {
        "properties": {
            "theme": {"enum": ["one", "two", "three", "four", "five", "six", "seven"]},
            "color": {"pattern": "^#0", "description": "A dark colour", "x-severity": "warning"},
            "welcomeMessage": {"minLength": 20},
            "allowedDomains": {"maxItems": 1},
            "extra": {"minimum": 5},
        }
    }
    channel = "{name: A, theme: 'no', color: '#111111', welcomeMessage: Hi, allowedDomains: [a.com, b.com], extra: 3}"
    found = validated(
        tmp_path, policy, f"channels: [{channel}]\n", settings="policy: p.schema.json, extraFields: [extra]"
    )
    rule = f"A rule of {tmp_path / 'p.schema.json'}."
    assert {(entry["summary"], entry["detail"]) for entry in found if entry["code"] == "policy"} == {
        (
            '"no" isn\'t accepted',
            f"It can be `one`, `two`, `three`, `four`, `five`, `six` or `seven`. {rule}",
        ),
        ('"#111111" doesn\'t have the format that this field requires', f"A dark colour. {rule}"),
        ("the text is too short", f"Use at least 20 characters. {rule}"),
        ("the list has 2 items; the limit is 1", f"Remove 1 item. {rule}"),
        ("3 is out of range", f"Use a number of at least 5. {rule}"),
    }


def test_text_that_is_too_long_for_a_pattern_is_not_said_to_break_it(tmp_path: Path) -> None:
    policy = {"properties": {"extra": {"pattern": "^a+$"}}}
    settings = "policy: p.schema.json, extraFields: [extra]"
    found = [
        validated(tmp_path, policy, f"channels: [{{name: A, extra: {'a' * length}}}]\n", settings=settings)
        for length in (2_000, 2_001)
    ]
    assert [[entry["summary"] for entry in entries] for entries in found] == [
        [],
        ["text of more than 2,000 characters can't be checked with a pattern"],
    ]


def test_the_ready_policies_say_what_they_are_for(tmp_path: Path) -> None:
    assert [file.name for file in READY] == [
        "identity-in-production.schema.json",
        "offline-message.schema.json",
        "one-apex.schema.json",
    ]
    for file in READY:
        shutil.copy(file, tmp_path)
    settings = f"policy: [{', '.join(file.name for file in READY)}]"
    good = "channels: [{name: A, identityRequired: true, offlineMessage: Bye, allowedDomains: [shop.example.com]}]\n"
    assert validated(tmp_path, "{}", good, settings=settings) == []
    bad = "channels:\n  - name: A\n    allowedDomains: [example.com, badexample.com]\n"
    assert [entry["summary"] for entry in validated(tmp_path, "{}", bad, settings=settings)] == [
        "in production, visitors have to be signed in: `identityRequired: true`",
        "visitors who come when nobody is there need an `offlineMessage`",
        "channels may only be embedded on example.com and its subdomains",
    ]


def test_what_raises_is_never_a_bug(tmp_path: Path) -> None:
    """A rule over values of any shape, wrong ones among them."""
    policy = {"properties": {"color": {"minLength": 3}}, "not": {"required": ["theme"]}, "maxProperties": 2}
    findings = validated(tmp_path, policy, "channels: [{name: A, theme: dark, color: [1]}, 7, {}]\n")
    assert "the policy doesn't allow this (`not`)" in {entry["summary"] for entry in findings}


def test_a_policy_can_have_notes_for_others_and_names_that_resemble_keywords(tmp_path: Path) -> None:
    policy = {
        "owner": "the design team",
        "x-ticket": 17,
        "properties": {"tipe": {"const": "a"}, "theme": {"enum": [{"propertis": 1}, "dark"], "default": {"tipe": 1}}},
        "dependentRequired": {"minlength": ["theme"]},
    }
    assert validated(tmp_path, policy, "channels: [{name: Support, theme: dark}]\n") == []


@pytest.mark.parametrize("text", ["${WEBCHAT_X}", "^[^${}]+$", "$${x}", "${"])
def test_a_policy_has_no_variables(tmp_path: Path, text: str) -> None:
    policy = {"x-message": text, "properties": {"theme": {"const": text}}}
    (finding,) = validated(tmp_path, policy, "channels: [{name: A, theme: dark}]\n")
    assert (finding["code"], finding["summary"]) == ("policy", text)
    policy = {"properties": {"welcomeMessage": {"const": text}}}
    channel = f"channels: [{{name: A, welcomeMessage: {json.dumps(text.replace('${', '$${'))}}}]\n"
    assert validated(tmp_path, policy, channel) == []


@pytest.mark.parametrize(
    ("policy", "column"),
    [
        ({"allOf": [False]}, 12),
        ({"if": True, "then": False}, 12),
        ({"if": False, "else": False}, 12),
        ({"dependentSchemas": {"theme": False}}, 12),
        ({"$ref": "#/$defs/no", "$defs": {"no": False}}, 12),
        ({"propertyNames": False}, 12),
        ({"properties": {"theme": False}}, 29),
        ({"properties": {"allowedDomains": {"items": False}}}, 52),
        ({"properties": {"allowedDomains": {"prefixItems": [False]}}}, 52),
    ],
)
def test_false_anywhere_has_a_place_and_the_message_around_it(tmp_path: Path, policy: Any, column: int) -> None:
    manifest = "channels: [{name: A, theme: dark, allowedDomains: [a.com]}]\n"
    found = validated(tmp_path, policy, manifest)
    assert {(entry["summary"], entry["range"]["start"]["column"]) for entry in found} == {
        ("the policy doesn't allow this", column)
    }
    assert {entry["summary"] for entry in validated(tmp_path, {**policy, "x-message": "Ask us"}, manifest)} == {
        "Ask us"
    }


@pytest.mark.parametrize("value", [{"items": False}, {"x-only-for": {"names": ["B"]}, "y": 1}, False])
def test_data_in_a_policy_is_compared_as_it_is(tmp_path: Path, value: Any) -> None:
    settings = "policy: p.schema.json, extraFields: [extra]"
    channel = f"channels: [{{name: A, extra: {json.dumps(value)}}}]\n"
    for rule in ({"const": value}, {"enum": [value]}):
        assert validated(tmp_path, {"properties": {"extra": rule}}, channel, settings=settings) == []
