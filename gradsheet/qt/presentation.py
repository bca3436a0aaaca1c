"""Presentation mode: everything larger at once, to be read from the back row.

Owns the one factor and its way to fonts, headers, plots and pens. What a widget shows does not
change, only its size; leaving the mode gives every size back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractButton, QApplication, QDockWidget, QToolBar, QWidget

from gradsheet.qt.theme import apply_theme, current_theme, scale, set_scale

if TYPE_CHECKING:
    from gradsheet.qt.main_window import MainWindow

FACTORS = (1.25, 1.5, 1.75, 2.0)
"""What can be chosen as the size of presentation mode."""
LEAST_PX = 1200
"""A screen that is narrower, in enlarged pixels, shows the sheet without the docks at its left."""
LEAST_HEIGHT_PX = 640
"""A screen that is lower, in enlarged pixels, shows docks one above the other as tabs."""
_UNLIMITED = (1 << 24) - 1  # QWIDGETSIZE_MAX


class Presentation(QObject):
    """Enlarges one window.

    Parameters
    ----------
    window : MainWindow
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._was_full_screen = False
        self._widths: dict[QDockWidget, int] = {}
        """How wide the docks were before."""
        self._put_away: list[QDockWidget] = []
        """Docks that made room for the sheet; they come back."""
        self._stack: list[tuple[QDockWidget, int]] = []
        """Docks that stood one above the other, from above, and how high they were."""

    @property
    def is_on(self) -> bool:
        """Whether the window shows larger than usual."""
        return scale() != 1.0

    def toggle(self, factor: float) -> None:
        """Enter with this factor, or leave. Entering fills the screen."""
        if self.is_on:
            self.leave()
            return
        window = self._window
        self._was_full_screen = window.isFullScreen()
        self._make_room(factor)
        self.resize(factor)
        window.installEventFilter(self)
        window.setWindowState(window.windowState() | Qt.WindowState.WindowFullScreen)
        window.grid.show_cell(window.grid.current)

    def leave(self) -> None:
        """Give every size, and the docks that made room, back."""
        if not self.is_on:
            return
        window = self._window
        window.removeEventFilter(self)
        self.resize(1.0)
        for dock in self._put_away:
            dock.show()
        docks = [dock for dock in self._widths if not dock.isHidden()]
        widths = [self._widths[dock] for dock in docks]
        window.resizeDocks(docks, widths, Qt.Orientation.Horizontal)
        self._unstack()
        self._put_away, self._widths = [], {}
        if not self._was_full_screen:
            window.setWindowState(window.windowState() & ~Qt.WindowState.WindowFullScreen)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the current cell in sight when the screen has been filled."""
        if event.type() == QEvent.Type.Resize:
            self._window.removeEventFilter(self)
            self._window.grid.show_cell(self._window.grid.current)
        return super().eventFilter(watched, event)

    def _make_room(self, factor: float) -> None:
        """Put the docks at the left away where the sheet would be too narrow beside them."""
        window = self._window
        docks = [dock for dock in window.findChildren(QDockWidget) if not dock.isHidden()]
        self._widths = {dock: dock.width() for dock in docks}
        if window.screen().size().width() / factor < LEAST_PX:
            left = Qt.DockWidgetArea.LeftDockWidgetArea
            self._put_away = [dock for dock in docks if window.dockWidgetArea(dock) == left]
            for dock in self._put_away:
                dock.hide()
        if window.screen().size().height() / factor < LEAST_HEIGHT_PX:
            self._make_tabs(docks)

    def _make_tabs(self, docks: list[QDockWidget]) -> None:
        """Give each of the docks above one another at the right the whole height, as a tab."""
        window = self._window
        right = Qt.DockWidgetArea.RightDockWidgetArea
        above = [d for d in docks if window.dockWidgetArea(d) == right and not d.isFloating()]
        above = [d for d in above if not window.tabifiedDockWidgets(d)]
        if len(above) < 2:
            return
        above.sort(key=lambda dock: dock.y())
        self._stack = [(dock, dock.height()) for dock in above]
        for dock in above[1:]:
            window.tabifyDockWidget(above[0], dock)
        above[-1].raise_()

    def _unstack(self) -> None:
        """Put the docks that became tabs above one another again."""
        window = self._window
        for dock, _ in self._stack[1:]:
            is_hidden = dock.isHidden()
            window.removeDockWidget(dock)
            window.addDockWidget(
                Qt.DockWidgetArea.RightDockWidgetArea, dock, Qt.Orientation.Vertical
            )
            dock.setHidden(is_hidden)
        shown = [(dock, height) for dock, height in self._stack if not dock.isHidden()]
        if shown:
            above, heights = zip(*shown, strict=True)
            window.resizeDocks(list(above), list(heights), Qt.Orientation.Vertical)
        self._stack = []

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
            plot.write_titles()
        for dock in self._window.findChildren(QDockWidget):
            content = dock.widget()
            if content is not None and content.minimumWidth() > 0:
                content.setMinimumWidth(round(content.minimumWidth() * ratio))
        self._window.grid.zoom *= ratio
        self._window.actions_by_id.retint()
        self._window.run_bar.retint()

    def _widgets(self) -> list[QWidget]:
        return [self._window, *self._window.findChildren(QWidget)]

    def _plots(self) -> list[Any]:
        return [w for w in self._window.findChildren(QWidget) if hasattr(w, "write_titles")]


def _sizes(widget: QWidget) -> tuple[int, int, int, QSize | None]:
    """Pixel size of a font set by hand (0: inherited), fixed width and height, icons."""
    is_own = widget.testAttribute(Qt.WidgetAttribute.WA_SetFont)
    fixed_width = widget.width() if widget.minimumWidth() == widget.maximumWidth() else 0
    fixed_height = widget.height() if widget.minimumHeight() == widget.maximumHeight() else 0
    if fixed_width:
        fixed_width = widget.minimumWidth()
    if fixed_height:
        fixed_height = widget.minimumHeight()
    icon = widget.iconSize() if isinstance(widget, QToolBar | QAbstractButton) else None
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
    # A button in a tool bar has followed its bar already.
    if isinstance(widget, QToolBar | QAbstractButton) and icon == widget.iconSize():
        widget.setIconSize(QSize(round(icon.width() * ratio), round(icon.height() * ratio)))


def _enlarge_plot(plot: Any, ratio: float) -> None:
    """Fonts of ticks and labels, room for the axes, and the pens; titles follow the theme."""
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
