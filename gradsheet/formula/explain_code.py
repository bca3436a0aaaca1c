"""Pieces of PyTorch code and the program they make.

Owns what a piece is (its text, shape, how tightly it holds), the program around an expression,
and the check that it runs and gives the number it should. Knows no formula.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradsheet.formula.explain_cells import Floats, Segment

INLINE = 8
"""Tensors of up to so many numbers are written into the expression; larger ones get a name."""
COMPARE, ADD, MULTIPLY, SIGN, POWER, ATOM = 1, 3, 4, 5, 6, 9
"""How tightly Python's operators hold, `**` tighter than a sign."""
HEADER = """import torch


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)  # a spreadsheet computes in float64


"""
RELATIVE, ABSOLUTE = 1e-9, 1e-12
"""How near the code must come to the cell (Excel shows 15 digits, see the engine's notes)."""


class NoTensorError(Exception):
    """A part of a formula that has no counterpart in tensors."""


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of an expression.

    Attributes
    ----------
    segments : its text
    power : how tightly it holds together
    is_tensor : whether it is a tensor rather than a Python number
    is_truth : whether it holds booleans, which do not add up as Excel's do
    shape : rows and columns; (1, 1) for one number
    is_flat : whether a tensor of many numbers has one dimension rather than two
    """

    segments: tuple[Segment, ...]
    power: int = ATOM
    is_tensor: bool = True
    is_truth: bool = False
    shape: tuple[int, int] = (1, 1)
    is_flat: bool = False

    @property
    def is_one(self) -> bool:
        """Whether it is a single number."""
        return self.shape == (1, 1)


def text(value: str, power: int = ATOM, *, is_tensor: bool = True) -> Code:
    """A piece that is only text."""
    return Code((Segment(value),), power, is_tensor)


@dataclass(frozen=True, slots=True)
class Program:
    """PyTorch code for one cell.

    Attributes
    ----------
    expression : what is shown, numbers rounded; `Segment.exact` has all digits
    source : a whole program; it leaves the number in `result`
    notes : remarks, one line each
    """

    expression: tuple[Segment, ...]
    source: str
    notes: tuple[str, ...]


def holds(program: Program, value: float) -> bool:
    """Whether the program runs and gives that number."""
    scope: dict[str, object] = {}
    try:
        exec(program.source, scope)
        result = float(scope["result"])  # type: ignore[arg-type]
    except (ValueError, TypeError, RuntimeError, ArithmeticError, IndexError, SyntaxError):
        return False  # the code says another thing than the formula; the value is put in then
    return math.isclose(result, value, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def float_text(value: float) -> str:
    """A number as Python writes a float, with all digits."""
    return repr(float(value)) if math.isfinite(value) else "float('nan')"


def nested(values: Floats, is_flat: bool) -> str:
    def one(x: float) -> str:
        return "nan" if math.isnan(x) else repr(x)

    rows = [[one(x) for x in row] for row in values.tolist()]
    if is_flat:
        body = ", ".join(x for row in rows for x in row)
        text = f"[{body}]"
    else:
        text = "[" + ",\n    ".join("[" + ", ".join(row) + "]" for row in rows) + "]"
    return text.replace("nan", "torch.nan")
