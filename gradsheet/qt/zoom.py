"""The steps of the sheet's zoom.

Owns which sizes there are. Knows no grid.
"""

from __future__ import annotations

STEPS = (0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)


def next_zoom(now: float, direction: int) -> float:
    """Return the next larger (+1) or smaller (-1) zoom, the last one at an end; 0 gives 100 %."""
    if direction == 0:
        return 1.0
    if direction > 0:
        return next((step for step in STEPS if step > now + 1e-6), STEPS[-1])
    return next((step for step in reversed(STEPS) if step < now - 1e-6), STEPS[0])
