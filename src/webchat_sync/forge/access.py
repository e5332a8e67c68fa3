"""The address and the token for the API of a code host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from webchat_sync.api.settings import HEADER_TEXT, base_url_problems
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.model import Secret


def bearer(token: str) -> Mapping[str, str]:
    """The headers with the token, as most hosts want it."""
    return {"Authorization": f"Bearer {token}"}


@frozen
class Access:
    """The API's address, and the token.

    ``variable`` and ``token_variable`` are the environment variables they came from; ``headers`` returns the headers
    with the token; ``permission`` is the hint if the token is rejected. ``others`` are more addresses, by their
    variables.
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
        """Raise InputError with everything that's wrong."""
        problems = [
            Diagnostic(
                f"{variable}: {problem.message}",
                hint="Check what overwrites this variable, which the pipeline's host sets.",
            )
            for variable, url in {self.variable: self.api_url, **self.others}.items()
            for problem in base_url_problems(url)
        ]
        if not self.token:
            missing = f"the variable {self.token_variable} isn't set or is empty"
            problems.append(Diagnostic(missing, hint=self.permission))
        elif not HEADER_TEXT.fullmatch(self.token.reveal()):
            hint = f"Check {self.token_variable} for characters such as spaces, line breaks and accented letters."
            problems.append(Diagnostic(f"{self.token_variable} contains a character that no token has", hint=hint))
        if problems:
            raise InputError(problems)
