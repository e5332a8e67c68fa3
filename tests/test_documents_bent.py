"""Documents that somebody bent are read, or refused in words: the fuzzers' seeds, and what is odd in one place."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from document_readers import READERS, bent, read_input
from sizes import examples

SEEDS: Final = sorted((Path(__file__).parent / "data" / "fuzz").iterdir())
WHOLE: Final = [seed for seed in SEEDS if not seed.name.startswith("input-")]


@pytest.mark.parametrize("seed", SEEDS, ids=[seed.name for seed in SEEDS])
def test_a_seed_of_the_fuzzer_is_read_or_refused_in_words(seed: Path) -> None:
    read_input(seed.read_bytes())


def test_every_reader_has_a_whole_document() -> None:
    assert {seed.read_bytes()[0] - ord("0") for seed in WHOLE} == set(range(len(READERS)))
    for seed in WHOLE:
        data = seed.read_bytes()
        READERS[data[0] - ord("0")](data[1:])  # it raises nothing


@settings(max_examples=examples(60, thorough=2_000), deadline=None)
@given(st.sampled_from(WHOLE), st.integers(0, 2**32), st.integers(1, 3))
def test_a_document_with_something_odd_in_it_is_read_or_refused_in_words(seed: Path, number: int, times: int) -> None:
    data, random = seed.read_bytes(), Random(number)
    document = json.loads(data[1:])
    for _ in range(times):
        document = bent(document, random)
    read_input(data[:1] + json.dumps(document).encode())
