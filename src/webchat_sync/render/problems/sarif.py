"""Problems as SARIF 2.1.0, the exchange format of static analysis that code scanning services read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from webchat_sync import __version__
from webchat_sync.errors import Diagnostic, Place
from webchat_sync.flat import visible
from webchat_sync.render.problems.diagnostic_id import diagnostic_ids
from webchat_sync.render.problems.excerpt import end_column

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

RULES: Final = {
    "alias": "An alias stands for a value that is there, and not for one that it is a part of",
    "choice": "A value is one of those that the field accepts",
    "contradiction": "Documents of one organisation share its settings",
    "contrast": "White text can be read on the accent colour",
    "domain": "An allowed domain is a host name in the form that browsers send",
    "duplicate-id": "An id is pinned once",
    "duplicate-item": "The items of a list have ids of their own",
    "duplicate-key": "A key stands once in its mapping",
    "duplicate-name": "A name is declared once",
    "duplicate-rename": "A channel is renamed once",
    "empty-week": "A channel that is never open says so",
    "encoding": "A manifest is UTF-8",
    "form": "A value has the form that its field takes",
    "blank-name": "A name can be seen",
    "idle-rename": "A rename gives a channel another name",
    "invisible-name": "All of a name can be seen",
    "key-type": "A key is text",
    "known-field": "A field that this release knows needs no mention under extraFields",
    "left-out": "All files of a folder are given where undeclared channels are deleted",
    "length": "A text is as long as its field takes",
    "limit": "A manifest is of a size that can be read",
    "lookalike-name": "Names can be told apart",
    "merge-key": "`<<` merges mappings",
    "misplaced-key": "A field stands where it can be declared",
    "missing-key": "What must be there is there",
    "near-miss": "A manifest has a name by which it is read",
    "no-manifest": "What is named is a manifest, or holds one",
    "no-organization": "A manifest says which organisation it is for",
    "opening-hours": "Opening hours begin before they end, and do not overlap",
    "overlay": "An overlay changes what is declared",
    "protected-absent": "A protected channel stays",
    "range": "A number is in the range of its field",
    "rename-conflict": "A former name belongs to one channel",
    "scalar": "A value is one that JSON has",
    "schema": "A value is as its field's schema says",
    "secret": "API keys and secrets stay out of manifests",
    "shared-command": "A command gets the secret of one channel",
    "shared-sink": "A place takes the secret of one channel",
    "tag": "A tag is one of YAML's core schema",
    "timezone": "A time zone is one of the IANA database",
    "type": "A value is of the type that its field takes",
    "unknown-key": "A key is known where it stands",
    "unreadable-file": "A manifest can be read",
    "variable": "A variable is set and well-formed",
    "weekday": "A day is mon, tue, wed, thu, fri, sat or sun",
    "yaml-syntax": "A manifest is YAML",
}
"""Every kind of problem that manifests have, by its code, as what holds where there is no problem."""


def render_problems(problems: Sequence[Diagnostic]) -> str:
    """The problems as an indented SARIF log of one run.

    A problem without a place is a notification about the run, since services refuse results without one.
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
    return visible(json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2))


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
