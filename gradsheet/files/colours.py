"""Colours as SpreadsheetML writes them: RGB, theme with tint, and the old indexed palette.

Owns their translation to `#RRGGBB`. Knows no styles.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from gradsheet.files.xml_reading import decimal, descendants, whole

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})?([0-9A-Fa-f]{6})")
# Office's default theme in the order of ECMA-376 part 1, 18.8.3: lt1 dk1 lt2 dk2 accents links.
DEFAULT_THEME = (
    "#FFFFFF", "#000000", "#E7E6E6", "#44546A", "#4472C4", "#ED7D31",
    "#A5A5A5", "#FFC000", "#5B9BD5", "#70AD47", "#0563C1", "#954F72",
)  # fmt: skip
_THEME_ORDER = (
    "lt1", "dk1", "lt2", "dk2", "accent1", "accent2", "accent3", "accent4", "accent5",
    "accent6", "hlink", "folHlink",
)  # fmt: skip
# ECMA-376 part 1, 18.8.27: the first eight repeat as 8 to 15.
_INDEXED = (
    "000000", "FFFFFF", "FF0000", "00FF00", "0000FF", "FFFF00", "FF00FF", "00FFFF",
    "800000", "008000", "000080", "808000", "800080", "008080", "C0C0C0", "808080",
    "9999FF", "993366", "FFFFCC", "CCFFFF", "660066", "FF8080", "0066CC", "CCCCFF",
    "000080", "FF00FF", "FFFF00", "00FFFF", "800080", "800000", "008080", "0000FF",
    "00CCFF", "CCFFFF", "CCFFCC", "FFFF99", "99CCFF", "FF99CC", "CC99FF", "FFCC99",
    "3366FF", "33CCCC", "99CC00", "FFCC00", "FF9900", "FF6600", "666699", "969696",
    "003366", "339966", "003300", "333300", "993300", "993366", "333399", "333333",
)  # fmt: skip
_AUTOMATIC = 64
_DARK_TEXT = 1
"""The theme's number for the colour of ordinary text."""


def theme_colours(theme: Element | None) -> tuple[str, ...]:
    """The twelve colours of a theme part; Office's where the part has none."""
    found = dict(zip(_THEME_ORDER, DEFAULT_THEME, strict=True))
    if theme is not None:
        for scheme in descendants(theme, "themeElements", "clrScheme"):
            for entry in scheme:
                for colour in entry:
                    text = colour.get("lastClr") or colour.get("val") or ""
                    match = _HEX.fullmatch(text)
                    if entry.tag in found and match:
                        found[entry.tag] = f"#{match[1].upper()}"
    return tuple(found[name] for name in _THEME_ORDER)


def colour(attributes: Mapping[str, str], theme: Sequence[str]) -> str:
    """`#RRGGBB` of a colour element, "" for automatic and for what is not understood."""
    if "rgb" in attributes:
        match = _HEX.fullmatch(attributes["rgb"])
        base = f"#{match[1].upper()}" if match else ""
    elif "theme" in attributes:
        number = whole(attributes, "theme", -1)
        base = theme[number] if 0 <= number < len(theme) else ""
    elif "indexed" in attributes:
        base = _indexed(whole(attributes, "indexed", _AUTOMATIC))
    else:
        base = ""
    return tinted(base, decimal(attributes, "tint")) if base else ""


def text_colour(attributes: Mapping[str, str], theme: Sequence[str]) -> str:
    """As `colour`, but "" for the colour that all text has unless it is told otherwise."""
    is_usual = attributes.get("theme") == str(_DARK_TEXT) and not decimal(attributes, "tint")
    return "" if is_usual else colour(attributes, theme)


def _indexed(number: int) -> str:
    if 0 <= number < 8:
        return f"#{_INDEXED[number]}"
    if 8 <= number < 8 + len(_INDEXED):
        return f"#{_INDEXED[number - 8]}"
    return ""


def tinted(base: str, tint: float) -> str:
    """A colour made lighter (tint above 0) or darker, by ECMA-376 part 1, 18.8.19."""
    if tint == 0.0 or not -1.0 <= tint <= 1.0:
        return base
    red, green, blue = (int(base[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    light = light * (1 + tint) if tint < 0 else light * (1 - tint) + tint
    mixed = colorsys.hls_to_rgb(hue, min(1.0, max(0.0, light)), saturation)
    return "#" + "".join(f"{round(part * 255):02X}" for part in mixed)
