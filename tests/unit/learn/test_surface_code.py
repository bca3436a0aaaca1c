"""Typed functions of x and y: the engine's values, autograd's derivatives, refusals by name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gradsheet.formula.address import Cell
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import Name, Ref, parse, transform
from gradsheet.formula.values import FormulaError
from gradsheet.learn.functions2d import PRESETS
from gradsheet.learn.surface_code import compile_surface
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import SetCells, SetValues
from gradsheet.sheet.workbook import Workbook

TEXTS = [
    *(preset.formula for preset in PRESETS.values()),
    "x", "3", "-x+y", "x*y", "x/y", "2^x", "x^y", "x^3", "(x*y)^2", "x%", "SQRT(x*x+1)",
    "EXP(-x)*SIN(y)", "LN(x+5)", "LOG10(y+5)", "COS(x)-TAN(y/4)", "SINH(x)+COSH(y)+TANH(x*y)",
    "ATAN(x/y)", "ABS(x-y)", "POWER(x,2)", "MIN(x,y)", "MAX(x,0.5,y)", "IF(x>y,x^2,3)",
    "SUM(x,y,1)", "SUMSQ(x,y-1)", "=x+y", "-x^2", "2^-y", "(x+1)/(y*y+2)", "1/x",
]  # fmt: skip


def points() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.rand(2, 40, generator=generator, dtype=torch.float64) * 3 + 0.2).unbind()
    return x, y


@pytest.mark.parametrize("text", TEXTS)
def test_the_values_are_those_of_the_spreadsheet(text: str) -> None:
    x, y = points()
    workbook = Workbook.with_sheet("s")
    sheet = workbook.sheets[0].id
    refs = {"x": Ref(None, 0, -2, False, False), "y": Ref(None, 0, -1, False, False)}
    expr = transform(
        parse(text, Cell(0, 2)), lambda n: refs[n.name.casefold()] if isinstance(n, Name) else n
    )
    grid = np.stack([x.numpy(), y.numpy()], 1)
    from gradsheet.formula.address import Region

    workbook.apply(SetValues(sheet, Region(0, 0, 40, 2), grid))
    workbook.apply(SetCells(sheet, tuple((Cell(i, 2), Formula(expr)) for i in range(40))))
    found = np.zeros(40)
    for result in compile_program(workbook).recalculate():
        found[result.region.top : result.region.bottom] = result.values[:, 0]
    values, _ = compile_surface(text)
    assert values(x, y).numpy() == pytest.approx(found, rel=1e-12)


@pytest.mark.parametrize("text", TEXTS)
def test_the_derivatives_are_autograds(text: str) -> None:
    x, y = points()
    values, slopes = compile_surface(text)
    roots = (x.clone().requires_grad_(), y.clone().requires_grad_())
    value, dx, dy = slopes(x, y)
    assert value.tolist() == values(x, y).tolist()
    result = values(*roots) + 0 * roots[0]
    grads = torch.autograd.grad(result.sum(), roots, allow_unused=True)
    for own, grad in zip((dx, dy), grads, strict=True):
        expected = torch.zeros_like(own) if grad is None else grad
        assert own.tolist() == pytest.approx(expected.tolist(), rel=1e-11, abs=1e-13)


@pytest.mark.parametrize(
    ("text", "named"),
    [("z+1", "z"), ("A1+x", "Ref"), ("VLOOKUP(x,y,1)", "VLOOKUP"), ('x&"a"', "Binary"),
     ("x+", "."), ("SIN(x,y)", "SIN"), ("RAND()*x", "RAND")],
)  # fmt: skip
def test_what_is_no_function_of_x_and_y_is_refused(text: str, named: str) -> None:
    with pytest.raises(FormulaError, match=named):
        compile_surface(text)


def test_a_grid_of_points_is_computed_at_once() -> None:
    values, _ = compile_surface("x+10*y")
    x, y = torch.meshgrid(
        torch.arange(3, dtype=torch.float64), torch.arange(2, dtype=torch.float64), indexing="xy"
    )
    assert values(x, y).tolist() == [[0, 1, 2], [10, 11, 12]]
