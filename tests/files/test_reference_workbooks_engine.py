"""Every formula cell of the lesson's workbooks against the value that Excel stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sheets import Book, PlainFormula, PlainTable

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import ErrorCode, FormulaError, Scalar, unpack

WORKBOOKS = Path(__file__).parents[3] / "shared" / "reference" / "workbooks"
NAMES = (
    "collab_filter_2019.xlsx",
    "entropy_example_2019.xlsx",
    "graddesc_2017.xlsx",
    "graddesc_2019.xlsx",
)
RELATIVE, ABSOLUTE = 1e-9, 1e-12
VOLATILE_SHEETS = {"data"}  # RANDBETWEEN: no stored value can be expected again

pytestmark = pytest.mark.skipif(
    not WORKBOOKS.is_dir(), reason="the reference workbooks are not beside the repository"
)


def load(name: str) -> tuple[Book, dict[tuple[int, Cell], Scalar]]:
    """A workbook as engine inputs, and the stored values of its formula cells."""
    openpyxl = pytest.importorskip("openpyxl")
    from openpyxl.pivot.cache import CalculatedItem

    CalculatedItem.formula.allow_none = True  # the schema makes it optional
    formulas = openpyxl.load_workbook(WORKBOOKS / name)
    values = openpyxl.load_workbook(WORKBOOKS / name, data_only=True)
    book = Book(names=list(formulas.sheetnames))
    stored: dict[tuple[int, Cell], Scalar] = {}
    for index, sheet in enumerate(formulas.worksheets):
        cached = values.worksheets[index]
        for table in sheet.tables.values():
            columns = tuple(column.name for column in table.tableColumns)
            book.tables[table.name.casefold()] = PlainTable(
                index, Region.parse(table.ref), columns, table.headerRowCount,
                table.totalsRowCount or 0,
            )  # fmt: skip
        for scope, names in ((None, formulas.defined_names), (index, sheet.defined_names)):
            for key, defined in names.items():
                try:
                    book.defined[scope, key.casefold()] = parse(defined.attr_text, Cell(0, 0))
                except FormulaError:
                    continue
        arrays = [Region.parse(c.value.ref) for row in sheet.iter_rows() for c in row
                  if hasattr(c.value, "ref")]  # fmt: skip
        for row in sheet.iter_rows():
            for item in row:
                _enter(book, index, item, cached[item.coordinate].value, arrays, stored)
    return book, stored


def _enter(
    book: Book,
    sheet: int,
    item: Any,
    cached: Any,
    arrays: list[Region],
    stored: dict[tuple[int, Cell], Scalar],
) -> None:
    cell = Cell.parse(item.coordinate)
    value = item.value
    if value is None:
        return
    is_array = hasattr(value, "text")
    text = value.text if is_array else value
    if is_array or (isinstance(text, str) and text.startswith("=")):
        region = Region.parse(value.ref) if is_array else None
        if not is_array and any(a.contains(cell) for a in arrays):
            stored[sheet, cell] = scalar(cached)  # a member of an array formula
            return
        if text == "=":
            stored[sheet, cell] = scalar(cached)
            return
        try:
            expr = parse(text, cell)
        except FormulaError as fault:
            raise AssertionError(f"{item.coordinate}: {text}: {fault}") from fault
        book.expressions.setdefault(sheet, {})[cell] = PlainFormula(expr, region)
        stored[sheet, cell] = scalar(cached)
    elif any(a.contains(cell) for a in arrays):
        stored[sheet, cell] = scalar(cached)
    else:
        book.put(item.coordinate, scalar(value), sheet)


def scalar(value: Any) -> Scalar:
    if isinstance(value, str) and value.startswith("#"):
        try:
            return ErrorCode.parse(value)
        except ValueError:
            return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return value


def same(got: Scalar, wanted: Scalar) -> bool:
    if isinstance(got, float) and isinstance(wanted, float):
        return abs(got - wanted) <= max(ABSOLUTE, RELATIVE * abs(wanted))
    return got == wanted and type(got) is type(wanted)


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_cell_matches_what_excel_stored(name: str) -> None:
    book, stored = load(name)
    program = compile_program(book)
    got = {}
    for computed in program.recalculate():
        for cell in computed.region.cells():
            at = cell.row - computed.region.top, cell.col - computed.region.left
            got[computed.sheet, cell] = unpack(
                computed.values[at], int(computed.kinds[at]), book.strings
            )
    wrong = [
        f"{book.names[sheet]}!{cell}: {got.get((sheet, cell))!r} is not {wanted!r}"
        for (sheet, cell), wanted in stored.items()
        if book.names[sheet] not in VOLATILE_SHEETS and not same(got.get((sheet, cell)), wanted)
    ]
    assert len(stored) > 50
    assert wrong[:10] == []


@pytest.mark.parametrize(
    ("sheet", "cell", "wanted", "parameters"),
    [
        ("dotprod", "V41", 0.39301547, ["H19:V23", "B25:F39"]),
        ("bias", "V42", 0.31946742, ["H19:V24", "A26:F40"]),
    ],
)
def test_loss_of_the_lesson_has_a_gradient(
    sheet: str, cell: str, wanted: float, parameters: list[str]
) -> None:
    book, _ = load(NAMES[0])
    program = compile_program(book)
    program.recalculate()
    index = book.names.index(sheet)
    objective = program.objective(
        (index, Cell.parse(cell)), [(index, Region.parse(p)) for p in parameters]
    )
    loss, gradient = objective.loss_and_gradient(objective.theta0)
    assert objective.is_specialised
    assert float(loss) == pytest.approx(wanted, abs=1e-8)
    for i in (0, 7, len(gradient) // 2, len(gradient) - 1):
        step = np.zeros(len(gradient))
        step[i] = 1e-5
        up = objective.loss(objective.theta0 + torch.from_numpy(step))
        down = objective.loss(objective.theta0 - torch.from_numpy(step))
        assert float(gradient[i]) == pytest.approx(float(up - down) / 2e-5, rel=1e-6, abs=1e-9)
