"""Cell styles of a workbook, both ways: `cellXfs` to formats, formats to a styles part.

Owns the tables of number formats, fonts and fills. Knows no cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from xml.etree.ElementTree import Element

from gradsheet.files.colours import colour, text_colour
from gradsheet.files.xml_reading import descendants, flag, whole
from gradsheet.files.xml_writing import DECLARATION, MAIN, attribute
from gradsheet.sheet.formats import Align, Format

# ECMA-376 part 1, 18.8.30: what is not listed there depends on the language of Excel.
BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%",
    11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "mm-dd-yy", 15: "d-mmm-yy", 16: "d-mmm",
    17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    22: "m/d/yy h:mm", 37: "#,##0 ;(#,##0)", 38: "#,##0 ;[Red](#,##0)",
    39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;[Red](#,##0.00)", 45: "mm:ss", 46: "[h]:mm:ss",
    47: "mmss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
_FIRST_CUSTOM = 164
_ALIGNS = {"left": "left", "center": "center", "centerContinuous": "center", "right": "right"}
_NO_FILLS = ("none", "gray125")


def read_styles(styles: Element | None, theme: Sequence[str]) -> list[Format]:
    """The format of every entry of `cellXfs`, by its index; at least one.

    Parameters
    ----------
    styles : root of the styles part, None if there is none
    theme : colours of the theme
    """
    if styles is None:
        return [Format()]
    codes = dict(BUILT_IN)
    for item in descendants(styles, "numFmts", "numFmt"):
        codes[whole(item.attrib, "numFmtId", -1)] = item.get("formatCode", "General")
    fonts = [_font(font, theme) for font in descendants(styles, "fonts", "font")]
    fills = [_fill(fill, theme) for fill in descendants(styles, "fills", "fill")]
    formats = [
        _format(xf, codes, fonts, fills) for xf in descendants(styles, "cellXfs", "xf")
    ]
    return formats or [Format()]


def _font(font: Element, theme: Sequence[str]) -> tuple[bool, bool, str]:
    bold = italic = False
    color = ""
    for part in font:
        if part.tag == "b":
            bold = flag(part.attrib, "val", True)
        elif part.tag == "i":
            italic = flag(part.attrib, "val", True)
        elif part.tag == "color":
            color = text_colour(part.attrib, theme)
    return bold, italic, color


def _fill(fill: Element, theme: Sequence[str]) -> str:
    for pattern in fill:
        if pattern.tag != "patternFill" or pattern.get("patternType", "none") in _NO_FILLS:
            continue
        for part in pattern:
            if part.tag == "fgColor":
                return colour(part.attrib, theme)
    return ""


def _format(
    xf: Element,
    codes: dict[int, str],
    fonts: list[tuple[bool, bool, str]],
    fills: list[str],
) -> Format:
    look = Format(number=codes.get(whole(xf.attrib, "numFmtId"), "General"))
    font = whole(xf.attrib, "fontId", -1)
    if 0 <= font < len(fonts):
        bold, italic, color = fonts[font]
        look = replace(look, bold=bold, italic=italic, color=color)
    fill = whole(xf.attrib, "fillId", -1)
    if 0 <= fill < len(fills):
        look = replace(look, fill=fills[fill])
    for part in xf:
        if part.tag == "alignment":
            align = _ALIGNS.get(part.get("horizontal", ""), "auto")
            look = replace(look, align=cast(Align, align))
    return look


class StyleTable:
    """The `cellXfs` of a workbook being written; entry 0 is the default format."""

    def __init__(self) -> None:
        self._xfs: dict[Format, int] = {Format(): 0}
        self._fonts: dict[tuple[bool, bool, str], int] = {(False, False, ""): 0}
        self._fills: dict[str, int] = {"": 0}
        self._codes: dict[str, int] = {code: i for i, code in BUILT_IN.items()}
        self._rows: list[str] = ['<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>']

    def index(self, look: Format) -> int:
        """The entry for a format, which is added if it is new."""
        known = self._xfs.get(look)
        if known is None:
            known = self._xfs[look] = len(self._rows)
            self._rows.append(self._xf(look))
        return known

    def _xf(self, look: Format) -> str:
        code = look.code
        number = self._codes.get(code)
        if number is None:
            custom = [i for i in self._codes.values() if i >= _FIRST_CUSTOM]
            number = self._codes[code] = max(custom, default=_FIRST_CUSTOM - 1) + 1
        font = self._fonts.setdefault((look.bold, look.italic, look.color), len(self._fonts))
        # Fill 1 is reserved for the gray pattern.
        fill = self._fills.setdefault(look.fill, len(self._fills) + 1)
        align = ""
        if look.align != "auto":
            align = f'<alignment horizontal="{look.align}"/>'
        applied = "".join(
            f' apply{what}="1"'
            for what, used in (
                ("NumberFormat", number), ("Font", font), ("Fill", fill), ("Alignment", align),
            )
            if used
        )  # fmt: skip
        return (
            f'<xf numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="0" xfId="0"'
            f"{applied}" + (f">{align}</xf>" if align else "/>")
        )

    def xml(self) -> str:
        """The styles part."""
        customs = [(i, code) for code, i in self._codes.items() if i >= _FIRST_CUSTOM]
        codes = "".join(
            f'<numFmt numFmtId="{i}" formatCode="{attribute(code)}"/>' for i, code in customs
        )
        number_formats = f'<numFmts count="{len(customs)}">{codes}</numFmts>' if customs else ""
        fonts = "".join(_font_xml(*font) for font in self._fonts)
        fills = "".join(
            f'<fill><patternFill patternType="solid"><fgColor rgb="FF{fill[1:]}"/>'
            f'<bgColor indexed="64"/></patternFill></fill>'
            for fill in self._fills
            if fill
        )
        return (
            f'{DECLARATION}<styleSheet xmlns="{MAIN}">{number_formats}'
            f'<fonts count="{len(self._fonts)}">{fonts}</fonts>'
            f'<fills count="{len(self._fills) + 1}">'
            f'<fill><patternFill patternType="none"/></fill>'
            f'<fill><patternFill patternType="gray125"/></fill>{fills}</fills>'
            f'<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border>'
            f"</borders>"
            f'<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
            f'</cellStyleXfs><cellXfs count="{len(self._rows)}">{"".join(self._rows)}</cellXfs>'
            f'<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
            f"</cellStyles></styleSheet>"
        )


def _font_xml(bold: bool, italic: bool, color: str) -> str:
    shade = f'<color rgb="FF{color[1:]}"/>' if color else '<color theme="1"/>'
    return (
        f"<font>{'<b/>' * bold}{'<i/>' * italic}<sz val=\"11\"/>{shade}"
        f'<name val="Calibri"/><family val="2"/></font>'
    )
