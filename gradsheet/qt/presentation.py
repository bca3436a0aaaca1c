"""Presentation mode: everything larger at once, to be read from the back row.

Owns the one factor and its way to fonts, headers, plots and pens. What a widget shows does not
change, only its size; leaving the mode gives every size back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QToolBar, QWidget

from gradsheet.qt.theme import apply_theme, current_theme, scale, set_scale

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

FACTORS = (1.25, 1.5, 1.75, 2.0)
"""What can be chosen as the size of presentation mode."""
_UNLIMITED = (1 << 24) - 1  # QWIDGETSIZE_MAX


class Presentation:
    """Enlarges one window.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._was_full_screen = False

    @property
    def is_on(self) -> bool:
        """Whether the window shows larger than usual."""
        return scale() != 1.0

    def toggle(self, factor: float) -> None:
        """Enter with this factor, or leave. Entering fills the screen."""
        window = self._window
        if self.is_on:
            self.resize(1.0)
            if not self._was_full_screen:
                window.setWindowState(window.windowState() & ~Qt.WindowState.WindowFullScreen)
            return
        self._was_full_screen = window.isFullScreen()
        self.resize(factor)
        window.setWindowState(window.windowState() | Qt.WindowState.WindowFullScreen)

    def resize(self, factor: float) -> None:
        """Show everything `factor` times as large as usual."""
        ratio = factor / scale()
        if ratio == 1.0:
            return
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        before = {widget: _sizes(widget) for widget in self._widgets()}
        set_scale(factor)
        apply_theme(application, current_theme())
        for widget, sizes in before.items():
            _enlarge(widget, sizes, ratio)
        for plot in self._plots():
            _enlarge_plot(plot, ratio)
        self._window.grid.zoom *= ratio
        self._window.actions_by_id.retint()
        self._window.run_bar.retint()

    def _widgets(self) -> list[QWidget]:
        return [self._window, *self._window.findChildren(QWidget)]

    def _plots(self) -> list[Any]:
        return [w for w in self._window.findChildren(QWidget) if hasattr(w, "getPlotItem")]


def _sizes(widget: QWidget) -> tuple[int, int, int, QSize | None]:
    """Pixel size of a font set by hand (0: inherited), fixed width and height, icons."""
    is_own = widget.testAttribute(Qt.WidgetAttribute.WA_SetFont)
    fixed_width = widget.width() if widget.minimumWidth() == widget.maximumWidth() else 0
    fixed_height = widget.height() if widget.minimumHeight() == widget.maximumHeight() else 0
    if fixed_width:
        fixed_width = widget.minimumWidth()
    if fixed_height:
        fixed_height = widget.minimumHeight()
    icon = widget.iconSize() if isinstance(widget, QToolBar) else None
    return (widget.font().pixelSize() if is_own else 0, fixed_width, fixed_height, icon)


def _enlarge(widget: QWidget, sizes: tuple[int, int, int, QSize | None], ratio: float) -> None:
    """Scale what the widget has not scaled itself on hearing of the new font."""
    font_px, width, height, icon = sizes
    if font_px > 0 and widget.font().pixelSize() == font_px:
        font = QFont(widget.font())
        font.setPixelSize(max(1, round(font_px * ratio)))
        widget.setFont(font)
    if 0 < width < _UNLIMITED and widget.minimumWidth() == widget.maximumWidth() == width:
        widget.setFixedWidth(round(width * ratio))
    if 0 < height < _UNLIMITED and widget.minimumHeight() == widget.maximumHeight() == height:
        widget.setFixedHeight(round(height * ratio))
    if icon is not None and isinstance(widget, QToolBar):
        widget.setIconSize(QSize(round(icon.width() * ratio), round(icon.height() * ratio)))


def _enlarge_plot(plot: Any, ratio: float) -> None:
    """Fonts of ticks, titles and labels, room for the axes, and the pens of the curves."""
    item = plot.getPlotItem()
    for side in ("left", "bottom"):
        axis = item.getAxis(side)
        font = axis.style.get("tickFont")
        if font is not None:
            larger = QFont(font)
            larger.setPixelSize(max(1, round(font.pixelSize() * ratio)))
            axis.setStyle(tickFont=larger)
        if side == "left" and axis.fixedWidth is not None:
            axis.setWidth(round(axis.fixedWidth * ratio))
        style = dict(axis.labelStyle)
        size = str(style.get("font-size", ""))
        if size.endswith("px"):
            style["font-size"] = f"{max(1, round(float(size[:-2]) * ratio))}px"
            axis.setLabel(axis.labelText, **style)
    for curve in item.listDataItems():
        _enlarge_curve(curve, ratio)
    for text in item.items:
        inner = getattr(text, "textItem", None)
        if inner is not None:
            font = QFont(inner.font())
            if font.pixelSize() > 0:
                font.setPixelSize(max(1, round(font.pixelSize() * ratio)))
                text.setFont(font)


def _enlarge_curve(curve: Any, ratio: float) -> None:
    import pyqtgraph

    if curve.opts.get("pen") is not None:
        pen = pyqtgraph.mkPen(curve.opts["pen"])
        # Width 1 is the quick one; any other must be wide enough to be worth its time.
        pen.setWidthF(max(1.0, round(max(pen.widthF(), 1.0) * ratio)))
        pen.setCosmetic(True)
        curve.setPen(pen)
    if curve.opts.get("symbolSize"):
        curve.setSymbolSize(curve.opts["symbolSize"] * ratio)
