"""Slices through a loss of many parameters: honest about what lies in them."""

from __future__ import annotations

import numpy as np
import pytest

from gradsheet.learn.slices import coordinate_plane, cut, principal_plane


def bowl(theta: np.ndarray) -> float:
    return float((theta**2).sum())


def path_in_a_plane(count: int = 7) -> np.ndarray:
    generator = np.random.default_rng(1)
    two = generator.standard_normal((2, count))
    return np.linspace(3, 0.5, 20)[:, None] * two[0] + np.linspace(0, 1, 20)[:, None] ** 2 * two[1]


def test_a_path_in_a_plane_lies_wholly_in_the_principal_plane() -> None:
    path = path_in_a_plane()
    plane = principal_plane(path)
    assert plane.share == pytest.approx(1)
    assert plane.u @ plane.v == pytest.approx(0, abs=1e-12)
    lifted = np.array([plane.lift(*p) for p in plane.project(path)])
    assert lifted == pytest.approx(path)


def test_slice_and_true_loss_agree_where_nothing_is_left_out() -> None:
    path = path_in_a_plane()
    found = cut(bowl, principal_plane(path), path, size=9)
    assert found.loss_on_slice == pytest.approx(found.true_loss)
    assert found.loss_now == pytest.approx(bowl(path[-1]))


def test_a_path_that_leaves_the_plane_is_told() -> None:
    path = np.random.default_rng(2).standard_normal((30, 12))
    plane = principal_plane(path)
    found = cut(bowl, plane, path, size=5)
    assert plane.share < 0.9
    assert found.loss_on_slice != pytest.approx(found.true_loss, rel=0.01)


def test_chosen_directions_are_two_parameters() -> None:
    path = path_in_a_plane()
    plane = coordinate_plane(path, 2, 5, "two cells")
    found = cut(bowl, plane, path, size=5)
    at = np.array([[0.3, -0.2]])
    theta = path[-1].copy()
    theta[2] += 0.3
    theta[5] -= 0.2
    assert plane.lift(0.3, -0.2) == pytest.approx(theta)
    assert plane.project(theta[None, :]) == pytest.approx(at)
    assert found.path[-1].tolist() == [0, 0]


def test_the_loss_between_the_grids_points_is_between_theirs() -> None:
    path = path_in_a_plane()
    found = cut(bowl, principal_plane(path), path, size=33)
    places = np.array([[found.xs[3], found.ys[5]], [(found.xs[3] + found.xs[4]) / 2, found.ys[5]]])
    values = found.at(places)
    assert values[0] == pytest.approx(found.values[5, 3])
    assert values[1] == pytest.approx((found.values[5, 3] + found.values[5, 4]) / 2)


def test_a_straight_path_still_has_a_plane() -> None:
    path = np.linspace(0, 1, 5)[:, None] * np.array([1.0, 2.0, 3.0])
    plane = principal_plane(path)
    assert np.linalg.norm(plane.v) == pytest.approx(1)
    assert plane.u @ plane.v == pytest.approx(0, abs=1e-12)


def test_a_path_that_stands_still_has_one_too() -> None:
    path = np.ones((3, 4))
    found = cut(bowl, principal_plane(path), path, size=3)
    assert np.isfinite(found.values).all()
