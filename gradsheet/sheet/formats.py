"""How cells look: formats, the rules that place them on a sheet, and display text.

Owns formats by small numbers (for painting from an int16 plane), and the two texts of a value:
what the grid shows and what editing starts from. Knows no colours of the theme and no window.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from gradsheet.formula.address import Region
from gradsheet.formula.values import ErrorCode, Kind, Strings, parse_entry
from gradsheet.sheet.numberformat import NumberFormat, general_text, number_format

Align: TypeAlias = Literal["auto", "left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Format:
    """How a cell looks.

    Parameters
    ----------
    number : Excel's format code
    align : "auto" puts numbers right and text left
    decimals : overrides the decimals of `number`, None to leave them
    color, fill : `#RRGGBB`, "" for the theme's
    """

    number: str = "General"
    bold: bool = False
    italic: bool = False
    align: Align = "auto"
    decimals: int | None = None
    color: str = ""
    fill: str = ""

    @property
    def code(self) -> str:
        """The format code with `decimals` worked in."""
        return self.number if self.decimals is None else with_decimals(self.number, self.decimals)


@dataclass(frozen=True, slots=True)
class FormatChange:
    """The parts of a format to change; None leaves one as it is.

    `decimals` of -1 gives back the decimals of the format code.
    """

    number: str | None = None
    bold: bool | None = None
    italic: bool | None = None
    align: Align | None = None
    decimals: int | None = None
    color: str | None = None
    fill: str | None = None

    def apply(self, old: Format) -> Format:
        """The format with the changes made; a new format code brings its own decimals."""
        changes = {f.name: getattr(self, f.name) for f in fields(self)}
        given = {name: value for name, value in changes.items() if value is not None}
        if given.get("decimals") == -1 or ("number" in given and "decimals" not in given):
            given["decimals"] = None
        return replace(old, **given)


_DIGITS = re.compile(r"[0#?][0#?,]*(?:\.[0#?]*)?|General", re.IGNORECASE)


@lru_cache(maxsize=1024)
def with_decimals(code: str, decimals: int) -> str:
    """A format code with another number of decimals; General becomes `0.00`."""

    def change(match: re.Match[str]) -> str:
        whole = match[0].partition(".")[0]
        if whole.lower() == "general":
            whole = "0"
        return whole + ("." + "0" * decimals if decimals > 0 else "")

    if number_format(code).is_date:
        return code
    return ";".join(_DIGITS.sub(change, part, count=1) for part in code.split(";"))


class FormatPalette:
    """The formats of a workbook, each stored once and named by a number that never changes.

    Number 0 is the default format.

    Attributes
    ----------
    date_1904 : whether its dates count from 1904, as in old Macintosh workbooks
    """

    def __init__(self) -> None:
        self.date_1904 = False
        self._formats: list[Format] = [Format()]
        self._ids: dict[Format, int] = {Format(): 0}

    def __len__(self) -> int:
        return len(self._formats)

    def id_of(self, look: Format) -> int:
        """The number of a format, which is added if it is new."""
        known = self._ids.get(look)
        if known is None:
            known = len(self._formats)
            if known > np.iinfo(np.int16).max:
                return 0  # more looks than anyone can tell apart: the default
            self._formats.append(look)
            self._ids[look] = known
        return known

    def format(self, format_id: int) -> Format:
        """The format of a number."""
        return self._formats[format_id]


@dataclass(frozen=True, slots=True)
class FormatRules:
    """Which format each cell of a sheet has: regions with format numbers, later ones on top.

    Immutable: a change gives new rules, so that undo puts the old ones back.
    """

    palette: FormatPalette
    rules: tuple[tuple[Region, int], ...] = ()

    def plane(self, region: Region) -> npt.NDArray[np.int16]:
        """Format numbers of a region, shape (rows, cols), int16."""
        plane = np.zeros(region.shape, np.int16)
        if self.rules and plane.size:
            top, left, bottom, right = _bounds(self.rules)
            hit = (top < region.bottom) & (bottom > region.top)
            hit &= (left < region.right) & (right > region.left)
            for at in np.flatnonzero(hit):
                where, format_id = self.rules[at]
                part = where.intersect(region)
                if part is not None:
                    plane[part.slices_in(region)] = format_id
        return plane

    def at(self, cell: tuple[int, int]) -> Format:
        """The format of one cell."""
        return self.palette.format(int(self.plane(Region.of(cell))[0, 0]))

    def changed(self, region: Region, change: FormatChange) -> FormatRules:
        """The rules after a change of all cells of a region."""
        palette = self.palette
        over: list[tuple[Region, int]] = [(region, palette.id_of(change.apply(Format())))]
        for where, format_id in self.rules:
            part = where.intersect(region)
            if part is not None:
                look = palette.id_of(change.apply(palette.format(format_id)))
                if part == region:
                    over = []  # what lies below is hidden
                over.append((part, look))
        kept = [rule for rule in self.rules if not region.contains(rule[0])]
        return FormatRules(palette, _merged(kept + over))

    def with_format(self, region: Region, look: Format) -> FormatRules:
        """The rules after giving all cells of a region this very format."""
        kept = [rule for rule in self.rules if not region.contains(rule[0])]
        return FormatRules(self.palette, (*kept, (region, self.palette.id_of(look))))

    def is_plain(self, region: Region) -> bool:
        """Whether no rule reaches into a region."""
        return all(where.intersect(region) is None for where, _ in self.rules)

    def cleared(self, region: Region) -> FormatRules:
        """The rules after giving all cells of a region the default format."""
        return self if self.is_plain(region) else self.with_format(region, Format())

    def moved(self, move: Callable[[Region], Region | None]) -> FormatRules:
        """The rules after every region went where `move` says, None for away."""
        moved = [(move(region), format_id) for region, format_id in self.rules]
        return FormatRules(self.palette, tuple((r, f) for r, f in moved if r is not None))


def _merged(rules: list[tuple[Region, int]]) -> tuple[tuple[Region, int], ...]:
    """The same look with neighbours of one format joined and a useless first rule left out."""
    merged: list[tuple[Region, int]] = []
    for region, format_id in rules:
        if merged and merged[-1][1] == format_id:
            last = merged[-1][0]
            hull = last.union_hull(region)
            if hull.size == last.size + region.size and last.intersect(region) is None:
                merged[-1] = (hull, format_id)
                continue
        merged.append((region, format_id))
    while merged and merged[0][1] == 0:
        merged.pop(0)
    return tuple(merged)


@lru_cache(maxsize=64)
def _bounds(rules: tuple[tuple[Region, int], ...]) -> npt.NDArray[np.int64]:
    """Edges of all regions, shape (4, n): top, left, bottom, right."""
    return np.array(
        [(r.top, r.left, r.bottom, r.right) for r, _ in rules], dtype=np.int64
    ).T.copy()


def display_text(
    value: float,
    kind: int,
    look: Format,
    strings: Strings,
    max_chars: int = 11,
    date_1904: bool = False,
) -> str:
    """What the grid shows of one value; see `display_texts`."""
    return _Shower(look, strings, date_1904).text(value, kind, max_chars)


def display_texts(
    values: npt.NDArray[np.float64],
    kinds: npt.NDArray[np.uint8],
    format_ids: npt.NDArray[np.int16],
    palette: FormatPalette,
    strings: Strings,
    max_chars: int | Sequence[int] = 11,
) -> list[list[str]]:
    """What the grid shows of a window of cells, row by row.

    A number that does not fit shows as `###`, save that General rounds as far as it must; text
    is not cut. Blank cells show "".

    Parameters
    ----------
    values, kinds, format_ids : (rows, cols)
    max_chars : characters that fit, for all columns or for each
    """
    cols = values.shape[1]
    room = [max_chars] * cols if isinstance(max_chars, int) else list(max_chars)
    showers = {
        int(i): _Shower(palette.format(int(i)), strings, palette.date_1904)
        for i in np.unique(format_ids)
    }
    shown: list[list[str]] = []
    number = int(Kind.NUMBER)
    for row_values, row_kinds, row_formats in zip(
        values.tolist(), kinds.tolist(), format_ids.tolist(), strict=True
    ):
        line: list[str] = []
        for value, kind, format_id, chars in zip(
            row_values, row_kinds, row_formats, room, strict=True
        ):
            if kind == 0:
                line.append("")
            elif kind == number:
                line.append(showers[format_id].number(value, chars))
            else:
                line.append(showers[format_id].text(value, kind, chars))
        shown.append(line)
    return shown


class _Shower:
    """Display text in one format."""

    __slots__ = ("_format", "_strings", "number")

    def __init__(self, look: Format, strings: Strings, date_1904: bool) -> None:
        self._format = number_format(look.code, date_1904)
        self._strings = strings
        self.number: Callable[[float, int], str] = _number_shower(self._format)

    def text(self, value: float, kind: int, max_chars: int) -> str:
        if kind == Kind.NUMBER:
            return self.number(value, max_chars)
        if kind == Kind.TEXT:
            text = self._strings.text(int(value))
            around = self._format.text_section
            return text if around is None else around[0] + text + around[1]
        if kind == Kind.BOOLEAN:
            return "TRUE" if value else "FALSE"
        return ErrorCode(int(value)).text if kind == Kind.ERROR else ""


def _number_shower(chosen: NumberFormat) -> Callable[[float, int], str]:
    """Text of a number in a width, by the shortest way for the format."""
    if chosen.is_general or chosen.is_text:

        def show_general(value: float, max_chars: int) -> str:
            text = general_text(value, max_chars)
            return text if len(text) <= max_chars else "#" * max_chars

        return show_general
    if len(chosen.sections) == 1 and chosen.sections[0].formatter is not None:
        formatter = chosen.sections[0].formatter

        def show_fixed(value: float, max_chars: int) -> str:
            text = formatter(value)
            return text if len(text) <= max_chars else "#" * max_chars

        return show_fixed

    def show(value: float, max_chars: int) -> str:
        text = chosen.text(value, max_chars)
        return text if len(text) <= max_chars else "#" * max_chars

    return show


def edit_text(value: float, kind: int, strings: Strings, decimal: str = ".") -> str:
    """What editing a constant starts from; `parse_entry` of it gives the same value, bit by bit.

    Text that would be read as something else comes with an apostrophe before it.
    """
    if kind == Kind.NUMBER:
        text = repr(float(value)).removesuffix(".0").replace("e", "E")
        return text.replace(".", ",") if decimal == "," else text
    if kind == Kind.TEXT:
        text = strings.text(int(value))
        as_is = parse_entry(text, decimal) == text and not text.startswith(("=", "'"))
        return text if as_is else "'" + text
    if kind == Kind.BOOLEAN:
        return "TRUE" if value else "FALSE"
    return ErrorCode(int(value)).text if kind == Kind.ERROR else ""
