"""Reads the policies in manifests, and checks every declared channel against them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from webchat_sync.check.parts import Draft, Part
from webchat_sync.check.policy import Policy
from webchat_sync.check.policy_file import LARGEST, flaws
from webchat_sync.check.policy_keywords import misnamed
from webchat_sync.errors import Diagnostic, Place
from webchat_sync.errors import Path as Steps
from webchat_sync.jsonvalue import mapping
from webchat_sync.manifest.files import refused_link, show_path
from webchat_sync.tree import around, read_regular, real_path, tree_of
from webchat_sync.yaml12.document import Document, Source
from webchat_sync.yaml12.policy import WITHOUT_VARIABLES

_NO_POLICY: Final = "this isn't a policy: it must be a single JSON document"
_HINT: Final = "Paths are relative to the folder of the file that names them."
_UNREADABLE: Final = f"Check the path and the permissions. {_HINT}"


def policy_findings(parts: Sequence[Part], organization: str, fields: Collection[str]) -> Iterator[Diagnostic]:
    """Problems with the policies of ``parts``, all of one organisation, and violations of their rules.

    ``fields`` are the names of the known fields.
    """
    policies: dict[Path, Policy] = {}
    declared = {name for part in parts for draft in part.drafts for name in draft.declaration.fields}
    known = declared.union(fields, *(part.field_entries for part in parts), ["sync"])
    for part in parts:
        for steps, name in part.policies:
            place = part.document.place(steps)
            path = Path(os.path.normpath(Path(place.file).parent / name))
            if path in policies:
                continue
            read = _read(path, Path(place.file))
            if isinstance(read, Document):
                policies[path] = Policy(read.source.name, read.value)
                yield from (_at(read, warning) for warning in misnamed(read.value, known))
            else:
                yield from _located(read, place, part.document.steps(steps))
    for part in parts:
        for draft in part.drafts:
            if not draft.declaration.absent:
                for policy in policies.values():
                    yield from _broken(policy, draft, organization)


def _located(problems: Iterable[Diagnostic], place: Place, steps: Steps) -> Iterator[Diagnostic]:
    return (problem if problem.place else problem.at(place, steps) for problem in problems)


def _read(path: Path, manifest: Path) -> Document | list[Diagnostic]:
    """The document of the policy at ``path``, or its problems, which don't quote the file."""
    name = show_path(path)
    if link := refused_link(path):
        return [replace(link, message=f"the policy {link.message}")]
    tree = tree_of(manifest)
    if tree is not None and not real_path(path).is_relative_to(tree):
        return [Diagnostic(f"the policy {name} is outside {around(manifest.parent)}", hint=_HINT, code="outside-tree")]
    try:
        data = read_regular(path)
    except FileNotFoundError:
        return [Diagnostic(f"the policy {name} doesn't exist", hint=_HINT, code="policy-file")]
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        return [Diagnostic(f"can't read the policy {name}: {reason}", hint=_UNREADABLE, code="policy-file")]
    if len(data) > LARGEST:
        hint = "Split it: `policy` takes a list."
        return [Diagnostic(f"the policy {name} is larger than {LARGEST // 1024:,} KiB", hint=hint, code="policy-file")]
    from webchat_sync.yaml12.composer import compose

    reading = compose(Source.of(name, data), WITHOUT_VARIABLES)
    if reading.problems or len(reading.documents) != 1:
        first = next(iter(reading.problems), None)
        twice = first is not None and first.code == "duplicate-key"
        message = "a key in this policy is used twice" if twice else _NO_POLICY
        place = (first.place if first else None) or Place(name, 1, 1)
        return [Diagnostic(message, place, hint="Remove one of them." if twice else "", code="policy-file")]
    (document,) = reading.documents
    wrong = [_at(document, flaw) for flaw in flaws(document.value)]
    return wrong or document


def _at(document: Document, flaw: Diagnostic) -> Diagnostic:
    return flaw.at(document.place(flaw.steps), flaw.steps)


def _broken(policy: Policy, draft: Draft, organization: str) -> Iterator[Diagnostic]:
    """Violations of the policy in one channel, at their places in the channel or in the defaults."""
    value = mapping(draft.document.value)
    channels, index = value.get("channels"), draft.path[-1]
    own = mapping(channels[index]) if isinstance(channels, list) and isinstance(index, int) else {}
    defaults = mapping(value.get("defaults"))

    def place(steps: Steps) -> Steps:
        inherited = bool(steps) and steps[0] not in own and steps[0] in defaults
        return ("defaults", *steps) if inherited else (*draft.path, *steps)

    def written(steps: Steps) -> str:
        return draft.document.written(place(steps))

    for finding in policy.findings({**defaults, **own}, organization, written):
        path = place(finding.steps)
        yield finding.at(draft.document.place(path), draft.document.steps(path))
