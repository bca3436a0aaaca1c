"""A workbook's formulas as a program that recalculates them.

Owns Program: the planes it computes on, which blocks an edit makes dirty, the order in which
they run, spills, circles and what was drawn at random. Writes nothing back: the caller gets
what was computed. Knows no window and no workbook, only Inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.areas import Part
from gradsheet.formula.blocks import Block
from gradsheet.formula.conditions import Conditions, Relation, make_conditions
from gradsheet.formula.evaluate import World
from gradsheet.formula.functions.totals import TOTALS, calls
from gradsheet.formula.graph import Graph, Inputs
from gradsheet.formula.objective import Objective, make_objective
from gradsheet.formula.recurrence import Unrolled, unrolled
from gradsheet.formula.results import Computed, Results, as_computed
from gradsheet.formula.run import Run, is_volatile
from gradsheet.formula.shortcut import Shortcut
from gradsheet.formula.storage import Storage
from gradsheet.formula.syntax import Expr, parse, unparse
from gradsheet.formula.values import ErrorCode, Kind
from gradsheet.formula.windows import Planes

_MOST_ROUNDS = 20  # spills that move each other are given up after so many tries


def compile_program(inputs: Inputs, *, seed: int = 0) -> Program:
    """Read every formula of a workbook and plan its computation.

    Parameters
    ----------
    inputs : the workbook
    seed : of what volatile functions draw
    """
    return Program(inputs, seed)


class Program:
    """The formulas of a workbook, ready to run; see `compile_program`."""

    def __init__(self, inputs: Inputs, seed: int = 0) -> None:
        self._inputs = inputs
        self._generator = torch.Generator().manual_seed(seed)
        self._spills = _noted_spills(inputs)
        self._draws: dict[tuple[object, ...], torch.Tensor] = {}
        self._totals: dict[int, frozenset[Cell]] = {}
        self.storage = Storage(inputs)
        self.targets: dict[int, list[tuple[int, Region]]] = {}
        self._plan()
        self._is_current = False

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block, by its index."""
        return tuple(self.graph.blocks)

    def block_at(self, sheet: int, cell: tuple[int, int]) -> Block | None:
        """The block that computes a cell."""
        index = self.graph.owner(sheet, cell)
        return None if index is None else self.graph.blocks[index]

    @property
    def spills(self) -> dict[tuple[int, Cell], Region]:
        """Where dynamic formulas spill now, by (sheet, anchor).

        Who keeps the workbook gives the region back as the formula's `array`, so that the next
        program takes what is stored there for results and not for something in the way.
        """
        return {
            (block.sheet, block.part.host): block.region
            for block in self.graph.blocks
            if block.dynamic
        }

    @property
    def circular(self) -> list[tuple[tuple[int, Cell], ...]]:
        """Every circle as (sheet, cell), each read by the next, the first again at the end."""
        found = list(self._dynamic_circles)
        for index, component in enumerate(self.graph.components):
            if component.is_recurrence:
                found.extend(self.unrolled(index).circles)
        return found

    def shows(self, sheet: int, cell: tuple[int, int]) -> ErrorCode | None:
        """The error that a cell shows, None if it shows none."""
        plane = self.storage.planes.planes[sheet]
        if cell[0] >= plane.rows or cell[1] >= plane.cols or plane.kinds[cell] != Kind.ERROR:
            return None
        return ErrorCode(int(plane.values[cell]))

    def precedents(self, sheet: int, cell: tuple[int, int]) -> list[tuple[int, Region]]:
        """The regions that the formula of a cell reads, those found by computing included."""
        from gradsheet.formula.areas import area_of
        from gradsheet.formula.graph import read_references, sheet_named

        index = self.graph.owner(sheet, cell)
        if index is None:
            return []
        block = self.graph.blocks[index]
        host = block.part.host if block.array is not None else Cell(*cell)
        found = []
        for node in read_references(block.expr):
            home = self.graph.sheet_of(sheet_named(node), sheet)
            part = Part(sheet, host.row, host.col, 1, 1)
            area = None if home is None else area_of(node, home, part)
            if area is not None:
                found.append((area.sheet, area.hull(1, 1)))
        return list(dict.fromkeys([*found, *self.targets.get(index, ())]))

    def dependents(self, sheet: int, region: Region | tuple[int, int]) -> list[tuple[int, Region]]:
        """The regions of the blocks that read a cell or region directly."""
        if not isinstance(region, Region):
            region = Region.of(region)
        found = self.graph.readers_of(sheet, region) | self._dynamic_readers(sheet, region)
        return [(self.graph.blocks[i].sheet, self.graph.blocks[i].region) for i in sorted(found)]

    def recalculate(
        self, changed: Sequence[tuple[int, Region]] | None = None
    ) -> list[Computed]:
        """Compute what changed cells make dirty, or everything.

        Parameters
        ----------
        changed : (sheet, region) of the cells that hold new values; None for all. Where
            formulas changed, compile a new program instead.

        Returns
        -------
        list of Computed, the new values of every block that was computed
        """
        if changed is None or not self._is_current:
            self.storage.load(self.graph)
            self.targets = {}
            dirty = set(range(len(self.graph.blocks)))
        else:
            for sheet, region in changed:
                self.storage.refresh(self.graph, sheet, region)
            dirty = self._dirtied(changed)
        results = Results()
        kept = set(range(len(self.graph.blocks))) - dirty  # the time of day is drawn anew, too
        self._draws = {k: v for k, v in self._draws.items() if k[0] in kept}
        for _ in range(_MOST_ROUNDS):
            again = self._run(dirty, results)
            if again is None:
                break
            dirty = again
        self._is_current = True
        return results.all()

    def objective(
        self, loss: tuple[int, Cell], parameters: Sequence[tuple[int, Region]]
    ) -> Objective:
        """The loss cell as a function of the parameter cells.

        Raises
        ------
        FormulaError
            If the loss does not depend on the parameters, is no number, or reaches them through
            an address.
        """
        if not self._is_current:
            self.recalculate()
        return make_objective(self, loss, parameters)

    def conditions(
        self, relations: Sequence[Relation], parameters: Sequence[tuple[int, Region]]
    ) -> Conditions:
        """How far relations between cells are from holding, as functions of the parameters.

        Raises
        ------
        FormulaError
            If the sides of a relation do not fit.
        """
        if not self._is_current:
            self.recalculate()
        return make_conditions(self, relations, parameters)

    # What follows is for objectives and the explanation of cells, which belong to this package.

    def world(self, source: Planes) -> World:
        """Surroundings to evaluate formulas in, over the given cells."""
        return World(
            source=source,
            strings=self._inputs.strings,
            sheet_of=self._inputs.sheet_id,
            sheet_name=self._inputs.sheet_name,
            parse=self._parsed,
            generator=self._generator,
            draws=self._draws,
            date_1904=self._inputs.date_1904,
            set_aside=self._set_aside,
            formula_text=self._formula_text,
        )

    def _set_aside(self, sheet: int) -> tuple[frozenset[int], frozenset[Cell]]:
        """The hidden rows of a sheet, and its cells that hold totals."""
        known = self._totals.get(sheet)
        if known is None:
            formulas = self._inputs.formulas(sheet).items()
            found = (cell for cell, formula in formulas if calls(formula.expr, TOTALS))
            known = self._totals[sheet] = frozenset(found)
        return frozenset(self._inputs.hidden_rows(sheet)), known

    def _formula_text(self, sheet: int, cell: Cell) -> str | None:
        formula = self._inputs.formulas(sheet).get(cell)
        if formula is None:
            return None
        text = unparse(formula.expr, cell)
        is_typed_as_array = formula.array is not None and not formula.dynamic
        return f"{{{text}}}" if is_typed_as_array else text

    def sheet_names(self) -> dict[int, str]:
        """Names of the sheets by their ids."""
        return {sheet: self._inputs.sheet_name(sheet) for sheet in self._inputs.sheet_ids()}

    def snapshot(self) -> Planes:
        """The cells as they are now."""
        return self.storage.planes.snapshot()

    def unrolled(self, component: int) -> Unrolled:
        """The steps of a component."""
        known = self._unrolled.get(component)
        if known is None:
            known = unrolled(self.graph, self.graph.components[component])
            self._unrolled[component] = known
        return known

    def reach(self, start: set[int]) -> set[int]:
        """Blocks, and all blocks that depend on them."""
        found = set(start)
        pending = list(start)
        while pending:
            index = pending.pop()
            block = self.graph.blocks[index]
            following = set(self.graph.dependents[index])
            if self.targets:
                following |= self._dynamic_readers(block.sheet, block.region)
            pending.extend(following - found)
            found |= following
        return found

    def readers(self, sheet: int, region: Region) -> set[int]:
        """Blocks that read any cell of a region directly."""
        return self.graph.readers_of(sheet, region) | self._dynamic_readers(sheet, region)

    def sources(self, index: int) -> set[int]:
        """Blocks that a block reads directly."""
        found = set(self.graph.precedents[index])
        for sheet, region in self.targets.get(index, ()):
            found |= self.graph.blocks_in(sheet, region)
        return found

    def resolved(self, expr: Expr, sheet: int) -> Expr:
        """An expression as if in A1 of a sheet, without names, tables and spills."""
        from gradsheet.formula.resolve import resolved

        return resolved(expr, sheet, Cell(0, 0), self._inputs, self._spills)

    def _parsed(self, text_id: int, sheet: int, row: int, col: int) -> Expr:
        from gradsheet.formula.resolve import resolved

        host = Cell(row, col)
        expr = parse(self._inputs.strings.text(text_id), host)
        return resolved(expr, sheet, host, self._inputs, self._spills)

    def _plan(self) -> None:
        self.graph = Graph(self._inputs, self._spills)
        self._unrolled: dict[int, Unrolled] = {}
        self.component_of: dict[int, int] = {}
        for number, component in enumerate(self.graph.components):
            for index in component.blocks:
                self.component_of[index] = number
        self.targets = {}
        self.order: list[int] = []
        self.runs: dict[int, int] = {}
        self.shortcuts: dict[int, Shortcut | None] = {}
        self._dynamic_circles: list[tuple[tuple[int, Cell], ...]] = []
        self._volatile = {
            block.index for block in self.graph.blocks if is_volatile(block.expr)
        }

    def _dirtied(self, changed: Sequence[tuple[int, Region]]) -> set[int]:
        start = set(self._volatile)
        for sheet, region in changed:
            start |= self.readers(sheet, region) | self.graph.blocks_in(sheet, region)
            start |= self._blocked_spills(sheet, region)
        return self.reach(start)

    def _blocked_spills(self, sheet: int, region: Region) -> set[int]:
        """Dynamic blocks that may spill again, or no longer, because of a changed region."""
        return {
            block.index
            for block in self.graph.blocks
            if block.dynamic
            and block.sheet == sheet
            and block.part.top < region.bottom
            and block.part.left < region.right
        }

    def _dynamic_readers(self, sheet: int, region: Region) -> set[int]:
        return {
            index
            for index, targets in self.targets.items()
            if any(home == sheet and target.intersect(region) for home, target in targets)
        }

    def _run(self, dirty: set[int], results: Results) -> set[int] | None:
        """Compute blocks; what to compute again if spills changed the graph, else None."""
        run = Run(self, self.storage.planes, {self.component_of[i] for i in dirty})
        everything = len(run.pending) == len(self.graph.components)
        run.all(results)
        self.targets.update(run.targets)
        if everything:
            self.order = run.order
        self._dynamic_circles = run.circles
        known = self.spills
        if all(known.get(key) == region for key, region in run.spills.items()):
            return None
        return self._respill(run.spills, results)

    def _respill(
        self, spills: dict[tuple[int, Cell], Region], results: Results
    ) -> set[int]:
        """Take new spill regions into the graph; which blocks to compute again."""
        before = self.spills
        for (sheet, cell), region in spills.items():
            old = before.get((sheet, cell), Region.of(cell))
            plane = self.storage.planes.planes[sheet]
            self.storage.make_room(sheet, region.bottom, region.right)
            kept = {*self._inputs.formulas(sheet), *self.storage.obstructions.get(sheet, ())}
            for rest in old.subtract(region):
                parts = [rest]
                if any(cell in kept for cell in rest.cells()):
                    parts = [Region.of(cell) for cell in rest.cells() if cell not in kept]
                for part in parts:
                    plane.write(part.slices_in(plane.region), 0.0, 0)
                    blank = np.zeros(part.shape, np.uint8)
                    results.add(as_computed(sheet, part, np.zeros(part.shape), blank))
            self._spills[sheet, cell] = region
        targets = self.targets
        self._plan()
        self.targets = {i: t for i, t in targets.items() if i < len(self.graph.blocks)}
        return set(range(len(self.graph.blocks)))


def _noted_spills(inputs: Inputs) -> dict[tuple[int, Cell], Region]:
    """Where dynamic formulas spilled when they were computed last, as their `array` says."""
    return {
        (sheet, cell): formula.array
        for sheet in inputs.sheet_ids()
        for cell, formula in inputs.formulas(sheet).items()
        if formula.dynamic and formula.array is not None
    }
