"""Derivatives of formulas as formulas: equal to central differences, and short."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradsheet.formula.address import Cell
from gradsheet.formula.derivative import derivative
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import FormulaError
from gradsheet.learn.functions2d import PRESETS
from gradsheet.learn.surface_code import compile_surface

HERE = Cell(0, 0)
TYPED = (
    "EXP(-x^2)*TAN(y/3)+SINH(x)/COSH(y)",
    "LN(2+x^2)+LOG10(3+y^2)+SQRT(1+x^2*y^2)+ABS(x-y)",
    "POWER(2+x^2,1+y/3)+TANH(x*y)+ATAN(x/(2+y^2))",
    "SUMSQ(x-1,y-2,x*y)+SUM(x,y,3)+MIN(x,y,x*y)+MAX(x,2*y)",
    "IF(x>y,x^2,3*y)+5%*x-(-y)^3/7",
)


def shown(text: str, name: str) -> str:
    return unparse(derivative(parse(text, HERE), name), HERE)


@pytest.mark.parametrize("text", [*(preset.formula for preset in PRESETS.values()), *TYPED])
def test_it_is_the_slope_that_the_tensor_code_finds(text: str) -> None:
    points = torch.rand(200, 2, generator=torch.Generator().manual_seed(1)).double() * 4 - 2
    x, y = points[:, 0], points[:, 1]
    _, slopes = compile_surface(text)
    _, *expected = slopes(x, y)
    for name, slope in zip("xy", expected, strict=True):
        written = shown(text, name).replace("SIGN(x-y)", "IF(x>y,1,-1)")
        values, _ = compile_surface(written)
        torch.testing.assert_close(values(x, y), slope, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("(1-x)^2+100*(y-x^2)^2", "x", "=-2*(1-x)-400*(y-x^2)*x"),
        ("(1-x)^2+100*(y-x^2)^2", "y", "=200*(y-x^2)"),
        ("(x^2+k*y^2)/2", "x", "=x"),
        ("(x^2+k*y^2)/2", "y", "=y*k"),
        ("x^2-y^2+y^4/4", "y", "=-2*y+y^3"),
        ("LN(x)", "x", "=1/x"),
        ("x/3", "x", "=1/3"),
        ("y", "x", "=0"),
    ],
)
def test_it_is_written_as_by_hand(text: str, name: str, expected: str) -> None:
    assert shown(text, name) == expected


@settings(max_examples=60)
@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(2, 6))
def test_a_power_falls_by_one(a: float, b: float, n: int) -> None:
    values, _ = compile_surface(shown(f"({a!r}*x+{b!r}*y)^{n}", "x"))
    x, y = torch.tensor([0.7]).double(), torch.tensor([-0.4]).double()
    expected = n * a * (a * 0.7 + b * -0.4) ** (n - 1)
    assert float(values(x, y)) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("text", ["ROUND(x,2)", "x&y", "MMULT(x,y)"])
def test_what_has_no_rule_is_refused(text: str) -> None:
    with pytest.raises(FormulaError, match="no derivative"):
        derivative(parse(text, HERE), "x")
