"""The page of the emulator, from its faults and its quirks."""

from __future__ import annotations

from typing import Final

from webchat_sync.emulator.faults import KINDS, Kind
from webchat_sync.emulator.quirks import described

EMULATOR: Final = """\
# The emulator

<!-- Made from the emulator itself by `python docs/generate.py`. -->

`webchat-sync emulator` serves the vendor's API on the loopback interface, as far as the vendor's documents describe
it; `--sandbox` on any command that talks starts one inside the program for as long as the command runs. It needs the
extra `emulator`.

| | |
|---|---|
| keys | any well-formed key is accepted, in `X-Api-Key` or as Bearer, and so is any other token as Bearer |
| channels | POST takes the fields that the catalogue marks with *create*; an unknown property is a 400 |
| sessions | `visitorId` and `mode` are required. Only a `host-identified` visitor with the right `hash` is verified |
| messages, uploads | are answered as the server would store them, and not kept |
| pages | `--page-size N` lists N channels on a page, with `pageInfo` |

What the vendor does not publish is a guess here: the values of a new channel, the lifetime of a session, the host of
the widget. One-time passwords are not emulated.

## Data

Without `--data` the channels are in memory and gone at the end. `--data FILE` keeps them in a SQLite database, which
several emulators and commands may use at once; a process that is killed loses nothing that it answered. `--sandbox`
keeps its own in `.webchat-sync/sandbox.db`. Delete the file to begin with an empty server.

A [snapshot](commands.md#snapshot) makes a copy of your own organisation out of it:
`webchat-sync snapshot --out live.json` takes one, and `webchat-sync emulator --data live.json` serves it and leaves the
file as it is: what happens to its channels is not kept. `--sandbox` begins with the snapshot
`.webchat-sync/sandbox.json` where there is no database yet, so `webchat-sync plan channels/ --sandbox` works on the
copy without a network.

A snapshot holds no identity secrets, so nobody is verified until a secret is rotated.

## Faults

`--faults FILE` makes calls go wrong. The file is a list in YAML or JSON:

```yaml title="faults.yaml"
- {{method: POST, path: "*/web-chat/channels", nth: 1, kind: drop, after_commit: true}}
- {{method: GET, path: "*", nth: [2, 3], kind: status, status: 503}}
```

`method` and `path` are patterns, and any call matches where they are left out; `nth` says with which of the matching
calls, counted from 1. Where several faults meet one call, the first is the outermost. With `after_commit` the call
takes effect all the same.

| kind | needs | may have | what happens |
|---|---|---|---|
{faults}

## Quirks

`--quirk QUIRK`, which may be repeated, gives the emulator a habit of real servers. All are off until asked for.

| quirk | what the server does |
|---|---|
{quirks}
"""


def emulator_page() -> str:
    """The page of the emulator, in Markdown."""
    faults = [_fault_row(name, kind) for name, kind in KINDS.items()]
    quirks = [f"| `{name}` | {about} |".replace("|mediaId", r"\|mediaId") for name, about in described().items()]
    return EMULATOR.format(faults="\n".join(faults), quirks="\n".join(quirks))


def _fault_row(name: str, kind: Kind) -> str:
    optional = [parameter for parameter in kind.parameters if parameter not in kind.required]
    return f"| `{name}` | {_listed(kind.required)} | {_listed(optional)} | {kind.about} |"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
