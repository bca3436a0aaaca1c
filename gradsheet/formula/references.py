"""References of a block, and the surroundings that they are read from.

Owns World, and the places of references: implicit intersection, whole columns, computed areas,
what is to be computed before it can be read. Knows no operators and no functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.areas import Area, Areas, Part, Scatter, area_of
from gradsheet.formula.batch import Batch, error
from gradsheet.formula.syntax import Columns, Expr, Range, Ref, Rows
from gradsheet.formula.values import ErrorCode, FormulaError, Strings
from gradsheet.formula.windows import Planes

Value: TypeAlias = Batch | Area | Scatter | Areas


@dataclass(slots=True)
class World:
    """What formulas are evaluated in.

    Parameters
    ----------
    source : the cells
    strings : the texts of the workbook
    sheet_of : id of a sheet by name, None if there is none
    demand : called with (sheet, region) before cells are read that a formula found itself
    generator : randomness of volatile functions
    draws : what volatile functions drew, by cell and call, so that it is drawn once
    date_1904 : whether dates count from 1904
    set_aside : the hidden rows of a sheet, and its cells that hold totals
    formula_text : the formula of a cell, None if it holds none
    """

    source: Planes
    strings: Strings
    sheet_of: Callable[[str], int | None]
    sheet_name: Callable[[int], str]
    parse: Callable[[int, int, int, int], Expr]
    demand: Callable[[int, Region], None] = lambda sheet, region: None
    generator: torch.Generator = field(default_factory=torch.Generator)
    draws: dict[tuple[Any, ...], Tensor] = field(default_factory=dict)
    date_1904: bool = False
    set_aside: Callable[[int], tuple[frozenset[int], frozenset[Cell]]] = lambda sheet: (
        frozenset(), frozenset()
    )  # fmt: skip
    formula_text: Callable[[int, Cell], str | None] = lambda sheet, cell: None


class References:
    """The references of one part of a block; the base of `Evaluator`.

    Parameters
    ----------
    world : the cells and what belongs to them
    part : the cells that hold the formula
    """

    def __init__(self, world: World, part: Part) -> None:
        self.world = world
        self.strings = world.strings
        self.part = part

    def crossing(self, area: Area) -> Area | Scatter:
        """The cells of a row or column that lie in the host's column or row."""
        part = self.part
        rows = part.top + part.row_stride * np.arange(part.rows)
        cols = part.left + part.col_stride * np.arange(part.cols)
        if area.height > 1:
            tops = area.top + area.row_step * np.arange(part.rows)
            good = (tops <= rows) & (rows < tops + area.height)
            if good.all():
                step = part.row_stride if part.rows > 1 else 0
                return Area(
                    area.sheet, part.top, area.left, 1, 1, step, area.col_step, area.dynamic
                )
            lefts = area.left + area.col_step * np.arange(part.cols)
            codes = np.where(good, 0.0, float(ErrorCode.VALUE))[:, None]
            return Scatter(area.sheet, rows[:, None], lefts[None, :], 1, 1, codes)
        lefts = area.left + area.col_step * np.arange(part.cols)
        good = (lefts <= cols) & (cols < lefts + area.width)
        if good.all():
            step = part.col_stride if part.cols > 1 else 0
            return Area(area.sheet, area.top, part.left, 1, 1, area.row_step, step, area.dynamic)
        tops = area.top + area.row_step * np.arange(part.rows)
        codes = np.where(good, 0.0, float(ErrorCode.VALUE))[None, :]
        return Scatter(area.sheet, tops[:, None], cols[None, :], 1, 1, codes)

    def clipped(self, area: Area) -> Area:
        """Whole columns and rows cut at the last cell that holds anything on any sheet."""
        if area.height < 1_000_000 and area.width < 16_000:
            return area
        rows, cols = self.world.source.extent()
        height = min(area.height, max(1, rows - area.top)) if area.height >= 1_000_000 else (
            area.height
        )  # fmt: skip
        width = min(area.width, max(1, cols - area.left)) if area.width >= 16_000 else area.width
        return Area(
            area.sheet, area.top, area.left, height, width, area.row_step, area.col_step,
            area.dynamic,
        )  # fmt: skip

    def demand_scatter(self, scatter: Scatter) -> None:
        """Have scattered cells computed before they are read."""
        shape = np.broadcast_shapes(scatter.tops.shape, scatter.lefts.shape)
        tops = np.broadcast_to(scatter.tops, shape).ravel()
        lefts = np.broadcast_to(scatter.lefts, shape).ravel()
        if scatter.errors is not None:
            good = np.broadcast_to(scatter.errors, shape).ravel() == 0
            tops, lefts = tops[good], lefts[good]
        if not tops.size:
            return
        if tops.size <= 64:
            for top, left in set(zip(tops.tolist(), lefts.tolist(), strict=True)):
                region = Region(top, left, top + scatter.height, left + scatter.width)
                self.world.demand(scatter.sheet, region)
            return
        hull = Region(int(tops.min()), int(lefts.min()), int(tops.max()) + scatter.height,
                      int(lefts.max()) + scatter.width)  # fmt: skip
        self.world.demand(scatter.sheet, hull)

    def corners(self, value: Area | Scatter) -> tuple[Any, Any, Any]:
        """First row and column of a reference, int64 (R|1, C|1), and codes of errors."""
        if isinstance(value, Scatter):
            codes = np.zeros((1, 1)) if value.errors is None else value.errors
            return value.tops, value.lefts, codes
        rows = self.part.rows if value.row_step else 1
        cols = self.part.cols if value.col_step else 1
        tops = value.top + value.row_step * np.arange(rows, dtype=np.int64)
        lefts = value.left + value.col_step * np.arange(cols, dtype=np.int64)
        return tops[:, None], lefts[None, :], np.zeros((1, 1))

    def placed(
        self, sheet: int, tops: Any, lefts: Any, height: int, width: int, codes: Any, *,
        dynamic: bool,
    ) -> Value:  # fmt: skip
        """A reference at computed places; #REF! where it leaves the sheet."""
        outside = (tops < 0) | (lefts < 0) | (tops + height > MAX_ROWS) | (lefts + width > MAX_COLS)
        codes = np.where(codes > 0, codes, np.where(outside, float(ErrorCode.REF), 0.0))
        if not codes.any() and tops.size == 1 and lefts.size == 1:
            return Area(sheet, int(tops.flat[0]), int(lefts.flat[0]), height, width,
                        dynamic=dynamic)  # fmt: skip
        return Scatter(sheet, tops, lefts, height, width, codes if codes.any() else None)

    def spelled(self, text: str) -> Value:
        """The reference that a text spells, #REF! for a text that spells none."""
        host = self.part.host
        try:
            expr = self.world.parse(self.strings.id_of("=" + text), self.part.sheet, *host)
        except FormulaError:
            return error(ErrorCode.REF)
        if not isinstance(expr, (Ref, Range, Columns, Rows)):
            return error(ErrorCode.REF)
        name = expr.first.sheet if isinstance(expr, Range) else expr.sheet
        sheet = self.part.sheet if name is None else self.world.sheet_of(name)
        if sheet is None:
            return error(ErrorCode.REF)
        area = area_of(expr, sheet, Part(self.part.sheet, host.row, host.col, 1, 1))
        return error(ErrorCode.REF) if area is None else replace(area, dynamic=True)

    def joined(self, a: Value, b: Value) -> Value:
        """The smallest area around two, `a:b`."""
        for value in (a, b):
            if isinstance(value, Batch):
                return value if value.is_only(4) else error(ErrorCode.VALUE)
        if not (isinstance(a, Area) and isinstance(b, Area)) or a.sheet != b.sheet:
            return error(ErrorCode.VALUE)
        if (a.row_step, a.col_step) != (b.row_step, b.col_step):
            return error(ErrorCode.UNSUPPORTED)
        hull = a.hull(1, 1).union_hull(b.hull(1, 1))
        steps = a.row_step, a.col_step
        return Area(a.sheet, hull.top, hull.left, hull.rows, hull.cols, *steps, dynamic=True)
