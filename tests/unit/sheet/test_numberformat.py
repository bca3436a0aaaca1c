"""Numbers as Excel's format codes show them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsheet.sheet.numberformat import general_text, number_format


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("General", 0.1 + 0.2, "0.3"), ("General", 1 / 3, "0.333333333"), ("General", 5.0, "5"),
        ("General", 123456789012.0, "1.23457E+11"), ("General", 1e-7, "1E-07"),
        ("General", 1e20, "1E+20"), ("General", -1234.5678901234, "-1234.56789"),
        ("General", 0.0, "0"), ("General", 0.00012345, "0.00012345"),
        ("0", 2.5, "3"), ("0", -2.5, "-3"), ("0.00", 2.675, "2.68"),
        ("0.00", 1e14, "1" + "0" * 14 + ".00"), ("0.00", 0.125, "0.13"),
        ("#,##0", 1234567.0, "1,234,567"), ("#,##0.00", 1234.5, "1,234.50"),
        ("0%", 0.256, "26%"), ("0.00%", 0.256, "25.60%"), ("0.00E+00", 12345.678, "1.23E+04"),
        ("0.0E+000", 1e-5, "1.0E-005"), ("0.###", 0.5, "0.5"), ("0.###", 3.0, "3"),
        ("#.##", 0.25, ".25"), ("000", 5.0, "005"), ("0.0,,", 1.5e6, "1.5"),
        ("$#,##0.00", -1.5, "-$1.50"), ('0 "kg"', 3.0, "3 kg"), ("[$€-407] 0.00", 2.0, "€ 2.00"),
        ("0.00;(0.00)", -3.0, "(3.00)"), ("0;-0;zero", 0.0, "zero"), (";;;", 5.0, ""),
        ("[>=1000]0,\\K;0", 2500.0, "3K"), ("[>=1000]0,\\K;0", 25.0, "25"),
        ("@", 5.0, "5"), ("yyyy-mm-dd", 45000.0, "2023-03-15"), ("d mmm yy", 45000.0, "15 Mar 23"),
        ("dd/mm/yyyy", 1.0, "01/01/1900"), ("h:mm AM/PM", 45000.75, "6:00 PM"),
        ("hh:mm:ss", 0.5, "12:00:00"), ("mm:ss.0", 1 / 864000, "00:00.1"),
        ("[h]:mm", 1.25, "30:00"),
        ("dddd, mmmm d", 45000.0, "Wednesday, March 15"), ("yyyy-mm-dd", -1.0, "-1"),
    ],
)  # fmt: skip
def test_numbers_show_as_in_excel(code: str, value: float, text: str) -> None:
    assert number_format(code).text(value) == text


def test_the_calendar_may_begin_in_1904() -> None:
    assert number_format("yyyy-mm-dd", True).text(0.0) == "1904-01-01"


@pytest.mark.parametrize("code", ["", "# ?/?", "0.00E", '0"open', "[", "yyy[", "\\", ";", "0 x 0"])
def test_a_code_that_is_not_understood_still_shows_a_number(code: str) -> None:
    assert isinstance(number_format(code).text(3.25), str)


@given(st.text("0#?.,;%@E+-[]()\"\\ ydmhsGeneralRed$_*/:AMP", max_size=12), st.floats(-1e9, 1e9))
def test_no_code_ever_fails(code: str, value: float) -> None:
    assert isinstance(number_format(code).text(value), str)


def test_colours_follow_the_section() -> None:
    red = number_format("0.00;[Red]-0.00")
    assert red.color(-1.0) == "#FF0000"
    assert red.color(1.0) is None


def test_text_sections_surround_text() -> None:
    assert number_format('0;0;0;"<"@">"').text_section == ("<", ">")
    assert number_format("@").text_section == ("", "")
    assert number_format("0.00").text_section is None


@given(st.floats(-1e300, 1e300), st.integers(7, 20))
def test_general_fits_its_width_and_is_close(value: float, width: int) -> None:
    text = general_text(value, width)
    exponent_digits = 3 if value and not 1e-99 < abs(value) < 1e100 else 2
    assert len(text) <= max(width, 4 + exponent_digits)
    digits = max(1, min(width, 15) - 4 - exponent_digits)
    assert float(text) == pytest.approx(value, rel=10.0 ** (1 - digits), abs=0)


@given(st.integers(-(10**9), 10**9))
def test_whole_numbers_that_fit_show_in_full(value: int) -> None:
    assert general_text(float(value)) == str(value)
