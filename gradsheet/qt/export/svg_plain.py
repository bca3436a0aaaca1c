"""SVG as every program draws it: strokes of one width without an effect that few know.

Owns the rewriting of what Qt writes: a pen that keeps its width under a transform is written as
`non-scaling-stroke`, which many renderers ignore; the shapes are transformed instead.
"""

from __future__ import annotations

import re

_GROUP = re.compile(
    r'<g ([^>]*?)transform="matrix\(([^)]*)\)"([^>]*)>\s*'
    r'((?:<(?:path|polyline|polygon)[^>]*?/>\s*)+)</g>'
)
_PAIR = re.compile(r"(-?[\d.]+(?:e[-+]?\d+)?),(-?[\d.]+(?:e[-+]?\d+)?)")
_COORDINATES = re.compile(r'( d| points)="([^"]*)"')
_KEEPS_WIDTH = 'vector-effect="non-scaling-stroke"'


def with_plain_strokes(svg: str) -> str:
    """Return a drawing of Qt's with every stroke in the coordinates of the page."""
    return _GROUP.sub(_flattened, svg)


def _flattened(found: re.Match[str]) -> str:
    before, matrix, after, shapes = found.groups()
    if shapes.count(_KEEPS_WIDTH) != shapes.count("<"):
        return found[0]
    a, b, c, d, e, f = (float(number) for number in matrix.split(","))

    def moved(pair: re.Match[str]) -> str:
        x, y = float(pair[1]), float(pair[2])
        return f"{a * x + c * y + e:.6g},{b * x + d * y + f:.6g}"

    def placed(coordinates: re.Match[str]) -> str:
        return f'{coordinates[1]}="{_PAIR.sub(moved, coordinates[2])}"'

    shapes = _COORDINATES.sub(placed, shapes.replace(f" {_KEEPS_WIDTH}", ""))
    return f"<g {before}{after}>\n{shapes}</g>"
