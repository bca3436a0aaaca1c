"""The PyTorch code of every formula of the lecture's workbooks, run: it gives Excel's number."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.explain import LANGUAGES, explain
from gradsheet.formula.explain_cells import View
from gradsheet.formula.values import pack

WORKBOOKS = Path(__file__).parents[3] / "shared" / "reference" / "workbooks"
NAMES = tuple(sorted(path.name for path in WORKBOOKS.glob("*.xlsx")))

pytestmark = pytest.mark.skipif(
    not WORKBOOKS.is_dir(), reason="the reference workbooks are not beside the repository"
)
SPARED = 97
"""Of cells with one formula on one sheet the first is looked at, and every so many-th."""


def _engine_tests() -> ModuleType:
    path = Path(__file__).parent / "test_reference_workbooks_engine.py"
    spec = importlib.util.spec_from_file_location("reference_engine", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Planes:
    """The book's cells as arrays, for its own reading goes through every cell."""

    def __init__(self, book: object) -> None:
        self.by_sheet = {}
        for sheet in book.sheet_ids():  # type: ignore[attr-defined]
            used = book.used(sheet)  # type: ignore[attr-defined]
            used = used if not used.is_empty else Region(0, 0, 1, 1)
            self.by_sheet[sheet] = (used, *book.read(sheet, used))  # type: ignore[attr-defined]

    def used(self, sheet: int) -> Region:
        return self.by_sheet[sheet][0]

    def read(self, sheet: int, region: Region) -> tuple[np.ndarray, np.ndarray]:
        used, stored, stored_kinds = self.by_sheet[sheet]
        values, kinds = np.zeros(region.shape), np.zeros(region.shape, np.uint8)
        inner = region.intersect(used)
        if inner is not None:
            values[inner.slices_in(region)] = stored[inner.slices_in(used)]
            kinds[inner.slices_in(region)] = stored_kinds[inner.slices_in(used)]
        return values, kinds


@pytest.mark.parametrize("name", NAMES)
def test_the_code_gives_the_number_that_excel_stored(name: str) -> None:
    book, stored = _engine_tests().load(name)
    for (sheet, cell), value in stored.items():
        number, kind = pack(value, book.strings)
        book.cells.setdefault(sheet, {})[cell] = (number, int(kind))
    planes = Planes(book)
    book.read, book.used = planes.read, planes.used
    seen: set[object] = set()
    run = 0
    for place, (sheet, cell) in enumerate(stored):
        formula, host = _formula_at(book, sheet, cell)
        if formula is None or ((sheet, formula.expr) in seen and place % SPARED):
            continue
        seen.add((sheet, formula.expr))
        view = View(book, sheet, cell, formula, host)
        said = {language: explain(view, language) for language in LANGUAGES}
        assert said["excel"].text
        assert said["maths"].mathml()[0]
        if not said["pytorch"].copied:
            assert not isinstance(view.value, float)
            continue
        assert "no tensors compute" not in said["pytorch"].text
        scope: dict[str, object] = {}
        exec(said["pytorch"].copied, scope)
        wanted = float(view.value or 0.0)
        assert math.isclose(float(scope["result"]), wanted, rel_tol=1e-9, abs_tol=1e-12), cell
        run += 1
    assert run >= 15


def _formula_at(book: object, sheet: int, cell: Cell) -> tuple[object, Cell]:
    formulas = book.expressions.get(sheet, {})  # type: ignore[attr-defined]
    if cell in formulas:
        return formulas[cell], cell
    for host, formula in formulas.items():
        if formula.array is not None and formula.array.contains(cell):
            return formula, host
    return None, cell
