"""The report of an apply."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from webchat_sync.errors import Place, WebchatSyncError
from webchat_sync.frozen import frozen
from webchat_sync.model.operations import Operation
from webchat_sync.model.plan import FailedOrganization
from webchat_sync.model.steps import Steps, path_text
from webchat_sync.model.values import UNKNOWN, Json, Missing

OperationStatus: TypeAlias = Literal["done", "failed", "not_started", "in_doubt"]


@frozen
class OperationResult:
    """What is known about one operation of a plan.

    ``error`` says why it failed or is in doubt; one in doubt without an error was in flight when the run ended.
    ``attempts`` counts how often it was sent; ``http_status`` and ``request_id`` are from the last response.
    """

    organization: str
    address: str
    operation: Operation
    status: OperationStatus = "not_started"
    attempts: int = 0
    http_status: int | None = None
    request_id: str | None = None
    error: WebchatSyncError | None = None


@frozen
class NotConverged:
    """A place that still differs after an apply: what was sent and what the server stored.

    ``steps`` is empty if the whole channel is missing or still exists, or if there's another one for its declaration:
    ``stored`` is then the id of that one. ``sent`` is the id of a channel that the run created. ``place`` is the
    channel's declaration.
    """

    organization: str
    address: str
    steps: Steps
    sent: Json
    stored: Json | Missing
    place: Place | None = None

    @property
    def path(self) -> str:
        """``steps`` as text."""
        return path_text(self.steps)

    @property
    def is_missing(self) -> bool:
        """Whether the whole channel isn't listed."""
        return not self.steps and self.stored is UNKNOWN

    @property
    def is_second(self) -> bool:
        """Whether there's another channel for the declaration."""
        return not self.steps and isinstance(self.stored, str)


class UnlistedField(NamedTuple):
    """A place that was sent but can't be compared, because the server's list omits it."""

    organization: str
    address: str
    steps: Steps


Outcome: TypeAlias = Literal["converged", "incomplete", "not_converged", "interrupted", "stale", "refused"]


@frozen
class ApplyReport:
    """The report of an apply: every operation of the plan, and how the channels differ from it afterwards.

    ``outcome`` is ``converged``; ``incomplete`` if an operation isn't done or the channels couldn't be read again
    (``unverified`` says why); ``not_converged``; ``interrupted``; or ``stale`` or ``refused`` if nothing was started.
    ``unlisted`` are fields that couldn't be compared. ``failed`` are the organisations that nothing was done for; they
    don't affect the outcome.
    """

    outcome: Outcome
    results: tuple[OperationResult, ...]
    not_converged: tuple[NotConverged, ...] = ()
    unlisted: tuple[UnlistedField, ...] = ()
    unverified: WebchatSyncError | None = None
    failed: tuple[FailedOrganization, ...] = ()

    def has_listed(self, organization: str, address: str) -> bool:
        """Whether the channels were read again, and the one with this name was among them."""
        return self.outcome in {"converged", "not_converged"} and not any(
            (place.organization, place.address) == (organization, address) and place.is_missing
            for place in self.not_converged
        )
