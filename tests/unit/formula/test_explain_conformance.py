"""The PyTorch code of every conformance case that gives a number, run: it gives that number."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gradsheet.formula.address import Cell
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.explain import LANGUAGES, explain
from gradsheet.formula.explain_cells import View
from gradsheet.formula.values import FormulaError, Kind
from gradsheet.sheet.workbook import Workbook


def load_module(name: str) -> ModuleType:
    """A test module beside this one, for its way to lay a case out on a sheet."""
    path = Path(__file__).parent / f"{name}.py"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside this test", allow_module_level=True)
    spec = importlib.util.spec_from_file_location(f"cases_of_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


conformance = load_module("test_conformance")
MOST_OF_A_TOPIC = 400


@pytest.mark.parametrize("topic", sorted(conformance.CASES))
def test_the_code_of_each_case_runs_and_gives_its_number(topic: str) -> None:
    workbook = Workbook()
    sheets = {}
    for case in conformance.CASES[topic][:MOST_OF_A_TOPIC]:
        try:
            sheets[case.id] = (conformance.add_case(workbook, case), case)
        except FormulaError:
            continue
    program = compile_program(workbook)
    for computed in program.recalculate():
        cells = workbook.sheet(computed.sheet).cells
        cells.write(computed.region, computed.values, computed.kinds)
    wrong = {}
    for case_id, (sheet, case) in sheets.items():
        host = Cell(case.area.top, case.area.left)
        if sheet.cells.get(host)[1] not in (Kind.NUMBER, Kind.BOOLEAN):
            continue
        view = View(workbook, sheet.id, host, sheet.cells.formula(host))
        said = {language: explain(view, language) for language in LANGUAGES}
        assert said["excel"].text
        assert said["maths"].mathml()[0]
        scope: dict[str, object] = {}
        exec(said["pytorch"].copied, scope)
        result, wanted = float(scope["result"]), float(view.value or 0.0)
        if not math.isclose(result, wanted, rel_tol=1e-9, abs_tol=1e-12):
            wrong[case_id] = (case.formula, wanted, result, said["pytorch"].text)
    assert not wrong
