"""The lecture's Reset of a gradient-descent sheet: warms the squared averages up by two passes.

Owns how the start values of the states follow from the sheet's own formulas. Imports no torch,
so that a lesson opens before the engine is there.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradsheet.formula.address import Cell, Region
from gradsheet.learn.epoch_step import epoch_step_of, named_region
from gradsheet.learn.straightline import StraightLine
from gradsheet.lessons.descent_layout import WARM_START
from gradsheet.sheet.edits import SetCells
from gradsheet.sheet.workbook import Sheet, Workbook

PASSES = {"adagrad": 1, "adagrad_ann": 1}
"""Passes that carry only the squared averages, as the lecture's files show; else two."""


def warm_up(workbook: Workbook, sheet: Sheet) -> None:
    """Warm the squared averages up by passes from the start weights.

    Only they (and Eve's first loss) are carried; weights and momentum stay at their start. Leaves
    sheets without squared averages, and those with bias correction, as they are.
    """
    epoch = epoch_step_of(workbook, sheet.id)
    if epoch is None or named_region(workbook, sheet.id, "steptarget") is not None:
        return
    squares = {_named(workbook, sheet, "gradtarget"), _named(workbook, sheet, "l2gradtarget")}
    carries = [carry for carry in epoch.carries if carry.target in squares]
    if not carries or epoch.loss is None:
        return
    sources = [(sheet.id, cell) for carry in carries for cell in carry.source.cells()]
    targets = [(sheet.id, cell) for carry in carries for cell in carry.target.cells()]
    line = StraightLine(workbook, [*sources, (sheet.id, epoch.loss)])
    constants = list(line.start)
    at = {place: i for i, place in enumerate(line.inputs)}
    losses = [_named(workbook, sheet, name) for name in ("ft_1", "ft_2")]
    for region, value in zip(losses, (1.0, 0.5), strict=True):
        if region is not None and (sheet.id, region.first) in at:
            # Eve: with ft-2 half of ft-1, r is 1 and so d is 1, for now.
            constants[at[sheet.id, region.first]] = value
    found: Sequence[float] = [WARM_START] * len(targets)
    for _ in range(PASSES.get(sheet.name, 2)):
        for place, value in zip(targets, found, strict=False):
            if place in at:
                constants[at[place]] = value
        found = line.run(constants)
    cells: list[tuple[Cell, float]] = []
    cells += ((cell, value) for (_, cell), value in zip(targets, found, strict=False))
    for region, value in zip(losses, (found[-1], found[-1] / 2), strict=True):
        if region is not None:
            cells.append((region.first, value))
    workbook.apply(SetCells(sheet.id, tuple(cells)))


def _named(workbook: Workbook, sheet: Sheet, name: str) -> Region | None:
    return named_region(workbook, sheet.id, name)
