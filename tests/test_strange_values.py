"""Strange but plausible values: once they're applied, the next plan is empty, whatever the server normalises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import pytest

from applying import KEY
from commands import emulated, invoke
from fake_time import FakeTime
from foreign_server import foreign_server
from variations import variation
from webchat_sync.emulator import Quirks

STRANGE: Final = [
    "offlineAction: {n: 123456789012345678901234567890, m: 9007199254740993}",
    f"offlineAction: {{n: {'1' * 300}}}",
    "offlineAction: {n: -0, f: -0.0, small: 5e-324, zero: 1e-400, hundred: 1E+2}",
    "bubbleOffsetX: -0.0",
    "bubbleOffsetX: 1e2",
    "offlineAction: {d: 2026-11-02, t: 2026-11-02T10:00:00Z, s: 12:30:45, o: 0o17, x: 0xFF, b: 0b1, u: 1_000}",
    "offlineAction: {a: yes, b: no, c: on, y: 1, n: 2, g: ~, h: Null, j: TRUE, '': 3, ' ': 4}",
    "welcomeMessage: 010",
    "welcomeMessage: 2026-11-02",
    "offlineMessage: null",
    'offlineMessage: ""',
    'welcomeMessage: "   "',
    'welcomeMessage: "a\\0b\\x01\\x7f\\x85\\u2028c"',
    'welcomeMessage: "👩‍👩‍👧‍👦 🏳️‍🌈 مرحبا \\u200f \\u202eb"',
    f'welcomeMessage: "{"😀" * 500}"',
    'welcomeMessage: "e\\u0301\\u00a0"',
    'welcomeMessage: "a\\r\\n\\tb\\ufeff"',
    'color: "#Abc"',
    'allowedDomains: [WWW.Example.com, " b.example ", www.example.com, example.com.]',
    "allowedDomains: [münchen.example, xn--mnchen-3ya.example]",
    "allowedDomains: []",
    "prechatFields: []",
    "prechatFields: null",
    "prechatFields: [{label: A, type: text}, {label: A, type: text}]",
    'prechatFields: [{id: "1", label: A}, {id: "2", label: A}, {label: A, options: null}]',
    "prechatFields: [{label: A, options: [[1, 2.0], [], [[]], {}]}]",
    "prechatFields: [{}, {}]",
    "offlineAction: MESSAGE_ALLOW",
    "offlineAction: {}",
    "offlineAction: {a: null, b: {c: null}, d: [null, {e: null}]}",
    "offlineAction: {id: mine, createdAt: x, a: [{id: 7}, {id: 7}]}",
    "offlineAction: {__proto__: {a: 1}, constructor: 1, a.b: 1, 'a[0]': 2}",
    "offlineAction: {list: [1, 1.0, true, '1', 'true', null, 'null', '~']}",
    "operatingHours: {}",
    "operatingHours: {timezone: Europe/Madrid, days: {mon: null, tue: [], wed: ['9:00-13:00']}}",
    "operatingHours: {timezone: Europe/Madrid, days: {mon: ['14:00-18:00', '09:00-13:00']}}",
    f"offlineAction: {{a: {'[' * 96}{']' * 96}}}",
    f"offlineAction: {{? {'k' * 500} : 1}}",
]
NAMES: Final = ["2026", "true", '"  Sales  "', '"Sup*[a]?"', '"<b>&amp;"', '"דגל"', '"Cafe\\u0301"', "x" * 100]

SERVERS: Final[Mapping[str, Callable[[], AbstractContextManager[Any]]]] = {
    "emulator": emulated,
    "emulator that normalises": lambda: emulated(
        quirks=Quirks(trim_texts=True, lower_case=True, drop_nulls=True, reorder_keys=True, ids_at_any_depth=True)
    ),
    "another server": lambda: foreign_server({}),
}


@pytest.mark.alike
@pytest.mark.slow
@pytest.mark.parametrize("server", [variation("emulator"), "emulator that normalises", "another server"])
def test_the_plan_after_an_apply_or_an_import_is_empty(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    channels = [f"  - name: Channel {number}\n    {field}\n" for number, field in enumerate(STRANGE)]
    channels += [f"  - name: {name}\n    theme: dark\n" for name in NAMES]
    Path("all.yaml").write_text("version: 1\norganization: acme\nchannels:\n" + "".join(channels), encoding="utf-8")
    with SERVERS[server]() as api:
        time = FakeTime()
        world: dict[str, Any] = {"sleep": time.sleep, "clock": time.clock}
        world["environ"] = {"MOSEND_BASE_URL": api.url, "MOSEND_API_KEY": KEY}
        applied = invoke("apply", "all.yaml", "--auto-approve", "--quiet", **world)
        assert applied.code == 0, applied.out[-3000:] + applied.err[-3000:]
        planned = invoke("plan", "all.yaml", "--detailed-exitcode", **world)
        assert planned.code == 0, planned.out
        imported = invoke("import", "--org", "acme", "--out", "imported.yaml", **world)
        assert imported.code == 0, imported.err
        planned = invoke("plan", "imported.yaml", "--detailed-exitcode", **world)
        assert planned.code == 0, planned.out + planned.err
