"""Feeds the readers of answers, saved plans, snapshots, ledgers and memories with what nobody would write.

Run by hand as ``fuzz_reader.py`` is: ``python benchmarks/fuzz_documents.py -max_total_time=600 -timeout=20
-max_len=30000 CORPUS``. ``tests/helpers/document_readers.py`` has the readers and says what an input is; with the name
of one before the options, ``plan`` say, every input goes to that one. Half of the inputs are JSON with something odd
in one place. Begin with a copy of ``tests/data/fuzz``, and put there what is new at the end: an ordinary test reads it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

with atheris.instrument_imports(include=["webchat_sync", "document_readers"]):
    from document_readers import READERS, bent, read_input


def mutated(data: bytes, longest: int, seed: int) -> bytes:
    """An input that is like ``data``: another document, or other bytes."""
    random = Random(seed)  # noqa: S311 - no secret
    try:
        document = json.loads(data[1:]) if random.random() < 0.7 else None
    except (ValueError, RecursionError):
        document = None
    if document is None:
        mutant: bytes = atheris.Mutate(data, longest)
        return mutant
    for _ in range(random.randrange(1, 4)):
        document = bent(document, random)
    return (data[:1] + json.dumps(document).encode())[:longest]


def one_reader() -> bytes:
    """The first byte of every input when the command line names a reader, which it does not have then any more."""
    names = [reader.__name__ for reader in READERS]
    if len(sys.argv) > 1 and sys.argv[1] in names:
        return str(names.index(sys.argv.pop(1))).encode()
    return b""


if __name__ == "__main__":
    first = one_reader()
    atheris.Setup(
        sys.argv,
        lambda data: read_input(first + data[1:] if first else data),
        custom_mutator=mutated,
    )
    atheris.Fuzz()
