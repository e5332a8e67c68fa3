"""The variables for reading a file, and what it mustn't contain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from webchat_sync.frozen import frozen
from webchat_sync.yaml12.interpolation import AS_WRITTEN, MARK, Refuse, accept


@frozen
class Policy:
    """The values of variables, and functions that decide whether a file may read one or contain a text.

    ``refuse_variable`` is called with the name of every variable. ``refuse_text`` is called with keys; with texts that
    have a variable, an anchor or a tag, as written and as read; and with any other text only if it contains
    ``suspect``, so that most are skipped.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    refuse_variable: Refuse = accept
    refuse_text: Refuse = accept
    suspect: str = MARK


NO_POLICY: Final = Policy()
"""No variables, and any text is accepted."""

WITHOUT_VARIABLES: Final = Policy(AS_WRITTEN)
"""Any text is accepted, and nothing is replaced."""
