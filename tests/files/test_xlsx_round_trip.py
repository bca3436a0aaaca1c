"""Writing and reading back gives an equal workbook: values, formulas, formats, names, the rest."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradsheet.app.headless.solving import store
from gradsheet.files.file_facts import ColorScale, ColorStop, FileFacts
from gradsheet.files.patch import Patch
from gradsheet.files.role_fills import ROLE_FILLS
from gradsheet.files.solver_model import (
    SolverModel,
    model_of_problem,
    solver_model_of,
    solver_models,
    solver_names,
    with_model,
)
from gradsheet.files.xlsx_read import Imported, read_xlsx
from gradsheet.files.xlsx_write import write_xlsx
from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse
from gradsheet.formula.values import ErrorCode, Kind, UserError
from gradsheet.lessons import catalogue
from gradsheet.sheet.cells import Content, Formula
from gradsheet.sheet.edits import FormatChange, SetCells
from gradsheet.sheet.formats import Format
from gradsheet.sheet.names import DefinedName, Table
from gradsheet.sheet.roles import Role, RoleRegion
from gradsheet.sheet.workbook import Sheet, Workbook

REFERENCE = Path(__file__).parents[3] / "shared/reference/workbooks"
FORMULAS = (
    "=A1+B$2", "=SUM($A$1:B7)", "=IF(A1>0,\"a\"\"b\",-2^2)", "=Sheet2!A1&\" x\"", "={1,2;3,-4}",
    "=STDEV.S(A1:A9)", "=LET(x,A1,x*x)", "=@A1:A9", "=XLOOKUP(1,A:A,B:B)", "=SORT(A1:A9)",
    "=1E-300*3", "=IFERROR(A1,#N/A)", "=SUM(2:5)", "=my_name+1", "=A1:INDEX(B1:B9,3)", "=10%",
    "='it''s here'!C3", "=SUM((A1,B2))", "=NORM.S.INV(0.3)", "=A1=\"\"", "=SUM(A1:B5 B1:C5)",
)  # fmt: skip
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["=1+1", " blank ", "a\nb", "\r\n", "_x0041_", "\x01", "\ud800", "a\tb", "#N/A", "TRUE", "1e3"]
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-99, 99).map(float)
ERRORS = st.sampled_from(
    [ErrorCode.NULL, ErrorCode.DIV0, ErrorCode.VALUE, ErrorCode.REF, ErrorCode.NAME, ErrorCode.NA]
)
SCALARS = NUMBERS | TEXTS | st.booleans() | ERRORS
CELLS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: Cell(*pair)) | st.tuples(
    st.integers(0, 3000), st.integers(0, 40)
).map(lambda pair: Cell(*pair))
COLORS = st.sampled_from(["", "#FF0000", "#00B050", "#FFFFFF", "#010203"])
FORMATS = st.builds(
    FormatChange,
    number=st.sampled_from(["General", "0.00", "0%", "#,##0", "yyyy-mm-dd", '0.0"°C"', "@"]),
    bold=st.booleans(),
    italic=st.booleans(),
    align=st.sampled_from(["auto", "left", "center", "right"]),
    color=COLORS,
    fill=COLORS,
)
REGIONS = st.builds(
    lambda cell, rows, cols: Region(cell.row, cell.col, cell.row + rows, cell.col + cols),
    CELLS, st.integers(1, 9), st.integers(1, 9),
) | st.sampled_from([
    Region(0, 3, MAX_ROWS, 5), Region(0, 20, MAX_ROWS, 21), Region(4, 0, 6, MAX_COLS),
    Region(12, 0, 13, MAX_COLS),
])  # fmt: skip


@st.composite
def workbooks(draw: st.DrawFn) -> tuple[Workbook, FileFacts]:
    workbook = Workbook()
    workbook.date_1904 = draw(st.booleans())
    for name in ("Sheet1", "Sheet2", "it's here")[: draw(st.integers(1, 3))]:
        sheet = workbook.make_sheet(name)
        workbook.sheets.append(sheet)
        fill_sheet(draw, workbook, sheet)
    names = [DefinedName("my_name", parse("=$B$2", Cell(0, 0)))]
    if draw(st.booleans()):
        first = workbook.sheets[0].id
        names.append(DefinedName("my_name", parse("=Sheet1!A1:B2", Cell(0, 0)), first))
        names.append(DefinedName("both", parse("=Sheet1!$A$1,Sheet1!$C$1:$D$2", Cell(0, 0))))
        names.append(DefinedName("gone", parse("=Sheet1!#REF!", Cell(0, 0)), first, True))
    workbook.names = tuple(names)
    return workbook, draw(facts_of(workbook))


@st.composite
def facts_of(draw: st.DrawFn, workbook: Workbook) -> FileFacts:
    ids = [sheet.id for sheet in workbook.sheets]
    scale = ColorScale(
        (Region(0, 0, 5, 5), Region(9, 9, 10, 12)),
        (ColorStop("min", "#F8696B"), ColorStop("percentile", "#FFEB84", 50.0),
         ColorStop("max", "#63BE7B")),
    )  # fmt: skip
    return FileFacts(
        hidden_sheets=frozenset(ids[1:2]) if draw(st.booleans()) else frozenset(),
        color_scales={ids[0]: (scale,)} if draw(st.booleans()) else {},
        active_sheet=ids[0],
    )


def fill_sheet(draw: st.DrawFn, workbook: Workbook, sheet: Sheet) -> None:
    contents: dict[Cell, Content] = dict(draw(st.dictionaries(CELLS, SCALARS, max_size=12)))
    for cell in draw(st.lists(CELLS, max_size=5)):
        text = draw(st.sampled_from(FORMULAS))
        contents[cell] = Formula(parse(text, cell))
    workbook.apply(SetCells(sheet.id, tuple(contents.items())))
    if draw(st.booleans()):
        anchor = Cell(200, 3)
        area = Region(200, 3, 203, 5)
        dynamic = draw(st.booleans())
        workbook.apply(
            SetCells(sheet.id, ((anchor, Formula(parse("=A1:B3*2", anchor), area, dynamic)),))
        )
        sheet.cells.write(area, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    for cell in list(sheet.cells.formulas()):
        kinds = draw(st.sampled_from([Kind.NUMBER, Kind.BOOLEAN, Kind.BLANK]))
        if sheet.cells.formula(cell).array is None:
            sheet.cells.write(Region.of(cell), 1.0, kinds)
    for region in draw(st.lists(REGIONS, max_size=4)):
        sheet.formats = sheet.formats.changed(region, draw(FORMATS))
    sizes = st.integers(5, 400) | st.integers(-400, -5) | st.just(0)  # not above 0: hidden
    sheet.column_widths = draw(st.dictionaries(st.integers(0, 60), sizes, max_size=4))
    sheet.row_heights = draw(st.dictionaries(st.integers(0, 60), sizes, max_size=4))
    sheet.frozen = Cell(*draw(st.sampled_from([(0, 0), (1, 0), (0, 2), (3, 1)])))
    notes = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=9)
    sheet.notes = draw(st.dictionaries(CELLS, notes, max_size=3))
    labels = st.dictionaries(st.integers(0, 40), st.text("ab\"'é", min_size=1), max_size=3)
    sheet.row_labels, sheet.column_labels = draw(labels), draw(labels)
    if draw(st.booleans()):
        sheet.roles = (
            RoleRegion(Region(0, 0, 4, 3), Role.DATA, "actual", True),
            RoleRegion(Region(9, 9, 10, 10), Role.LOSS, 'a "loss"'),
        )


def there_and_back(workbook: Workbook, path: Path, facts: FileFacts | None = None) -> Imported:
    write_xlsx(workbook, path, facts)
    return read_xlsx(path)


def assert_equal(old: Workbook, new: Workbook) -> None:
    assert new.date_1904 == old.date_1904
    assert [sheet.name for sheet in new.sheets] == [sheet.name for sheet in old.sheets]
    place = {sheet.id: at for at, sheet in enumerate(old.sheets)}
    again = {sheet.id: at for at, sheet in enumerate(new.sheets)}
    assert [(n.name, n.expr, place.get(n.sheet), n.hidden) for n in old.names] == [
        (n.name, n.expr, again.get(n.sheet), n.hidden) for n in new.names
    ]
    for was, now in zip(old.sheets, new.sheets, strict=True):
        assert now.cells.formulas() == was.cells.formulas()
        assert_cells_equal(old, was, new, now)
        assert_looks_equal(was, now)
        for fact in ("column_widths", "row_heights", "frozen", "notes", "roles", "row_labels",
                     "column_labels"):  # fmt: skip
            assert getattr(now, fact) == getattr(was, fact), fact


def assert_cells_equal(old: Workbook, was: Sheet, new: Workbook, now: Sheet) -> None:
    assert now.cells.used() == was.cells.used()
    values, kinds = was.cells.read(was.cells.used())
    new_values, new_kinds = now.cells.read(was.cells.used())
    assert np.array_equal(kinds, new_kinds)
    text = kinds == Kind.TEXT
    assert np.array_equal(values[~text].view(np.int64), new_values[~text].view(np.int64))
    assert [old.strings.text(int(i)) for i in values[text]] == [
        new.strings.text(int(i)) for i in new_values[text]
    ]


def assert_looks_equal(was: Sheet, now: Sheet) -> None:
    for window in (Region(0, 0, 60, 60), Region(2990, 0, 3012, 60)):
        old = [look(was, int(i)) for i in was.formats.plane(window).ravel()]
        assert [look(now, int(i)) for i in now.formats.plane(window).ravel()] == old


def look(sheet: Sheet, format_id: int) -> tuple[object, ...]:
    f: Format = sheet.formats.palette.format(format_id)
    return f.code, f.bold, f.italic, f.align, f.color, f.fill


@given(workbooks())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_write_then_read_gives_an_equal_workbook(
    tmp_path: Path, made: tuple[Workbook, FileFacts]
) -> None:
    workbook, facts = made
    imported = there_and_back(workbook, tmp_path / "book.xlsx", facts)
    assert_equal(workbook, imported.workbook)
    place = {sheet.id: at for at, sheet in enumerate(workbook.sheets)}
    again = {sheet.id: at for at, sheet in enumerate(imported.workbook.sheets)}
    assert {again[i] for i in imported.facts.hidden_sheets} == {
        place[i] for i in facts.hidden_sheets
    }
    assert {again[i]: s for i, s in imported.facts.color_scales.items()} == {
        place[i]: s for i, s in facts.color_scales.items()
    }


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference workbooks are not there")
@pytest.mark.parametrize(
    "name", ["collab_filter_2019", "entropy_example_2019", "graddesc_2017", "graddesc_2019"]
)
def test_the_reference_workbooks_come_back_equal(name: str, tmp_path: Path) -> None:
    imported = read_xlsx(REFERENCE / f"{name}.xlsx")
    again = there_and_back(imported.workbook, tmp_path / "again.xlsx", imported.facts)
    assert_equal(imported.workbook, again.workbook)
    assert imported.workbook.tables == again.workbook.tables


def test_a_table_comes_back(tmp_path: Path) -> None:
    workbook = Workbook.with_sheet()
    sheet = workbook.sheets[0]
    cells = ((Cell(0, 0), "a b"), (Cell(0, 1), "x#'[1]"), (Cell(1, 0), 1.0), (Cell(1, 1), 2.0))
    workbook.apply(SetCells(sheet.id, cells))
    workbook.tables = (Table("T", sheet.id, Region(0, 0, 3, 2), ("a b", "x#'[1]"), 1, 1),)
    host = Cell(1, 3)
    for at, text in enumerate(
        ["=SUM(T[a b])", "=T[@[a b]]*2", "=T[@]", "=SUM(T[[#All],[a b]:[x'#'''[1']]])",
         "=T[[#Totals],[a b]]", "=T[@[a b]:[x'#'''[1']]]"]
    ):  # fmt: skip
        cell = Cell(1, 3 + at)
        sheet.cells.set_formula(cell, Formula(parse(text, host)))
    new = there_and_back(workbook, tmp_path / "t.xlsx").workbook
    assert new.tables == workbook.tables
    assert new.sheets[0].cells.formulas() == sheet.cells.formulas()


def test_a_solver_model_comes_back(tmp_path: Path) -> None:
    workbook = Workbook.with_sheet("my model")
    home = workbook.sheets[0].id
    areas = ((home, Region(0, 0, 3, 2)), (home, Region(5, 5, 6, 6)))
    model = SolverModel(home, (home, Cell(9, 9)), areas, "value", -2.5, (), True)
    workbook.names = solver_names(workbook, model)
    new = there_and_back(workbook, tmp_path / "s.xlsx").workbook
    assert solver_model_of(new, new.sheets[0].id) == model
    assert all(name.hidden for name in new.names)


def test_a_functions_own_to_gradsheet_is_written_in_excels(tmp_path: Path) -> None:
    workbook = Workbook.with_sheet()
    sheet = workbook.sheets[0]
    host = Cell(0, 5)
    sheet.cells.set_formula(host, Formula(parse("=1+LEARN.SIGMOID(A1+B1)^2", host)))
    new = there_and_back(workbook, tmp_path / "own.xlsx").workbook
    assert new.sheets[0].cells.formula(host).expr == parse("=1+(1/(1+EXP(-(A1+B1))))^2", host)


def test_the_format_of_a_row_without_cells_comes_back(tmp_path: Path) -> None:
    workbook = Workbook.with_sheet()
    sheet = workbook.sheets[0]
    sheet.formats = sheet.formats.changed(Region(4, 0, 6, MAX_COLS), FormatChange(italic=True))
    sheet.formats = sheet.formats.changed(Region(0, 3, MAX_ROWS, 5), FormatChange(bold=True))
    assert_equal(workbook, there_and_back(workbook, tmp_path / "row.xlsx").workbook)


@pytest.mark.parametrize("name", ["dotprod", "bias"])
def test_a_lesson_is_written_with_its_problem_as_a_solver_model(name: str, tmp_path: Path) -> None:
    book = catalogue.find(name).build(3, None)
    workbook = book.workbook
    program = compile_program(workbook)
    store(workbook, program.recalculate(), program)
    workbook.names = with_model(workbook.names, workbook, model_of_problem(book.problem))
    imported = there_and_back(workbook, tmp_path / "lesson.xlsx")
    assert imported.report.findings == ()
    assert_equal(workbook, imported.workbook)
    (model,) = solver_models(imported.workbook)
    assert model.goal == book.problem.goal
    assert model.objective[1] == book.problem.loss[1]
    assert [r for _, r in model.changing] == [p.region for p in book.problem.parameters]
    with zipfile.ZipFile(tmp_path / "lesson.xlsx") as package:
        styles = package.read("xl/styles.xml").decode()
    for role in workbook.sheets[0].roles:
        assert ROLE_FILLS[role.role][1:] in styles


def test_macros_are_noted_never_run_and_lost_in_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsm"
    write_xlsx(Workbook.with_sheet(), path)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/vbaProject.bin", b"not looked at")
    imported = read_xlsx(path)
    assert imported.facts.has_macros
    assert [f.what for f in imported.report.lost] == ["macro project"]
    imported.workbook.sheets[0].cells.write(Region(0, 0, 1, 1), 1.0)
    Patch(path, imported.workbook).save(path)
    with zipfile.ZipFile(path) as package:
        assert package.read("xl/vbaProject.bin") == b"not looked at"


def test_a_sheet_larger_than_excels_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "old.xlsx"
    path.write_text("old")
    workbook = Workbook.with_sheet()
    workbook.sheets[0].cells.write(Region.of((MAX_ROWS, 0)), 1.0)
    with pytest.raises(UserError):
        write_xlsx(workbook, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_text_longer_than_excels_is_cut_and_reported(tmp_path: Path) -> None:
    workbook = Workbook.with_sheet()
    workbook.apply(SetCells(workbook.sheets[0].id, ((Cell(0, 0), "x" * 40_000),)))
    report = write_xlsx(workbook, tmp_path / "long.xlsx")
    assert "cut" in report.text
    new = read_xlsx(tmp_path / "long.xlsx").workbook
    value, _ = new.sheets[0].cells.get((0, 0))
    assert len(new.strings.text(int(value))) == 32_767


def test_the_same_workbook_gives_the_same_bytes(tmp_path: Path) -> None:
    workbook = Workbook.with_sheet()
    workbook.sheets[0].cells.write(Region(0, 0, 9, 9), 1.5)
    for name in ("a", "b"):
        write_xlsx(workbook, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
