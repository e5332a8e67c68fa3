"""Against a server that follows the published API and is not the emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from applying import KEY
from commands import invoke
from foreign_server import foreign_server

LIVE: list[dict[str, Any]] = [
    {"name": "Soporte", "color": "#AABBCC"},
    {
        "name": "Forms",
        "prechatFields": [
            {"id": 1, "label": "Name", "type": "text"},
            {"id": 2, "label": "Email", "type": "email", "required": False},
        ],
    },
    {"name": "Same", "allowedDomains": ["b.example", "a.example"], "theme": "dark"},
    {"name": "Stranger"},
]
MANIFEST = """\
version: 1
organization: acme
channels:
  - name: Plain
    color: "#0F766E"
    allowedDomains: [WWW.Example.com]
  - name: Rich
    welcomeMessage: |
      Hola
    offlineMessage: null
    operatingHours: {timezone: America/Bogota, days: {mon: ["09:00-13:00"], sun: null}}
    departments: [{name: Sales}, {name: Support}]
    identityRequired: false
  - name: Support
    sync: {renamedFrom: Soporte}
  - name: Forms
    prechatFields:
      - {label: Email, type: email, required: true}
      - {label: Name, type: text}
  - name: Same
    theme: dark
    allowedDomains: [a.example, B.example]
"""


def test_five_declared_channels_converge_in_the_fewest_calls(tmp_path: Path) -> None:
    manifest = tmp_path / "channels.yaml"
    manifest.write_text(MANIFEST, encoding="utf-8")
    with foreign_server({"acme": LIVE}) as server:
        environ = {"MOSEND_BASE_URL": server.url, "MOSEND_API_KEY": KEY}
        stranger = server.channels("acme")[3]

        applied = invoke("apply", manifest, "--auto-approve", environ=environ)
        assert (applied.code, applied.last_line) == (0, "Apply complete! Channels: 2 added, 2 changed, 0 destroyed.")
        methods = [call.method for call in server.calls]
        assert (methods[0], methods[-1]) == ("GET", "GET")
        assert sorted(methods[1:-1]) == ["PATCH", "PATCH", "PATCH", "POST", "POST"]

        patched = {call.path.rsplit("/", 1)[1]: call.body for call in server.calls if call.method == "PATCH"}
        forms = server.channels("acme")[1]
        assert patched[forms["id"]] == {
            "prechatFields": [
                {"id": 2, "label": "Email", "type": "email", "required": True},
                {"id": 1, "label": "Name", "type": "text"},
            ]
        }
        assert server.channels("acme")[3] == stranger

        server.calls.clear()
        again = invoke("plan", manifest, "--detailed-exitcode", environ=environ)
        assert (again.code, again.last_line) == (0, "No changes. The live channels match the manifest.")
        assert [call.method for call in server.calls] == ["GET"]
