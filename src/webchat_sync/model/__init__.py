"""The values that pass between the rooms: frozen, without I/O, without behaviour of their own."""

from webchat_sync.model.channels import Declaration, LiveChannel, Manifest, Receipt
from webchat_sync.model.identity_secret import (
    Adoption,
    ChannelKey,
    IdentitySecretDeclaration,
    Ledger,
    LedgerEntry,
    SecretChange,
    SecretState,
    Sink,
    SinkKind,
)
from webchat_sync.model.plan import ChannelChange, FieldChange, Impact, ImpactLevel, Operation, OrganizationPlan, Plan
from webchat_sync.model.report import ApplyReport, NotConverged, OperationResult, OperationStatus, Outcome
from webchat_sync.model.values import UNKNOWN, Json, Missing, Secret

__all__ = [
    "UNKNOWN",
    "Adoption",
    "ApplyReport",
    "ChannelChange",
    "ChannelKey",
    "Declaration",
    "FieldChange",
    "IdentitySecretDeclaration",
    "Impact",
    "ImpactLevel",
    "Json",
    "Ledger",
    "LedgerEntry",
    "LiveChannel",
    "Manifest",
    "Missing",
    "NotConverged",
    "Operation",
    "OperationResult",
    "OperationStatus",
    "OrganizationPlan",
    "Outcome",
    "Plan",
    "Receipt",
    "Secret",
    "SecretChange",
    "SecretState",
    "Sink",
    "SinkKind",
]
