"""Where Ctrl and an arrow lead along one row or column.

Owns the rule; knows occupied stretches, not cells or tiles.
"""

from __future__ import annotations

from collections.abc import Iterator


def edge_in_runs(runs: Iterator[tuple[int, int]], start: int, step: int) -> int | None:
    """Where the jump from `start` ends, None for the edge of the sheet.

    Parameters
    ----------
    runs : occupied stretches (first, last) in walking order; a stretch may come in parts
    step : 1 or -1, the direction of the walk
    """
    for near, far in _merged(runs, step):
        if (far - start) * step <= 0:
            continue  # behind, or it ends at the start: the jump goes on to the next stretch
        return near if (near - start) * step > 0 else far
    return None


def _merged(runs: Iterator[tuple[int, int]], step: int) -> Iterator[tuple[int, int]]:
    """Stretches as (near, far) in walking order, those that a tile's border cuts joined."""
    held: tuple[int, int] | None = None
    for first, last in runs:
        near, far = (first, last) if step > 0 else (last, first)
        if held is not None and near == held[1] + step:
            held = (held[0], far)
            continue
        if held is not None:
            yield held
        held = (near, far)
    if held is not None:
        yield held
