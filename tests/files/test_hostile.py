"""Files and formulas made to do harm: always a UserError or a result, soon, in little memory."""

from __future__ import annotations

import contextlib
import io
import resource
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_files import book_of, mutated, mutated_formula, rich_workbook, sheet_of, zipped

from gradsheet.app.headless.check import check
from gradsheet.files import xlsx_package
from gradsheet.files.csv_sheet import read_csv
from gradsheet.files.xlsx_read import read_xlsx
from gradsheet.formula.address import Cell
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.syntax import parse, unparse
from gradsheet.formula.values import FormulaError, UserError
from gradsheet.sheet.cells import Formula
from gradsheet.sheet.workbook import Workbook

SECONDS = 5.0
MEGABYTES = 1024
SHARE = 300
"""Of which torch and the interpreter take so much."""
DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE x [%s]>'


def peak_megabytes() -> float:
    """The most memory that this process ever had; other tests may have had their part of it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture
def watched() -> Iterator[None]:
    """Fail where a test takes too long or the process has grown beyond its share."""
    began, before = time.perf_counter(), peak_megabytes()
    yield
    assert time.perf_counter() - began < SECONDS
    assert peak_megabytes() - before < MEGABYTES - SHARE


def survives(data: bytes, path: Path) -> bool:
    """Whether a file is read and computed; False for a UserError; anything else is raised."""
    path.write_bytes(data)
    began = time.perf_counter()
    try:
        check(path)
        return True
    except UserError:
        return False
    finally:
        assert time.perf_counter() - began < SECONDS


def refused(data: bytes) -> str:
    with pytest.raises(UserError) as caught:
        read_xlsx(data)
    return str(caught.value)


@pytest.mark.usefixtures("watched")
class TestZip:
    def test_a_bomb_is_refused_while_it_unpacks(self) -> None:
        rows = b"<row><c><v>1</v></c></row>" * 40_000
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
            with zipfile.ZipFile(io.BytesIO(book_of(b""))) as small:
                for name in small.namelist()[:-1]:
                    package.writestr(name, small.read(name))
            with package.open("xl/worksheets/s.xml", "w") as part:
                part.write(sheet_of("")[: -len(b"</sheetData></worksheet>")])
                part.write(b"<row>" + b" " * (200 << 20))
                part.write(rows)
        assert len(buffer.getvalue()) < 1 << 20
        assert "unpacks to more" in refused(buffer.getvalue())

    def test_sizes_in_the_directory_are_not_trusted(self) -> None:
        data = bytearray(book_of(sheet_of(" " * (40 << 20))))
        at = data.rindex(b"PK\x01\x02")
        data[at + 24 : at + 28] = (100).to_bytes(4, "little")  # the unpacked size
        refused(bytes(data))

    def test_too_many_parts_are_refused(self) -> None:
        parts = {f"p{i}": b"" for i in range(xlsx_package.MAX_PARTS + 1)}
        assert "parts" in refused(zipped(parts))

    @pytest.mark.parametrize("target", ["../../../etc/passwd", "/../x", "..\\..\\x", "%2e%2e/x"])
    def test_a_path_out_of_the_package_leads_nowhere(self, target: str) -> None:
        package = "http://schemas.openxmlformats.org/package/2006/relationships"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        links = (
            f'<Relationships xmlns="{package}"><Relationship Id="r" Type="{office}/worksheet" '
            f'Target="{target}"/></Relationships>'
        )
        data = book_of(sheet_of(""), **{"xl/_rels/workbook.xml.rels": links.encode()})
        refused(data)

    @pytest.mark.parametrize(
        "data",
        [b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
         b"a,b\n1,2\n", b"%PDF-1.4", zipped({"a": b"b"}), zipped({"xl/workbook.bin": b""})],
    )  # fmt: skip
    def test_what_is_no_workbook_is_refused(self, data: bytes) -> None:
        assert refused(data)

    def test_a_missing_file_and_a_folder_are_refused(self, tmp_path: Path) -> None:
        for path in (tmp_path / "none.xlsx", tmp_path):
            with pytest.raises(UserError):
                read_xlsx(path)


@pytest.mark.usefixtures("watched")
class TestXml:
    @pytest.mark.parametrize(
        "declared",
        [
            b'<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
            b'<!ENTITY x SYSTEM "file:///etc/passwd">',
            b'<!ENTITY % x SYSTEM "http://127.0.0.1:9/x">%x;',
            b"",
        ],
    )
    def test_a_document_type_is_refused_wherever_it_is(self, declared: bytes) -> None:
        sheet = DOCTYPE % declared + sheet_of("<row><c><v>1</v></c></row>")
        assert "document type" in refused(book_of(sheet))
        table = DOCTYPE % declared + b"<workbook/>"
        assert "document type" in refused(book_of(sheet_of(""), **{"xl/workbook.xml": table}))

    def test_elements_without_end_are_refused(self) -> None:
        assert "nested deeper" in refused(book_of(sheet_of("<a>" * 2_000_000)))

    def test_a_cell_of_a_million_characters_is_refused(self) -> None:
        text = "x" * 3_000_000
        cell = f'<row><c t="inlineStr"><is><t>{text}</t></is></c></row>'
        assert "million characters" in refused(book_of(sheet_of(cell)))

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-7", "no-such", "base64", "idna", "rot13"])
    def test_an_odd_encoding_gives_a_result_or_an_error(
        self, encoding: str, tmp_path: Path
    ) -> None:
        xml = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
        survives(book_of(xml + sheet_of("<row><c><v>1</v></c></row>")), tmp_path / "e.xlsx")


@pytest.mark.usefixtures("watched")
class TestSheets:
    @pytest.mark.parametrize("address", ["XFE1", "A1048577", "AAAAAAAA1", "A0", "1", "A", "A-1",
                                         "A99999999999999999999", "é1"])  # fmt: skip
    def test_a_cell_outside_of_any_sheet_is_refused(self, address: str) -> None:
        refused(book_of(sheet_of(f'<row r="1"><c r="{address}"><v>1</v></c></row>')))

    @pytest.mark.parametrize("row", ["0", "-5", "1048577", "x", "1e9"])
    def test_a_row_outside_of_any_sheet_is_refused(self, row: str) -> None:
        refused(book_of(sheet_of(f'<row r="{row}"><c><v>1</v></c></row>')))

    def test_cells_in_the_far_corners_are_refused(self) -> None:
        far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        rows = f'<row r="1"><c r="A1"><v>1</v></c></row>{far}'
        assert "too far" in refused(book_of(sheet_of(rows)))

    def test_cells_scattered_to_fill_the_memory_are_refused(self) -> None:
        rows = "".join(
            f'<row r="{r}"><c r="A{r}"><v>1</v></c><c r="BA{r}"><v>1</v></c>'
            f'<c r="ZZ{r}"><v>1</v></c></row>'
            for r in range(1, 1_048_576, 120)
        )
        assert "too far" in refused(book_of(sheet_of(rows)))

    def test_an_array_formula_over_the_whole_sheet_is_refused(self) -> None:
        formula = '<f t="array" ref="A1:XFD1048576">1</f><v>1</v>'
        assert "too far" in refused(book_of(sheet_of(f'<row><c r="A1">{formula}</c></row>')))

    def test_sizes_and_formats_over_the_whole_sheet_are_read(self, tmp_path: Path) -> None:
        tall = '<row r="1048576" ht="99" customHeight="1"/>'
        xml = sheet_of(f'{tall}<row r="1"><c><v>1</v></c></row>')
        cols = b'<cols><col min="1" max="16384" width="20" customWidth="1" style="9"/></cols>'
        xml = xml.replace(b"<sheetData>", cols * 50 + b"<sheetData>")
        merged = b"<mergeCells>" + b'<mergeCell ref="A1:XFD1048576"/>' * 100 + b"</mergeCells>"
        xml = xml.replace(b"</sheetData>", b"</sheetData>" + merged)
        assert survives(book_of(xml), tmp_path / "c.xlsx")

    def test_a_shared_formula_without_its_first_cell_keeps_the_value(self) -> None:
        row = '<row><c r="A1"><f t="shared" si="4"/><v>7</v></c></row>'
        imported = read_xlsx(book_of(sheet_of(row)))
        assert imported.workbook.sheets[0].cells.get((0, 0))[0] == 7.0
        assert "shared formula" in imported.report.text

    def test_a_value_that_is_none_is_reported(self) -> None:
        for text in ("nan", "inf", "1_0", "1e999", "x"):
            imported = read_xlsx(book_of(sheet_of(f"<row><c><v>{text}</v></c></row>")))
            assert "cannot be read" in imported.report.text

    def test_a_formula_that_refers_to_another_file_fetches_nothing(self, tmp_path: Path) -> None:
        cell = '<c r="A1"><f>[1]Sheet1!A1+1</f><v>5</v></c><c r="B1"><f>WEBSERVICE("http://x")</f></c>'
        path = tmp_path / "x.xlsx"
        path.write_bytes(book_of(sheet_of(f"<row>{cell}</row>")))
        result = check(path)
        assert len(result.unsupported) == 2
        assert not result.mismatched


def test_text_that_begins_with_an_equals_sign_stays_text_in_csv() -> None:
    workbook = read_csv(b'=1+1,"=cmd|x",@SUM(A1),+1,-2\n')
    cells = workbook.sheets[0].cells
    assert not cells.formulas()
    values, kinds = cells.read(cells.used())
    assert kinds.tolist() == [[2, 2, 2, 1, 1]]
    assert workbook.strings.text(int(values[0, 0])) == "=1+1"


@pytest.mark.parametrize("data", [b"", b"\0" * 99, b'"' * 9, b"\xff\xfe\xff", b",,,\n" * 9])
def test_an_odd_csv_gives_a_result_or_an_error(data: bytes) -> None:
    with contextlib.suppress(UserError):
        read_csv(data)


def run_files(numbers: range, folder: Path) -> tuple[int, int]:
    rich = folder / "rich.xlsx"
    rich_workbook(rich)
    original = rich.read_bytes()
    before = peak_megabytes()
    read = sum(survives(mutated(original, seed), folder / "m.xlsx") for seed in numbers)
    assert peak_megabytes() - before < MEGABYTES - SHARE
    return read, len(numbers)


def run_formulas(numbers: range) -> tuple[int, int]:
    read, before = 0, peak_megabytes()
    for seed in numbers:
        text = mutated_formula(seed)
        began = time.perf_counter()
        read += _computed(text)
        assert time.perf_counter() - began < SECONDS, text
    assert peak_megabytes() - before < MEGABYTES - SHARE
    return read, len(numbers)


def _computed(text: str) -> bool:
    host = Cell(9, 9)
    try:
        expr = parse(text, host)
        assert parse(unparse(expr, host), host) == expr, text
        workbook = Workbook.with_sheet()
        workbook.sheets[0].cells.set_formula(host, Formula(expr))
        compile_program(workbook).recalculate()
        workbook.sheets[0].cells.set_formula(host, Formula(expr, dynamic=True))
        compile_program(workbook).recalculate()
    except FormulaError:
        return False
    return True


def enough_read(counted: tuple[int, int]) -> None:
    read, of = counted
    assert 0.05 * of < read < 0.95 * of  # neither harmless nor hopeless


def test_mutated_files_give_a_result_or_an_error(tmp_path: Path) -> None:
    enough_read(run_files(range(200), tmp_path))


def test_mutated_formulas_give_a_result_or_an_error() -> None:
    enough_read(run_formulas(range(1_000)))


@pytest.mark.slow
def test_2000_mutated_files_give_a_result_or_an_error(tmp_path: Path) -> None:
    enough_read(run_files(range(200, 2_200), tmp_path))


@pytest.mark.slow
def test_10000_mutated_formulas_give_a_result_or_an_error() -> None:
    enough_read(run_formulas(range(1_000, 11_000)))
