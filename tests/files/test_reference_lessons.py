"""The lecture's own workbook as oracle: our sheets, given its inputs, give Excel's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gradsheet.formula.address import Cell
from gradsheet.formula.compiler import compile_program
from gradsheet.lessons import catalogue
from gradsheet.sheet.edits import SetCells

STORED = {"dotprod": ("V41", 0.39301547), "bias": ("V42", 0.31946741)}


def stored_values(path: Path, sheet: str) -> dict[Cell, float]:
    openpyxl = pytest.importorskip("openpyxl")
    from openpyxl.pivot.cache import CalculatedItem

    CalculatedItem.formula.allow_none = True
    book = openpyxl.load_workbook(path, data_only=True)
    return {
        Cell(cell.row - 1, cell.column - 1): float(cell.value)
        for row in book[sheet].iter_rows()
        for cell in row
        if isinstance(cell.value, int | float)
    }


@pytest.mark.parametrize("lesson", ["dotprod", "bias"])
def test_our_sheet_gives_excels_numbers_and_right_gradients(lesson: str, reference: Path) -> None:
    stored = stored_values(reference / "workbooks" / "collab_filter_2019.xlsx", lesson)
    book = catalogue.find(lesson).build(0, None)
    sheet = book.workbook.sheets[0]
    inputs = tuple(
        (cell, stored[cell])
        for parameter in book.problem.parameters
        for cell in parameter.region.cells()
    )
    book.workbook.apply(SetCells(sheet.id, inputs))
    program = compile_program(book.workbook)
    for result in program.recalculate():
        sheet.cells.write(result.region, result.values, result.kinds)
    formulas = sheet.cells.formulas()
    assert len(formulas) == 226
    for cell in formulas:
        assert sheet.cells.get(cell)[0] == pytest.approx(stored[cell], rel=1e-9, abs=1e-12), cell
    address, loss = STORED[lesson]
    assert sheet.cells.get(Cell.parse(address))[0] == pytest.approx(loss, abs=5e-9)

    objective = program.objective(book.problem.loss, book.problem.regions)
    theta = objective.theta0
    _, gradient = objective.loss_and_gradient(theta)
    h = 1e-5
    central = torch.stack(
        [
            (objective.loss(theta + h * unit) - objective.loss(theta - h * unit)) / (2 * h)
            for unit in torch.eye(len(theta), dtype=theta.dtype)
        ]
    )
    error = (gradient - central).norm() / central.norm()
    assert float(error) < 1e-6
    np.testing.assert_allclose(gradient.numpy(), central.detach().numpy(), rtol=1e-5, atol=1e-8)
