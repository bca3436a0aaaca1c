"""Colour scales: where their ends lie, and that colours hold still during a run."""

from __future__ import annotations

import numpy as np

from gradsheet.formula.address import Region
from gradsheet.formula.values import Kind
from gradsheet.sheet.colour_scale import NO_STEP, STEPS, ColourScale, Span, span_of

SCALE = ColourScale(Region.parse("A1:C2"), "#0072B2", "#E69F00")


def kinds_of(values: np.ndarray) -> np.ndarray:
    return np.full(values.shape, Kind.NUMBER, np.uint8)


def test_the_ends_lie_at_or_beyond_the_numbers() -> None:
    values = np.array([[0.013, 0.5, 0.988]])
    span = span_of(SCALE, values, kinds_of(values))
    assert span.low <= 0.013
    assert 0.988 <= span.high <= 1.1


def test_blanks_texts_and_errors_have_no_step() -> None:
    values = np.array([[1.0, 2.0, 3.0]])
    kinds = np.array([[Kind.NUMBER, Kind.TEXT, Kind.BLANK]], np.uint8)
    assert Span(1.0, 3.0).steps(values, kinds).tolist() == [[0, NO_STEP, NO_STEP]]


def test_small_changes_move_no_end() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(15, 15))
    span = span_of(SCALE, values, kinds_of(values))
    ends = set()
    for _ in range(500):
        values += generator.normal(scale=1e-4, size=values.shape)
        span = span_of(SCALE, values, kinds_of(values), span)
        ends.add((span.low, span.high))
    assert len(ends) <= 2


def test_a_range_that_shrinks_much_gets_a_tighter_scale() -> None:
    wide, narrow = np.array([[-10.0, 10.0]]), np.array([[-1.0, 1.0]])
    span = span_of(SCALE, wide, kinds_of(wide))
    assert span_of(SCALE, narrow, kinds_of(narrow), span).high < 2


def test_a_diverging_scale_has_zero_in_its_middle() -> None:
    values = np.array([[-1.0, 0.0, 7.3]])
    scale = ColourScale(SCALE.region, "#0072B2", "#E69F00", is_diverging=True)
    span = span_of(scale, values, kinds_of(values))
    assert span.low == -span.high
    assert span.steps(values, kinds_of(values))[0, 1] == (STEPS - 1) // 2


def test_fixed_ends_stay() -> None:
    values = np.array([[2.0, 3.0]])
    scale = ColourScale(SCALE.region, "#0072B2", "#E69F00", low_at=0.5, high_at=5.0)
    assert span_of(scale, values, kinds_of(values)) == Span(0.5, 5.0)


def test_equal_numbers_have_the_middle_colour() -> None:
    values = np.array([[3.0, 3.0]])
    span = span_of(SCALE, values, kinds_of(values))
    assert span.steps(values, kinds_of(values)).tolist() == [[32, 32]]


def test_numbers_that_are_not_finite_do_not_count() -> None:
    values = np.array([[1.0, np.inf, np.nan, 2.0]])
    span = span_of(SCALE, values, kinds_of(values))
    assert (span.low, span.high) == (1.0, 2.0)
    assert span.steps(values, kinds_of(values)).max() < STEPS
