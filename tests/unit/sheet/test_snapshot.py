"""A snapshot of a workbook holds what was there, whatever is done to either afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.edits import ClearCells, DeleteRows, InsertColumns, SetCells, SetValues
from gradsheet.sheet.workbook import Workbook

PLACES = st.tuples(st.integers(0, 260), st.integers(0, 40)).map(lambda at: Cell(*at))
CONTENTS = st.one_of(
    st.floats(-9, 9),
    st.text(max_size=3),
    st.none(),
    st.just(Formula(parse("=A1+1", Cell(0, 0)))),
)
EDITS = st.one_of(
    st.dictionaries(PLACES, CONTENTS, min_size=1, max_size=4).map(
        lambda cells: SetCells(1, tuple(cells.items()))
    ),
    PLACES.map(lambda at: ClearCells(1, Region(0, 0, at.row + 1, at.col + 1))),
    PLACES.map(lambda at: DeleteRows(1, at.row, 3)),
    PLACES.map(lambda at: InsertColumns(1, at.col, 2)),
    PLACES.map(lambda at: SetValues(1, Region(0, 0, at.row + 1, 2), np.pi)),
)


def contents(workbook: Workbook) -> Any:
    store = workbook.sheets[0].cells
    values, kinds = store.read(Region(0, 0, 300, 60))
    used = store.used()
    return values.tobytes(), kinds.tobytes(), dict(store.formulas()), used.shape


@settings(max_examples=80, deadline=None)
@given(first=st.lists(EDITS, max_size=6), then=st.lists(EDITS, max_size=6), turn=st.booleans())
def test_a_snapshot_and_its_workbook_change_without_one_another(
    first: list[Any], then: list[Any], turn: bool
) -> None:
    workbook = Workbook.with_sheet()
    for edit in first:
        workbook.apply(edit)
    before = contents(workbook)
    snapshot = workbook.snapshot()
    assert contents(snapshot) == before
    changing, still = (snapshot, workbook) if turn else (workbook, snapshot)
    alone = Workbook.with_sheet()
    for edit in [*first, *then]:
        alone.apply(edit)
    for edit in then:
        changing.apply(edit)
    assert contents(still) == before
    assert contents(changing)[2] == contents(alone)[2]
    assert changing.sheets[0].cells.used() == alone.sheets[0].cells.used()
