"""Thirty standard problems as sheets: variables in A1, A2, ...; everything else is formulas.

Hock and Schittkowski, Test Examples for Nonlinear Programming Codes (1981), by their numbers
there, and well-known functions without constraints. `optimum` is the published value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook

ROSENBROCK = "=100*(A2-A1^2)^2+(1-A1)^2"


@dataclass(frozen=True)
class Standard:
    """One problem: rows are (left formula, relation, right) as Solver's dialog takes them."""

    name: str
    start: tuple[float, ...]
    objective: str
    optimum: float
    rows: tuple[tuple[str, str, str], ...] = ()
    goal: str = "minimise"
    low: dict[int, float] = field(default_factory=dict)
    high: dict[int, float] = field(default_factory=dict)
    starts: int = 1


def box(low: list[float | None], high: list[float | None]) -> dict[str, dict[int, float]]:
    return {
        "low": {i: v for i, v in enumerate(low) if v is not None},
        "high": {i: v for i, v in enumerate(high) if v is not None},
    }


S3 = math.sqrt(3)
PROBLEMS = (
    Standard("Rosenbrock", (-1.2, 1), ROSENBROCK, 0.0),
    Standard("Beale", (1, 1), "=(1.5-A1+A1*A2)^2+(2.25-A1+A1*A2^2)^2+(2.625-A1+A1*A2^3)^2", 0.0),
    Standard("Powell singular", (3, -1, 0, 1),
             "=(A1+10*A2)^2+5*(A3-A4)^2+(A2-2*A3)^4+10*(A1-A4)^4", 0.0),
    Standard("Six-hump camel", (2, 1),
             "=(4-2.1*A1^2+A1^4/3)*A1^2+A1*A2+(4*A2^2-4)*A2^2", -1.031628453489877, starts=8),
    Standard("Branin", (6, 12),
             "=(A2-5.1/(4*PI()^2)*A1^2+5/PI()*A1-6)^2+10*(1-1/(8*PI()))*COS(A1)+10",
             0.39788735772973816, **box([-5, 0], [10, 15])),
    Standard("HS1", (-2, 1), ROSENBROCK, 0.0, **box([None, -1.5], [])),
    Standard("HS2", (-2, 1), ROSENBROCK, 0.0504261879, starts=8,
             **box([None, 1.5], [])),
    Standard("HS4", (1.125, 0.125), "=(A1+1)^3/3+A2", 8 / 3, **box([1, 0], [])),
    Standard("HS5", (0, 0), "=SIN(A1+A2)+(A1-A2)^2-1.5*A1+2.5*A2+1",
             -S3 / 2 - math.pi / 3, **box([-1.5, -3], [4, 3])),
    Standard("HS6", (-1.2, 1), "=(1-A1)^2", 0.0, (("=10*(A2-A1^2)", "=", "=0"),)),
    Standard("HS7", (2, 2), "=LN(1+A1^2)-A2", -S3, (("=(1+A1^2)^2+A2^2", "=", "=4"),)),
    Standard("HS9", (0, 0), "=SIN(PI()*A1/12)*COS(PI()*A2/16)", -0.5,
             (("=4*A1-3*A2", "=", "=0"),)),
    Standard("HS10", (-10, 10), "=A1-A2", -1.0, (("=0-3*A1^2+2*A1*A2-A2^2+1", ">=", "=0"),)),
    Standard("HS11", (4.9, 0.1), "=(A1-5)^2+A2^2-25", -8.498464223, (("=A1^2", "<=", "=A2"),)),
    Standard("HS12", (0, 0), "=0.5*A1^2+A2^2-A1*A2-7*A1-7*A2", -30.0,
             (("=4*A1^2+A2^2", "<=", "=25"),)),
    Standard("HS14", (2, 2), "=(A1-2)^2+(A2-1)^2", 9 - 2.875 * math.sqrt(7),
             (("=0.25*A1^2+A2^2", "<=", "=1"), ("=A1-2*A2", "=", "=-1"))),
    Standard("HS15", (-2, 1), ROSENBROCK, 306.5,
             (("=A1*A2", ">=", "=1"), ("=A1+A2^2", ">=", "=0")), **box([], [0.5])),
    Standard("HS18", (2, 2), "=0.01*A1^2+A2^2", 5.0,
             (("=A1*A2", ">=", "=25"), ("=A1^2+A2^2", ">=", "=25")), **box([2, 0], [50, 50])),
    Standard("HS19", (20.1, 5.84), "=(A1-10)^3+(A2-20)^3", -6961.81381,
             (("=(A1-5)^2+(A2-5)^2", ">=", "=100"), ("=(A2-5)^2+(A1-6)^2", "<=", "=82.81")),
             **box([13, 0], [100, 100])),
    Standard("HS23", (3, 1), "=A1^2+A2^2", 2.0,
             (("=A1+A2", ">=", "=1"), ("=A1^2+A2^2", ">=", "=1"), ("=9*A1^2+A2^2", ">=", "=9"),
              ("=A1^2", ">=", "=A2"), ("=A2^2", ">=", "=A1")), **box([-50, -50], [50, 50])),
    Standard("HS26", (-2.6, 2, 2), "=(A1-A2)^2+(A2-A3)^4", 0.0,
             (("=(1+A2^2)*A1+A3^4", "=", "=3"),)),
    Standard("HS29", (1, 1, 1), "=A1*A2*A3", 16 * math.sqrt(2),
             (("=A1^2+2*A2^2+4*A3^2", "<=", "=48"),), goal="maximise"),
    Standard("HS33", (0, 0, 3), "=(A1-1)*(A1-2)*(A1-3)+A3", math.sqrt(2) - 6,
             (("=A3^2-A2^2-A1^2", ">=", "=0"), ("=A1^2+A2^2+A3^2", ">=", "=4")),
             starts=8, **box([0, 0, 0], [None, None, 5])),
    Standard("HS34", (0, 1.05, 2.9), "=A1", math.log(math.log(10)),
             (("=A2-EXP(A1)", ">=", "=0"), ("=A3-EXP(A2)", ">=", "=0")), goal="maximise",
             **box([0, 0, 0], [100, 100, 10])),
    Standard("HS35", (0.5, 0.5, 0.5),
             "=9-8*A1-6*A2-4*A3+2*A1^2+2*A2^2+A3^2+2*A1*A2+2*A1*A3", 1 / 9,
             (("=A1+A2+2*A3", "<=", "=3"),), **box([0, 0, 0], [])),
    Standard("HS37", (10, 10, 10), "=PRODUCT(A1:A3)", 3456.0,
             (("=A1+2*A2+2*A3", "<=", "=72"), ("=A1+2*A2+2*A3", ">=", "=0")), goal="maximise",
             **box([0, 0, 0], [42, 42, 42])),
    Standard("HS38", (-3, -1, -3, -1),
             "=100*(A2-A1^2)^2+(1-A1)^2+90*(A4-A3^2)^2+(1-A3)^2"
             "+10.1*((A2-1)^2+(A4-1)^2)+19.8*(A2-1)*(A4-1)", 0.0,
             **box([-10] * 4, [10] * 4)),
    Standard("HS43", (0, 0, 0, 0),
             "=SUMSQ(A1:A4)+A3^2-5*A1-5*A2-21*A3+7*A4", -44.0,
             (("=SUMSQ(A1:A4)+A1-A2+A3-A4", "<=", "=8"),
              ("=A1^2+2*A2^2+A3^2+2*A4^2-A1-A4", "<=", "=10"),
              ("=2*A1^2+A2^2+A3^2+2*A1-A2-A4", "<=", "=5"))),
    Standard("HS71", (1, 5, 5, 1), "=A1*A4*SUM(A1:A3)+A3", 17.0140173,
             (("=PRODUCT(A1:A4)", ">=", "=25"), ("=SUMSQ(A1:A4)", "=", "=40")),
             **box([1] * 4, [5] * 4)),
    Standard("HS76", (0.5,) * 4,
             "=A1^2+0.5*A2^2+A3^2+0.5*A4^2-A1*A3+A3*A4-A1-3*A2+A3-A4", -4.681818181818182,
             (("=A1+2*A2+A3+A4", "<=", "=5"), ("=3*A1+A2+2*A3-A4", "<=", "=4"),
              ("=A2+4*A3", ">=", "=1.5")), **box([0] * 4, [])),
)  # fmt: skip

WITHOUT_MULTIPLIERS = Standard(
    "HS13", (-2, -2), "=(A1-2)^2+A2^2", 1.0, (("=(1-A1)^3-A2", ">=", "=0"),), **box([0, 0], [])
)
"""Its optimum has no Lagrange multipliers: no such method comes close, and has to say so."""


def sheet_of(problem: Standard) -> tuple[Workbook, Cell, list[tuple[str, str, str]]]:
    """Return workbook, objective cell (D1) and constraints between cells.

    Bounds are constraints on variables, as the dialog takes them; every other left side is a
    cell of column E, every right side one of column F where it is a formula of its own.
    """
    workbook = Workbook.with_sheet("model")
    sheet = workbook.sheets[0]
    n = len(problem.start)
    sheet.cells.write(Region(0, 0, n, 1), [[v] for v in problem.start])

    def put(place: str, text: str) -> None:
        cell = Cell.parse(place)
        sheet.cells.set_formula(cell, Formula(parse(text, cell)))

    put("D1", problem.objective)
    rows: list[tuple[str, str, str]] = []
    for number, (left, relation, right) in enumerate(problem.rows, 1):
        put(f"E{number}", left)
        put(f"F{number}", right)
        rows.append((f"=E{number}", relation, f"=F{number}"))
    rows += [(f"=A{i + 1}", ">=", f"={v:g}") for i, v in problem.low.items()]
    rows += [(f"=A{i + 1}", "<=", f"={v:g}") for i, v in problem.high.items()]
    return workbook, Cell.parse("D1"), rows
