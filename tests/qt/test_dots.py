"""Dots as one picture: where they lie, which covers which, and none beside the picture's edge."""

from __future__ import annotations

import numpy as np
import pytest

from gradsheet.qt.ratings.map_labels import LabelRoom
from gradsheet.qt.widgets.dots import DotColours, paint_dots

GROUND, RED, BLUE = 0xFFFFFFFF, 0xFFFF0000, 0xFF0000FF


def picture(places: list[tuple[float, float]], colours: list[int], radius: float) -> np.ndarray:
    x, y = np.array(places, dtype=np.float64).reshape(-1, 2).T
    made = DotColours(np.array(colours, np.uint32), GROUND)
    pixels, stride = paint_dots(20, 12, x, y, made, radius)
    rows = [pixels[row * stride : row * stride + 20] for row in range(12)]
    assert all(len(row) == 20 for row in rows)
    return np.array(rows)


@pytest.mark.parametrize("radius", [1.5, 2.5, 3.5])
def test_a_dot_covers_a_disc_around_its_place(radius: float) -> None:
    found = picture([(9.5, 5.5)], [RED], radius)
    y, x = np.mgrid[0:12, 0:20]
    far = np.hypot(x - 9, y - 5)
    assert (found[far <= radius - 1] == RED).all()
    assert (found[far > radius + 1] == GROUND).all()
    edge = found[(found != RED) & (found != GROUND)]
    assert ((edge & 0xFF) > 0).all()
    assert ((edge >> 16) & 0xFF == 0xFF).all()


def test_of_two_dots_in_a_place_the_later_is_seen_and_no_edge_cuts_into_a_neighbour() -> None:
    assert (picture([(9.5, 5.5)] * 2, [RED, BLUE], 2.5)[4:7, 8:11] == BLUE).all()
    beside = picture([(8.5, 5.5), (12.5, 5.5)], [RED, BLUE], 2.5)
    assert (beside[5, 7:10] == RED).all()
    assert (beside[5, 11:14] == BLUE).all()


def test_dots_at_the_edge_are_cut_and_those_beyond_are_left_out() -> None:
    inside = picture([(0.2, 0.2), (19.9, 11.9)], [RED, BLUE], 2.5)
    assert (inside[0, 0], inside[11, 19]) == (RED, BLUE)
    assert np.array_equal(
        picture([(0.2, 0.2), (-80, 3), (19.9, 11.9), (4, 900)], [RED, RED, BLUE, BLUE], 2.5),
        inside,
    )
    assert (picture([(-50.0, 5.0)], [RED], 2.5) == GROUND).all()
    assert (picture([], [], 2.5) == GROUND).all()


def test_a_place_for_a_name_is_taken_once_and_must_be_inside() -> None:
    room = LabelRoom(100, 60)
    assert room.take(10, 10, 40, 12)
    assert not room.take(30, 18, 40, 12)
    assert room.take(10, 32, 40, 12)
    assert room.take(60, 10, 39, 12)
    assert not room.take(70, 40, 40, 12)
    assert not room.take(-1, 40, 20, 12)


def test_the_last_dots_cover_the_others_where_they_overlap() -> None:
    lone = picture([(10.5, 5.5)], [BLUE], 3.5)
    beneath = [(8.5, 5.5), *[(12.5, 4.5)] * 12]
    found = picture([*beneath, (10.5, 5.5)], [RED] * 13 + [BLUE], 3.5)
    assert (found[lone == BLUE] == BLUE).mean() < 1  # of one layer, each shows in part
    found = picture([*beneath, *[(10.5, 5.5)] * 12], [RED] * 13 + [BLUE] * 12, 3.5)
    assert (found[lone == BLUE] == BLUE).all()
