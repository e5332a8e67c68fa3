"""Which environment variables a manifest may read, and which values it mustn't contain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Final, TypeAlias
from urllib.parse import unquote, urlsplit

from webchat_sync.environment import API_KEY_VARIABLE, MEMORY_TOKEN_VARIABLE, ORGANIZATION_VARIABLE
from webchat_sync.errors import Diagnostic
from webchat_sync.frozen import frozen
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.leaks import holds_key, looks_random, names_secret
from webchat_sync.model import Secret
from webchat_sync.redact import PIECE

ALLOW_ENV: Final = "WEBCHAT_SYNC_ALLOW_ENV"
"""The environment variable with which the operator allows more names."""

_OWN: Final = "WEBCHAT_SYNC_"
_TOKENS: Final = (
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "GITLAB_TOKEN",
    "CI_JOB_TOKEN",
    "BITBUCKET_TOKEN",
    "SYSTEM_ACCESSTOKEN",
    MEMORY_TOKEN_VARIABLE,
)
"""The tokens of the pipelines that the program runs in."""

_ADDRESSES: Final = lazy_pattern(r"(?:HTTPS?|ALL)_PROXY|WEBCHAT_SYNC_MEMORY", re.IGNORECASE)
"""Variables with URLs, which may contain a password."""

Recognizer: TypeAlias = Callable[[Iterable[str]], Callable[[str], bool]]

_SEPARATOR: Final = lazy_pattern(r"[,\s]+")


def _none_known(_: Iterable[str]) -> Callable[[str], bool]:
    return lambda _: False


@frozen
class Variables(Mapping[str, str]):
    """The environment as manifests may read it.

    ``allowed`` are names or globs that the operator allows in addition to ``MOSEND_ORG_ID`` and ``WEBCHAT_*``.
    ``secrets`` are keys, tokens and secrets in use in addition to those in the environment. ``recognizer`` takes the
    paths of ledgers, and returns a function that tells whether a text contains a secret that they have a hash of.
    """

    environ: Mapping[str, str] = field(repr=False)
    allowed: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    recognizer: Recognizer = field(default=_none_known, repr=False)

    @staticmethod
    def of(
        environ: Mapping[str, str],
        allowed: Iterable[str] = (),
        secrets: Iterable[Secret] = (),
        recognizer: Recognizer = _none_known,
    ) -> Variables:
        """``environ`` with the names in ``allowed`` and WEBCHAT_SYNC_ALLOW_ENV, separated by commas or spaces."""
        lists = (*allowed, environ.get(ALLOW_ENV, ""))
        names = tuple(name for text in lists for name in _SEPARATOR.split(text) if name)
        return Variables(environ, names, (*secrets,), recognizer)

    def __getitem__(self, name: str) -> str:
        return self.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.environ)

    def __len__(self) -> int:
        return len(self.environ)

    def may_read(self, name: str) -> bool:
        """Whether a manifest may read the variable ``name``."""
        if name == ORGANIZATION_VARIABLE or (name.startswith("WEBCHAT_") and not name.startswith(_OWN)):
            return True
        return self._is_allowed(name)

    def refusal(self, name: str) -> Diagnostic | None:
        """The problem, without a place, with a manifest that reads the variable ``name``; None if it may."""
        if self.may_read(name):
            return None
        but = f" but not `{_OWN}`" if name.startswith(_OWN) else ""
        return Diagnostic(
            f"manifests aren't allowed to read the environment variable `{name}`",
            hint=f"Use a name that begins with `WEBCHAT_`{but}, or have the operator allow it: `--allow-env {name}` "
            f"or {ALLOW_ENV}. For a literal `${{` write `$${{`.",
            code="variable",
        )

    def may_hold_key(self, name: str) -> bool:
        """Whether the variable ``name`` may be sent to the vendor as an API key."""
        return name.startswith(API_KEY_VARIABLE) or self._is_allowed(name)

    def _is_allowed(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.allowed)

    def secrets_in_use(self, key_names: Iterable[str]) -> frozenset[Secret]:
        """Every key and token in use; ``key_names`` are more variables with keys.

        Other secrets of the pipeline are recognised by the name of their variable and the form of their value.
        """
        names = {*key_names, *_TOKENS, *(name for name in self.environ if name.startswith(API_KEY_VARIABLE))}
        names |= {name for name, value in self.environ.items() if not self.may_read(name) and _is_secret(name, value)}
        values = {self.environ.get(name, "").strip() for name in names} | {secret.reveal() for secret in self.secrets}
        values |= {_password(self.environ[name]) for name in self.environ if _ADDRESSES.fullmatch(name)}
        return frozenset(Secret(value) for value in values if len(value) >= PIECE)


def _is_secret(name: str, value: str) -> bool:
    return names_secret(name) and (looks_random(value.strip()) or holds_key(value))


def _password(address: str) -> str:
    """The password, or the token used as one, in a URL; empty if there is none."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return ""
    return unquote(parts.password or parts.username or "")


def guarded(environ: Mapping[str, str]) -> Variables:
    """``environ`` itself if it's already Variables; any other mapping gets the rules of :meth:`Variables.of`."""
    return environ if isinstance(environ, Variables) else Variables.of(environ)
