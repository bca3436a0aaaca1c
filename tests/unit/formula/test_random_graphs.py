"""Two hundred random sheets of formulas: the gradient agrees with central differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import Program, compile_program
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import Kind
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.workbook import Workbook

LAYERS = [
    "=SIN(A{p})*B$1+$C$2", "=EXP(-A{p}^2)+A$1", "=IF(A{p}>0.7,A{p}*2,A{p}^2)",
    "=SQRT(ABS(A{p})+1)", "=SUM($A{p}:$C{p})/3+A{p}*A$1", "=LN(1+A{p}^2)",
    "=MMULT($A{p}:$B{p},A$1:A$2)", "=SUMPRODUCT($A{p}:$C{p},$A$1:$C$1)/2",
    "=TANH(A{p})/(1+B$2^2)", "=MAX(A{p},0.31)+MIN(A$2,A{p})", "=AVERAGE($A{p}:$C{p})-A{p}",
    "=A{p}/(2+COS(A{p}))", "=VAR.S($A{p}:$C{p})+A{p}", "=INDEX($A{p}:$C{p},2)*A{p}",
    '=IF($A$9="",A{p},0)+COUNT($A{p}:$C{p})/10', "=LET(x,A{p},x*x/(1+x*x))",
    "=IFERROR(A{p}/(A$1-A$1),A{p}*1.5)", "=SUMXMY2($A{p}:$B{p},$B{p}:$C{p})/5+A{p}",
]  # fmt: skip
LOSSES = ["=SUMSQ({last})", "=SQRT(SUMXMY2({last},A1:C1)/3)", "=SUM({last})^2+SUMPRODUCT({last},A2:C2)"]  # noqa: E501  # fmt: skip
PARAMETERS = Region.parse("A1:C2")
FIRST_ROW = 20


@pytest.mark.parametrize("block", range(20))
def test_ten_random_graphs_have_right_gradients(block: int) -> None:
    for seed in range(10 * block, 10 * block + 10):
        generator = np.random.default_rng(seed)
        program, sheet, loss = tame_sheet(generator)
        objective = program.objective((sheet, loss), [(sheet, PARAMETERS)])
        theta = objective.theta0
        _, gradient = objective.loss_and_gradient(theta)
        h = 1e-6
        central = torch.stack(
            [
                (objective.loss(theta + h * unit) - objective.loss(theta - h * unit)) / (2 * h)
                for unit in torch.eye(len(theta), dtype=theta.dtype)
            ]
        )
        error = float((gradient - central).norm() / central.norm().clamp_min(1e-6))
        assert error < 1e-5, f"seed {seed}: {error:.2g}"


def tame_sheet(generator: np.random.Generator) -> tuple[Program, int, Cell]:
    """Return a random program all of whose values are numbers that differences can resolve."""
    while True:
        workbook, loss = random_sheet(generator)
        program = compile_program(workbook)
        computed = program.recalculate()
        if all((c.kinds == Kind.NUMBER).all() and abs(c.values).max() < 1e3 for c in computed):
            return program, workbook.sheets[0].id, loss


def random_sheet(generator: np.random.Generator) -> tuple[Workbook, Cell]:
    """Return a workbook of three to seven layers of random formulas, and its loss cell."""
    workbook = Workbook.with_sheet("random")
    cells = [(cell, float(generator.uniform(0.4, 1.6))) for cell in PARAMETERS.cells()]
    row, previous = FIRST_ROW, 1
    for _ in range(int(generator.integers(3, 8))):
        text = LAYERS[int(generator.integers(len(LAYERS)))].format(p=previous)
        formula = Formula(parse(text, Cell(row, 0)))
        cells += [(Cell(row, col), formula) for col in range(3)]
        previous, row = row + 1, row + 1
    loss = Cell(row, 4)
    text = LOSSES[int(generator.integers(len(LOSSES)))].format(last=f"A{previous}:C{previous}")
    cells.append((loss, Formula(parse(text, loss))))
    workbook.apply(SetCells(workbook.sheets[0].id, tuple(cells)))
    return workbook, loss
