"""A Solver model as text and back: what the dialog's fields say and what is typed into them.

Owns areas ("H19:V23,B25:F39"), constraints, and which model a sheet begins with. Knows no
widget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import Range, Ref, parse, region_of
from gradsheet.formula.values import FormulaError, UserError
from gradsheet.sheet.workbook import Workbook

if TYPE_CHECKING:
    from gradsheet.app.document import Document
    from gradsheet.files.solver_model import Constraint, SolverModel

Place = tuple[int, Region]
RELATIONS = ("<=", "=", ">=", "integer", "binary", "all different")
NEEDS_RIGHT = ("<=", "=", ">=")


def area_of(workbook: Workbook, sheet: int, text: str) -> Place:
    """Read one cell or range, such as H25 or Sheet2!A1:B3, or a name for one.

    Raises
    ------
    UserError
        If it is none.
    """
    try:
        expr = parse(text.strip().removeprefix("="), Cell(0, 0))
    except FormulaError as fault:
        raise UserError(f"{text.strip()!r} is no range.", fault.text) from fault
    for name in workbook.names:
        if name.name.casefold() == text.strip().casefold() and name.sheet in (None, sheet):
            expr = name.expr
    region = region_of(expr, Cell(0, 0)) if isinstance(expr, (Ref, Range)) else None
    named = expr.first.sheet if isinstance(expr, Range) else getattr(expr, "sheet", None)
    home = sheet if named is None else workbook.sheet_id(named)
    if region is None or home is None:
        raise UserError(
            f"{text.strip()!r} is no range of this workbook.", "Write it like H19:V23."
        )
    return home, region


def areas_of(workbook: Workbook, sheet: int, text: str) -> tuple[Place, ...]:
    """Read ranges with commas or semicolons between them. Raises UserError."""
    parts = [part for part in text.replace(";", ",").split(",") if part.strip()]
    return tuple(area_of(workbook, sheet, part) for part in parts)


def cell_of(workbook: Workbook, sheet: int, text: str, what: str) -> tuple[int, Cell]:
    """Read one cell. Raises UserError, which names `what` it is for."""
    if not text.strip():
        raise UserError(f"{what} is empty.", "Select a cell in the sheet and take it over.")
    home, region = area_of(workbook, sheet, text)
    if region.size != 1:
        raise UserError(f"{what} is one cell, not {region.size}.", "Give a single cell.")
    return home, region.first


def area_text(workbook: Workbook, sheet: int, place: Place) -> str:
    """Return a range as text, with its sheet where that is another one."""
    home, region = place
    if home == sheet:
        return str(region)
    name = workbook.sheet_name(home).replace("'", "''")
    plain = name.isidentifier() and not any(c.isdigit() for c in name)
    return f"{name}!{region}" if plain else f"'{name}'!{region}"


def areas_text(workbook: Workbook, sheet: int, places: tuple[Place, ...]) -> str:
    """Return ranges as text with commas."""
    return ",".join(area_text(workbook, sheet, place) for place in places)


def constraint_of(
    workbook: Workbook, sheet: int, left: str, relation: str, right: str
) -> Constraint:
    """Read a constraint as the dialog's three fields give it.

    Raises
    ------
    UserError
        If a side is missing or cannot be read.
    """
    from gradsheet.files.solver_model import Constraint

    if not left.strip():
        raise UserError("The constraint has no cell.", "Select cells and take them over.")
    area_of(workbook, sheet, left)
    if relation not in NEEDS_RIGHT:
        return Constraint(f"={left.strip().removeprefix('=')}", relation)  # type: ignore[arg-type]
    typed = right.strip().removeprefix("=")
    if not typed:
        raise UserError(
            "The constraint has no right side.", "Type a number, a cell or a formula."
        )
    number = typed.replace(",", ".") if "," in typed and "." not in typed else typed
    try:
        float(number)
    except ValueError:
        try:
            parse(typed, Cell(0, 0))
        except FormulaError as fault:
            raise UserError(f"{typed!r} cannot be read.", fault.text) from fault
        number = typed
    return Constraint(f"={left.strip().removeprefix('=')}", relation, f"={number}")  # type: ignore[arg-type]


def first_model(document: Document, sheet: int) -> SolverModel:
    """Return the model that the dialog begins with.

    The sheet's own Solver model where it has one, else what the lesson trains, else an empty
    one.
    """
    from gradsheet.files.solver_model import SolverModel, model_of_problem, solver_model_of

    known = solver_model_of(document.workbook, sheet)
    if known is not None:
        return known
    if document.has_problem:
        return model_of_problem(document.problem)
    return SolverModel(sheet, None, ())


def is_saved(document: Document, model: SolverModel) -> bool:
    """Whether the workbook says this model already, by its names or by what it trains."""
    return first_model(document, model.sheet) == model
