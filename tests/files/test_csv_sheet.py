"""One sheet as CSV, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradsheet.files.csv_sheet import read_csv, write_csv
from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import Scalar, UserError, unpack
from gradsheet.sheet.edits import FormatChange, SetCells
from gradsheet.sheet.workbook import Workbook


def rows(workbook: Workbook) -> list[list[Scalar]]:
    cells = workbook.sheets[0].cells
    values, kinds = cells.read(cells.used())
    return [
        [unpack(v, k, workbook.strings) for v, k in zip(vs, ks, strict=True)]
        for vs, ks in zip(values.tolist(), kinds.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    "data",
    [b"a,1.5,TRUE\nb,,2\n", b"a;1,5;TRUE\nb;;2\n", b"a\t1.5\tTRUE\nb\t\t2\n",
     "a,1.5,TRUE\nb,,2\n".encode("utf-16"), b"\xef\xbb\xbfa,1.5,TRUE\r\nb,,2\r\n"],
)  # fmt: skip
def test_separator_decimal_sign_and_encoding_are_found(data: bytes) -> None:
    assert rows(read_csv(data)) == [["a", 1.5, True], ["b", None, 2.0]]


def test_what_looks_like_a_formula_stays_text() -> None:
    workbook = read_csv(b"=1+1,'x,=HYPERLINK(\"a\")\n")
    assert rows(workbook)[0][:2] == ["=1+1", "'x"]
    assert not workbook.sheets[0].cells.formulas()


def test_written_values_are_read_back_to_the_last_bit(tmp_path: Path) -> None:
    workbook = Workbook.with_sheet()
    sheet = workbook.sheets[0]
    workbook.apply(
        SetCells(sheet.id, ((Cell(0, 0), 1 / 3), (Cell(0, 1), "a,\"b\"\nc"), (Cell(1, 0), True),
                            (Cell(1, 2), 1e-300)))
    )  # fmt: skip
    write_csv(workbook, sheet, tmp_path / "a.csv")
    assert rows(read_csv(tmp_path / "a.csv")) == rows(workbook)


def test_dates_are_written_as_they_show(tmp_path: Path) -> None:
    workbook = Workbook.with_sheet()
    sheet = workbook.sheets[0]
    sheet.cells.write(Region(0, 0, 1, 1), 45351.0)
    sheet.formats = sheet.formats.changed(Region(0, 0, 1, 1), FormatChange(number="yyyy-mm-dd"))
    write_csv(workbook, sheet, tmp_path / "d.csv")
    assert (tmp_path / "d.csv").read_text() == "2024-02-29\n"


def test_the_sheet_is_called_as_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my [data]: 2024 with a very long name indeed.csv"
    path.write_text("1\n")
    assert read_csv(path).sheets[0].name == "my  data   2024 with a very lon"


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv"):
        read_csv(tmp_path / "none.csv")
