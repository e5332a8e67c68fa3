"""The account of an apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from webchat_sync.errors import Place, WebchatSyncError
from webchat_sync.model.operations import Operation
from webchat_sync.model.plan import FailedOrganization
from webchat_sync.model.values import Json, Missing

OperationStatus: TypeAlias = Literal["done", "failed", "not_started", "in_doubt"]


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What is known of one operation of a plan.

    ``error`` says why it failed or is in doubt; an operation in doubt without one was in flight when the run was
    ended. ``attempts`` is how often it was sent; ``http_status`` and ``request_id`` are those of the last answer.
    """

    organization: str
    address: str
    operation: Operation
    status: OperationStatus = "not_started"
    attempts: int = 0
    http_status: int | None = None
    request_id: str | None = None
    error: WebchatSyncError | None = None


@dataclass(frozen=True, slots=True)
class NotConverged:
    """A place that is still different after an apply: what was sent and what the server stored.

    ``path`` is empty when the whole channel is missing or still there. ``place`` is the channel's declaration.
    """

    organization: str
    address: str
    path: str
    sent: Json
    stored: Json | Missing
    place: Place | None = None


Outcome: TypeAlias = Literal["converged", "incomplete", "not_converged", "interrupted", "stale", "refused"]


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """The account of an apply: every operation of the plan, and what the channels are after it.

    ``outcome`` is ``converged``; ``incomplete`` when an operation is not done or the channels could not be read
    again (``unverified`` says why); ``not_converged``; ``interrupted``; or ``stale`` or ``refused`` when nothing was
    started. ``unlisted`` names the fields that were sent and cannot be compared, since the server's list leaves
    them out, as (organization, address, field). ``failed`` are the organisations that nothing was done for; the outcome
    is that of the others.
    """

    outcome: Outcome
    results: tuple[OperationResult, ...]
    not_converged: tuple[NotConverged, ...] = ()
    unlisted: tuple[tuple[str, str, str], ...] = ()
    unverified: WebchatSyncError | None = None
    failed: tuple[FailedOrganization, ...] = ()
