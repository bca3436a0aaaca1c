"""Which typed formulas are kept as dynamic: those that may give several values."""

from __future__ import annotations

import pytest

from gradsheet.formula.address import Cell
from gradsheet.formula.shapes import may_spill, shape_of
from gradsheet.formula.syntax import parse

HOST = Cell(24, 7)

ONE_VALUE = [
    "=1+2", "=A1", "=SUM(A1:B9)", "=SQRT(SUMXMY2(H2:V16,H25:V39)/COUNT(H2:V16))",
    '=IF(H2="",0,MMULT($B25:$F25,H$19:H$23))+H$19+$A25', "=@A1:A5", "=VLOOKUP(A1,C1:D9,2,FALSE)",
    "=SUMIF(A1:A9,\">2\")", "=SUMPRODUCT(A1:A3*B1:B3)", "=MATCH(2,A1:A9,0)", "=MAX(A1:A4)-MIN(B2)",
]  # fmt: skip
SEVERAL = [
    "=A1:A5", "=A1:A5*2", "=SEQUENCE(3)", "={1,2}", "=SQRT(A1:A4)", "=TRANSPOSE(A1:B1)",
    "=MMULT(A1:B2,C1:D2)", "=IF(A1:A3>0,1,0)", "=UNIQUE(A1:A9)", "=SUMIF(A1:A9,B1:B3)", "=A1#",
    "=OFFSET(A1,0,0,B1,1)",
]  # fmt: skip


@pytest.mark.parametrize("text", ONE_VALUE)
def test_one_value_stays_in_its_cell(text: str) -> None:
    assert not may_spill(parse(text, HOST), HOST)


@pytest.mark.parametrize("text", SEVERAL)
def test_several_values_may_spill(text: str) -> None:
    assert may_spill(parse(text, HOST), HOST)


def test_the_size_of_a_product_is_that_of_its_outer_sides() -> None:
    assert shape_of(parse("=MMULT(A1:B3,C1:F2)", HOST), HOST) == (3, 4)
