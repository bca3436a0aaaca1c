"""Cutting that moves, paste special, HTML from other programs, and no digit lost."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.syntax import unparse
from gradsheet.formula.values import Kind
from gradsheet.qt.grid.clipboard_html import a1_formula, read_table, table_html
from gradsheet.qt.grid.clipboard_read import bulk_values
from gradsheet.qt.grid.copying import PasteWhat
from gradsheet.qt.grid.view import GridView
from gradsheet.sheet.edits import AddSheet, FormatChange, SetFormat, SetNote

if TYPE_CHECKING:
    from tests.qt.grid.conftest import Hands, SheetDocument


def put_html(html: str, text: str = "") -> None:
    data = QMimeData()
    data.setHtml(html)
    if text:
        data.setText(text)
    QGuiApplication.clipboard().setMimeData(data)


def formula(document: SheetDocument, address: str, sheet: int = 0) -> str:
    cell = Cell.parse(address)
    found = document.workbook.sheets[sheet].cells.formula(cell)
    assert found is not None
    return unparse(found.expr, cell)


def values(document: SheetDocument, *addresses: str) -> list[object]:
    return [document.value(address) for address in addresses]


def test_what_was_cut_stays_until_it_is_pasted_and_references_follow(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,), (2.0,))
    document.enter(grid.sheet_id, Cell.parse("C1"), "=SUM(A1:A2)")
    grid.select(Region.parse("A1:A2"))
    hands.press("Ctrl+X")
    assert values(document, "A1", "A2") == [1.0, 2.0]
    grid.select(Cell.parse("E5"))
    hands.press("Ctrl+V")
    assert values(document, "A1", "E5", "E6") == [None, 1.0, 2.0]
    assert formula(document, "C1") == "=SUM(E5:E6)"
    document.undo()
    assert formula(document, "C1") == "=SUM(A1:A2)"


def test_cut_cells_move_to_another_sheet(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.apply(AddSheet("Two"))
    document.put("A1", (1.0,))
    document.enter(grid.sheet_id, Cell.parse("C1"), "=A1*2")
    grid.select(Cell.parse("A1"))
    hands.press("Ctrl+X")
    grid.set_sheet(document.workbook.sheets[1].id)
    grid.select(Cell.parse("B2"))
    hands.press("Ctrl+V")
    assert formula(document, "C1") == "=Two!B2*2"


def test_a_cut_can_be_pasted_once(document: SheetDocument, grid: GridView, hands: Hands) -> None:
    document.put("A1", (1.0,))
    grid.select(Cell.parse("A1"))
    hands.press("Ctrl+X")
    grid.select(Cell.parse("B1"))
    hands.press("Ctrl+V")
    grid.select(Cell.parse("C1"))
    hands.press("Ctrl+V")
    assert values(document, "A1", "B1", "C1") == [None, 1.0, 1.0]


def test_what_was_copied_is_framed_until_escape_or_the_next_edit(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,))
    grid.select(Cell.parse("A1"))
    hands.press("Ctrl+C")
    assert [str(mark.region) for mark in grid.overlay.marks("copied")] == ["A1"]
    hands.press("Escape")
    assert grid.overlay.marks("copied") == ()
    hands.press("Ctrl+C", "Delete")
    assert grid.overlay.marks("copied") == ()


def test_escape_after_a_cut_makes_it_a_copy(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,))
    grid.select(Cell.parse("A1"))
    hands.press("Ctrl+X", "Escape")
    grid.select(Cell.parse("B1"))
    hands.press("Ctrl+V")
    assert values(document, "A1", "B1") == [1.0, 1.0]


def test_formats_and_notes_go_with_what_is_cut_and_formats_with_what_is_copied(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (0.5,))
    document.apply(SetFormat(grid.sheet_id, Region.parse("A1"), FormatChange(number="0%")))
    document.apply(SetNote(grid.sheet_id, Cell.parse("A1"), "look"))
    grid.select(Cell.parse("A1"))
    hands.press("Ctrl+C")
    grid.select(Cell.parse("B1"))
    hands.press("Ctrl+V")
    assert grid.sheet.formats.at(Cell.parse("B1")).number == "0%"
    assert grid.sheet.notes == {Cell.parse("A1"): "look"}
    grid.select(Cell.parse("A1"))
    hands.press("Ctrl+X")
    grid.select(Cell.parse("C1"))
    hands.press("Ctrl+V")
    assert grid.sheet.notes == {Cell.parse("C1"): "look"}
    assert grid.sheet.formats.at(Cell.parse("A1")).number == "General"


def test_values_only_leave_formulas_and_formats_behind(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.enter(grid.sheet_id, Cell.parse("A1"), "=1/3")
    document.workbook.sheets[0].cells.write(Region.parse("A1"), 1 / 3)
    document.apply(SetFormat(grid.sheet_id, Region.parse("A1"), FormatChange(bold=True)))
    grid.select(Cell.parse("A1"))
    hands.press("Ctrl+C")
    grid.select(Cell.parse("B1"))
    grid.paste(PasteWhat("values", looks=False))
    assert document.value("B1") == 1 / 3
    assert document.formula("B1") is None
    assert not grid.sheet.formats.at(Cell.parse("B1")).bold


def test_formats_only_leave_what_is_there(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0, 2.0))
    document.apply(SetFormat(grid.sheet_id, Region.parse("A1"), FormatChange(bold=True)))
    grid.select(Cell.parse("A1"))
    hands.press("Ctrl+C")
    grid.select(Cell.parse("B1"))
    grid.paste(PasteWhat("none"))
    assert document.value("B1") == 2.0
    assert grid.sheet.formats.at(Cell.parse("B1")).bold


def test_transposed_formulas_turn_with_their_cells(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0, 2.0, 3.0))
    for at in ("A2", "B2", "C2"):
        document.enter(grid.sheet_id, Cell.parse(at), f"={at[0]}1*$F$1")
    grid.select(Region.parse("A1:C2"))
    hands.press("Ctrl+C")
    grid.select(Cell.parse("E5"))
    grid.paste(PasteWhat(transpose=True))
    assert values(document, "E5", "E6", "E7") == [1.0, 2.0, 3.0]
    assert formula(document, "F7") == "=E7*$F$1"
    assert grid.selection == [Region.parse("E5:F7")]


def test_skipped_blanks_leave_what_they_would_cover(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.put("A1", (1.0,), (None,), (3.0,))
    document.put("C1", (7.0,), (8.0,), (9.0,))
    grid.select(Region.parse("A1:A3"))
    hands.press("Ctrl+C")
    grid.select(Cell.parse("C1"))
    grid.paste(PasteWhat(skip_blanks=True))
    assert values(document, "C1", "C2", "C3") == [1.0, 8.0, 3.0]


def test_a_copied_cell_fills_the_selection(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    document.enter(grid.sheet_id, Cell.parse("B1"), "=A1")
    grid.select(Cell.parse("B1"))
    hands.press("Ctrl+C")
    grid.select(Region.parse("B2:C4"))
    hands.press("Ctrl+V")
    assert formula(document, "C4") == "=B4"
    assert document.history.undo_label == "Paste"


# ------------------------------------------------------------------------------------- digits


def test_10000_random_floats_keep_every_bit_through_copy_and_paste(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    generator = np.random.default_rng(7)
    bits = generator.integers(0, 2**63, 30_000, dtype=np.int64)
    bits[::2] |= np.int64(-(2**63))
    numbers = bits.view(np.float64)
    numbers = numbers[np.isfinite(numbers)][:10_000].reshape(1000, 10)
    cells = document.workbook.sheets[0].cells
    cells.write(Region(0, 0, 1000, 10), numbers)
    grid.select(Region(0, 0, 1000, 10))
    hands.press("Ctrl+C")
    text = QGuiApplication.clipboard().text()
    html = QGuiApplication.clipboard().mimeData().html()
    grid.select(Cell(0, 20))
    hands.press("Ctrl+V")
    assert cells.read(Region(0, 20, 1000, 30))[0].tobytes() == numbers.tobytes()
    QGuiApplication.clipboard().setText(text)
    grid.select(Cell(0, 40))
    hands.press("Ctrl+V")
    assert cells.read(Region(0, 40, 1000, 50))[0].tobytes() == numbers.tobytes()
    put_html(html)
    grid.select(Cell(0, 60))
    hands.press("Ctrl+V")
    assert cells.read(Region(0, 60, 1000, 70))[0].tobytes() == numbers.tobytes()


def test_random_floats_keep_every_bit_through_f2_and_typing(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    generator = np.random.default_rng(8)
    for number in generator.integers(0, 2**62, 200, dtype=np.int64).view(np.float64):
        document.put("A1", (float(number),))
        grid.select(Cell.parse("A1"))
        changes = len(document.changes)
        hands.press("F2")
        text = grid.editing.editor.text()
        hands.press("Return")
        assert len(document.changes) == changes
        hands.type(text)
        hands.press("Return")
        back = document.value("A2")
        assert isinstance(back, float)
        assert struct.pack("d", back) == struct.pack("d", float(number))


def test_a_million_numbers_are_pasted_at_once(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    numbers = np.random.default_rng(0).normal(size=(20_000, 10))
    text = "\n".join("\t".join(map(repr, row)) for row in numbers.tolist())
    QGuiApplication.clipboard().setText(text)
    hands.press("Ctrl+V")
    cells = document.workbook.sheets[0].cells
    values, kinds = cells.read(Region(0, 0, 20_000, 10))
    assert values.tobytes() == numbers.tobytes()
    assert (kinds == Kind.NUMBER).all()


@pytest.mark.parametrize(
    "entries",
    [[["nan"]], [["1_000"]], [["inf"]], [["1", "a"]], [["12345678901234567"]], [["1e999"]],
     [["=1"]], [["-"]], [["1.5.2"]]],
)  # fmt: skip
def test_only_plain_numbers_are_read_in_bulk(entries: list[list[str]]) -> None:
    assert bulk_values(entries) is None


# --------------------------------------------------------------------------------------- HTML


CALC = """<table cellspacing="0"><tr><td height="17" align="right" sdval="0.333333333333333"
 sdnum="1033;0;0.00">0.33</td><td align="left" sdnum="1033;0;@">007</td></tr>
<tr><td sdval="1" sdnum="1033;0;BOOLEAN">TRUE</td><td align="left">two<br>lines</td></tr></table>"""

SHEETS = """<google-sheets-html-origin><table><tbody><tr>
<td data-sheets-value='{"1":3,"3":0.1234567890123}' data-sheets-formula="=R[1]C[0]*2">0.12</td>
<td data-sheets-value='{"1":2,"2":"a &amp; b"}'>a &amp; b</td></tr>
<tr><td data-sheets-value='{"1":3,"3":4}'>4</td><td data-sheets-value='{"1":4,"4":1}'>TRUE</td>
</tr></tbody></table>"""

EXCEL = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><table><tr>
<td class=xl65 x:num="1.23456789012345">1.23</td><td x:str="007">007</td>
<td x:num>12</td></tr><tr><td colspan=2>wide</td><td x:num="0.5">50%</td></tr></table></html>"""


def test_calcs_values_come_with_their_digits_formats_and_lines(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_html(CALC, "0.33\t007\nTRUE\ttwo lines\n")
    hands.press("Ctrl+V")
    assert values(document, "A1", "B1", "A2", "B2") == [
        0.333333333333333, "007", True, "two\nlines",
    ]  # fmt: skip
    assert grid.sheet.formats.at(Cell.parse("A1")).number == "0.00"


def test_google_sheets_formulas_and_values_come_in(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_html(SHEETS, "0.12\ta & b\n4\tTRUE\n")
    grid.select(Cell.parse("B2"))
    hands.press("Ctrl+V")
    assert formula(document, "B2") == "=B3*2"
    assert values(document, "C2", "B3", "C3") == ["a & b", 4.0, True]


def test_excels_numbers_come_with_their_digits_and_spans_as_blanks(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_html(EXCEL, "1.23\t007\t12\nwide\t\t50%\n")
    hands.press("Ctrl+V")
    assert values(document, "A1", "B1", "C1") == [1.23456789012345, "007", 12.0]
    assert values(document, "A2", "B2", "C2") == ["wide", None, 0.5]


def test_a_web_page_without_values_is_read_as_its_text(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_html("<p>1</p>", "1,5\t2,5\n")
    hands.press("Ctrl+V")
    assert values(document, "A1", "B1") == [1.5, 2.5]


def test_a_plain_html_table_alone_is_read_as_typed(
    document: SheetDocument, grid: GridView, hands: Hands
) -> None:
    put_html("<table><tr><th>film</th><td> 3.5 </td></tr></table>")
    hands.press("Ctrl+V")
    assert values(document, "A1", "B1") == ["film", 3.5]


def test_rowspans_keep_their_place() -> None:
    page = '<table><tr><td rowspan="2">a</td><td>b</td></tr><tr><td>c</td></tr></table>'
    rows = read_table(page)
    assert rows is not None
    assert [[cell.text for cell in row] for row in rows] == [["a", "b"], ["", "c"]]


def test_our_own_table_reads_back_the_same() -> None:
    from gradsheet.qt.grid.clipboard_html import HtmlCell

    rows = [
        [HtmlCell("0.33", 1 / 3, "", "0.00", True), HtmlCell("<a>\n&", None)],
        [HtmlCell("TRUE", True), HtmlCell("")],
    ]
    back = read_table(table_html(rows))
    assert back is not None
    assert back[0][0].value == 1 / 3
    assert back[0][0].number_format == "0.00"
    assert back[0][0].bold
    assert back[0][1].text == "<a>\n&"
    assert back[1][0].value is True


@pytest.mark.parametrize(
    ("text", "host", "expected"),
    [
        ("=R[-1]C*2", "B3", "=B2*2"), ("=SUM(R1C1:R[0]C[-1])", "C4", "=SUM($A$1:B4)"),
        ('="RC"&R2C', "B1", '="RC"&B$2'), ("=R[-5]C", "A1", "=#REF!"), ("=ROUND(RC[1],2)", "A1",
         "=ROUND(B1,2)"),
    ],
)  # fmt: skip
def test_r1c1_formulas_become_a1(text: str, host: str, expected: str) -> None:
    assert a1_formula(text, Cell.parse(host)) == expected
