"""The script of processes that tests kill: plans and applies fixed declarations."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import anyio

from applying import plan_and_apply
from planning import declare
from webchat_sync.model import Manifest

DECLARATIONS = (
    declare("Posted", color="#0f766e", welcomeMessage="Hola"),
    declare("Posted and patched", color="#0f766e", theme="dark", prechatFields=[{"label": "Email"}]),
    declare("Changed", theme="dark"),
    replace(declare("Old"), absent=True),
)


def apply(url: str, organization: str) -> None:
    """One channel at a time, so that the calls have a fixed order."""
    anyio.run(partial(plan_and_apply, url, Manifest(organization, DECLARATIONS), parallelism=1))
