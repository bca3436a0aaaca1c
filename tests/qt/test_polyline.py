"""Paths and curves reduced to what the pixels can show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyqtgraph")

from gradsheet.qt.lab.plane_plot import PlanePlot
from gradsheet.qt.widgets.polyline import Envelope, cut, distinct

UNIT = (0.0, 1.0, 0.0, 1.0)


def test_a_path_inside_stays_as_it_is() -> None:
    path = np.array([[0.1, 0.2], [0.9, 0.3], [0.5, 1.0]])
    assert cut(path, UNIT).tolist() == path.tolist()


def test_a_path_that_leaves_ends_at_the_edge_and_comes_back_as_another_part() -> None:
    path = np.array([[0.5, 0.5], [0.5, 2.5], [1e300, 2.5], [0.25, 0.5], [0.75, 0.5]])
    found = cut(path, UNIT)
    assert found[:2].tolist() == [[0.5, 0.5], [0.5, 1.0]]
    assert np.isnan(found[2]).all()
    assert found[-2:].tolist() == [[0.25, 0.5], [0.75, 0.5]]
    good = found[np.isfinite(found).all(axis=1)]
    assert (good >= 0).all()
    assert (good <= 1).all()


def test_a_line_through_the_view_between_two_far_points_is_seen() -> None:
    found = cut(np.array([[-1e6, 0.5], [1e6, 0.5]]), UNIT)
    assert found == pytest.approx(np.array([[0.0, 0.5], [1.0, 0.5]]))


def test_a_line_beside_the_view_is_not_seen() -> None:
    found = cut(np.array([[2.0, -5.0], [2.0, 5.0], [3.0, np.nan], [np.inf, 1.0]]), UNIT)
    assert not np.isfinite(found).any()


def test_nothing_is_drawn_between_two_points_of_the_distance() -> None:
    found = cut(np.array([[0.5, 0.5], [1e200, 2e200], [-1e220, -1e210]]), UNIT)
    assert found == pytest.approx(np.array([[0.5, 0.5], [0.75, 1.0]]))


def test_points_of_one_pixel_are_one() -> None:
    path = np.array([[0.0, 0.0], [0.4, 0.1], [1.2, 0.1], [1.3, 0.9], [np.nan, 0.0],
                     [np.nan, 1.0], [0.0, 0.0]])  # fmt: skip
    found = distinct(path, np.ones(2))
    assert found[:2].tolist() == [[0.0, 0.0], [1.2, 0.1]]
    assert np.isnan(found[2, 0])
    assert found[3].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("steps", [7, 100, 5000])
def test_an_envelope_that_grows_is_that_of_the_whole(steps: int) -> None:
    values = np.random.default_rng(1).normal(size=(steps + 1, 3)).cumsum(axis=0)
    grown, whole = Envelope(steps, 40), Envelope(steps, 40)
    for count in range(1, steps + 2, max(1, steps // 13)):
        grown.follow(values[:count])
    x, y = grown.follow(values)
    x_whole, y_whole = whole.follow(values)
    assert (x == x_whole).all()
    assert (y == y_whole).all()
    assert len(x) <= 2 * 40 + steps // 40 + 2
    assert y.max(axis=0).tolist() == values.max(axis=0).tolist()
    assert y.min(axis=0).tolist() == values.min(axis=0).tolist()
    assert y[-1].tolist() == values[-1].tolist()


def test_a_path_that_grows_is_drawn_as_the_whole_is(qtbot: Any) -> None:
    plot = PlanePlot(None, "x", "y")
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    plot.show_range((-3, 3), (-3, 3))
    turns = np.linspace(0, 40, 30_000)
    path = np.stack([np.cos(turns) * turns / 20, np.sin(turns) * turns / 20], 1)
    grown, whole = plot.path("#000000"), plot.path("#000000")
    for count in range(100, len(path), 700):
        grown.follow(path[:count])
    grown.follow(path)
    whole.set_path(path)
    for one, other in zip(grown.getData(), whole.getData(), strict=True):
        assert (one == other).all()
    assert len(whole.getData()[0]) < 6000
    plot.show_range((-300, 300), (-300, 300))
    assert len(whole.getData()[0]) < 60
    assert whole.getData()[0][-1] == path[-1, 0]


def test_a_path_that_diverged_is_painted_within_reach_of_the_view(qtbot: Any) -> None:
    plot = PlanePlot(None, "x", "y")
    qtbot.addWidget(plot)
    plot.show_range((0, 50), (0, 4))
    steps = np.arange(300)
    item = plot.path("#000000")
    item.set_path(np.stack([1 + (-7.0) ** steps, 1 + (-9.0) ** steps], 1))
    x, y = item.getData()
    assert np.nanmax(np.abs(x)) < 1000
    assert np.nanmax(np.abs(y)) < 100
    assert np.isfinite(x).sum() > 4
