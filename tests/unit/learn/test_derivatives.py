"""Finite differences: their U, its two sides, and the averages of a series."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gradsheet.formula.values import UserError
from gradsheet.learn.averages import weighted_averages
from gradsheet.learn.derivatives import error_curve, estimate, rule_of_thumb


def test_the_lessons_one_hundredth_overshoots_by_itself() -> None:
    """basic!H4 against K4: ((b + 0.01 - y)^2 - (b - y)^2) / 0.01 is the slope plus 0.01."""
    found = estimate(lambda b: (b + 14 - 58) ** 2, 1.0, 2 * (1 + 14 - 58), 0.01)
    assert found.forward == pytest.approx(found.exact + 0.01)
    assert found.central == pytest.approx(found.exact)


def test_the_error_is_a_u_with_rounding_left_and_truncation_right() -> None:
    curve = error_curve(math.exp, 1.0, math.e)
    for errors, best in ((curve.forward, curve.best_forward), (curve.central, curve.best_central)):
        bottom = np.nanmin(errors)
        assert errors[0] > 100 * bottom
        assert errors[-1] > 100 * bottom
        assert curve.epsilons[0] < best < curve.epsilons[-1]
    assert curve.best_forward == pytest.approx(rule_of_thumb(1.0, 1), rel=20)
    assert curve.best_forward < curve.best_central


def test_truncation_grows_with_the_first_and_the_second_power() -> None:
    curve = error_curve(math.exp, 1.0, math.e)
    assert curve.slope_forward == pytest.approx(1, abs=0.15)
    assert curve.slope_central == pytest.approx(2, abs=0.15)


def test_a_function_that_overflows_leaves_a_gap() -> None:
    curve = error_curve(lambda x: math.nan if x > 2 else x * x, 1.0, 2.0)
    assert np.isnan(curve.forward[-1])
    assert math.isfinite(curve.best_forward)


def test_a_corrected_average_of_a_constant_is_the_constant() -> None:
    found = weighted_averages([5.0] * 30, 0.9)
    assert found.corrected == pytest.approx([5.0] * 30)
    assert found.plain[0] == pytest.approx(0.5)
    assert found.plain[-1] < 5
    assert found.memory == pytest.approx(10)


def test_averages_are_adams() -> None:
    values = [3.0, -1.0, 4.0, 1.0]
    found = weighted_averages(values, 0.7)
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([weight], lr=1.0, betas=(0.7, 0.9))
    for i, value in enumerate(values):
        weight.grad = torch.tensor([value], dtype=torch.float64)
        optimizer.step()
        assert found.plain[i] == pytest.approx(float(optimizer.state[weight]["exp_avg"]))


@pytest.mark.parametrize("beta", [-0.1, 1.0, math.nan])
def test_a_beta_outside_its_range_is_refused(beta: float) -> None:
    with pytest.raises(UserError):
        weighted_averages([1.0], beta)


def test_no_memory_is_the_series_itself() -> None:
    assert weighted_averages([1.0, 2.0], 0.0).corrected.tolist() == [1.0, 2.0]
