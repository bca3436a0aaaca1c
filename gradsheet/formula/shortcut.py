"""A recurrence recalculated by generated code on plain floats.

Owns the recording of one full evaluation of a recurrence with every number it reads as an
input, and its replay while kinds stay as they were. Whatever is not finite, fails a guard or
reads other kinds is left to the full evaluation, whose results it never contradicts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gradsheet.formula.areas import Part, area_of, footprint, rectangles
from gradsheet.formula.batch import NUMBER, Batch
from gradsheet.formula.evaluate import Evaluator, World
from gradsheet.formula.graph import Graph, read_references, sheet_named
from gradsheet.formula.machine import NoRuleError, lowered_values
from gradsheet.formula.recurrence import Step
from gradsheet.formula.trace import Tracer
from gradsheet.formula.values import FormulaError
from gradsheet.formula.windows import Layered, Planes

MOST_CELLS = 5_000
"""Above this the code would be longer than it is worth."""

_Places = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


class Shortcut:
    """The code of one recurrence.

    Parameters
    ----------
    inputs : for each sheet the rows and columns of the cells read, and the kinds they had
    outputs : for each sheet the rows and columns of the cells computed, in the code's order
    constants : values of the inputs that were no numbers, which the code has folded
    """

    def __init__(
        self,
        inputs: list[tuple[int, _Places, npt.NDArray[np.uint8], npt.NDArray[np.float64]]],
        outputs: list[tuple[int, _Places, npt.NDArray[np.int64]]],
        code: Callable[[Tensor], list[float] | None],
        kinds: npt.NDArray[np.uint8],
    ) -> None:
        self._inputs = inputs
        self._outputs = outputs
        self._code = code
        self._kinds = kinds

    def run(self, planes: Planes) -> bool:
        """Compute into the planes; False if the code does not hold and nothing was done."""
        numbers = []
        for sheet, (rows, cols), kinds, values in self._inputs:
            plane = planes.planes[sheet]
            now, held = plane.values[rows, cols], plane.kinds[rows, cols]
            if not np.array_equal(held, kinds):
                return False
            other = kinds != NUMBER
            if other.any() and not np.array_equal(now[other], values[other]):
                return False
            numbers.append(now[kinds == NUMBER])
        try:
            with torch.no_grad():
                found = self._code(torch.from_numpy(np.concatenate(numbers)))
        except (ArithmeticError, ValueError):
            return False
        if found is None or not math.isfinite(math.fsum(map(abs, found))):
            return False
        values = np.array(found)
        for sheet, places, order in self._outputs:
            planes.planes[sheet].write(places, values[order], self._kinds[order])
        return True


def make_shortcut(
    graph: Graph, world: World, steps: Sequence[Step], planes: Planes
) -> Shortcut | None:
    """Record the steps of a recurrence; None if it cannot be run by code of its own."""
    if not steps or sum(step.part.rows * step.part.cols for step in steps) > MOST_CELLS:
        return None
    if any(graph.blocks[step.block].array is not None for step in steps):
        return None
    inputs = _inputs(graph, steps, planes)
    number_cells = []
    for sheet, (rows, cols), kinds, _ in inputs:
        numeric = kinds == NUMBER
        number_cells += [(sheet, r, c) for r, c in zip(rows[numeric], cols[numeric], strict=True)]
    if not number_cells or len(number_cells) > MOST_CELLS:
        return None
    values = [planes.planes[sheet].values[r, c] for sheet, r, c in number_cells]
    root = torch.tensor(values, dtype=torch.float64)
    cells = Layered(planes.snapshot())
    with torch.no_grad(), Tracer(root) as tracer:
        _lay_inputs(cells, number_cells, root)
        try:
            batches = [_evaluated(graph, world, cells, step) for step in steps]
        except FormulaError:  # an address that depends on the numbers read
            return None
    if tracer.record.broken:
        return None
    return _compiled(steps, batches, tracer, inputs)


def _inputs(
    graph: Graph, steps: Sequence[Step], planes: Planes
) -> list[tuple[int, _Places, npt.NDArray[np.uint8], npt.NDArray[np.float64]]]:
    """Every cell that the steps read and do not compute, sheet by sheet."""
    masks: dict[int, npt.NDArray[np.bool_]] = {}
    for index in {step.block for step in steps}:
        block = graph.blocks[index]
        for node in read_references(block.expr):
            sheet = graph.sheet_of(sheet_named(node), block.sheet)
            area = None if sheet is None else area_of(node, sheet, block.part)
            if area is None or sheet is None:
                continue
            plane = planes.planes[sheet]
            mask = masks.setdefault(sheet, np.zeros((plane.rows, plane.cols), np.bool_))
            for slices in footprint(area, block.part.rows, block.part.cols):
                mask[slices] = True
    for step in steps:
        if step.part.sheet in masks:
            masks[step.part.sheet][step.part.slices] = False
    found = []
    for sheet, mask in sorted(masks.items()):
        rows, cols = np.nonzero(mask)
        plane = planes.planes[sheet]
        found.append((sheet, (rows, cols), plane.kinds[rows, cols], plane.values[rows, cols]))
    return found


def _lay_inputs(cells: Layered, number_cells: list[tuple[int, int, int]], root: Tensor) -> None:
    order = {cell: i for i, cell in enumerate(number_cells)}
    for sheet in sorted({cell[0] for cell in number_cells}):
        own = [(int(r), int(c)) for s, r, c in number_cells if s == sheet]
        for shape in rectangles(own):
            part = Part(sheet, *shape)
            if part.cols > 1 and part.rows > 1:  # rows lie apart in the root
                rows = [part._replace(top=part.top + r * part.row_stride, rows=1, row_stride=1)
                        for r in range(part.rows)]  # fmt: skip
            else:
                rows = [part]
            for line in rows:
                places = [order[sheet, *cell] for cell in line.cells()]
                steps = {b - a for a, b in itertools.pairwise(places)} or {1}
                if len(steps) > 1:
                    for cell, place in zip(line.cells(), places, strict=True):
                        one = Part(sheet, cell.row, cell.col, 1, 1)
                        cells.lay(one, root[place : place + 1].view(1, 1), NUMBER)
                    continue
                step = steps.pop()
                piece = root[places[0] : places[-1] + 1 : step].view(line.rows, line.cols)
                cells.lay(line, piece, NUMBER)


def _evaluated(graph: Graph, world: World, cells: Layered, step: Step) -> Batch:
    block = graph.blocks[step.block]
    over = World(cells, world.strings, world.sheet_of, world.sheet_name, world.parse,
                 generator=world.generator, draws=world.draws,
                 date_1904=world.date_1904, set_aside=world.set_aside,
                 formula_text=world.formula_text)  # fmt: skip
    evaluator = Evaluator(over, step.part, False)
    evaluator.block = step.block
    batch = evaluator.result(block.expr)
    num = batch.num[:, :, 0, 0]
    if num.shape != (step.part.rows, step.part.cols):
        num = num.expand(step.part.rows, step.part.cols)
    cells.lay(step.part, num, batch.kind if isinstance(batch.kind, int) else batch.kind[:, :, 0, 0])
    return Batch(num, batch.kind)


def _compiled(
    steps: Sequence[Step],
    batches: Sequence[Batch],
    tracer: Tracer,
    inputs: list[tuple[int, _Places, npt.NDArray[np.uint8], npt.NDArray[np.float64]]],
) -> Shortcut | None:
    outputs: list[int] = []
    places: dict[int, list[tuple[int, int, int]]] = {}
    kinds: list[int] = []
    count = 0
    for step, batch in zip(steps, batches, strict=True):
        number = tracer.var(batch.num)
        if number is None or not isinstance(batch.kind, int):
            return None
        outputs.append(number)
        for cell in step.part.cells():
            places.setdefault(step.part.sheet, []).append((cell.row, cell.col, count))
            kinds.append(batch.kind)
            count += 1
    try:
        source, scope = lowered_values(tracer.record, outputs)
    except NoRuleError:
        return None
    exec(compile(source, "<recurrence>", "exec"), scope)
    where = []
    for sheet, cells in places.items():
        table = np.array(cells, dtype=np.int64)
        where.append((sheet, (table[:, 0], table[:, 1]), table[:, 2]))
    return Shortcut(inputs, where, scope["values"], np.array(kinds, np.uint8))
