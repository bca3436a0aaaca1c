"""Conditions between cells as functions of the parameter cells: how far each is from holding.

Owns Relation and Conditions: the differences of two sides, element by element, and their
gradients. Knows no method that makes them hold, and writes no cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.areas import Part
from gradsheet.formula.batch import ERROR, TEXT, Batch
from gradsheet.formula.evaluate import Evaluator
from gradsheet.formula.objective import (
    Objective,
    Setting,
    ancestors,
    fixed_world,
    over,
    steps_of,
)
from gradsheet.formula.syntax import Columns, Expr, Range, Ref, Rows, references, region_of
from gradsheet.formula.values import FormulaError
from gradsheet.formula.windows import Layered, Piece

if TYPE_CHECKING:
    from gradsheet.formula.compiler import Program
    from gradsheet.formula.recurrence import Step

Comparison = Literal["<=", "=", ">="]
HOST = Cell(0, 0)


@dataclass(frozen=True, slots=True)
class Relation:
    """One condition: two sides of cells, element by element; one cell holds for all.

    Parameters
    ----------
    sheet : id of the sheet on which references without a sheet are meant
    left, right : formulas as if written in A1
    comparison : "<=", "=" or ">="
    """

    sheet: int
    left: Expr
    comparison: Comparison
    right: Expr


def make_conditions(
    program: Program, relations: Sequence[Relation], parameters: Sequence[tuple[int, Region]]
) -> Conditions:
    """See `Program.conditions`."""
    relations = tuple(
        Relation(
            relation.sheet,
            program.resolved(relation.left, relation.sheet),
            relation.comparison,
            program.resolved(relation.right, relation.sheet),
        )
        for relation in relations
    )
    needed: set[int] = set()
    for relation in relations:
        for side in (relation.left, relation.right):
            for sheet, region in places_of(program, side, relation.sheet):
                program.storage.cover(sheet, region)  # no formula may read it
                for block in program.graph.blocks_in(sheet, region):
                    needed |= ancestors(program, block)
    start: set[int] = set()
    for home, region in parameters:
        program.storage.cover(home, region)
        start |= program.readers(home, region)
    on_path = program.reach(start) & needed
    world = fixed_world(program.world(program.snapshot()), program.sheet_names())
    setting = Setting(
        world.source, world, program.blocks, steps_of(program, on_path, None), (),
        (relations[0].sheet if relations else 0, HOST), tuple(parameters), "the conditions",
    )  # fmt: skip
    return Conditions(setting, relations)


def places_of(program: Program, expr: Expr, sheet: int) -> list[tuple[int, Region]]:
    """Return the cells that an expression reads directly, as (sheet id, region)."""
    ids = {name.casefold(): number for number, name in program.sheet_names().items()}
    found = []
    for node in references(expr):
        if not isinstance(node, (Ref, Range, Columns, Rows)):
            continue
        named = node.first.sheet if isinstance(node, Range) else node.sheet
        home = sheet if named is None else ids.get(named.casefold())
        region = region_of(node, HOST)
        if home is not None and region is not None:
            found.append((home, region))
    return found


class Conditions(Objective):
    """How far conditions are from holding, as functions of the parameters; immutable.

    The inherited loss is the sum of weight times difference, its parameters are theta and then
    the weights; so its gradient by the weights gives the differences, and the gradient by theta
    their weighted pull, both by the generated code of an objective.

    Parameters
    ----------
    setting : what they are computed from
    relations : with names and tables resolved

    Attributes
    ----------
    count : int
        Number of single conditions, all elements of all relations.
    is_equation : ndarray (count,) bool
    owners : ndarray (count,) int64
        Which relation each belongs to.

    Raises
    ------
    FormulaError
        If the sides of a relation do not fit, or hold no numbers.
    """

    def __init__(self, setting: Setting, relations: tuple[Relation, ...]) -> None:
        self._relations: tuple[Relation, ...] = ()
        self._free = sum(region.size for _, region in setting.parameters)
        super().__init__(setting)
        self._relations = relations
        start = self.theta0
        with torch.no_grad():
            cells, _, _ = super()._full(start, setting.path)
            parts = [self._difference(cells, relation) for relation in relations]
        sizes = [part.numel() for part in parts]
        self.count = sum(sizes)
        self.owners: npt.NDArray[np.int64] = np.repeat(np.arange(len(sizes)), sizes)
        equal = [relation.comparison == "=" for relation in relations]
        self.is_equation: npt.NDArray[np.bool_] = np.repeat(np.array(equal, bool), sizes)
        self.start = start
        self.theta0 = torch.cat([start, torch.ones(self.count, dtype=torch.float64)])
        if self.count:
            self._specialise(self.theta0)

    def differences(self, theta: Tensor) -> npt.NDArray[np.float64]:
        """Return left minus right (count,), right minus left for ">="; NaN for an error.

        A condition holds where it is 0 ("=") or not above 0.
        """
        both = torch.cat([theta, torch.ones(self.count, dtype=torch.float64)])
        found, gradient = self.loss_and_gradient(both)
        if not bool(torch.isfinite(found)):
            with torch.no_grad():
                cells, _, _ = super()._full(theta, self._setting.path)
                parts = [self._difference(cells, relation) for relation in self._relations]
            return _joined(parts).numpy()
        return gradient[self._free :].numpy().copy()

    def pull(
        self, theta: Tensor, weights: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return the gradient (n,) of the sum of weight times difference at theta."""
        both = torch.cat([theta, torch.from_numpy(weights)])
        return self.loss_and_gradient(both)[1][: self._free].numpy().copy()

    def sides(
        self, theta: Tensor
    ) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
        """Return (left, right) values of each relation, each (k,)."""
        with torch.no_grad():
            cells, _, _ = super()._full(theta, self._setting.path)
            found = []
            for relation in self._relations:
                left, right = self._pair(cells, relation)
                found.append((left.numpy().copy(), right.numpy().copy()))
        return found

    def _full(
        self, theta: Tensor, steps: Sequence[Step], loss_steps: Sequence[Step] | None = None
    ) -> tuple[Layered, Tensor, list[Piece]]:
        if not self._relations:
            cells, _, pieces = super()._full(theta, steps)
            return cells, torch.zeros((), dtype=torch.float64), pieces
        start, weights = torch.split_with_sizes(theta, [self._free, self.count])
        cells, _, pieces = super()._full(start, steps)
        parts = [self._difference(cells, relation) for relation in self._relations]
        return cells, (weights * _joined(parts)).sum(), pieces

    def _difference(self, cells: Layered, relation: Relation) -> Tensor:
        left, right = self._pair(cells, relation)
        return right - left if relation.comparison == ">=" else left - right

    def _pair(self, cells: Layered, relation: Relation) -> tuple[Tensor, Tensor]:
        left = self._side(cells, relation, relation.left)
        right = self._side(cells, relation, relation.right)
        count = max(left.numel(), right.numel())
        if left.numel() not in (1, count) or right.numel() not in (1, count):
            raise FormulaError(
                f"A condition compares {left.numel()} cells with {right.numel()}.",
                hint="Give both sides the same number of cells, or one side a single cell.",
            )
        return left.expand(count), right.expand(count)

    def _side(self, cells: Layered, relation: Relation, expr: Expr) -> Tensor:
        world = over(self._setting.world, cells)
        part = Part(relation.sheet, 0, 0, 1, 1)
        batch = Evaluator(world, part, True).result(expr)
        return _numbers(batch).reshape(-1)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _numbers(batch: Batch) -> Tensor:
    """The values as numbers: NaN for errors and texts."""
    if isinstance(batch.kind, int):
        if batch.kind in (ERROR, TEXT):
            return torch.full_like(batch.num, float("nan"))
        return batch.num
    bad = (batch.kind == ERROR) | (batch.kind == TEXT)
    return torch.where(bad, float("nan"), batch.num) if bool(bad.any()) else batch.num
