"""The steps of the zoom."""

from __future__ import annotations

from gradsheet.qt.zoom import STEPS, next_zoom


def test_every_step_is_reached_and_the_ends_hold() -> None:
    now, seen = STEPS[0], [STEPS[0]]
    for _ in STEPS[1:]:
        now = next_zoom(now, +1)
        seen.append(now)
    assert tuple(seen) == STEPS
    assert next_zoom(STEPS[-1], +1) == STEPS[-1]
    assert next_zoom(STEPS[0], -1) == STEPS[0]


def test_a_zoom_between_two_steps_goes_to_its_neighbours() -> None:
    assert next_zoom(1.05, +1) == 1.1
    assert next_zoom(1.05, -1) == 1.0
    assert next_zoom(1.05, 0) == 1.0
