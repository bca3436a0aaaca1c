"""Programs: what is computed, what an edit makes dirty, spills, circles, chance."""

from __future__ import annotations

import pytest
from sheets import Book, Calculated, PlainTable, calculate, value_of

from gradsheet.formula.address import Cell, Region
from gradsheet.formula.compiler import compile_program
from gradsheet.formula.values import ErrorCode, UserError


def column(calculated: Calculated, letter: str, first: int, last: int) -> list[object]:
    return [calculated[f"{letter}{row}"] for row in range(first, last + 1)]


def test_cells_of_one_relative_formula_are_one_block() -> None:
    program = calculate({"A1:A9": 1, "B1:C9": "=A1*2"}).program
    assert len(program.blocks) == 1  # C reads B, so its columns run in order
    assert program.block_at(0, Cell(4, 2)) is not None


def test_every_second_row_is_one_strided_block() -> None:
    book = Book()
    for row in range(1, 10):
        book.put(f"A{row}", float(row))
    for row in (1, 3, 5, 7):
        book.put(f"B{row}", f"=MAX(A{row}:A{row + 1})")
    found = Calculated(book)
    assert len(found.program.blocks) == 1
    assert [found[f"B{row}"] for row in (1, 3, 5, 7)] == [2, 4, 6, 8]


def test_matrix_product_over_a_block_sees_rows_and_columns() -> None:
    found = calculate({"A1": 1, "B1": 2, "A2": 3, "B2": 4, "D1": 5, "E1": 6, "D2": 7, "E2": 8,
                       "G1:H2": "=MMULT($A1:$B1,D$1:D$2)"})  # fmt: skip
    assert [found[a] for a in ("G1", "H1", "G2", "H2")] == [19, 22, 43, 50]


def test_a_running_sum_grows_with_its_row() -> None:
    found = calculate({"A1:A4": 2, "B1:B4": "=SUM(A$1:A1)"})
    assert column(found, "B", 1, 4) == [2, 4, 6, 8]


def test_a_recurrence_runs_down_its_rows() -> None:
    found = calculate({"A1": 1, "A2:A12": "=A1*2"})
    assert found["A12"] == 2048


def test_a_recurrence_gives_the_same_by_code_of_its_own() -> None:
    cells = {"A1": 1, "B1": 0.5, "A2:A40": "=A1*0.9+B1", "B2:B40": "=SQRT(ABS(A2))-B1/3"}
    found = calculate(cells)  # type: ignore[arg-type]
    before = dict(found.values)
    found.recalculate()
    found.recalculate()
    assert any(found.program.shortcuts.values())
    assert all(found.values[cell] == pytest.approx(value) for cell, value in before.items())


def test_a_recurrence_that_divides_by_zero_shows_it_after_numbers() -> None:
    found = calculate({"A1": 1, "B1": 1, "A2:A30": "=A1/$B$1"})
    found.recalculate()
    found.recalculate()
    found.book.put("B1", 0.0)
    found.recalculate([(0, Region.parse("B1"))])
    assert found["A2"] == found["A30"] == ErrorCode.DIV0
    found.book.put("B1", 2.0)
    found.recalculate([(0, Region.parse("B1"))])
    assert found["A3"] == 0.25


def test_a_text_in_a_recurrence_is_noticed_by_its_code() -> None:
    found = calculate({"A1": 1, "B1": 1, "A2:A30": "=A1+$B$1"})
    found.recalculate()
    found.recalculate()
    found.book.put("B1", "x")
    found.recalculate([(0, Region.parse("B1"))])
    assert found["A30"] == ErrorCode.VALUE


def test_a_circle_shows_on_its_cells_and_the_rest_is_computed() -> None:
    found = calculate({"A1": "=B1", "B1": "=C1+1", "C1": "=A1", "D1": "=A1+1", "E1": "=2*3"})
    assert [found[a] for a in ("A1", "B1", "C1", "D1")] == [ErrorCode.CIRC] * 4
    assert found["E1"] == 6
    ((first, *rest, last),) = found.program.circular
    assert first == last
    assert {first, *rest} == {(0, Cell(0, 0)), (0, Cell(0, 1)), (0, Cell(0, 2))}


def test_a_circle_is_not_hidden_by_iferror() -> None:
    found = calculate({"A1": "=A1+1", "B1": "=IFERROR(A1,0)", "C1": "=COUNT(A1:A3)"})
    assert found["B1"] == found["C1"] == ErrorCode.CIRC


def test_a_cell_that_offset_finds_is_computed_before() -> None:
    found = calculate({"A1": 3, "B1": "=OFFSET(D1,0,1)", "E1": "=A1*2", "D1": "=B1+1"})
    assert found["B1"] == 6
    found.book.put("A1", 5.0)
    assert "B1" in found.recalculate([(0, Region.parse("A1"))])
    assert found["B1"] == 10
    assert found["D1"] == 11


def test_a_circle_through_indirect_shows() -> None:
    found = calculate({"A1": '=INDIRECT("B1")', "B1": "=A1+1"})
    assert found["A1"] == found["B1"] == ErrorCode.CIRC
    assert found.program.circular


def test_only_dirty_blocks_are_computed_again() -> None:
    found = calculate({"A1": 1, "A2": 2, "B1": "=A1+1", "B2": "=A2-1", "C1": "=B1*10"})
    found.book.put("A1", 5.0)
    assert found.recalculate([(0, Region.parse("A1"))]) == {"B1", "C1"}
    assert found["C1"] == 60


def test_a_value_beyond_the_used_region_is_seen() -> None:
    found = calculate({"A1": 1, "B1": "=SUM(A1:A90)", "C1": "=SUM(A:A)"})
    found.book.put("A80", 4.0)
    found.recalculate([(0, Region.parse("A80"))])
    assert found["B1"] == found["C1"] == 5


def test_an_unsupported_function_says_so_and_a_wrong_name_too() -> None:
    assert value_of("=BESSELJ(1,2)") == ErrorCode.UNSUPPORTED
    assert value_of("=IFERROR(BESSELJ(1,2),0)") == ErrorCode.UNSUPPORTED
    assert value_of("=NOSUCHTHING(1)") == ErrorCode.NAME
    assert value_of("=nosuchname") == ErrorCode.NAME


def test_what_is_not_computed_is_never_counted_or_found() -> None:
    cells = {"A1": "=BESSELJ(1,2)", "A2": 2.0}
    for formula in ("=COUNT(A1:A2)", "=COUNTIF(A1:A2,2)", "=MATCH(2,A1:A2,0)", "=SUM(A1:A2)",
                    "=ISNUMBER(A1)", "=IFNA(A1,0)", '=SUMIF(A2:A2,">"&A1)'):  # fmt: skip
        assert value_of(formula, cells) == ErrorCode.UNSUPPORTED, formula


def test_a_relative_reference_off_the_sheet_is_ref() -> None:
    book = Book()
    from sheets import PlainFormula

    from gradsheet.formula.syntax import parse

    expr = parse("=A1", Cell(2, 1))
    for row in range(4):
        book.expressions.setdefault(0, {})[Cell(row, 1)] = PlainFormula(expr)
    found = Calculated(book)
    assert column(found, "B", 1, 4) == [ErrorCode.REF, ErrorCode.REF, 0, 0]


def test_names_are_looked_up_in_the_sheet_first() -> None:
    book = Book(names=["One", "Two"])
    book.put("A1", 1.0)
    book.put("A1", 2.0, sheet=1)
    book.define("rate", "=One!$A$1")
    book.define("rate", "=Two!$A$1", sheet=1)
    book.put("B1", "=rate*10")
    book.put("B1", "=RATE*10", sheet=1)
    found = Calculated(book)
    assert found.values[0, Cell(0, 1)] == 10
    assert found.values[1, Cell(0, 1)] == 20


def test_a_union_in_a_name_is_summed() -> None:
    book = Book()
    book.fill("A1", [[1.0, 2.0, 4.0]])
    book.define("both", "=Sheet1!$A$1,Sheet1!$C$1")
    book.put("E1", "=SUM(both)")
    assert Calculated(book)["E1"] == 5


def test_a_name_that_stands_for_itself_is_name_error() -> None:
    book = Book()
    book.define("loop", "=loop+1")
    book.put("A1", "=loop")
    assert Calculated(book)["A1"] == ErrorCode.NAME


def test_structured_references_read_columns_and_the_own_row() -> None:
    book = Book()
    book.fill("A1", [["item", "price"], ["pen", 2.0], ["cup", 5.0]])
    book.tables["goods"] = PlainTable(0, Region.parse("A1:B3"), ("item", "price"))
    book.put("C2:C3", "=Goods[@price]*2")
    book.put("D1", "=SUM(Goods[price])")
    found = Calculated(book)
    assert [found["C2"], found["C3"], found["D1"]] == [4, 10, 7]


def test_a_dynamic_formula_spills_and_its_cells_are_read() -> None:
    book = Book()
    book.put("A1", 3.0)
    book.put("C1", "=SEQUENCE(A1)", dynamic=True)
    book.put("D1", "=SUM(C1#)")
    book.put("E1", "=C3*10")
    found = Calculated(book)
    assert [found["C1"], found["C2"], found["C3"], found["D1"], found["E1"]] == [1, 2, 3, 6, 30]
    book.put("A1", 2.0)
    found.recalculate([(0, Region.parse("A1"))])
    assert [found["C2"], found["C3"], found["D1"], found["E1"]] == [2, None, 3, 0]


def test_a_spill_that_is_blocked_says_so_until_it_is_free() -> None:
    book = Book()
    book.put("C1", "=SEQUENCE(3)", dynamic=True)
    book.put("C3", 7.0)
    found = Calculated(book)
    assert found["C1"] == ErrorCode.SPILL
    del book.cells[0][Cell(2, 2)]
    found.recalculate([(0, Region.parse("C3"))])
    assert [found["C1"], found["C3"]] == [1, 3]


def test_an_array_formula_repeats_a_row_and_fills_gaps_with_na() -> None:
    book = Book()
    book.fill("A1", [[1.0, 2.0]])
    book.put("D1", "=A1:B1*10", array="D1:F2")
    found = Calculated(book)
    assert [found["D1"], found["E2"], found["F1"]] == [10, 20, ErrorCode.NA]


def test_a_range_in_an_ordinary_formula_gives_the_value_in_its_row() -> None:
    found = calculate({"A1": 1, "A2": 2, "A3": 3, "B1:B4": "=A$1:A$3*10"})
    assert column(found, "B", 1, 4) == [10, 20, 30, ErrorCode.VALUE]


def test_random_numbers_come_from_the_seed() -> None:
    cells = {"A1:A5": "=RAND()", "B1:B5": "=RANDBETWEEN(1,6)"}
    first, again = calculate(cells), calculate(cells)
    assert first.values == again.values
    assert len({first[f"A{i}"] for i in range(1, 6)}) == 5
    before = dict(first.values)
    first.recalculate([(0, Region.parse("Z1"))])
    assert first.values != before
    assert all(first[f"B{i}"] in range(1, 7) for i in range(1, 6))


def test_precedents_and_dependents_of_a_cell() -> None:
    program = calculate({"A1": 1, "B1:B3": "=A1+$A$9", "C1": "=SUM(B1:B3)"}).program
    assert program.precedents(0, Cell(1, 1)) == [
        (0, Region.parse("A2")), (0, Region.parse("A9")),
    ]  # fmt: skip
    assert program.dependents(0, Cell(0, 0)) == [(0, Region.parse("B1:B3"))]


def test_a_program_of_an_empty_workbook_computes_nothing() -> None:
    assert compile_program(Book()).recalculate() == []


def test_blank_cells_shown_by_a_reference_are_zero() -> None:
    assert value_of("=A1") == 0


def test_overflow_is_num_and_shows_in_what_would_hide_it() -> None:
    assert value_of("=1E300*1E300") == ErrorCode.NUM
    assert value_of("=1/(1E300*1E300)") == ErrorCode.NUM
    assert value_of("=LEARN.SIGMOID(1E300*1E300)") == ErrorCode.NUM
    assert value_of("=EXP(-1/0)") == ErrorCode.DIV0
    assert value_of("=IF(1E300*1E300>1,1,2)") == ErrorCode.NUM
    assert value_of("=MAX(-1E300*1E300,1)") == ErrorCode.NUM


def test_a_cell_far_away_that_no_formula_reads_costs_nothing() -> None:
    book = Book()
    book.put("A1", 2.0)
    book.put("XFD1048576", 1.0)
    book.put("B1", "=A1*3")
    assert Calculated(book)["B1"] == 6


def test_formulas_that_span_a_whole_sheet_are_refused_in_words() -> None:
    book = Book()
    book.put("A1", 2.0)
    book.put("XFD1048576", "=A1")
    with pytest.raises(UserError, match="row 1,048,576"):
        Calculated(book)


def test_offset_reads_cells_that_no_formula_names() -> None:
    book = Book()
    book.put("A1", 30.0)
    book.put("C40", 7.0)
    book.put("B1", "=OFFSET(A1,A1+9,2)")
    found = Calculated(book)
    assert found["B1"] == 7
    book.put("C40", 8.0)
    found.recalculate([(0, Region.parse("C40"))])
    assert found["B1"] == 8


def test_a_whole_column_sees_a_cell_typed_below() -> None:
    book = Book()
    book.put("A1", 1.0)
    book.put("C1", "=COUNT(A:A)")
    found = Calculated(book)
    book.put("A500", 3.0)
    found.recalculate([(0, Region.parse("A500"))])
    assert found["C1"] == 2
