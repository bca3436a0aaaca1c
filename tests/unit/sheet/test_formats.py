"""Formats on a sheet, and the texts of values."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gradsheet.formula.address import MAX_COLS, MAX_ROWS, Region
from gradsheet.formula.values import ErrorCode, Kind, Strings, pack, parse_entry
from gradsheet.sheet.formats import (
    Format,
    FormatChange,
    FormatPalette,
    FormatRules,
    display_text,
    display_texts,
    edit_text,
    with_decimals,
)

WHOLE = Region(0, 0, 12, 12)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    top, left = draw(st.integers(0, 10)), draw(st.integers(0, 10))
    return Region(top, left, draw(st.integers(top + 1, 12)), draw(st.integers(left + 1, 12)))


changes = st.builds(
    FormatChange,
    number=st.sampled_from([None, "0.00", "0%"]),
    bold=st.sampled_from([None, True, False]),
    decimals=st.sampled_from([None, 0, 3, -1]),
)


@given(st.lists(st.tuples(regions(), changes), max_size=8))
@settings(deadline=None)
def test_changes_of_looks_agree_with_cell_by_cell(steps: list[tuple[Region, FormatChange]]) -> None:
    rules = FormatRules(FormatPalette())
    looks = {cell: Format() for cell in WHOLE.cells()}
    for region, change in steps:
        rules = rules.changed(region, change)
        for cell in region.cells():
            looks[cell] = change.apply(looks[cell])
    plane = rules.plane(WHOLE)
    assert plane.dtype == np.int16
    assert {c: rules.palette.format(int(plane[c])) for c in looks} == looks
    assert rules.at((3, 3)) == looks[next(c for c in looks if c == (3, 3))]


def test_toggling_a_look_does_not_pile_up_rules() -> None:
    rules = FormatRules(FormatPalette())
    for at in range(50):
        rules = rules.changed(Region(0, 0, 5, 5), FormatChange(bold=at % 2 == 0))
    assert len(rules.rules) <= 1


def test_a_look_of_a_whole_column_costs_one_rule() -> None:
    rules = FormatRules(FormatPalette()).changed(
        Region(0, 2, MAX_ROWS, 3), FormatChange(number="0%")
    )
    assert len(rules.rules) == 1
    assert rules.plane(Region(999_000, 0, 999_002, 4)).tolist() == [[0, 0, 1, 0]] * 2
    assert rules.plane(Region(0, 5, 3, MAX_COLS)).sum() == 0


def test_old_rules_stay_as_they_were() -> None:
    old = FormatRules(FormatPalette())
    old.changed(Region(0, 0, 1, 1), FormatChange(bold=True))
    assert old.at((0, 0)) == Format()


def test_decimals_are_worked_into_a_code() -> None:
    assert with_decimals("General", 2) == "0.00"
    assert with_decimals("#,##0.00", 0) == "#,##0"
    assert with_decimals("0%", 1) == "0.0%"
    assert with_decimals("0.0;(0.0)", 3) == "0.000;(0.000)"
    assert with_decimals("0.00E+00", 1) == "0.0E+00"
    assert with_decimals("yyyy-mm-dd", 2) == "yyyy-mm-dd"
    assert Format("0.00", decimals=4).code == "0.0000"


def test_a_new_code_brings_its_own_decimals() -> None:
    old = Format("0.0", decimals=5)
    assert FormatChange(number="0%").apply(old).code == "0%"
    assert FormatChange(decimals=-1).apply(old).code == "0.0"


def test_a_window_shows_every_kind() -> None:
    strings, palette = Strings(), FormatPalette()
    cells = [1.5, "text", True, ErrorCode.DIV0, None, 0.0, -2.25, "007"]
    packed = [pack(cell, strings) for cell in cells]  # type: ignore[arg-type]
    values = np.array([[v for v, _ in packed]])
    kinds = np.array([[k for _, k in packed]], np.uint8)
    ids = np.full(values.shape, palette.id_of(Format("0.00")), np.int16)
    ids[0, 5] = 0
    assert display_texts(values, kinds, ids, palette, strings) == [
        ["1.50", "text", "TRUE", "#DIV/0!", "", "0", "-2.25", "007"]
    ]


def test_numbers_too_wide_show_as_hashes_and_general_rounds() -> None:
    strings = Strings()
    assert display_text(123456.0, Kind.NUMBER, Format("0.00"), strings, 6) == "######"
    assert display_text(1 / 3, Kind.NUMBER, Format(), strings, 6) == "0.3333"
    assert display_text(123456.0, Kind.NUMBER, Format(), strings, 3) == "###"
    assert display_text(123456.0, Kind.NUMBER, Format("0;-0"), strings, 3) == "###"


def test_width_may_differ_by_column() -> None:
    texts = display_texts(
        np.full((1, 2), 2 / 3), np.ones((1, 2), np.uint8), np.zeros((1, 2), np.int16),
        FormatPalette(), Strings(), [4, 9],
    )  # fmt: skip
    assert texts == [["0.67", "0.6666667"]]


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([".", ","]))
def test_editing_a_number_keeps_every_bit(value: float, decimal: str) -> None:
    strings = Strings()
    again = parse_entry(edit_text(value, Kind.NUMBER, strings, decimal), decimal)
    assert isinstance(again, float)
    assert struct.pack("<d", again) == struct.pack("<d", value)


def test_a_tenth_is_edited_as_a_tenth() -> None:
    assert edit_text(0.1, Kind.NUMBER, Strings()) == "0.1"
    assert edit_text(5.0, Kind.NUMBER, Strings()) == "5"
    assert edit_text(1e22, Kind.NUMBER, Strings()) == "1E+22"


@given(st.one_of(st.text(), st.sampled_from(["5", "=A1", "'x", "TRUE", "#N/A", "1e3", " 5", ""])))
def test_editing_text_keeps_it_text(text: str) -> None:
    strings = Strings()
    value, kind = pack(text, strings)
    assert parse_entry(edit_text(value, kind, strings)) == text
    assert not edit_text(value, kind, strings).startswith("=")


def test_other_kinds_are_edited_as_they_show() -> None:
    strings = Strings()
    for scalar in (True, False, ErrorCode.NA, None):
        value, kind = pack(scalar, strings)
        assert parse_entry(edit_text(value, kind, strings)) == scalar
