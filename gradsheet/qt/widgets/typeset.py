"""Typesets MathML as SVG, and says where each linked number stands in the picture.

Owns the use of ziamath (pure Python). Knows no cell and paints nothing; may be called from any
thread, one at a time.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QRectF

_LOCK = threading.Lock()
_READY = False


@dataclass(frozen=True, slots=True)
class Typeset:
    """Mathematics as a picture.

    Attributes
    ----------
    svg : the picture
    width, height : its size in px at the size it was set in
    places : where the number with the id `nI` stands, by I
    """

    svg: str
    width: float
    height: float
    places: dict[int, QRectF] = field(default_factory=dict)


def typeset(mathml: str, size_px: float, colour: str) -> Typeset:
    """Set a `<math>` element in type.

    Parameters
    ----------
    size_px : height of the letters' em
    colour : `#RRGGBB`
    """
    with _LOCK:
        ziamath = _prepared()
        math = ziamath.Math(mathml.replace("<math ", f'<math mathcolor="{colour}" ', 1), size_px)
        places: dict[int, QRectF] = {}
        _watch(math.node, places)
        picture = math.svgxml()
        left, top, width, height = (float(x) for x in picture.attrib["viewBox"].split())
        shifted = {i: box.translated(-left, -top) for i, box in places.items()}
        from xml.etree import ElementTree

        return Typeset(ElementTree.tostring(picture, encoding="unicode"), width, height, shifted)


def _prepared() -> Any:
    """Import ziamath on first use: it reads a font of 1.5 MB."""
    global _READY
    with warnings.catch_warnings():
        # WORKAROUND(ziamath<=0.13): finds its font by importlib.resources.path, deprecated in 3.11
        warnings.simplefilter("ignore", DeprecationWarning)
        import ziamath

    if not _READY:
        _READY = True
        ziamath.config.svg2 = False  # Qt draws SVG Tiny 1.2, which has no <symbol>
        _set_rows_once()
    return ziamath


def _set_rows_once() -> None:
    """Set a row's content twice only where something in it stretches.

    WORKAROUND(ziamath<=0.13): every row is set twice to find the height of stretchy signs, so
    time doubles with each level: 3.2 s for the RMSE of a 15 x 15 sheet, 8 ms with this.
    """
    from ziamath.nodes.mrow import Mrow

    class QuickRow(Mrow, tag="mrow"):
        """A row that asks for its height only if a sign in it needs to know."""

        def _get_height_nostretch(self, line: Sequence[Any], **kwargs: Any) -> tuple[float, float]:
            def stretches(child: Any) -> bool:
                is_fence = (child.text or "") in "()[]{}|"
                return child.tag == "mo" and is_fence and child.get("stretchy") != "false"

            if not any(stretches(child) for child in line):
                return -1.0, 1.0
            found: tuple[float, float] = super()._get_height_nostretch(line, **kwargs)
            return found


def _watch(node: Any, places: dict[int, QRectF]) -> None:
    """Note where the nodes with an id are drawn, by listening to their draw calls."""
    for child in getattr(node, "nodes", ()):
        _watch(child, places)
    element = getattr(node, "element", None)
    name = element.get("id") if element is not None else None
    if not name:
        return
    draw, box = node.draw, node.bbox

    def noted(x: float, y: float, svg: Any) -> Any:
        size = (box.xmax - box.xmin, box.ymax - box.ymin)
        places[int(name[1:])] = QRectF(x + box.xmin, y - box.ymax, *size)
        return draw(x, y, svg)

    node.draw = noted
