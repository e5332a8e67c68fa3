"""Places, problems and failed organisations in our JSON documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from webchat_sync.errors import Diagnostic, Place
from webchat_sync.model import FailedOrganization


def failed_document(failed: Sequence[FailedOrganization]) -> list[dict[str, Any]]:
    """The failed organisations as JSON."""
    return [
        {
            "organization": failure.organization,
            "exit_code": failure.exit_code,
            "problems": problems_document(failure.problems),
        }
        for failure in failed
    ]


def read_failed(document: Iterable[Mapping[str, Any]]) -> tuple[FailedOrganization, ...]:
    """The inverse of :func:`failed_document`; the document must match its schema."""
    return tuple(
        FailedOrganization(failure["organization"], failure["exit_code"], read_problems(failure["problems"]))
        for failure in document
    )


def problems_document(problems: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Problems as JSON."""
    return [
        {"message": problem.message, "hint": problem.hint, "place": place_document(problem.place)}
        for problem in problems
    ]


def read_problems(document: Iterable[Mapping[str, Any]]) -> tuple[Diagnostic, ...]:
    """The inverse of :func:`problems_document`."""
    return tuple(
        Diagnostic(problem["message"], read_place(problem["place"]), hint=problem["hint"]) for problem in document
    )


def place_document(place: Place | None) -> dict[str, Any] | None:
    """A place as JSON."""
    return None if place is None else {"file": place.file, "line": place.line, "column": place.column}


def read_place(document: Mapping[str, Any] | None) -> Place | None:
    """The inverse of :func:`place_document`."""
    return None if document is None else Place(document["file"], document["line"], document["column"])
