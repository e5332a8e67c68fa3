"""The whole path on one screen: declare, plan, apply, and the second plan is empty."""

from __future__ import annotations

from pathlib import Path

from commands import emulated

MANIFEST = """\
version: 1
organization: acme
channels:
  - name: Support
    welcomeMessage: Hola, ¿en qué podemos ayudarte?
    allowedDomains: [www.example.com]
    operatingHours: {timezone: America/Bogota, days: {sat: ["09:00-13:00"]}}
    sync: {renamedFrom: Soporte}
  - name: Sales
    theme: dark
"""


def test_declare_plan_apply_and_the_second_plan_is_empty(tmp_path: Path) -> None:
    manifest = tmp_path / "channels.yaml"
    manifest.write_text(MANIFEST, encoding="utf-8")
    with emulated({"name": "Soporte", "color": "#ff0000"}, {"name": "Legacy"}) as api:
        plan = api.invoke("plan", manifest, "--detailed-exitcode")
        assert plan.code == 2
        assert '~ name: "Soporte" -> "Support"' in plan.out
        assert plan.last_line == "Plan: 1 to add, 1 to change, 0 to destroy."

        applied = api.invoke("apply", manifest, "--auto-approve")
        assert applied.code == 0
        assert applied.last_line == "Apply complete! Channels: 1 added, 1 changed, 0 destroyed."

        again = api.invoke("plan", manifest, "--detailed-exitcode")
        assert again.code == 0
        assert again.last_line == "No changes. The live channels match the manifest."

        support, legacy, sales = api.store.channels("acme")
        assert (support["name"], support["color"]) == ("Support", "#ff0000")
        assert (legacy["name"], sales["theme"], sales["enabled"]) == ("Legacy", "dark", True)
