"""Numbers of a range of the model lined up on their decimal points: 4 above 3.5.

Owns which ranges that concerns: those whose General numbers have few decimals. It is kept
between frames and measured anew when values of a range change. Knows no widget.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gradsheet.formula.address import Region
from gradsheet.formula.values import Kind
from gradsheet.sheet.workbook import Sheet

MOST_DECIMALS = 2
"""Ranges with more decimals than this are not lined up: their numbers fill their cells."""
_MOST_CELLS = 40_000


class DecimalPoints:
    """The decimals of the ranges of one sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._decimals: dict[Region, int] = {}

    def follow(self, regions: Iterable[Region]) -> list[Region]:
        """Values in these regions are others: return the ranges that line up otherwise now."""
        touched = list(regions)
        moved = []
        for region, before in list(self._decimals.items()):
            if any(part.intersect(region) is not None for part in touched):
                now = self._decimals[region] = self._measured(region)
                if now != before:
                    moved.append(region)
        return moved

    def plane(self, region: Region) -> list[list[int]] | None:
        """The decimals that each cell keeps room for, row by row; None if no cell does."""
        plane: np.ndarray | None = None
        for role in self._sheet.roles:
            part = role.region.intersect(region)
            if part is None:
                continue
            decimals = self._decimals.get(role.region)
            if decimals is None:
                decimals = self._decimals[role.region] = self._measured(role.region)
            if decimals:
                if plane is None:
                    plane = np.zeros(region.shape, np.int8)
                plane[part.slices_in(region)] = decimals
        return None if plane is None else plane.tolist()

    def _measured(self, region: Region) -> int:
        if region.size > _MOST_CELLS or region.size < 2 or not self._is_general(region):
            return 0
        values, kinds = self._sheet.cells.read(region)
        numbers = values[kinds == Kind.NUMBER]
        for decimals in range(MOST_DECIMALS + 1):
            if (np.round(numbers, decimals) == numbers).all():
                return decimals
        return 0

    def _is_general(self, region: Region) -> bool:
        formats = self._sheet.formats
        looks = formats.plane(region)
        first = int(looks[0, 0])
        is_one = bool((looks == first).all())
        return is_one and formats.palette.format(first).code == "General"
