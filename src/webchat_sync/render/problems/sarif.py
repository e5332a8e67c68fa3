"""Problems as SARIF 2.1.0, the exchange format for code scanning services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from webchat_sync import __version__
from webchat_sync.errors import Diagnostic, Place
from webchat_sync.flat import json_text
from webchat_sync.render.problems.diagnostic_id import diagnostic_ids
from webchat_sync.render.problems.excerpt import end_column

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

RULES: Final = {
    "alias": "An alias can't refer to a value that it's part of",
    "choice": "A value must be one that the field accepts",
    "contradiction": "Documents of one organisation share its settings",
    "contrast": "White text must be readable on the accent colour",
    "domain": "An allowed domain must be a host name as browsers send it",
    "duplicate-id": "An id can only be pinned once",
    "duplicate-item": "The items of a list must have unique keys",
    "duplicate-key": "A key can only appear once in a mapping",
    "duplicate-name": "A name can only be declared once",
    "duplicate-rename": "A channel can only be renamed once",
    "empty-week": "A channel that is never open should have an offline message",
    "encoding": "A manifest must be UTF-8",
    "form": "A value must have the format of its field",
    "blank-name": "A name must have visible characters",
    "idle-rename": "A rename must change the name",
    "identity-secret": "An identity secret must have a sink, and settings that go together",
    "invisible-name": "A name must not contain invisible characters",
    "key-type": "A key must be text",
    "known-field": "A field that this release knows doesn't belong in extraFields",
    "layout": "A manifest must be laid out as `webchat-sync fmt` does it",
    "left-out": "With settings.prune, all files of a folder must be given",
    "length": "Text must fit the length limits of its field",
    "limit": "A manifest must not be too large to read",
    "lookalike-name": "Names must be easy to distinguish",
    "merge-key": "`<<` can only merge mappings",
    "misplaced-key": "A field must be where it can be declared",
    "missing-key": "A required key must be present",
    "near-miss": "A manifest must have a file name that is read",
    "no-manifest": "A path must be a manifest, or a folder that contains one",
    "no-organization": "A manifest must name its organisation",
    "opening-hours": "Opening hours must begin before they end, and must not overlap",
    "outside-tree": "A file must not lead outside the files of the repository",
    "overlay": "An overlay must change what is declared",
    "policy": "A channel must match the rules of the team",
    "policy-file": "A policy must be a JSON Schema that can be checked",
    "protected-absent": "A protected channel can't be absent",
    "range": "A number must be within the range of its field",
    "rename-conflict": "A former name can only belong to one channel",
    "scalar": "A value must be representable in JSON",
    "schema": "A value must match the schema of its field",
    "secret": "API keys and secrets don't belong in manifests",
    "shared-command": "A command should get the secret of one channel only",
    "shared-manifest": "A manifest of several organisations can't be changed for one of them",
    "shared-sink": "A sink can only hold the secret of one channel",
    "tag": "A tag must be in YAML's core schema",
    "timezone": "A time zone must be in the IANA database",
    "type": "A value must have the type of its field",
    "unknown-key": "A key must be known where it's used",
    "unreadable-file": "A manifest must be readable",
    "variable": "A variable must be set and valid",
    "weekday": "A day must be mon, tue, wed, thu, fri, sat or sun",
    "yaml-syntax": "A manifest must be valid YAML",
}
"""The rule for every code of a problem, as a statement that holds if there is no problem."""


def render_problems(problems: Sequence[Diagnostic]) -> str:
    """The problems as an indented SARIF log of one run.

    A problem without a place is a notification about the run, since services reject results without one.
    """
    marked = list(zip(problems, diagnostic_ids(problems), strict=True))
    codes = sorted({problem.code for problem in problems if problem.place and problem.code in RULES})
    placeless = [problem for problem in problems if problem.place is None]
    run = {
        "tool": {
            "driver": {
                "name": "webchat-sync",
                "version": __version__,
                "rules": [{"id": code, "shortDescription": {"text": RULES[code]}} for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not any(problem.severity == "error" for problem in placeless),
                "toolConfigurationNotifications": [_notification(problem) for problem in placeless],
            }
        ],
        "results": [_result(problem, problem.place, mark, codes) for problem, mark in marked if problem.place],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(problem: Diagnostic, place: Place, fingerprint: str, codes: Sequence[str]) -> dict[str, Any]:
    region: dict[str, Any] = {
        "startLine": place.line,
        "startColumn": place.column,
        "endColumn": end_column(problem),
    }
    if problem.line:
        region["snippet"] = {"text": problem.line}
    uri = quote(place.file.removeprefix("./"))
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
    if problem.path:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.path}]
    result: dict[str, Any] = {
        "level": problem.severity,
        "message": _message(problem),
        "locations": [location],
        "partialFingerprints": {"webchatSync/v1": fingerprint},
    }
    rule = {"ruleId": problem.code, "ruleIndex": codes.index(problem.code)} if problem.code in codes else {}
    return {**rule, **result}


def _notification(problem: Diagnostic) -> dict[str, Any]:
    return {"level": problem.severity, "message": _message(problem)}


def _message(problem: Diagnostic) -> dict[str, str]:
    return {"text": f"{problem.message}. {problem.hint}" if problem.hint else problem.message}
