"""SUBTOTAL and AGGREGATE on a workbook with hidden rows, and what is said of formulas."""

from __future__ import annotations

import pytest
import torch

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.formula.trace import Tracer
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook


def book(formulas: dict[str, str], hidden: tuple[int, ...] = ()) -> Workbook:
    """1, 2, 4, 8, 16 in A1:A5, and formulas, computed."""
    workbook = Workbook.with_sheet()
    sheet = workbook.sheets[0]
    sheet.cells.write(Region.parse("A1:A5"), [[1.0], [2.0], [4.0], [8.0], [16.0]])
    sheet.row_heights = dict.fromkeys(hidden, -20)
    for place, text in formulas.items():
        for cell in Region.parse(place).cells():
            host = Region.parse(place).first
            sheet.cells.set_formula(cell, Formula(parse(text, host)))
    for piece in compile_program(workbook).recalculate():
        sheet.cells.write(piece.region, piece.values, piece.kinds)
    return workbook


def shown(workbook: Workbook, place: str) -> float:
    return float(workbook.sheets[0].cells.get(Cell.parse(place))[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=SUBTOTAL(9,A1:A5)", 31.0), ("=SUBTOTAL(109,A1:A5)", 21.0),
        ("=SUBTOTAL(104,A1:A5)", 16.0), ("=AGGREGATE(9,5,A1:A5)", 21.0),
        ("=AGGREGATE(9,4,A1:A5)", 31.0), ("=AGGREGATE(14,7,A1:A5,2)", 4.0),
    ],
)  # fmt: skip
def test_hidden_rows_count_only_where_they_are_asked_for(text: str, expected: float) -> None:
    assert shown(book({"C9": text}, hidden=(1, 3)), "C9") == expected


def test_a_filled_block_leaves_out_what_each_of_its_cells_must() -> None:
    workbook = book({"A6": "=SUBTOTAL(9,A1:A5)", "C1:C6": "=SUBTOTAL(9,A1:A$6)"})
    assert [shown(workbook, f"C{row}") for row in range(1, 7)] == [31, 30, 28, 24, 16, 0]


def test_a_gradient_passes_through_a_subtotal_with_a_total_in_it() -> None:
    workbook = book({"A6": "=SUBTOTAL(9,A1:A5)", "C1": "=SUBTOTAL(9,A1:A6)^2"})
    sheet = workbook.sheets[0].id
    program = compile_program(workbook)
    objective = program.objective((sheet, Cell.parse("C1")), [(sheet, Region.parse("A1:A5"))])
    loss, gradient = objective.loss_and_gradient(objective.theta0)
    assert float(loss) == 31.0**2
    assert gradient.tolist() == [62.0] * 5


def test_a_transpose_by_attribute_is_not_lost_in_a_record() -> None:
    root = torch.ones(2, 3, dtype=torch.float64)
    with Tracer(root) as tracer:
        turned = root.T
    assert tracer.depends(turned)
    assert tracer.record.broken
