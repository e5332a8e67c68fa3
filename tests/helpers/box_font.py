"""A font in which every character but the space is the same box, so that pages look the same with any fonts."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

_EM: Final = 1000
_ADVANCE: Final = 560
_BOX: Final = ((60, 0), (500, 0), (500, 620), (60, 620))
_BLOCKS: Final = (range(0x21, 0x3000), range(0xFB00, 0xFF00), range(0x1F000, 0x1FB00))
"""Letters, punctuation, Arabic forms and emoji."""

_SPACE: Final = 280
"""How wide a space is: without a glyph, its width would be that of another font of the machine."""

LETTERS_AS_BOXES: Final = """(font) => {
  const sheet = document.createElement("style");
  sheet.textContent = `@font-face{font-family:box;src:url(${font})}
    *,*::before,*::after{font-family:box !important;font-weight:400 !important;font-style:normal !important}`;
  document.head.append(sheet);
  return document.fonts.load("16px box").then(() => document.fonts.ready).then(() => undefined);
}"""


def write_in_boxes(page: Page) -> None:
    """Show all texts of the page as boxes; its context must bypass the page's policy."""
    page.evaluate(LETTERS_AS_BOXES, f"data:font/ttf;base64,{b64encode(_font()).decode()}")


@cache
def _font() -> bytes:
    builder = pytest.importorskip("fontTools.fontBuilder", reason="fonttools is not installed")
    pens = pytest.importorskip("fontTools.pens.ttGlyphPen")
    pen, empty = pens.TTGlyphPen(None), pens.TTGlyphPen(None)
    tables = pytest.importorskip("fontTools.ttLib.tables._c_m_a_p")
    pen.moveTo(_BOX[0])
    for corner in _BOX[1:]:
        pen.lineTo(corner)
    pen.closePath()
    box = pen.glyph()
    font = builder.FontBuilder(_EM, isTTF=True)
    font.setupGlyphOrder([".notdef", "box", "space"])
    font.setupCharacterMap({ord(" "): "space", ord("x"): "box"})
    # Format 13 maps a whole range to one glyph.
    whole = tables.CmapSubtable.newSubtable(13)
    whole.platformID, whole.platEncID, whole.language = 3, 10, 0
    whole.cmap = {ord(" "): "space"} | dict.fromkeys((number for block in _BLOCKS for number in block), "box")
    font.font["cmap"].tables.append(whole)
    font.setupGlyf({".notdef": box, "box": box, "space": empty.glyph()})
    font.setupHorizontalMetrics({".notdef": (_ADVANCE, 60), "box": (_ADVANCE, 60), "space": (_SPACE, 0)})
    font.setupHorizontalHeader(ascent=900, descent=-250)
    font.setupNameTable({"familyName": "box", "styleName": "Regular"})
    font.setupOS2(sTypoAscender=900, sTypoDescender=-250, usWinAscent=900, usWinDescent=250)
    font.setupPost()
    written = BytesIO()
    font.save(written)
    return written.getvalue()
