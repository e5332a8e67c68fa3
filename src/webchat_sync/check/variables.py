"""Which environment variables a manifest may read, and which values it must not hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from webchat_sync.errors import Problem
from webchat_sync.model import Secret
from webchat_sync.redact import PIECE, forms_of

ALLOW_ENV: Final = "WEBCHAT_SYNC_ALLOW_ENV"
"""The variable with which the operator allows further names."""

KEY_PREFIX: Final = "MOSEND_API_KEY"
"""What the names of variables with API keys begin with."""

_OWN: Final = "WEBCHAT_SYNC_"
_TOKENS: Final = (
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "GITLAB_TOKEN",
    "CI_JOB_TOKEN",
)
"""The tokens of the pipeline that the program runs in."""

_SEPARATOR: Final = re.compile(r"[,\s]+")


@dataclass(frozen=True, slots=True)
class Variables(Mapping[str, str]):
    """The environment, as manifests may read it.

    ``allowed`` are names, globs among them, that the operator allows beside ``MOSEND_ORG_ID`` and ``WEBCHAT_*``.
    ``secrets`` are the keys and tokens in use beside those of the environment.
    """

    environ: Mapping[str, str] = field(repr=False)
    allowed: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()

    @staticmethod
    def of(environ: Mapping[str, str], allowed: Iterable[str] = (), secrets: Iterable[Secret] = ()) -> Variables:
        """``environ`` with what ``allowed`` and WEBCHAT_SYNC_ALLOW_ENV allow; names are parted by commas or spaces."""
        lists = (*allowed, environ.get(ALLOW_ENV, ""))
        return Variables(environ, tuple(name for text in lists for name in _SEPARATOR.split(text) if name), (*secrets,))

    def __getitem__(self, name: str) -> str:
        return self.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.environ)

    def __len__(self) -> int:
        return len(self.environ)

    def may_read(self, name: str) -> bool:
        """Whether a manifest may read the variable ``name``."""
        if name == "MOSEND_ORG_ID" or (name.startswith("WEBCHAT_") and not name.startswith(_OWN)):
            return True
        return self._is_allowed(name)

    def refusal(self, name: str) -> Problem | None:
        """The problem, without a place, with a manifest that reads the variable ``name``; None when it may."""
        if self.may_read(name):
            return None
        return Problem(
            f"a manifest may not read the environment variable `{name}`",
            hint=f"Give it a name that begins with `WEBCHAT_`, or let whoever runs the program allow it: "
            f"`--allow-env {name}` or {ALLOW_ENV}. For a literal `${{` write `$${{`.",
            code="variable",
        )

    def may_hold_key(self, name: str) -> bool:
        """Whether the variable ``name`` may be sent to the vendor as an API key."""
        return name.startswith(KEY_PREFIX) or self._is_allowed(name)

    def _is_allowed(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.allowed)

    def secret_forms(self, key_names: Iterable[str]) -> frozenset[str]:
        """Every form of every key and token in use; ``key_names`` are variables that hold keys, too."""
        names = {*key_names, *_TOKENS, *(name for name in self.environ if name.startswith(KEY_PREFIX))}
        values = {self.environ.get(name, "").strip() for name in names} | {each.reveal() for each in self.secrets}
        return forms_of(Secret(value) for value in values if len(value) >= PIECE)


def guarded(environ: Mapping[str, str]) -> Variables:
    """``environ`` itself when it has its rules; any other mapping has those of :meth:`Variables.of`."""
    return environ if isinstance(environ, Variables) else Variables.of(environ)
