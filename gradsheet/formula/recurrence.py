"""Blocks that read each other, taken apart into an order of steps.

Owns the splitting of a strongly connected part of the graph into cells, their levels, and the
finding of true circles. Knows no values.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradsheet.formula.address import Cell
from gradsheet.formula.areas import Part, area_of, footprint, rectangles
from gradsheet.formula.blocks import Block
from gradsheet.formula.graph import Component, Graph, read_references, sheet_named
from gradsheet.formula.order import cycle_through, strong_components


@dataclass(frozen=True, slots=True)
class Step:
    """Cells of one block that are computed at once."""

    block: int
    part: Part


@dataclass(frozen=True, slots=True)
class Unrolled:
    """A component as steps.

    Parameters
    ----------
    steps : what to compute, in order
    circles : for every circle its cells, each read by the next, the first repeated at the end
    circular : parts whose cells lie on a circle
    """

    steps: tuple[Step, ...]
    circles: tuple[tuple[tuple[int, Cell], ...], ...] = ()
    circular: tuple[Step, ...] = ()


def unrolled(graph: Graph, component: Component) -> Unrolled:
    """The steps of a component: one for a block, levels of cells for a recurrence."""
    if not component.is_recurrence:
        block = graph.blocks[component.blocks[0]]
        return Unrolled((Step(block.index, block.part),))
    cells: list[tuple[int, Cell]] = []
    numbers: dict[tuple[int, int, int], int] = {}
    for index in component.blocks:
        block = graph.blocks[index]
        for cell in block.part.cells():
            for shown in _results(block, cell):
                numbers[block.sheet, shown.row, shown.col] = len(cells)
            cells.append((index, cell))
    reads = _reads(graph, component, cells, numbers)
    levels, circles, circular = _levels(reads)
    steps = _steps(graph, cells, levels)
    named = tuple(
        tuple((graph.blocks[cells[i][0]].sheet, cells[i][1]) for i in circle) for circle in circles
    )
    on_circle = _steps(graph, cells, dict.fromkeys(circular, 0))
    return Unrolled(tuple(steps), named, tuple(on_circle))


def _results(block: Block, cell: Cell) -> list[Cell]:
    return [cell] if block.array is None else list(block.array.cells())


def _reads(
    graph: Graph,
    component: Component,
    cells: list[tuple[int, Cell]],
    numbers: dict[tuple[int, int, int], int],
) -> list[list[int]]:
    """For every cell the cells of the component that it reads."""
    members = set(component.blocks)
    plans = {
        index: [
            (node, sheet)
            for node in read_references(graph.blocks[index].expr)
            if (sheet := graph.sheet_of(sheet_named(node), graph.blocks[index].sheet)) is not None
        ]
        for index in members
    }
    reads = []
    for index, cell in cells:
        found: set[int] = set()
        host = Part(graph.blocks[index].sheet, cell.row, cell.col, 1, 1)
        for node, sheet in plans[index]:
            area = area_of(node, sheet, host)
            if area is None:
                continue
            if area.is_cell:
                number = numbers.get((sheet, area.top, area.left))
                found |= set() if number is None else {number}
                continue
            for slices in footprint(area, 1, 1):
                found |= _in_slices(graph, members, sheet, slices, numbers)
        reads.append(sorted(found))
    return reads


def _in_slices(
    graph: Graph,
    members: set[int],
    sheet: int,
    slices: tuple[slice, slice],
    numbers: dict[tuple[int, int, int], int],
) -> set[int]:
    found = set()
    for index in graph.owners[sheet].within(slices) & members:
        region = graph.blocks[index].region
        rows = range(max(slices[0].start, region.top), min(slices[0].stop, region.bottom))
        cols = range(max(slices[1].start, region.left), min(slices[1].stop, region.right))
        for row in rows:
            for col in cols:
                number = numbers.get((sheet, row, col))
                if number is not None:
                    found.add(number)
    return found


def _levels(reads: list[list[int]]) -> tuple[dict[int, int], list[list[int]], list[int]]:
    """The level of every cell off the circles, the circles, and the cells on them."""
    levels: dict[int, int] = {}
    circles: list[list[int]] = []
    circular: list[int] = []
    for group in strong_components(reads):
        if len(group) > 1 or group[0] in reads[group[0]]:
            circles.append(cycle_through(reads, group))
            circular += group
        else:
            node = group[0]
            levels[node] = 1 + max((levels.get(source, -1) for source in reads[node]), default=-1)
    return levels, circles, circular


def _steps(graph: Graph, cells: list[tuple[int, Cell]], levels: dict[int, int]) -> list[Step]:
    """Cells of one block and one level as rectangles, in the order of their levels."""
    grouped: dict[tuple[int, int], list[Cell]] = {}
    for number, level in levels.items():
        index, cell = cells[number]
        grouped.setdefault((level, index), []).append(cell)
    steps = []
    for (_, index), members in sorted(grouped.items()):
        sheet = graph.blocks[index].sheet
        if len(members) == 1:
            steps.append(Step(index, Part(sheet, members[0].row, members[0].col, 1, 1)))
            continue
        for shape in rectangles(members):
            steps.append(Step(index, Part(sheet, *shape)))
    return steps


