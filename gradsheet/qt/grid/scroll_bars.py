"""The scroll bars of a grid: how far they reach and where they stand.

Owns the rule that they reach half a screen past what is used, not to the end of the sheet.
"""

from __future__ import annotations

from PySide6.QtWidgets import QScrollBar

from gradsheet.formula.address import Region
from gradsheet.qt.grid.geometry import ROW_HEIGHT_PX, Layout, px_per_step


def set_bars(layout: Layout, used: Region, across: QScrollBar, down: QScrollBar) -> None:
    """Set both bars for a layout, in steps that stay within 32 bits."""
    for bar, axis, end, room, most, at in (
        (
            across,
            layout.columns,
            used.right,
            layout.width - layout.header_width,
            layout.max_scroll_x,
            layout.scroll_x,
        ),
        (
            down,
            layout.rows,
            used.bottom,
            layout.height - layout.header_height,
            layout.max_scroll_y,
            layout.scroll_y,
        ),
    ):
        margin = 0 if end >= axis.count else room // 2
        top = max(at, min(most, axis.offset(min(end, axis.count)) + margin - room))
        step = px_per_step(most)
        bar.setRange(0, -(-top // step))
        bar.setPageStep(max(1, room // step))
        bar.setSingleStep(max(1, ROW_HEIGHT_PX // step))
        bar.setValue(-(-at // step) if at == top else at // step)
