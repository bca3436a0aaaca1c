"""Formats by key and menu: number formats, decimals, bold and italic, colour scales.

Owns the ready-made ones and what a change means for a selection. Every function makes one
edit; the values never change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gradsheet.formula.address import Region
from gradsheet.formula.values import Kind
from gradsheet.sheet.colour_scale import ColourScale
from gradsheet.sheet.edits import Composite, Edit, FormatChange, SetFormat, SetScales
from gradsheet.sheet.formats import Format
from gradsheet.sheet.numberformat import general_text

if TYPE_CHECKING:
    from gradsheet.qt.grid.view import GridView

MOST_DECIMALS = 15

NUMBER_FORMATS: dict[str, tuple[str, str, tuple[str, ...], str, str]] = {
    "general": ("General", "General", ("Ctrl+Shift+`",), "hash",
                "As many digits as fit, none that are not there."),
    "number": ("Number", "#,##0.00", ("Ctrl+Shift+1",), "list-ordered",
               "Two decimals, thousands in groups."),
    "time": ("Time", "h:mm", ("Ctrl+Shift+2",), "clock", "Hours and minutes."),
    "date": ("Date", "yyyy-mm-dd", ("Ctrl+Shift+3",), "calendar", "Year, month and day."),
    "currency": ("Currency", "$#,##0.00", ("Ctrl+Shift+4",), "dollar-sign",
                 "With a currency sign and two decimals."),
    "percent": ("Percent", "0%", ("Ctrl+Shift+5",), "percent", "Hundred times, with its sign."),
    "scientific": ("Scientific", "0.00E+00", ("Ctrl+Shift+6",), "superscript",
                   "One digit before the point, and a power of ten."),
}  # fmt: skip
"""Title, format code, keys, icon and help, by name."""


@dataclass(frozen=True, slots=True)
class ReadyScale:
    """A colour scale to choose from a menu."""

    title: str
    low: str
    middle: str
    high: str
    is_diverging: bool
    icon: str
    help: str


SCALES: dict[str, ReadyScale] = {
    "diverging": ReadyScale(
        "Blue, white, orange around 0", "#0072B2", "", "#D55E00", True, "blend",
        "Negative numbers blue, positive ones orange, the stronger the farther from 0.",
    ),
    "range": ReadyScale(
        "Blue, white, orange by range", "#0072B2", "", "#D55E00", False, "thermometer",
        "The smallest number blue, the largest orange.",
    ),
    "blue": ReadyScale(
        "White to blue", "#FFFFFF", "", "#0072B2", False, "thermometer-snowflake",
        "The larger, the bluer.",
    ),
    "orange": ReadyScale(
        "White to orange", "#FFFFFF", "", "#E69F00", False, "thermometer-sun",
        "The larger, the more orange.",
    ),
}  # fmt: skip


def look_now(view: GridView) -> Format:
    """The format of the current cell."""
    return view.sheet.formats.at(view.current)


def apply_change(view: GridView, change: FormatChange, label: str) -> None:
    """Change how all selected cells look."""
    edits: list[Edit] = [SetFormat(view.sheet_id, region, change) for region in view.selection]
    view.attempt(Composite(tuple(edits)), label)


def set_number_format(view: GridView, code: str, title: str) -> None:
    """Give the selected cells a format code."""
    apply_change(view, FormatChange(number=code), f"Format as {title.lower()}")


def toggle(view: GridView, what: Literal["bold", "italic"]) -> None:
    """Switch bold or italic by what the current cell is."""
    look = look_now(view)
    if what == "bold":
        apply_change(view, FormatChange(bold=not look.bold), "Bold")
    else:
        apply_change(view, FormatChange(italic=not look.italic), "Italic")


def decimals_shown(view: GridView) -> int:
    """How many decimals the current cell shows."""
    look = look_now(view)
    if look.decimals is not None:
        return look.decimals
    code = look.number.split(";")[0]
    if code.lower() != "general":
        match = re.search(r"\.([0#?]+)", code)
        return len(match[1]) if match else 0
    value, kind = view.sheet.cells.get(view.current)
    text = general_text(value, 11) if kind == Kind.NUMBER else ""
    return len(text.partition("E")[0].partition(".")[2])


def change_decimals(view: GridView, by: int) -> None:
    """Show more or fewer decimals in all selected cells, by what the current one shows."""
    decimals = min(max(decimals_shown(view) + by, 0), MOST_DECIMALS)
    label = "More decimals" if by > 0 else "Fewer decimals"
    apply_change(view, FormatChange(decimals=decimals), label)


def set_scale(view: GridView, name: str | None) -> None:
    """Colour the numbers of each selected range on a scale; None takes scales away."""
    chosen = [_within(view, region) for region in view.selection]
    kept = [
        scale
        for scale in view.sheet.scales
        if not any(region.intersect(scale.region) for region in chosen)
    ]
    if name is not None:
        ready = SCALES[name]
        kept += [
            ColourScale(
                region, ready.low, ready.high, ready.middle, is_diverging=ready.is_diverging
            )
            for region in chosen
        ]
    label = "Colour scale" if name is not None else "Remove colour scale"
    view.attempt(SetScales(view.sheet_id, tuple(kept)), label)


def _within(view: GridView, region: Region) -> Region:
    """Whole rows and columns as far as they are used."""
    used = view.sheet.cells.used()
    if region.rows == view.extent.rows or region.cols == view.extent.cols:
        return region.intersect(used) or region
    return region


def has_scale(view: GridView) -> bool:
    """Whether a colour scale reaches into the selection."""
    return any(
        region.intersect(scale.region)
        for region in view.selection
        for scale in view.sheet.scales
    )
