"""Whose channels ``init`` sets a folder up for."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from webchat_sync.cli.files import read_bytes
from webchat_sync.cli.runtime import Runtime
from webchat_sync.cli.tone import note
from webchat_sync.domain.ids import is_id, no_id
from webchat_sync.environment import API_KEY_VARIABLE, ORGANIZATION_VARIABLE
from webchat_sync.flat import flat
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.sentences import in_a_row

if TYPE_CHECKING:
    from webchat_sync.cli.starter import Needs
    from webchat_sync.manifest.glance import Owner

_KEY_NAME: Final = lazy_pattern(rf"{API_KEY_VARIABLE}\w*", re.ASCII)
"""The variables that are put into a pipeline; the operator adds any others."""


def checked_organization(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """The value of --org, if it can be an id."""
    return _organization_id(value or "") or None


def _organization_id(given: str) -> str:
    """The id, without white space that was pasted with it; empty if there is none."""
    text = given.strip()
    if text and not is_id(text):
        raise click.BadParameter(f'"{flat(text)}" can\'t be an organisation id: {no_id(text)}')
    return text


def asked_organization(given: str | None, existing: Path, runtime: Runtime) -> str | None:
    """The organisation; in a terminal, the user is asked for it if a manifest is to be written."""
    if given or runtime.environ.get(ORGANIZATION_VARIABLE) or not runtime.interactive or existing.exists():
        return given
    question = "The organisation's id (leave empty to use the variable MOSEND_ORG_ID)"
    return click.prompt(question, default="", show_default=False, value_proc=_organization_id, err=True) or None


def needs_of(owned: Sequence[Owner], organization: str | None) -> Needs:
    """What the manifests need from a pipeline; if they don't name an organisation, they belong to ``organization``."""
    from webchat_sync.cli.starter import Needs

    keys: dict[str | None, set[str]] = {}
    for owner in owned:
        variables = keys.setdefault(owner.organization, set())
        if owner.key_variable and _KEY_NAME.fullmatch(owner.key_variable):
            variables.add(owner.key_variable)
    is_open = not keys or any(name is None or "${" in name for name in keys)
    if organization and not is_open and organization not in keys:
        others = sorted(filter(None, keys))
        theirs = "organisation" if len(others) == 1 else "organisations"
        note(f"--org {organization} is ignored: the manifests already name their {theirs} ({in_a_row(others)}).")
    return Needs(
        (organization or "") if is_open else None,
        tuple(
            sorted(
                {variable for variables in keys.values() for variable in variables or {API_KEY_VARIABLE}}
                or {API_KEY_VARIABLE}
            )
        ),
    )


def needs_with(needs: Needs, files: Sequence[Path]) -> Needs:
    """``needs`` with the organisation that the pipeline's ``files`` have, since existing ones aren't changed.

    Says so if ``needs`` have another one. Without ``files``, only the variable can name it.
    """
    from webchat_sync.cli.starter import organization_in
    from webchat_sync.manifest.write import organization_line

    if needs.organization is None:
        return needs
    found = {file: organization_in(read_bytes(file).decode("utf-8", "replace")) for file in files}
    others = [os.path.relpath(file) for file, organization in found.items() if organization != needs.organization]
    if needs.organization and (others or not files):
        where = in_a_row(others) if others else "the manifests"
        line = organization_line(needs.organization).rstrip("\n")
        them = "this file" if len(others) == 1 else "these files"
        instead = f"delete {them} and run init again" if others else f"set {ORGANIZATION_VARIABLE} to it"
        note(
            f"--org {needs.organization} wasn't written to {where}, since existing files aren't changed. Write "
            f"`{line}` in the manifests that don't name an organisation, or {instead}."
        )
    return replace(needs, organization=min(found.values(), default=""))
