"""What a store holds, and the file that keeps it between runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from webchat_sync.errors import Diagnostic, InputError, Place
from webchat_sync.files import write_private
from webchat_sync.model import Json
from webchat_sync.strict_json import JsonError, load_json

Channel: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Contents:
    """The channels of each organisation by id, in the order of their creation, and the identity secrets by channel id.

    Nothing in it is ever changed in place: whoever holds one can read it without a lock.
    """

    organizations: Mapping[str, Mapping[str, Channel]]
    identity_secrets: Mapping[str, str]


_FILE_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["version", "organizations", "identitySecrets"],
    "properties": {
        "version": {"const": 1},
        "organizations": {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "token"],
                    "properties": {"id": {"type": "string"}, "token": {"type": "string"}},
                },
            },
        },
        "identitySecrets": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def read_contents(path: Path) -> Contents:
    """The contents of the file; empty when there is no file. A damaged file is an InputError."""
    try:
        document = load_json(path.read_text(encoding="utf-8"), unique_keys=True)
    except FileNotFoundError:
        return Contents({}, {})
    except JsonError as error:
        raise _damaged(path, str(error), error.line, error.column) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, f"{error}") from error
    flaw = best_match(Draft202012Validator(_FILE_SCHEMA).iter_errors(document))
    if flaw is not None:
        raise _damaged(path, f"{flaw.json_path}: {flaw.message}")
    return Contents(
        organizations={
            organization: {channel["id"]: channel for channel in channels}
            for organization, channels in document["organizations"].items()
        },
        identity_secrets=document["identitySecrets"],
    )


def write_contents(path: Path, contents: Contents) -> None:
    """Put the contents in the file, which only its owner can read: it becomes the new one whole, or stays the old."""
    document = {
        "version": 1,
        "organizations": {name: list(channels.values()) for name, channels in contents.organizations.items()},
        "identitySecrets": contents.identity_secrets,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(document, ensure_ascii=False, indent=1))


def _damaged(path: Path, reason: str, line: int = 1, column: int = 1) -> InputError:
    return InputError(
        [
            Diagnostic(
                f"the emulator's data cannot be used: {reason}",
                place=Place(str(path), line, column),
                hint="restore the file, or delete it to start with an empty server",
            )
        ]
    )
