"""Places by their spelling: addresses, ranges, names, parts of the model.

Owns the reading of what a person writes to go somewhere, and the spelling of a name's cells.
Changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradsheet.formula.address import Cell, Region, column_name
from gradsheet.formula.syntax import (
    Columns,
    Expr,
    Name,
    Range,
    Ref,
    Rows,
    Union,
    parse,
    quote_sheet,
    region_of,
)
from gradsheet.formula.values import FormulaError
from gradsheet.sheet.workbook import Workbook

_A1 = Cell(0, 0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go: regions of a sheet; `name` is what it is called, "" for an address."""

    sheet: int
    regions: tuple[Region, ...]
    name: str = ""


def find_place(workbook: Workbook, sheet_id: int, text: str) -> Place | None:
    """The place that a text names, seen from a sheet; None if it names none."""
    text = text.strip().removeprefix("=")
    if not text:
        return None
    try:
        expr = parse(f"=({text})" if "," in text else f"={text}", _A1)
    except FormulaError:
        return None
    return _place(workbook, sheet_id, expr, 0)


def _place(workbook: Workbook, sheet_id: int, expr: Expr, depth: int) -> Place | None:
    if depth > 8:
        return None
    match expr:
        case Ref() | Range() | Columns() | Rows():
            written = expr.first.sheet if isinstance(expr, Range) else expr.sheet
            sheet = sheet_id if written is None else workbook.sheet_id(written)
            region = region_of(expr, _A1)
            if sheet is None or region is None:
                return None
            return Place(sheet, (region,))
        case Union(parts):
            found = [_place(workbook, sheet_id, part, depth + 1) for part in parts]
            places = [place for place in found if place is not None]
            if len(places) < len(found) or len({place.sheet for place in places}) > 1:
                return None
            return Place(places[0].sheet, tuple(r for place in places for r in place.regions))
        case Name(_, name):
            meant = workbook.defined_name(name, sheet_id)
            if meant is not None:
                place = _place(workbook, sheet_id, meant, depth + 1)
                return None if place is None else Place(place.sheet, place.regions, name)
            table = workbook.table(name)
            return None if table is None else Place(table.sheet, (table.region,), name)
        case _:
            return None


def absolute_text(workbook: Workbook, sheet_id: int, region: Region, whole: Region) -> str:
    """How a name spells a region: `=Sheet1!$A$1:$B$2`, whole lines as `$A:$B`."""
    sheet = quote_sheet(workbook.sheet(sheet_id).name)
    left, right = column_name(region.left), column_name(region.right - 1)
    if region.rows >= whole.rows:
        return f"={sheet}!${left}:${right}"
    if region.cols >= whole.cols:
        return f"={sheet}!${region.top + 1}:${region.bottom}"
    first = f"${left}${region.top + 1}"
    last = f"${right}${region.bottom}"
    return f"={sheet}!{first}" + ("" if first == last else f":{last}")


def known_places(workbook: Workbook) -> list[Place]:
    """Names, tables and the model's ranges, in the order in which a list shows them."""
    found: list[Place] = []
    for defined in workbook.names:
        meant = _place(workbook, workbook.sheets[0].id, defined.expr, 0)
        if meant is not None and not defined.hidden:
            found.append(Place(meant.sheet, meant.regions, defined.name))
    found += [Place(table.sheet, (table.region,), table.name) for table in workbook.tables]
    for sheet in workbook.sheets:
        found += [
            Place(sheet.id, (role.region,), role.label or role.role.value) for role in sheet.roles
        ]
    return found


def name_of(workbook: Workbook, sheet_id: int, region: Region) -> str:
    """The defined name of exactly this region, "" if it has none."""
    for defined in workbook.names:
        if defined.hidden or (defined.sheet not in (None, sheet_id)):
            continue
        place = _place(workbook, sheet_id, defined.expr, 0)
        if place is not None and (place.sheet, place.regions) == (sheet_id, (region,)):
            return defined.name
    return ""
