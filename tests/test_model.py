from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict, dataclass
from io import StringIO
from pprint import pformat

import pytest
from rich import inspect
from rich.console import Console

from webchat_sync.model import UNKNOWN, Secret

SECRET = Secret("-".join(["canary", "9f2c"]))


@dataclass
class Holder:
    secret: Secret


def logged() -> str:
    stream = StringIO()
    logger = logging.Logger("test")
    logger.addHandler(logging.StreamHandler(stream))
    logger.error("%s %r %s", SECRET, SECRET, Holder(SECRET))
    return stream.getvalue()


def printed_by_rich() -> str:
    stream = StringIO()
    Console(file=stream).print(SECRET, Holder(SECRET), {"key": SECRET})
    return stream.getvalue()


def inspected_by_rich() -> str:
    stream = StringIO()
    inspect(Holder(SECRET), console=Console(file=stream, width=500), private=True, dunder=True)
    inspect(SECRET, console=Console(file=stream, width=500), private=True)
    return stream.getvalue()


def raised_in_rich() -> str:
    stream = StringIO()
    held = Holder(SECRET)
    try:
        raise ValueError(held)
    except ValueError:
        Console(file=stream, width=500).print_exception(show_locals=True)
    return stream.getvalue()


def raised() -> str:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(captured.format())


@pytest.mark.parametrize(
    "text",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET:>20}",
        f"{SECRET!r}",
        str(asdict(Holder(SECRET))),
        pickle.dumps(SECRET).decode("latin-1"),
        repr(copy.deepcopy(Holder(SECRET))),
        json.dumps({"key": SECRET}, default=str),
        logged(),
        printed_by_rich(),
        inspected_by_rich(),
        raised_in_rich(),
        pformat(Holder(SECRET)),
        raised(),
    ],
)
def test_a_secret_cannot_be_printed_by_accident(text: str) -> None:
    assert "canary" not in text
    assert "***" in text


def test_a_secret_is_not_json() -> None:
    with pytest.raises(TypeError):
        json.dumps(SECRET)


def test_secrets_are_equal_by_their_text() -> None:
    assert SECRET.reveal() == "canary-9f2c"
    assert Secret("canary-9f2c") == SECRET
    assert {SECRET, Secret("canary-9f2c")} == {SECRET}
    assert Secret("other") != SECRET
    assert Secret("") != "***"
    assert not Secret("")


def test_unknown_is_no_json_value() -> None:
    assert repr(UNKNOWN) == "UNKNOWN"
    assert UNKNOWN is not None
