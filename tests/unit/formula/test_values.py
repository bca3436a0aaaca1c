"""Kinds, errors, interned text, and what typing gives."""

from __future__ import annotations

import math
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradsheet.formula.values import (
    ErrorCode,
    FormulaError,
    Kind,
    Strings,
    UserError,
    pack,
    parse_entry,
    unpack,
)


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def test_error_codes_are_those_of_error_type() -> None:
    assert [code.value for code in ErrorCode][:7] == [1, 2, 3, 4, 5, 6, 7]
    assert ErrorCode.DIV0.text == "#DIV/0!"
    assert ErrorCode.NA.text == "#N/A"


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_reads_back_from_its_text(code: ErrorCode) -> None:
    assert ErrorCode.parse(code.text.lower()) is code


def test_other_text_is_no_error() -> None:
    with pytest.raises(ValueError, match="none of"):
        ErrorCode.parse("#OOPS")


def test_equal_texts_share_an_id_and_case_shares_a_class() -> None:
    strings = Strings()
    assert strings.id_of("") == 0
    film, upper, other = (strings.id_of(t) for t in ("Film", "FILM", "Films"))
    assert strings.id_of("Film") == film != upper
    assert strings.folded(film) == strings.folded(upper) != strings.folded(other)
    assert strings.text(upper) == "FILM"
    assert strings.folded_ids().tolist() == [0, film, film, other]
    assert strings.find("film") is None


def test_threads_agree_on_ids() -> None:
    strings = Strings()
    seen: list[list[int]] = []

    def add() -> None:
        seen.append([strings.id_of(f"text {i}") for i in range(2000)])

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ids == seen[0] for ids in seen)
    assert len(strings) == 2001


@pytest.mark.parametrize(
    "scalar", [None, 0.0, -0.0, 1e308, 5e-324, True, False, "", "text", *ErrorCode]
)
def test_packing_keeps_value_and_kind(scalar: float | str | bool | ErrorCode | None) -> None:
    strings = Strings()
    value, kind = pack(scalar, strings)
    again = unpack(value, kind, strings)
    assert type(again) is type(scalar)
    assert again == scalar


def test_blank_and_zero_are_kept_apart() -> None:
    strings = Strings()
    assert pack(None, strings) == (0.0, Kind.BLANK)
    assert pack(0, strings) == (0.0, Kind.NUMBER)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_excel_has_no_number_for_is_num(value: float) -> None:
    assert pack(value, Strings()) == (float(ErrorCode.NUM), Kind.ERROR)


def test_numpy_scalars_are_taken() -> None:
    strings = Strings()
    assert pack(np.float32(0.5), strings) == (0.5, Kind.NUMBER)  # type: ignore[arg-type]
    assert pack(np.bool_(True), strings) == (1.0, Kind.BOOLEAN)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="list"):
        pack([1], strings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0), ("-5", -5.0), ("+5", 5.0), (" 5 ", 5.0), ("1e3", 1000.0), ("1E-3", 0.001),
        (".5", 0.5), ("5.", 5.0), ("50%", 0.5), ("0.1%", 0.001), ("-7 %", -0.07), ("(5)", -5.0),
        ("1,234.5", 1234.5), ("12,345,678", 12345678.0), ("1'000", 1000.0), ("$5", 5.0),
        ("-$1,000", -1000.0), ("5 €", 5.0), ("0.1", 0.1), ("007", 7.0), ("1e-400", 0.0),
        ("1 234", 1234.0),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_type_them(text: str, value: float) -> None:
    assert parse_entry(text) == value
    assert isinstance(parse_entry(text), float)


@pytest.mark.parametrize(
    "text",
    ["abc", "1,5", "1,2345", "1,23,456", "1.2.3", "0x10", "1_000", "nan", "inf", "--1", "1e999",
     "e5", ".", "-", "%", "()", "(-5)", "1 2", "TRUEISH", "#REF", " ", "5 apples", "٣"],
)  # fmt: skip
def test_what_is_no_number_stays_text(text: str) -> None:
    assert parse_entry(text) == text


def test_a_whole_number_beyond_a_double_stays_text_so_that_no_digit_is_lost() -> None:
    assert parse_entry("9007199254740993") == "9007199254740993"
    assert parse_entry("4111111111111111111") == "4111111111111111111"
    assert parse_entry("9007199254740992") == 2.0**53
    assert parse_entry("0.12345678901234567890") == 0.12345678901234567890


def test_a_decimal_comma_is_understood_where_it_is_the_locale() -> None:
    assert parse_entry("0,5", ",") == 0.5
    assert parse_entry("1.234,5", ",") == 1234.5
    assert parse_entry("12,5%", ",") == 0.125
    assert parse_entry("1.5", ",") == "1.5"


def test_booleans_errors_and_blank_are_read() -> None:
    assert parse_entry("true") is True
    assert parse_entry("FALSE") is False
    assert parse_entry("#n/a") is ErrorCode.NA
    assert parse_entry("") is None


def test_an_apostrophe_makes_text() -> None:
    assert parse_entry("'5") == "5"
    assert parse_entry("'=A1") == "=A1"
    assert parse_entry("'") == ""


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_typed_double_keeps_every_bit(value: float) -> None:
    entered = parse_entry(repr(value))
    if isinstance(entered, str):  # a whole number of too many digits
        assert abs(value) >= 2.0**53
    else:
        assert isinstance(entered, float)
        assert bits(entered) == bits(value)


def test_errors_carry_their_hint() -> None:
    error = FormulaError("`)` missing.", 5, 3, "Type `)`.")
    assert isinstance(error, UserError)
    assert (error.message, error.column, error.length, error.hint) == (
        "`)` missing.", 5, 3, "Type `)`.",
    )  # fmt: skip
    assert str(error) == "`)` missing. Type `)`."
