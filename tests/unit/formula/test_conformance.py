"""The engine against the conformance cases: what Excel gives for more than 3,000 formulas."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.functions import FUNCTIONS
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import ErrorCode, FormulaError, Kind, Scalar, pack, unpack
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.names import DefinedName, Table
from gradsheet.sheet.workbook import Sheet, Workbook


def load_module(path: Path) -> ModuleType:
    """A module that lies beside the tests and in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


tables = load_module(Path(__file__).parent / "conformance" / "cases.py")
CASES = {topic: tables.load(topic) for topic in tables.topics()}
EVERY = [case for cases in CASES.values() for case in cases]


def put(workbook: Workbook, sheet: Sheet, at: Cell, value: object) -> None:
    """Write a constant."""
    scalar: Scalar = ErrorCode.parse(value) if isinstance(value, tables.Error) else value
    number, kind = pack(scalar, workbook.strings)
    sheet.cells.write(Region.of(at), [[number]], kind)


HERE = ((0, 0),)
FILL = ((0, 0), (0, 1), (1, 0), (1, 1))


def add_case(workbook: Workbook, case, name: str = "", fill=HERE) -> Sheet:
    """A sheet with the inputs and the formula of a case.

    Parameters
    ----------
    fill : rows and columns from the case's cell to the cells that the formula is filled into

    Raises
    ------
    FormulaError
        If a formula cannot be read.
    """
    sheet = workbook.make_sheet(name or case.id)
    workbook.sheets.append(sheet)
    for cell in case.cells:
        home = sheet
        if cell.sheet:
            home = workbook.by_name(cell.sheet) or workbook.make_sheet(cell.sheet)
            if home not in workbook.sheets:
                workbook.sheets.append(home)
        at = Cell(cell.row, cell.col)
        if cell.is_formula:
            home.cells.set_formula(at, Formula(parse(cell.value, at), dynamic=True))
        else:
            put(workbook, home, at, cell.value)
    for entry in case.names:
        expr = parse(tables.qualified(entry.text, sheet.name), Cell(0, 0))
        scope = None if entry.is_global else sheet.id
        workbook.names += (DefinedName(entry.name, expr, scope),)
    for entry in case.tables:
        region = region_of(entry.area)
        heads = {c.col: str(c.value) for c in case.cells if c.row == region.top and not c.sheet}
        columns = tuple(heads[col] for col in range(region.left, region.right))
        totals = int(entry.totals)
        workbook.tables += (Table(entry.name, sheet.id, region, columns, 1, totals),)
    host = Cell(case.area.top, case.area.left)
    array = region_of(case.area) if case.mode == "cse" else None
    expr = parse(case.formula, host)
    for down, right in fill:
        at = Cell(host.row + down, host.col + right)
        sheet.cells.set_formula(at, Formula(expr, array, dynamic=case.mode == "dynamic"))
    return sheet


def region_of(area) -> Region:
    """The cells of an area."""
    return Region(area.top, area.left, area.bottom + 1, area.right + 1)


def computed(
    workbook: Workbook, sheets: dict[str, Sheet], cases: Iterable, late: bool
) -> dict[str, object]:
    """Recalculate, and read what each case gave."""
    if late:
        recalculate_late(workbook, cases)
    else:
        recalculate(workbook)
    answers = {}
    for case in cases:
        cells = sheets[case.id].cells
        if any(cells.get(Cell(*at))[1] != Kind.BLANK for at in case.beyond):
            answers[case.id] = ((tables.Error(tables.SPILLS_BEYOND),),)
            continue
        values, kinds = cells.read(region_of(case.area))
        answers[case.id] = tuple(
            tuple(shown(unpack(v, k, workbook.strings), k) for v, k in zip(*row, strict=True))
            for row in zip(values, kinds, strict=True)
        )
    return answers


def recalculate(workbook: Workbook) -> None:
    """Compute everything and write it into the cells."""
    for result in compile_program(workbook).recalculate():
        workbook.sheet(result.sheet).cells.write(result.region, result.values, result.kinds)


def recalculate_late(workbook: Workbook, cases: Iterable) -> None:
    """The same, but the constants are typed in after a first calculation without them."""
    places = []
    for case in cases:
        for cell in case.cells:
            if not cell.is_formula:
                sheet = workbook.by_name(cell.sheet or case.id)
                places.append((sheet, Region.of(Cell(cell.row, cell.col))))
    kept = [sheet.cells.read(region) for sheet, region in places]
    for sheet, region in places:
        sheet.cells.write(region, [[0.0]], Kind.BLANK)
    program = compile_program(workbook)
    changes: list = [None]
    if places:
        changes.append([(sheet.id, region) for sheet, region in places])
    for changed in changes:
        if changed is not None:
            for (sheet, region), (values, kinds) in zip(places, kept, strict=True):
                sheet.cells.write(region, values, kinds)
        for result in program.recalculate(changed):
            workbook.sheet(result.sheet).cells.write(result.region, result.values, result.kinds)


def shown(scalar: Scalar, kind: int) -> object:
    """A value in the terms of the tables."""
    return tables.Error(scalar.text) if kind == Kind.ERROR else scalar


def answers_of(cases: Iterable, late: bool = False) -> dict[str, object]:
    """What the engine gives for each case; as many cases in one workbook as it can hold.

    Parameters
    ----------
    late : whether the constants are typed in after a first calculation
    """
    shared, sheets, together, answers = Workbook(), {}, [], {}
    for case in cases:
        alone = case.needs_own_workbook
        workbook = Workbook() if alone else shared
        try:
            sheet = add_case(workbook, case)
        except FormulaError as error:
            answers[case.id] = ((tables.Error(f"! {error}"),),)
            continue
        if alone:
            answers.update(computed(workbook, {case.id: sheet}, [case], late))
        else:
            sheets[case.id] = sheet
            together.append(case)
    answers.update(computed(shared, sheets, together, late))
    return answers


@pytest.mark.parametrize("late", [False, True], ids=["at once", "inputs typed in later"])
@pytest.mark.parametrize("topic", CASES)
def test_the_engine_gives_what_excel_gives(topic: str, late: bool) -> None:
    cases = CASES[topic]
    answers = {}
    for few in batched(cases):
        answers |= answers_of(few, late)
    wrong = [
        f"{case.id}  {case.formula}  gives {tables.show_grid(answers[case.id])}, "
        f"Excel {case.shown_expected}  {case.note}"
        for case in cases
        if not tables.same_grid(answers[case.id], case.expected)
    ]
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


def can_be_filled(case) -> bool:
    """Whether the formula can stand in four cells: one value each, nothing in the way."""
    inputs = {(cell.row, cell.col) for cell in case.cells}
    cells = {(case.area.top + down, case.area.left + right) for down, right in FILL}
    return (
        case.mode != "cse"
        and case.area.top == case.area.bottom
        and case.area.left == case.area.right
        and not case.needs_own_workbook
        and not any(cell.is_formula for cell in case.cells)
        and not cells & inputs
        and "RAND" not in case.formula
    )


@pytest.mark.parametrize("topic", CASES)
def test_a_filled_block_gives_what_its_cells_give_alone(topic: str) -> None:
    chosen = [case for case in CASES[topic] if can_be_filled(case)]
    wrong = [fault for few in batched(chosen) for fault in faults_of_blocks(few)]
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)


def batched(cases: list) -> list[list]:
    """A few dozen cases each: many sheets in one workbook cost more than many workbooks."""
    return [cases[at : at + 40] for at in range(0, len(cases), 40)]


def faults_of_blocks(cases: list) -> list[str]:
    """Where a formula filled into four cells gives other values than in each of them alone."""
    workbook = Workbook()
    filled, alone = {}, {}
    for case in cases:
        filled[case.id] = add_case(workbook, case, fill=FILL)
        for step in FILL:
            name = f"{case.id} {step[0]}{step[1]}"
            alone[case.id, step] = add_case(workbook, case, name, (step,))
    recalculate(workbook)
    wrong = []
    for case in cases:
        host = Cell(case.area.top, case.area.left)
        pairs = []
        for step in FILL:
            at = Cell(host.row + step[0], host.col + step[1])
            around = Region(at.row, at.col, at.row + 2, at.col + 2)
            values, kinds = alone[case.id, step].cells.read(around)
            pairs.append(((values[0, 0], kinds[0, 0]), filled[case.id].cells.get(at)))
            if kinds[0, 1] != Kind.BLANK or kinds[1, 0] != Kind.BLANK:
                break  # it spills, or stands beside an input
        else:
            for step, (one, of_block) in zip(FILL, pairs, strict=True):
                expected, got = (
                    shown(unpack(v, k, workbook.strings), k) for v, k in (one, of_block)
                )
                if not tables.same(got, expected):
                    wrong.append(f"{case.id} {step} {case.formula}: {got!r}, alone {expected!r}")
    return wrong


def test_there_are_as_many_cases_as_promised_and_none_twice() -> None:
    facts = [(c.cells, c.names, c.tables, c.mode, c.area, c.formula) for c in EVERY]
    assert len(EVERY) >= 3000
    assert len({case.id for case in EVERY}) == len(EVERY)
    assert len(set(facts)) == len(facts)


def test_every_function_has_a_case() -> None:
    asked = " ".join(
        [case.formula.upper() for case in EVERY]
        + [str(cell.value).upper() for case in EVERY for cell in case.cells if cell.is_formula]
    )
    called = set(re.findall(r"([A-Z][A-Z0-9.]*)\(", asked))
    ours = {name for name in FUNCTIONS if name.startswith("LEARN.")}  # see test_functions
    assert set(FUNCTIONS) - called - ours == set()


def test_every_expectation_names_its_source() -> None:
    for case in EVERY:
        engines = case.source.partition("engines:")[2].split("+")
        assert "excel-doc" in case.source or len(engines) > 1, case.id
        assert case.note or len(engines) > 1, f"{case.id} wants a note"


def test_parsing_what_was_written_out_gives_the_same_tree() -> None:
    for case in EVERY:
        host = Cell(case.area.top, case.area.left)
        expr = parse(case.formula, host)
        assert parse(unparse(expr, host), host) == expr, case.id


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 1), (7, 3), (500, 100)])
def test_moving_a_formula_there_and_back_changes_nothing(down: int, right: int) -> None:
    fallen_off = 0
    for case in EVERY:
        host = Cell(case.area.top, case.area.left)
        there = Cell(host.row + down, host.col + right)
        expr = parse(case.formula, host)
        moved = unparse(expr, there)
        if moved.count("#REF!") > case.formula.count("#REF!"):
            fallen_off += 1  # a reference to the sheet's last row or column
            continue
        assert parse(moved, there) == expr, case.id
        assert unparse(parse(moved, there), host) == unparse(expr, host), case.id
    assert fallen_off < 10
