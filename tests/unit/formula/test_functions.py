"""The table of functions, and what no conformance case asks."""

from __future__ import annotations

import math

import pytest
from sheets import Book, Calculated, calculate, value_of

from gradsheet.formula.functions import FUNCTIONS
from gradsheet.formula.functions.known import EXCEL_FUNCTIONS
from gradsheet.formula.values import ErrorCode

WANTED = """
SUM PRODUCT SUMSQ SUMPRODUCT SUMX2MY2 SUMX2PY2 SUMXMY2 SUMIF SUMIFS COUNT COUNTA
COUNTBLANK COUNTIF COUNTIFS AVERAGE AVERAGEIF AVERAGEIFS MIN MAX MINIFS MAXIFS MEDIAN
LARGE SMALL RANK.EQ VAR.P VAR.S STDEV.P STDEV.S CORREL SLOPE INTERCEPT RSQ COVARIANCE.P
ABS SIGN SQRT EXP LN LOG LOG10 POWER MOD INT TRUNC ROUND ROUNDUP ROUNDDOWN CEILING.MATH
FLOOR.MATH PI SIN COS TAN TANH SINH COSH ASIN ACOS ATAN ATAN2 MMULT TRANSPOSE MINVERSE
MDETERM MUNIT SEQUENCE IF IFS SWITCH CHOOSE AND OR NOT XOR TRUE FALSE IFERROR IFNA NA
ISNUMBER ISBLANK ISTEXT ISERROR N INDEX MATCH XMATCH LOOKUP VLOOKUP HLOOKUP XLOOKUP
OFFSET INDIRECT ROW COLUMN ROWS COLUMNS ADDRESS RAND RANDBETWEEN RANDARRAY NORM.DIST
NORM.INV NORM.S.DIST NORM.S.INV LEN LEFT RIGHT MID UPPER LOWER TRIM CONCAT TEXTJOIN TEXT
VALUE EXACT LET
""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", WANTED)
def test_a_function_of_the_plan_is_there(name: str) -> None:
    assert name in FUNCTIONS


@pytest.mark.parametrize("entry", FUNCTIONS.values(), ids=lambda entry: entry.name)
def test_a_row_of_the_table_is_complete(entry) -> None:
    assert entry.help.endswith(".")
    assert entry.gradient
    assert entry.source
    assert entry.min_args <= (entry.max_args if entry.max_args is not None else 255)
    assert set(entry.params) <= set("vrwae")
    assert entry.name in EXCEL_FUNCTIONS or (entry.name.startswith("LEARN.") and entry.plain)


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        ("=LEARN.SIGMOID(0.7)", "=1/(1+EXP(-0.7))"),
        ("=LEARN.RELU(-2)", "=MAX(0,-2)"),
        ("=LEARN.LEAKYRELU(-2,0.1)", "=IF(-2>0,-2,0.1*-2)"),
        ("=LEARN.SOFTPLUS(3)", "=MAX(0,3)+LN(1+EXP(-ABS(3)))"),
        ("=LEARN.LOGSUMEXP(A1:A3)", "=LN(EXP(A1)+EXP(A2)+EXP(A3))"),
        ("=LEARN.SOFTMAX(A1:A3,A2)", "=EXP(A2)/(EXP(A1)+EXP(A2)+EXP(A3))"),
        ("=LEARN.MSE(A1:A3,B1:B3)", "=SUMXMY2(A1:A3,B1:B3)/2"),
        ("=LEARN.RMSE(A1:A3,B1:B3)", "=SQRT(SUMXMY2(A1:A3,B1:B3)/2)"),
    ],
)
def test_a_learning_function_is_what_its_plain_spelling_gives(formula: str, plain: str) -> None:
    cells = {"A1": 0.3, "A2": -1.2, "A3": 2.0, "B1": 1.0, "B2": 0.5}
    assert value_of(formula, cells) == pytest.approx(value_of(plain, cells), rel=1e-12)


def test_softmax_spills_probabilities_that_add_up_to_one() -> None:
    book = Book()
    book.fill("A1", [[1000.0], [1001.0], [999.0]])
    book.put("C1", "=LEARN.SOFTMAX(A1:A3)", dynamic=True)
    found = Calculated(book)
    assert math.fsum(found[f"C{i}"] for i in (1, 2, 3)) == pytest.approx(1.0)  # type: ignore[misc]


def test_softmax_does_not_hide_an_error() -> None:
    assert value_of("=LEARN.SOFTMAX(A1:A2,A1)", {"A1": 1, "A2": "=1/0"}) == ErrorCode.DIV0


def test_a_look_up_in_a_block_is_one_search_a_cell() -> None:
    cells = {f"A{i}": float(i * 10) for i in range(1, 6)} | {"C1": 10, "C2": 35, "C3": 50, "C4": 5}
    found = calculate({**cells, "D1:D4": "=MATCH(C1,$A$1:$A$5)"})
    assert [found[f"D{i}"] for i in (1, 2, 3, 4)] == [1, 3, 5, ErrorCode.NA]


def test_a_reference_form_of_index_can_be_summed() -> None:
    assert value_of("=SUM(A1:INDEX(A1:A9,3))", {"A1": 1, "A2": 2, "A3": 4, "A4": 8}) == 7


def test_sizes_that_differ_from_row_to_row_are_computed_row_by_row() -> None:
    found = calculate({"A1": 1, "A2": 2, "A3": 3, "B1:B3": "=SUM(OFFSET($A$1,0,0,A1,1))"})
    assert [found[f"B{i}"] for i in (1, 2, 3)] == [1, 3, 6]
