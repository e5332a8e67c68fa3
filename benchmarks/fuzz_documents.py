"""Feeds the readers of answers, saved plans, snapshots and ledgers with what nobody would write, and looks for crashes.

Run by hand as ``fuzz_reader.py`` is: ``python benchmarks/fuzz_documents.py -max_total_time=600 -timeout=10 CORPUS``.
The first byte of an input chooses the reader: begin the corpus with documents of each kind, a digit from 0 to 3 first.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["webchat_sync"]):
    import httpx

    from webchat_sync.api.answers import channel_page
    from webchat_sync.api.exchange import Call, read_answer
    from webchat_sync.domain.catalogue import load_schema
    from webchat_sync.errors import WebchatSyncError
    from webchat_sync.planfile.reader import read_plan
    from webchat_sync.planfile.snapshot import read_snapshot
    from webchat_sync.render.problems import render_error
    from webchat_sync.render.text import render_plan
    from webchat_sync.secrets.ledger import read_ledger

load_schema("plan")
LEDGER = Path(tempfile.mkdtemp(prefix="fuzz-documents-")) / "ledger.json"


def answer(data: bytes) -> None:
    """A page of channels, as the API answers it."""
    call = Call("GET", "/organizations/acme/web-chat/channels")
    channel_page(read_answer(call, httpx.Response(200), data, attempts=1), organization="acme")


def plan(data: bytes) -> None:
    """A saved plan, and its text."""
    render_plan(read_plan(data.decode("utf-8", "replace")), color=False, width=80, verbose=True)


def snapshot(data: bytes) -> None:
    """A snapshot of live channels."""
    read_snapshot(data.decode("utf-8", "replace"))


def ledger(data: bytes) -> None:
    """A ledger, and the times in it."""
    LEDGER.write_bytes(data)
    for entry in read_ledger(LEDGER).values():
        entry.moment.isoformat()


READERS: tuple[Callable[[bytes], None], ...] = (answer, plan, snapshot, ledger)


def one_input(data: bytes) -> None:
    """Read one document; anything but an error of ours ends the run, and that error is rendered."""
    try:
        READERS[(data[:1] or b"0")[0] % len(READERS)](data[1:])
    except WebchatSyncError as error:
        render_error(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
