"""Numbers as the chrome writes and reads them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsheet.qt.widgets import figures


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e9))
def test_a_number_reads_back_from_its_own_text(number: float) -> None:
    assert figures.read_number(figures.exact_text(number), 0, 1e9) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-3", 1e-3), ("0,05", 0.05), (" 5 ", 5.0), ("1E-4", 1e-4), (".5", 0.5), ("1,5e-3", 1.5e-3)],
)
def test_numbers_are_read_as_people_type_them(text: str, number: float) -> None:
    assert figures.read_number(text, 0, 10) == number


@pytest.mark.parametrize("text", ["", "abc", "1e", "nan", "inf", "-1", "11", "1.2.3", "0,0,1"])
def test_what_is_no_number_in_range_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        figures.read_number(text, 0, 10)


def test_an_open_end_is_left_out() -> None:
    assert figures.read_number("0.999", 0, 1, open_high=True) == 0.999
    with pytest.raises(ValueError, match="less than 1"):
        figures.read_number("1", 0, 1, open_high=True)


def test_rungs_go_one_two_five() -> None:
    up = [0.01]
    for _ in range(6):
        up.append(figures.rung(up[-1], +1))
    assert up == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
    assert figures.rung(0.03, +1) == 0.05
    assert figures.rung(0.03, -1) == 0.02


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_a_rung_up_and_down_brackets_the_number(number: float) -> None:
    assert figures.rung(number, -1) < number < figures.rung(number, +1)


def test_losses_keep_four_decimals_and_say_when_they_are_no_number() -> None:
    assert figures.loss_text(0.41234) == "0.4123"
    assert figures.loss_text(0.0) == "0.0000"
    assert figures.loss_text(None) == "–"
    assert figures.loss_text(math.nan) == "nan"
    assert figures.loss_text(1.5e-7) == "1.5000e-07"


def test_rates_show_two_digits() -> None:
    assert figures.rate_text(2734.3) == "2,700 steps/s"
    assert figures.rate_text(57.3) == "57 steps/s"
    assert figures.rate_text(0.84) == "0.8 steps/s"
    assert figures.rate_text(0.0) == "– steps/s"


def test_remaining_time_is_said_in_words() -> None:
    assert figures.duration_text(None) == ""
    assert figures.duration_text(1.0) == "about a second left"
    assert figures.duration_text(42.4) == "about 42 seconds left"
    assert figures.duration_text(200) == "about 3 minutes left"
