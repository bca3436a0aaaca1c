"""What the reader makes of each thing that a workbook file can hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_files import MAIN, book_of, sheet_of

from gradsheet.app.headless.check import check
from gradsheet.files.solver_model import solver_models
from gradsheet.files.xlsx_cells import serial_of
from gradsheet.files.xlsx_read import Imported, read_xlsx
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import ErrorCode, Scalar, unpack
from gradsheet.sheet.workbook import Workbook

REFERENCE = Path(__file__).parents[3] / "shared/reference/workbooks"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def value(imported: Imported, address: str) -> Scalar:
    workbook = imported.workbook
    return unpack(*workbook.sheets[0].cells.get(Cell.parse(address)), workbook.strings)


def cells(*given: str) -> Imported:
    return read_xlsx(book_of(sheet_of(f"<row>{''.join(given)}</row>")))


def formula(imported: Imported, address: str) -> str:
    cell = Cell.parse(address)
    found = imported.workbook.sheets[0].cells.formula(cell)
    return "" if found is None else unparse(found.expr, cell)


def with_part(sheet: bytes, kind: str, target: str, data: str) -> bytes:
    """A workbook whose workbook part links to one more part."""
    links = (
        f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r" Type="{OFFICE}/worksheet" '
        f'Target="worksheets/s.xml"/><Relationship Id="x" Type="{OFFICE}/{kind}" '
        f'Target="{target}"/></Relationships>'
    )
    return book_of(
        sheet, **{"xl/_rels/workbook.xml.rels": links.encode(), f"xl/{target}": data.encode()}
    )


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference workbooks are not there")
@pytest.mark.parametrize(
    ("name", "count", "volatile"),
    [
        ("collab_filter_2019", 12_937, 0), ("entropy_example_2019", 75, 0),
        ("graddesc_2017", 2_365, 29), ("graddesc_2019", 1_623, 29),
    ],
)
def test_every_formula_of_the_reference_matches_its_stored_value(
    name: str, count: int, volatile: int
) -> None:
    result = check(REFERENCE / f"{name}.xlsx")
    assert result.mismatched == []
    assert result.unsupported == []
    assert (result.formula_cells, result.volatile) == (count, volatile)
    assert result.matched == result.compared == count - volatile


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("<c><v>1.5</v></c>", 1.5),
        ('<c t="n"><v> -2e3 </v></c>', -2000.0),
        ('<c t="b"><v>1</v></c>', True),
        ('<c t="b"><v>0</v></c>', False),
        ('<c t="e"><v>#N/A</v></c>', ErrorCode.NA),
        ('<c t="e"><v>#GETTING_DATA</v></c>', ErrorCode.UNSUPPORTED),
        ('<c t="str"><f>A9</f><v>a &lt; b</v></c>', "a < b"),
        ('<c t="str"><f>A9</f><v></v></c>', ""),
        ('<c t="inlineStr"><is><t> a </t></is></c>', " a "),
        ('<c t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh><t>c</t></rPh></is></c>', "ab"),
        ('<c t="inlineStr"><is><t>_x0041__x005F_x0041_</t></is></c>', "A_x0041_"),
        ('<c t="d"><v>2024-02-29T12:00:00</v></c>', 45351.5),
        ("<c/>", None),
        ("<c><v></v></c>", None),
    ],
)
def test_a_value_of_each_type_is_read(cell: str, expected: Scalar) -> None:
    found = value(cells(cell), "A1")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "date_1904", "serial"),
    [("1900-01-01", False, 1.0), ("1900-02-28", False, 59.0), ("1900-03-01", False, 61.0),
     ("1904-01-02", True, 1.0), ("06:00:00", False, 0.25), ("2024-01-01T00:00:00Z", False, 45292.0),
     ("soon", False, None)],
)  # fmt: skip
def test_dates_become_serial_numbers(text: str, date_1904: bool, serial: float | None) -> None:
    assert serial_of(text, date_1904) == serial


def test_shared_strings_join_runs_and_leave_readings_out() -> None:
    strings = (
        f"<sst {MAIN}><si><t>one</t></si><si><r><t>tw</t></r><r><t xml:space='preserve'>o </t></r>"
        "<rPh sb='0' eb='1'><t>no</t></rPh></si></sst>"
    )
    row = sheet_of('<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c><c t="s"><v>7</v></c></row>')
    imported = read_xlsx(with_part(row, "sharedStrings", "strings.xml", strings))
    assert [value(imported, a) for a in ("A1", "B1")] == ["two ", "one"]
    assert value(imported, "C1") is ErrorCode.UNSUPPORTED


def test_cells_without_addresses_follow_one_another() -> None:
    imported = read_xlsx(
        book_of(sheet_of('<row><c><v>1</v></c><c r="D1"><v>2</v></c><c><v>3</v></c></row>'
                         "<row><c><v>4</v></c></row>"))
    )  # fmt: skip
    assert [value(imported, a) for a in ("A1", "D1", "E1", "A2")] == [1.0, 2.0, 3.0, 4.0]


def test_a_shared_formula_is_translated_also_before_its_first_cell() -> None:
    imported = cells(
        '<c r="B1"><f t="shared" si="0"/><v>1</v></c>',
        '<c r="C1"><f t="shared" ref="B1:D1" si="0">C$5+$A1+E:E</f><v>1</v></c>',
        '<c r="D1"><f t="shared" si="0"/><v>1</v></c>',
    )
    assert formula(imported, "B1") == "=B$5+$A1+D:D"
    assert formula(imported, "C1") == "=C$5+$A1+E:E"
    assert formula(imported, "D1") == "=D$5+$A1+F:F"


def test_equal_relative_formulas_share_one_tree() -> None:
    imported = read_xlsx(
        book_of(sheet_of("".join(
            f'<row r="{r}"><c r="C{r}"><f>SUM(A{r}:B{r})*LOG10($D$1)&amp;"A{1}"</f></c></row>'
            for r in range(1, 50)
        )))
    )  # fmt: skip
    formulas = imported.workbook.sheets[0].cells.formulas()
    assert len({id(f.expr) for f in formulas.values()}) == 1
    assert formula(imported, "C7") == '=SUM(A7:B7)*LOG10($D$1)&"A1"'


@pytest.mark.parametrize(
    "text",
    ["A:A+$B1", "SUM(2:3)", "'A1'!B2", "T[A1]", '"A1"', "A1B2+x.A1", "LOG10(A1)", "$A1:B$2",
     "XFE1", "A1048577", "Sheet1!A1:Sheet1!B2", "1E5+A1", "A1.B", "_A1", "A$1"],
)  # fmt: skip
def test_the_cache_never_changes_what_a_formula_means(text: str) -> None:
    from gradsheet.files.formula_cache import FormulaCache
    from gradsheet.formula.values import FormulaError

    cache = FormulaCache()
    for host in (Cell(0, 0), Cell(7, 3), Cell(2, 9)):
        try:
            expected = parse(text, host)
        except FormulaError:
            with pytest.raises(FormulaError):
                cache.parse(text, host)
        else:
            assert cache.parse(text, host) == expected


def test_an_array_formula_keeps_its_area_and_its_members_values() -> None:
    imported = read_xlsx(
        book_of(sheet_of(
            '<row><c r="A1"><f t="array" ref="A1:B2">C1:D2*2</f><v>2</v></c>'
            '<c r="B1"><f/><v>4</v></c></row>'
            '<row><c r="A2"><v>6</v></c><c r="B2"><v>8</v></c></row>'
        ))
    )  # fmt: skip
    found = imported.workbook.sheets[0].cells.formula(Cell(0, 0))
    assert found is not None
    assert (found.array, found.dynamic) == (Region(0, 0, 2, 2), False)
    assert imported.workbook.sheets[0].cells.formula_count == 1
    assert value(imported, "B2") == 8.0


def test_metadata_tells_a_dynamic_array_from_an_old_one(tmp_path: Path) -> None:
    from gradsheet.files.xlsx_write import METADATA

    row = sheet_of(
        '<row><c r="A1" cm="1"><f t="array" ref="A1:A2">B1:B2*2</f><v>2</v></c>'
        '<c r="B1"><v>1</v></c><c r="C1" cm="2"><f t="array" ref="C1">1</f><v>1</v></c></row>'
        '<row><c r="A2"><v>4</v></c><c r="B2"><v>2</v></c></row>'
    )
    data = with_part(row, "sheetMetadata", "metadata.xml", METADATA)
    store = read_xlsx(data).workbook.sheets[0].cells
    assert [store.formula(Cell(0, c)).dynamic for c in (0, 2)] == [True, False]
    path = tmp_path / "d.xlsx"
    path.write_bytes(data)
    result = check(path)
    assert result.mismatched == []
    assert result.formula_cells == result.matched == 3


def names_book(*names: str) -> Imported:
    workbook = (
        f'<workbook {MAIN} xmlns:r="{OFFICE}"><workbookPr date1904="1"/><sheets>'
        '<sheet name="S" sheetId="1" r:id="r" state="hidden"/></sheets>'
        f"<definedNames>{''.join(names)}</definedNames></workbook>"
    )
    return read_xlsx(
        book_of(sheet_of("<row><c><v>1</v></c></row>"), **{"xl/workbook.xml": workbook.encode()})
    )


def test_names_keep_scope_unions_and_broken_references() -> None:
    imported = names_book(
        '<definedName name="a">S!$A$1</definedName>',
        '<definedName name="a" localSheetId="0" hidden="1">S!$A$1,S!$B$2:$C$3</definedName>',
        '<definedName name="b">S!#REF!</definedName>',
        '<definedName name="left">S!XFD1</definedName>',
        '<definedName name="c" localSheetId="9">1</definedName>',
        '<definedName name="d">((</definedName>',
    )
    workbook = imported.workbook
    sheet = workbook.sheets[0].id
    assert [(n.name, n.sheet, n.hidden) for n in workbook.names] == [
        ("a", None, False), ("a", sheet, True), ("b", None, False), ("left", None, False),
        ("d", None, False),
    ]  # fmt: skip
    assert unparse(workbook.names[1].expr, Cell(0, 0)) == "=(S!$A$1,S!$B$2:$C$3)"
    assert unparse(workbook.names[3].expr, Cell(0, 5)) == "=S!E1"
    assert "name that cannot be read in d" in imported.report.text
    assert workbook.date_1904
    assert imported.facts.hidden_sheets == {sheet}


def test_a_solver_model_with_constraints_is_read() -> None:
    entries = {
        "opt": "S!$A$1", "adj": "S!$B$1:$B$3,S!$D$1", "typ": "3", "val": "-4", "neg": "1",
        "num": "2", "lhs1": "S!$B$1:$B$3", "rel1": "1", "rhs1": "10", "lhs2": "S!$D$1",
        "rel2": "4", "rhs2": "integer",
    }  # fmt: skip
    imported = names_book(*(
        f'<definedName name="solver_{k}" localSheetId="0" hidden="1">{v}</definedName>'
        for k, v in entries.items()
    ))  # fmt: skip
    (model,) = solver_models(imported.workbook)
    sheet = imported.workbook.sheets[0].id
    assert model.objective == (sheet, Cell(0, 0))
    assert [region for _, region in model.changing] == [Region(0, 1, 3, 2), Region(0, 3, 1, 4)]
    assert (model.goal, model.target, model.non_negative) == ("value", -4.0, True)
    assert [str(c) for c in model.constraints] == ["S!$B$1:$B$3 <= 10", "S!$D$1 integer"]
    assert model.problem().goal == "value"


def test_what_cannot_be_computed_keeps_its_value_and_is_counted(tmp_path: Path) -> None:
    row = (
        '<c r="A1"><f>CUBEVALUE("x")</f><v>7</v></c><c r="B1"><f>A1+1</f><v>8</v></c>'
        '<c r="C1"><f>MyMacro(1)</f><v>3</v></c><c r="D1"><f>RAND()</f><v>0.5</v></c>'
        '<c r="E1"><f>D1*2</f><v>1</v></c><c r="F1"><f>1+</f><v>9</v></c>'
        '<c r="G1"><f>2+2</f><v>5</v></c>'
    )
    path = tmp_path / "u.xlsx"
    path.write_bytes(book_of(sheet_of(f"<row>{row}</row>")))
    result = check(path)
    assert {u.cell: u.reason for u in result.unsupported} == {
        "A1": "function CUBEVALUE", "C1": "function MYMACRO", "F1": "formula that cannot be read",
    }  # fmt: skip
    assert (result.formula_cells, result.compared, result.matched, result.volatile) == (7, 3, 2, 1)
    assert [(m.cell, m.stored, m.computed) for m in result.mismatched] == [("G1", "5.0", "4.0")]
    imported = read_xlsx(path)
    assert value(imported, "A1") == 7.0
    assert "CUBEVALUE" in imported.report.text
    assert formula(imported, "F1") == "=1+"


def test_other_programs_spellings_are_read() -> None:
    """Prefixed elements and the namespace of strict Open XML."""
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    sheet = (
        f'<x:worksheet xmlns:x="{strict}"><x:sheetData><x:row r="1"><x:c r="A1"><x:f>1+1</x:f>'
        "<x:v>2</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    imported = read_xlsx(book_of(sheet.encode()))
    assert value(imported, "A1") == 2.0
    assert formula(imported, "A1") == "=1+1"


def test_a_workbook_by_openpyxl_is_read(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    from openpyxl.comments import Comment
    from openpyxl.formatting.rule import ColorScaleRule
    from openpyxl.styles import Font, PatternFill

    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"], sheet["B2"], sheet["C3"] = 1.5, "text", "=A1*2"
    sheet["A1"].number_format = "0.000"
    sheet["B2"].font = Font(bold=True, italic=True, color="FF0000")
    sheet["B2"].fill = PatternFill("solid", fgColor="00FF00")
    sheet["A1"].comment = Comment("hello", "me")
    sheet.freeze_panes = "B3"
    sheet.column_dimensions["C"].width = 20
    sheet.row_dimensions[4].height = 30
    sheet.merge_cells("E1:F2")
    scale = ColorScaleRule(start_type="min", start_color="FFF8696B", end_type="max",
                           end_color="FF63BE7B")  # fmt: skip
    sheet.conditional_formatting.add("A1:A9", scale)
    book.save(tmp_path / "o.xlsx")
    imported = read_xlsx(tmp_path / "o.xlsx")
    ours = imported.workbook.sheets[0]
    assert ours.formats.at((0, 0)).code == "0.000"
    look = ours.formats.at((1, 1))
    assert (look.bold, look.italic, look.color, look.fill) == (True, True, "#FF0000", "#00FF00")
    assert ours.notes == {Cell(0, 0): "hello"}
    assert ours.frozen == Cell(2, 1)
    assert (ours.column_widths[2], ours.row_heights[3]) == (140, 40)
    assert "merged range" in imported.report.text
    (found,) = imported.facts.color_scales[ours.id]
    assert [stop.color for stop in found.stops] == ["#F8696B", "#63BE7B"]
    assert check(tmp_path / "o.xlsx").not_stored == 1


def test_an_empty_workbook_is_read() -> None:
    assert isinstance(read_xlsx(book_of(sheet_of(""))).workbook, Workbook)
