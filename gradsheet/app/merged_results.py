"""Computed cells in as few regions as hold them, put together where they were computed.

Owns the putting together. Each region costs whoever stores and shows it some microseconds, and a
sheet of references into a table has thousands of blocks of one cell. Must not know documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradsheet.formula.address import Cell
from gradsheet.sheet.change import regions_over

if TYPE_CHECKING:
    from gradsheet.formula.results import Computed

MANY = 256
"""Regions from which on the small ones are put together."""
_SMALL = 64
"""Cells of a region that counts as small."""


def merged(results: Sequence[Computed]) -> Sequence[Computed]:
    """Return the same cells in fewer regions; of a cell that comes twice the last value counts."""
    if len(results) < MANY:
        return results
    large = [result for result in results if result.region.size > _SMALL]
    small: dict[int, list[Computed]] = {}
    for result in results:
        if result.region.size <= _SMALL:
            small.setdefault(result.sheet, []).append(result)
    return [*large, *(one for sheet, parts in small.items() for one in _put_together(sheet, parts))]


def _put_together(sheet: int, parts: list[Computed]) -> list[Computed]:
    from gradsheet.formula.results import Computed  # torch comes with it

    found: dict[Cell, tuple[float, int]] = {}
    for part in parts:
        contents = zip(part.values.ravel().tolist(), part.kinds.ravel().tolist(), strict=True)
        found.update(zip(part.region.cells(), contents, strict=True))
    out = []
    for region in regions_over(found, most=len(found)):
        values, kinds = zip(*(found[cell] for cell in region.cells()), strict=True)
        out.append(
            Computed(
                sheet,
                region,
                np.array(values, np.float64).reshape(region.shape),
                np.array(kinds, np.uint8).reshape(region.shape),
            )
        )
    return out
