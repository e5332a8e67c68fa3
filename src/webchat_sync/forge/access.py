"""Where the API of a host of code is, and with which token it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from webchat_sync.api.settings import HEADER_TEXT, base_url_problems
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.model import Secret


def bearer(token: str) -> Mapping[str, str]:
    """The headers that carry the token, as most hosts want it."""
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API is and with which token.

    ``variable`` and ``token_variable`` are where either came from; ``headers`` makes those that carry the token;
    ``permission`` says what to do when the token is refused. ``others`` are further addresses by their variables.
    """

    api_url: str
    variable: str
    token: Secret
    token_variable: str
    permission: str
    headers: Callable[[str], Mapping[str, str]] = bearer
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def tls(self) -> bool:
        """Whether a certificate may have to be verified."""
        return any(url.lower().startswith("https:") for url in (self.api_url, *self.others.values()))

    def check(self) -> None:
        """Raise InputError with everything that keeps a request from being made."""
        problems = [
            Diagnostic(f"{variable}: {problem.message}", hint="The pipeline's host sets it. Check what else sets it.")
            for variable, url in {self.variable: self.api_url, **self.others}.items()
            for problem in base_url_problems(url)
        ]
        if not self.token:
            problems.append(Diagnostic(f"the variable {self.token_variable} isn't set", hint=self.permission))
        elif not HEADER_TEXT.fullmatch(self.token.reveal()):
            hint = f"Check {self.token_variable} for spaces, line breaks and accented letters."
            problems.append(Diagnostic(f"{self.token_variable} contains a character that no token has", hint=hint))
        if problems:
            raise InputError(problems)
