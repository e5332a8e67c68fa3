"""The page of the emulator, from its faults and its quirks."""

from __future__ import annotations

from typing import Final

from webchat_sync.emulator.faults import KINDS, Kind
from webchat_sync.emulator.quirks import described

EMULATOR: Final = """\
# The emulator

<!-- Made from the emulator itself by `python docs/generate.py`. -->

`webchat-sync emulator` serves Mosend's API on this machine, as far as Mosend documents it. With `--sandbox`, a command
starts its own emulator, which stops when the command ends. Both need the extra `emulator`.

To use a running emulator, set its address, and any key and organisation, in another terminal:

```sh
export MOSEND_BASE_URL=http://127.0.0.1:8765 MOSEND_API_KEY=mk_test_a.b MOSEND_ORG_ID=demo
```

| | |
|---|---|
| keys | Any key of the right form, such as `mk_test_a.b`, is accepted, in `X-Api-Key` or as a Bearer token. \
Bearer tokens that aren't keys are accepted, too. |
| channels | POST accepts the fields that are [set on create](fields.md). An unknown property gets a 400. |
| sessions | `visitorId` and `mode` are required. Only a `host-identified` visitor with the right `hash` is verified. |
| messages, uploads | The response is what the server would store, but nothing is stored. |
| pages | With `--page-size N`, channels are listed N per page, with `pageInfo`. |

What Mosend doesn't publish is a guess: the default values of a new channel, the lifetime of a session, and the host of
the widget. One-time passwords aren't emulated.

## Data

Without `--data`, channels are kept in memory, and are gone when the emulator stops. `--data FILE` keeps them in a
SQLite database, which several emulators and commands can use at once. If the process is killed, nothing that it has
confirmed is lost. If the file can't be read or written, for example because the disk is full, a call changes nothing
and gets status 424 with the reason. `--sandbox` keeps its data in `.webchat-sync/sandbox.db`. Delete that file to start
with an empty server.

To work on a copy of your own organisation, take a [snapshot](commands.md#snapshot) with
`webchat-sync snapshot --out live.json`, and serve it with `webchat-sync emulator --data live.json`. This doesn't
change the file, so changes to the channels are gone when the emulator stops. If `.webchat-sync/sandbox.json` is a
snapshot, and there's no database yet, `--sandbox` starts from it. That way,
`webchat-sync plan channels/ --sandbox` plans against the copy, offline.

A snapshot contains no identity secrets, so visitors aren't verified until you rotate one.

## Faults

`--faults FILE` makes calls fail on purpose, so that you can see how `webchat-sync`, or your own client, handles a bad
connection. The file contains a list, in YAML or JSON:

```yaml title="faults.yaml"
- {{method: POST, path: "*/web-chat/channels", nth: 1, kind: drop, after_commit: true}}
- {{method: GET, path: "*", nth: [2, 3], kind: status, status: 503}}
```

`method` and `path` are patterns; without them, every call matches. `nth` selects some of the matching calls, counted
from 1: with `nth: [2, 3]`, the second and the third. If several faults match the same call, they take effect in the
order of the file: a `delay` followed by a `drop` waits, and then breaks the connection. With `after_commit`, the call
takes effect, although it seems to fail. [Doubt](../explanation/doubt.md#see-it) shows the first of these faults in
action.

| kind | requires | optional | what happens |
|---|---|---|---|
{faults}

## Quirks

`--quirk QUIRK` makes the emulator behave as some real servers do. It can be repeated. All quirks are off by default.

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
