"""One pass over the blocks of a program, in order and on demand.

Owns the running of steps: what a formula finds out it reads is computed before, circles found
on the way, where dynamic formulas spill. Keeps nothing between passes.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.areas import Part
from gradsheet.formula.batch import ERROR, Batch, error, settled
from gradsheet.formula.blocks import Block
from gradsheet.formula.evaluate import Evaluator
from gradsheet.formula.functions import FUNCTIONS
from gradsheet.formula.graph import DYNAMIC_FUNCTIONS
from gradsheet.formula.recurrence import Step, Unrolled
from gradsheet.formula.results import Results, fitted
from gradsheet.formula.shortcut import make_shortcut
from gradsheet.formula.syntax import Call, Expr, RangeOf, children
from gradsheet.formula.values import ErrorCode
from gradsheet.formula.windows import Planes

if TYPE_CHECKING:
    from gradsheet.formula.compiler import Program

_WORTH_A_SHORTCUT = 8  # steps; fewer are as fast without


@functools.lru_cache(maxsize=4096)
def _calls(expr: Expr) -> frozenset[str]:
    names = set()
    pending = [expr]
    while pending:
        node = pending.pop()
        if isinstance(node, Call):
            names.add(node.name)
        if isinstance(node, RangeOf):
            names.add(":")
        pending.extend(children(node))
    return frozenset(names)


def is_volatile(expr: Expr) -> bool:
    """Whether a formula is to be computed in every recalculation."""
    names = _calls(expr)
    return any(name in FUNCTIONS and FUNCTIONS[name].is_volatile for name in names)


def is_dynamic(expr: Expr) -> bool:
    """Whether a formula reads cells that are known only when it is computed."""
    names = _calls(expr)
    return bool(names & DYNAMIC_FUNCTIONS) or ":" in names


class Run:
    """One pass over pending components, in order and on demand."""

    def __init__(self, program: Program, planes: Planes, pending: set[int]) -> None:
        self._program = program
        self._planes = planes
        self.pending = pending
        self._running: list[Step] = []
        self._done: set[Step] = set()
        self._started: set[int] = set()
        self._circle = False
        self.order: list[int] = []
        self.targets: dict[int, list[tuple[int, Region]]] = {}
        self.spills: dict[tuple[int, Cell], Region] = {}
        self.circles: list[tuple[tuple[int, Cell], ...]] = []
        self._world = program.world(planes)
        self._world.demand = self._demand

    def all(self, results: Results) -> None:
        """Compute every pending component."""
        graph = self._program.graph
        for number in sorted(self.pending):
            self._component(number)
        for number in sorted(self._started):
            for index in graph.components[number].blocks:
                block = graph.blocks[index]
                plane = self._planes.planes[block.sheet]
                results.add_from(plane, block)

    def _component(self, number: int) -> None:
        if number in self._started:
            return
        self._started.add(number)
        plan = self._program.unrolled(number)
        for step in plan.circular:
            plane = self._planes.planes[step.part.sheet]
            plane.write(step.part.slices, float(ErrorCode.CIRC), ERROR)
            self._done.add(step)
        if not self._by_shortcut(number, plan):
            for step in plan.steps:
                self._step(step)
        self.order.append(number)

    def _by_shortcut(self, number: int, plan: Unrolled) -> bool:
        """Run a recurrence by code of its own, if it has been computed before."""
        program = self._program
        if len(plan.steps) < _WORTH_A_SHORTCUT or plan.circular:
            return False
        if any(is_dynamic(program.graph.blocks[step.block].expr) for step in plan.steps):
            return False
        runs = program.runs[number] = program.runs.get(number, 0) + 1
        if runs == 1:
            return False
        shortcut = program.shortcuts.get(number)
        if number not in program.shortcuts:
            shortcut = make_shortcut(program.graph, self._world, plan.steps, self._planes)
            program.shortcuts[number] = shortcut
        if shortcut is None or not shortcut.run(self._planes):
            return False
        self._done.update(plan.steps)
        return True

    def _step(self, step: Step) -> None:
        if step in self._done:
            return
        block = self._program.graph.blocks[step.block]
        self._running.append(step)
        world = self._world
        evaluator = Evaluator(world, step.part, block.array is not None)
        evaluator.block = block.index
        batch = evaluator.result(block.expr)
        if self._circle:
            batch = error(ErrorCode.CIRC)
            self._circle = False
        self._running.pop()
        self._done.add(step)
        self._store(block, step, batch)

    def _store(self, block: Block, step: Step, batch: Batch) -> None:
        num, errors = settled(batch.num) if not batch.is_only(ERROR) else (batch.num, None)
        if errors is not None:
            kinds = torch.where(errors > 0, ERROR, batch.kinds()).to(torch.uint8)
            batch = Batch(torch.where(errors > 0, errors, num), kinds)
        plane = self._planes.planes[block.sheet]
        if block.array is None:
            kind = batch.kind if isinstance(batch.kind, int) else batch.kind[:, :, 0, 0].numpy()
            plane.write(step.part.slices, batch.num[:, :, 0, 0].numpy(), kind)
            return
        region = block.array
        if block.dynamic:
            free = self._spilled(block, batch)
            region = Region.of(block.part.host) if free is None else free
            if free is None:
                batch = error(ErrorCode.SPILL)
            self.spills[block.sheet, block.part.host] = region
            self._program.storage.make_room(block.sheet, region.bottom, region.right)
        values, kinds_array = fitted(batch, region)
        plane.write(region.slices_in(plane.region), values, kinds_array)

    def _spilled(self, block: Block, batch: Batch) -> Region | None:
        """Where the result of a dynamic formula goes; None if something is in the way."""
        host = block.part.host
        region = Region(host.row, host.col, host.row + batch.height, host.col + batch.width)
        if region.size == 1:
            return region
        graph = self._program.graph
        if graph.blocks_in(block.sheet, region) - {block.index}:
            return None
        self._program.storage.cover(block.sheet, region)
        plane = self._planes.planes[block.sheet]
        inner = region.intersect(plane.region)
        if inner is not None:
            held = plane.kinds[inner.slices_in(plane.region)].copy()
            if block.array is not None:
                own = block.array.intersect(inner)
                if own is not None:
                    held[own.slices_in(inner)] = 0
                for cell in self._program.storage.obstructions.get(block.sheet, ()):
                    if inner.contains(cell):
                        held[cell.row - inner.top, cell.col - inner.left] = 1
            held[0, 0] = 0
            if held.any():
                return None
        return region

    def _demand(self, sheet: int, region: Region) -> None:
        """Compute what a formula reads that was found only now."""
        reader = self._running[-1]
        self.targets.setdefault(reader.block, []).append((sheet, region))
        self._program.storage.cover(sheet, region)
        for index in sorted(self._program.graph.blocks_in(sheet, region)):
            number = self._program.component_of[index]
            if number not in self.pending:
                continue
            if number not in self._started:
                self._with_sources(number)
                continue
            for step in self._program.unrolled(number).steps:
                if step.block == index and step not in self._done and _meets(step.part, region):
                    if step in self._running:
                        self._found_circle(step)
                    else:
                        self._step(step)

    def _with_sources(self, number: int) -> None:
        """Compute a component out of turn, what it reads before it."""
        graph = self._program.graph
        order = [number]
        for reader in order:
            for index in graph.components[reader].blocks:
                for source in graph.precedents[index]:
                    behind = self._program.component_of[source]
                    if behind not in self.pending or behind in order:
                        continue
                    if behind not in self._started:
                        order.append(behind)
                    elif (running := self._running_in(behind)) is not None:
                        self._found_circle(running)
                        return
        for waiting in sorted(order):  # components are numbered in the order of their reading
            self._component(waiting)

    def _running_in(self, number: int) -> Step | None:
        """The step of a component that is being computed, if any."""
        for step in self._running:
            if self._program.component_of[step.block] == number:
                return step
        return None

    def _found_circle(self, step: Step) -> None:
        at = self._running.index(step)
        loop = [(s.part.sheet, s.part.host) for s in self._running[at:]]
        self.circles.append((*loop, loop[0]))
        self._circle = True


def _meets(part: Part, region: Region) -> bool:
    shared = part.region.intersect(region)
    if shared is None:
        return False
    return any(shared.contains(cell) for cell in part.cells()) if part.row_stride > 1 or (
        part.col_stride > 1
    ) else True  # fmt: skip
