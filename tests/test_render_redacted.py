"""What somebody pasted into a live channel is shown by no rendering of a plan, and by no reason why one is stale."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planning import catalogue, declare, live, plan_for
from webchat_sync.model import Listing, LiveChannel
from webchat_sync.planfile.desired import desired_manifests
from webchat_sync.planfile.reader import read_plan
from webchat_sync.planfile.redacted import redacted_organization
from webchat_sync.planfile.stale import staleness
from webchat_sync.render.formats import FORMATS
from webchat_sync.render.text import render_plan

KEY = "mk_live_pasted.K3yHq5rTj1uXo6iEa"
RANDOM = "q8Zk9vB2mW4Lp0sNd8xQ7"
PASTED = live(
    "Support",
    "c-1",
    welcomeMessage=f"Write to us with {KEY}, please.",
    allowedDomains=["www.example.com", f"{KEY}.example.com"],
    offlineAction={"type": "webhook", "webhookSecret": RANDOM, KEY: "x"},
    theme="dark",
)
SETTLED = declare(
    "Support", welcomeMessage="Hello", allowedDomains=["www.example.com"], offlineAction={"type": "none"}, theme="dark"
)


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_shows_what_looks_like_a_secret(name: str) -> None:
    others = [live(f"Named {KEY}", "c-2", offlineMessage=KEY), live("Soporte", "c-3", offlineMessage=KEY)]
    gone = replace(declare("Soporte"), absent=True)
    for plan in (
        plan_for([SETTLED, gone], [PASTED, *others]),
        plan_for([replace(SETTLED, renamed_from=f"Named {KEY}")], [replace(PASTED, name=f"Named {KEY}")], prune=True),
        plan_for([], [PASTED, *others], prune=True),
    ):
        for shown in (FORMATS[name](plan), render_plan(plan, verbose=True, width=200, color=True)):
            assert KEY not in shown
            assert "K3yHq5rTj1uXo6iEa" not in shown
            assert RANDOM not in shown
    assert "***" in render_plan(plan)


def test_a_saved_plan_sends_what_the_manifest_declares_and_is_stale_when_the_pasted_text_changed() -> None:
    saved = read_plan(FORMATS["json"](plan_for([SETTLED], [PASTED])))
    assert desired_manifests(saved)[0].declarations[0].fields["welcomeMessage"] == "Hello"

    def stale(channel: LiveChannel) -> str:
        listing = Listing("https://api.example", (channel,))
        found = staleness(saved, {"acme": listing}, catalogue())
        return "\n".join(problem.message for problem in found)

    assert stale(PASTED) == ""
    other = KEY.replace("K3y", "K4y")
    moved = stale(replace(PASTED, fields={**PASTED.fields, "welcomeMessage": f"Write to us with {other}, please."}))
    assert "welcomeMessage" in moved
    assert "K4y" not in moved
    assert KEY not in moved


def test_channels_that_do_not_change_are_not_looked_through() -> None:
    (planned,) = plan_for([declare("Support", theme="dark")], [PASTED]).organizations
    assert redacted_organization(planned).changes[0] is planned.changes[0]
