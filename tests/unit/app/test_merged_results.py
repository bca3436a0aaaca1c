"""Facts about computed cells that are put together before they are shown."""

from __future__ import annotations

import numpy as np

from gradsheet.app.merged_results import MANY, merged
from gradsheet.formula.address import Region
from gradsheet.formula.results import Computed
from gradsheet.formula.values import Kind
from gradsheet.sheet.cells import CellStore


def single(sheet: int, row: int, col: int, value: float) -> Computed:
    kinds = np.full((1, 1), Kind.NUMBER, np.uint8)
    return Computed(sheet, Region(row, col, row + 1, col + 1), np.array([[value]]), kinds)


def shown(results: object) -> dict[int, list[object]]:
    """What stores hold once the results were written, by sheet."""
    stores: dict[int, CellStore] = {}
    for result in results:  # type: ignore[attr-defined]
        store = stores.setdefault(result.sheet, CellStore())
        store.write(result.region, result.values, result.kinds)
    return {sheet: [store.used(), *(x.tolist() for x in store.read(store.used()))]
            for sheet, store in stores.items()}  # fmt: skip


def test_a_block_of_single_cells_becomes_one_region() -> None:
    cells = [single(1, r, c, r + c / 100) for r in range(3, 23) for c in range(2, 17)]
    np.random.default_rng(0).shuffle(cells)  # type: ignore[arg-type]
    (one,) = merged(cells)
    assert one.region == Region(3, 2, 23, 17)
    assert one.values[4, 5] == 7.07
    assert shown([one]) == shown(cells)


def test_cells_with_gaps_on_two_sheets_keep_their_values() -> None:
    random = np.random.default_rng(1)
    places = {(int(s), int(r), int(c)) for s, r, c in random.integers(0, [2, 40, 30], (900, 3))}
    cells = [single(s, r, c, float(i)) for i, (s, r, c) in enumerate(sorted(places))]
    wide = Computed(0, Region(50, 0, 52, 80), np.ones((2, 80)), np.ones((2, 80), np.uint8))
    few = merged([wide, *cells])
    assert len(few) < len(cells)
    assert shown(few) == shown([wide, *cells])


def test_a_few_regions_stay_as_they_are() -> None:
    cells = [single(1, 2 * r, 0, r) for r in range(MANY - 1)]
    assert merged(cells) is cells
