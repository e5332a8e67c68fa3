"""What a file is read with, and what it must not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from webchat_sync.yaml12.interpolation import MARK, Refuse, accept


@dataclass(frozen=True, slots=True)
class Policy:
    """The values of variables, and who is asked whether a file may read one of them or hold a text.

    ``refuse_variable`` is asked about the name of every variable. ``refuse_text`` is asked about keys, about texts with
    a variable, an anchor or a tag, as they are written and as they are read, and about any other text only if
    ``suspect`` is in it: most are looked at no further.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    refuse_variable: Refuse = accept
    refuse_text: Refuse = accept
    suspect: str = MARK


NO_POLICY: Final = Policy()
"""There are no variables, and any text may stand in a file."""
