"""Feeds the reader of manifests with what nobody would write, and looks for exceptions and hangs.

Run by hand, where ``atheris`` is installed beside this project (it is in no extra, since it is made for few
platforms): ``python benchmarks/fuzz_reader.py -max_total_time=600 -timeout=10 CORPUS_FOLDER``. The options are
libFuzzer's. CORPUS_FOLDER keeps the inputs that reach new code; begin with copies of ``tests/data/hostile``. Each
input is a manifest and, behind the first NUL byte, an overlay. Every problem is rendered in every format too.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

ROOMS = ["yaml12", "check", "manifest", "render"]
with atheris.instrument_imports(include=[f"webchat_sync.{room}" for room in ROOMS]):
    from webchat_sync.domain.catalogue import load_catalogue
    from webchat_sync.errors import InputError
    from webchat_sync.manifest import load_manifests
    from webchat_sync.render import problems, problems_codequality, problems_github, problems_json, problems_sarif

CATALOGUE = load_catalogue()
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-reader-"))
MANIFEST, OVERLAY = FOLDER / "manifest.yaml", FOLDER / "overlay.yaml"
FORMATS = [
    module.render_problems
    for module in (problems, problems_codequality, problems_github, problems_json, problems_sarif)
]


def one_input(data: bytes) -> None:
    """Read one manifest, with its overlay if there is one; anything but an InputError ends the run."""
    below, _, above = data.partition(b"\0")
    MANIFEST.write_bytes(below)
    OVERLAY.write_bytes(above)
    try:
        found = load_manifests(
            [MANIFEST],
            catalogue=CATALOGUE,
            environ={"WEBCHAT_NAME": "value", "WEBCHAT_EMPTY": ""},
            organization="acme",
            overlays=[OVERLAY] if above else [],
        ).problems
    except InputError as error:
        found = error.problems
    for render in FORMATS:
        render(found)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
