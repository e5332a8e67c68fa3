from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webchat_sync.model import Secret
from webchat_sync.redact import redact

PLAIN = 'Qx7"Zk/9+vB2 mWé4tLp0sNd8'
SECRET = Secret(PLAIN)


@pytest.mark.parametrize(
    "form",
    [
        PLAIN,
        json.dumps(PLAIN)[1:-1],
        quote(PLAIN, safe=""),
        PLAIN.encode().hex(),
        b64encode(PLAIN.encode()).decode(),
        urlsafe_b64encode(PLAIN.encode()).decode(),
        b64encode(f"user:{PLAIN}".encode()).decode(),
        b64encode(f"{PLAIN}:x".encode()).decode(),
        PLAIN[3:15],
        PLAIN[-12:],
    ],
)
def test_every_form_and_every_long_part_is_hidden(form: str) -> None:
    hidden = redact(f"before<{form}>after", [SECRET])
    assert "***" in hidden
    assert hidden.startswith("before<")
    assert hidden.endswith(">after")
    assert not any(form[at : at + 8] in hidden for at in range(3, len(form) - 11))


def test_other_text_stays() -> None:
    assert redact("nothing here: Qx7", [SECRET, Secret("")]) == "nothing here: Qx7"
    assert redact("a short key", [Secret("short")]) == "a *** key"
    assert redact("an extra letter eh", [Secret("x")]) == "an e***tra letter eh"


@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_a_secret_never_survives(before: str, after: str) -> None:
    assert PLAIN not in redact(before + PLAIN + after, [SECRET])
    assert redact(before + PLAIN + after, [SECRET]).count("***") >= 1
