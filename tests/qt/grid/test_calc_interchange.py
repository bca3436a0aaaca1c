"""Tables to and from LibreOffice Calc by file: what our clipboard offers, what Calc offers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.values import ErrorCode
from gradsheet.qt.grid.view import GridView
from gradsheet.sheet.edits import FormatChange, SetFormat

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument

openpyxl = pytest.importorskip("openpyxl")
SOFFICE = shutil.which("soffice")
pytestmark = [
    pytest.mark.skipif(SOFFICE is None, reason="LibreOffice's soffice is not on the path"),
    pytest.mark.slow,
]


def convert(source: Path, target: str, *, reads: str = "") -> Path:
    """Let Calc open a file and save it in another format."""
    assert SOFFICE is not None
    folder = source.parent
    command = [SOFFICE, f"-env:UserInstallation=file://{folder}/profile", "--headless"]
    command += [f"--infilter={reads}"] if reads else []
    command += ["--convert-to", target, "--outdir", str(folder / "out"), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    suffix = target.partition(":")[0]
    return folder / "out" / f"{source.stem}.{suffix}"


def speak_german(profile: Path) -> None:
    """Set Calc's locale, as Options > Languages does; it needs no language pack."""
    (profile / "user").mkdir(parents=True)
    (profile / "user/registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
        '<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale"'
        ' oor:op="fuse"><value>de-DE</value></prop></item></oor:items>\n'
    )


NUMBERS = np.concatenate(
    [np.random.default_rng(3).normal(size=96), [0.1, 1 / 3, 1e22, 123456789.123456]]
).reshape(20, 5)  # fmt: skip
CALC_DIGITS = 1e-14
"""Calc writes 15 significant digits into files, whatever it holds."""
TEXTS = ("007", 'with "quotes"', "ü & <b>", "=not a formula", "two\nlines", "a\tb")


def fill(document: SheetDocument, grid: GridView, texts: tuple[str, ...]) -> None:
    cells = document.workbook.sheets[0].cells
    cells.write(Region(0, 0, 20, 5), NUMBERS)
    document.apply(SetFormat(grid.sheet_id, Region(0, 0, 20, 5), FormatChange(number="0.00")))
    for row, text in enumerate(texts):
        document.put(f"F{row + 1}", (text,))
    document.put("F10", (True,), (ErrorCode.NA,), (None,))
    grid.select(Region(0, 0, 20, 6))


def test_calc_reads_our_html_with_every_digit_and_text(
    document: SheetDocument, grid: GridView, hands: Hands, tmp_path: Path
) -> None:
    fill(document, grid, TEXTS[:4])
    hands.press("Ctrl+C")
    page = tmp_path / "copied.html"
    page.write_text(QGuiApplication.clipboard().mimeData().html(), encoding="utf-8")
    book = openpyxl.load_workbook(convert(page, "xlsx", reads="calc_HTML_WebQuery"))
    sheet = book.active
    back = [[sheet.cell(r + 1, c + 1).value for c in range(5)] for r in range(20)]
    assert np.allclose(np.array(back, dtype=float), NUMBERS, rtol=CALC_DIGITS, atol=0)
    assert sheet["A1"].number_format == "0.00"
    assert [sheet[f"F{i}"].value for i in (1, 2, 3, 4)] == list(TEXTS[:4])
    assert sheet["F10"].value in (True, 1)


def test_calc_reads_our_text_with_every_digit_and_text(
    document: SheetDocument, grid: GridView, hands: Hands, tmp_path: Path
) -> None:
    fill(document, grid, TEXTS)
    hands.press("Ctrl+C")
    table = tmp_path / "copied.csv"
    table.write_text(QGuiApplication.clipboard().text(), encoding="utf-8", newline="")
    # Calc's filter options: tab, double quote, UTF-8, first line 1, and to take numbers as en-US.
    options = "Text - txt - csv (StarCalc):9,34,76,1,,1033,false,true,false"
    book = openpyxl.load_workbook(convert(table, "xlsx", reads=options))
    sheet = book.active
    back = [[sheet.cell(r + 1, c + 1).value for c in range(5)] for r in range(20)]
    assert np.allclose(np.array(back, dtype=float), NUMBERS, rtol=CALC_DIGITS, atol=0)
    assert [sheet[f"F{i}"].value for i in (2, 3, 5, 6)] == [*TEXTS[1:3], *TEXTS[4:]]
    assert not QGuiApplication.clipboard().mimeData().hasHtml()


def test_a_table_from_calc_pastes_with_its_values_and_formats(
    document: SheetDocument, grid: GridView, hands: Hands, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row, line in enumerate(NUMBERS.tolist()):
        for col, number in enumerate(line):
            sheet.cell(row + 1, col + 1, number).number_format = "0.00"
    for row, text in enumerate((*TEXTS[:3], TEXTS[4])):
        sheet.cell(row + 1, 6, text)
    sheet["F10"] = True
    sheet["F11"] = "=1/0"
    book.save(tmp_path / "calc.xlsx")
    page = convert(tmp_path / "calc.xlsx", "html:HTML (StarCalc)").read_text("utf-8")
    data = QMimeData()
    data.setHtml(page)
    data.setText("as text")
    QGuiApplication.clipboard().setMimeData(data)
    hands.press("Ctrl+V")
    values, _ = document.workbook.sheets[0].cells.read(Region(0, 0, 20, 5))
    assert np.allclose(values, NUMBERS, rtol=CALC_DIGITS, atol=0)
    assert grid.sheet.formats.at(Cell(0, 0)).number == "0.00"
    assert [document.value(f"F{i}") for i in (1, 2, 3, 4)] == [*TEXTS[:3], TEXTS[4]]
    assert document.value("F10") in (True, 1.0)  # Calc's HTML has a 1 for it
    assert document.value("F11") == ErrorCode.DIV0


def test_text_from_a_calc_with_decimal_commas_pastes_as_numbers(
    document: SheetDocument, grid: GridView, hands: Hands, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    book.active.append([1.5, 2.25, "Käse", 1234.5])
    book.active.append([-0.125, 1e-3, 'a "b"', 3])
    book.save(tmp_path / "deutsch.xlsx")
    speak_german(tmp_path / "profile")
    # Tab, quotes, UTF-8, cells as shown.
    options = "csv:Text - txt - csv (StarCalc):9,34,76,1,,0,false,true,false"
    text = convert(tmp_path / "deutsch.xlsx", options).read_text("utf-8")
    assert "1,5\t2,25" in text
    QGuiApplication.clipboard().setText(text)
    hands.press("Ctrl+V")
    assert [document.value(a) for a in ("A1", "B1", "C1", "D1")] == [1.5, 2.25, "Käse", 1234.5]
    assert [document.value(a) for a in ("A2", "B2", "C2", "D2")] == [-0.125, 0.001, 'a "b"', 3.0]
