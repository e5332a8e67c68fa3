"""Writes manifests of any size, the same ones every time.

Run by hand: ``python benchmarks/manifests.py COUNT FILE`` writes one file, with ``--files N FOLDER`` N of them.
Each channel takes about 850 bytes and declares values of every kind: texts on one line and on several, numbers,
yes-or-no values, null, a set, a mapping of lists, lists of mappings.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path
from typing import Final

HEAD: Final = "version: 1\norganization: acme\nchannels:\n"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
THEMES: Final = ("light", "dark", "auto")


def manifest(count: int, *, first: int = 0) -> str:
    """A manifest with ``count`` channels, numbered from ``first``."""
    return HEAD + "".join(map(channel, range(first, first + count)))


def channel(number: int) -> str:
    """One channel of about 850 bytes; no two numbers give the same one."""
    days = "".join(
        f'        {day}: ["{8 + (number + index) % 4:02}:00-13:00", "14:00-{17 + number % 3}:30"]\n'
        for index, day in enumerate(DAYS[: 3 + number % 2])
    )
    return f"""\
  - name: Channel {number:05}
    enabled: {"true" if number % 7 else "false"}
    color: "#{number * 7919 & 0x7F7F7F:06x}"
    welcomeMessage: |
      Hola, ¿en qué podemos ayudarte?
      You have reached desk {number}.
    allowedDomains: [www.site-{number}.example, help.site-{number}.example]
    precaptureEnabled: true
    botEnabled: {"true" if number % 2 else "false"}
    operatingHours:
      timezone: America/Bogota
      days:
{days}    offlineAction: MESSAGE_ALLOW
    offlineMessage: We are closed. Leave a message, we answer by e-mail.
    offlineMessageLunch: null
    prechatFields:
      - {{ label: Name, type: text, required: true }}
      - {{ label: Email {number % 10}, type: email, required: false }}
    departments: [{{ name: Sales }}, {{ name: Support }}]
    bubblePosition: {"left" if number % 3 else "right"}
    bubbleOffsetBottom: {number % 400}
    theme: {THEMES[number % 3]}
"""


def write(path: Path, count: int, files: int = 1) -> int:
    """Write ``count`` channels to the file ``path``, or to several in the folder ``path``; the number of bytes."""
    if files == 1:
        return path.write_bytes(manifest(count).encode())
    path.mkdir(parents=True, exist_ok=True)
    bounds = [count * index // files for index in range(files + 1)]
    return sum(
        (path / f"{index:04}.yaml").write_bytes(manifest(end - begin, first=begin).encode())
        for index, (begin, end) in enumerate(pairwise(bounds))
    )


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("count", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--files", type=int, default=1)
    options = parser.parse_args()
    size = write(options.path, options.count, options.files)
    print(f"{options.count} channels, {size} bytes, {size / options.count:.0f} bytes each")


if __name__ == "__main__":
    main()
