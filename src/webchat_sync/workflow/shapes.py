"""Shapes: what the live channels show of fields whose inside nobody has published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webchat_sync.domain.catalogue import Catalogue
from webchat_sync.model import Listing, Manifest
from webchat_sync.plan.shapes import OrganizationShapes, observe_fields
from webchat_sync.plan.shapes_schema import shapes_schema


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned: ``shapes`` of every organisation, and the JSON ``schema`` of all of them together."""

    shapes: Sequence[OrganizationShapes]
    schema: Mapping[str, Any]


def learn(listings: Mapping[str, Listing], manifests: Sequence[Manifest], catalogue: Catalogue) -> Learned:
    """What the live channels look like inside; ``manifests`` may bring entries of the field catalogue along."""
    entries = {name: entry for manifest in manifests for name, entry in manifest.field_entries.items()}
    catalogue = catalogue.extended(entries)
    channels = [channel for listing in listings.values() for channel in listing.channels]
    return Learned(
        [
            OrganizationShapes(name, len(listing.channels), observe_fields(listing.channels, catalogue))
            for name, listing in listings.items()
        ],
        shapes_schema(observe_fields(channels, catalogue), catalogue),
    )
