"""The look of the window: frozen tokens for colour, spacing and type, and what Qt needs of them.

Owns every colour in the program, the Okabe-Ito role colours, the palette, the style sheet and the
fonts. It knows no document and no widget of ours; a view asks it for a token and paints.
"""

# LONG: one table of tokens and what Qt needs of them.

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

ThemeName = Literal["light", "dark", "contrast"]

ROLE_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "data": "#0072B2",
        "prediction": "#CC79A7",
        "loss": "#D55E00",
        "item": "#009E73",
        "user": "#E69F00",
        "parameter": "#56B4E9",
    }
)
"""Okabe and Ito, "Color Universal Design" (2008): the role of a range, by `Role.value`."""

ROLE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "data": "actual",
        "prediction": "prediction",
        "loss": "loss",
        "item": "item embedding",
        "user": "user embedding",
        "parameter": "parameter",
    }
)
"""The word that is said for a role; a role region's own label comes before it."""

SPACE = 8
"""The unit of all distances, in px: margins and gaps are halves and multiples of it."""

GRID_FONT_PX = 13
UI_FONT_PX = 13
STRIPE_PX = 3
FRAME_PX = 2


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as `#RRGGBB`, strengths as a share of the solid colour laid over the sheet.

    Attributes
    ----------
    sheet, chrome, lines, text, accent : str
        The five colours the house style names.
    header, header_selected : str
        Ground of the row and column headers: a shade darker than the sheet, and darker again
        (lighter in the dark) where the selection is.
    muted : str
        Text that comes second: row numbers, units, hints.
    tint : float
        How much of a role's solid colour its cells show.
    wash : float
        How much of the accent the selected cells show.
    """

    name: ThemeName
    is_dark: bool
    sheet: str
    chrome: str
    header: str
    header_selected: str
    lines: str
    strong_lines: str
    text: str
    muted: str
    accent: str
    on_accent: str
    error: str
    warning: str
    tint: float
    wash: float

    def role_colour(self, role: Enum | str) -> str:
        """The solid colour of a role; the same in every theme, so that it keeps its name."""
        return ROLE_COLOURS[_role_key(role)]

    def role_tint(self, role: Enum | str) -> str:
        """The ground of a role's cells: its solid colour over the sheet, as it ends up."""
        return blend(self.sheet, self.role_colour(role), self.tint)

    def role_header(self, role: Enum | str) -> str:
        """The ground of a role's headers."""
        return blend(self.header, self.role_colour(role), self.tint)

    def selection_wash(self, ground: str | None = None) -> str:
        """The ground of a selected cell that lies on `ground` (the sheet if not given)."""
        return blend(ground or self.sheet, self.accent, self.wash)

    def text_pairs(self) -> list[tuple[str, str, str]]:
        """Every text on every ground it is painted on: (what, text colour, ground colour)."""
        pairs = [
            ("text on sheet", self.text, self.sheet),
            ("text on chrome", self.text, self.chrome),
            ("text on header", self.text, self.header),
            ("text on selected header", self.text, self.header_selected),
            ("text on selection", self.text, self.selection_wash()),
            ("muted on sheet", self.muted, self.sheet),
            ("muted on chrome", self.muted, self.chrome),
            ("muted on header", self.muted, self.header),
            ("error on sheet", self.error, self.sheet),
            ("error on chrome", self.error, self.chrome),
            ("warning on chrome", self.warning, self.chrome),
            ("text on accent", self.on_accent, self.accent),
        ]
        for role in ROLE_COLOURS:
            tint = self.role_tint(role)
            pairs += [
                (f"text on {role}", self.text, tint),
                (f"error on {role}", self.error, tint),
                (f"text on selected {role}", self.text, self.selection_wash(tint)),
                (f"text on {role} header", self.text, self.role_header(role)),
            ]
        return pairs


LIGHT = Theme(
    name="light",
    is_dark=False,
    sheet="#FFFFFF",
    chrome="#F6F7F9",
    header="#F6F7F9",
    header_selected="#DCE6EF",
    lines="#E3E6EA",
    strong_lines="#C3C9D0",
    text="#1F2328",
    muted="#59616B",
    accent="#0072B2",
    on_accent="#FFFFFF",
    error="#A32416",
    warning="#7A4B00",
    tint=0.13,
    wash=0.08,
)

DARK = Theme(
    name="dark",
    is_dark=True,
    sheet="#1E1F22",
    chrome="#26282C",
    header="#26282C",
    header_selected="#34465A",
    lines="#35383D",
    strong_lines="#50555C",
    text="#E6E7E9",
    muted="#A3A9B1",
    accent="#56B4E9",
    on_accent="#101214",
    error="#FFA196",
    warning="#FFC46B",
    tint=0.18,
    wash=0.14,
)

CONTRAST = Theme(
    name="contrast",
    is_dark=True,
    sheet="#000000",
    chrome="#000000",
    header="#141414",
    header_selected="#003A5C",
    lines="#6E6E6E",
    strong_lines="#C8C8C8",
    text="#FFFFFF",
    muted="#E0E0E0",
    accent="#FFD60A",
    on_accent="#000000",
    error="#FFB4AB",
    warning="#FFD60A",
    tint=0.26,
    wash=0.10,
)

THEMES: Mapping[str, Theme] = MappingProxyType({t.name: t for t in (LIGHT, DARK, CONTRAST)})


# --------------------------------------------------------------------------- colours as numbers


def _role_key(role: Enum | str) -> str:
    return role if isinstance(role, str) else str(role.value)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def blend(ground: str, colour: str, share: float) -> str:
    """`share` of `colour` laid over `ground`, both `#RRGGBB`, as the painter composes them."""
    mixed = (
        round(g + (c - g) * share)
        for g, c in zip(_channels(ground), _channels(colour), strict=True)
    )
    return "#{:02X}{:02X}{:02X}".format(*mixed)


def translucent(colour: str, share: float) -> QColor:
    """The colour with `share` as its alpha."""
    result = QColor(colour)
    result.setAlphaF(share)
    return result


def relative_luminance(colour: str) -> float:
    """Relative luminance 0..1 of an sRGB colour (WCAG 2.2, definition of relative luminance)."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_ratio(a: str, b: str) -> float:
    """Contrast of two colours, 1..21 (WCAG 2.2, definition of contrast ratio)."""
    low, high = sorted((relative_luminance(a), relative_luminance(b)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=1024)
def legible(colour: str, ground: str, against: str) -> str:
    """`colour`, moved towards `against` as far as text in it needs to be read on `ground`.

    A colour that a workbook asks for was chosen on white; in the dark it must still be read.
    """
    for share in (0.0, 0.2, 0.4, 0.6, 0.8):
        mixed = blend(colour, against, share)
        if contrast_ratio(mixed, ground) >= 4.5:
            return mixed
    return against


# --------------------------------------------------------------------------------------- fonts


_scale = 1.0


def scale() -> float:
    """How much larger than usual everything is shown; presentation mode sets it."""
    return _scale


def set_scale(factor: float) -> None:
    """Make fonts larger from now on; what is on the screen hears of it by `apply_theme`."""
    global _scale
    _scale = factor


def px(length: float) -> float:
    """A length in pixels at the size in which everything is shown."""
    return length * _scale


def ui_font(size_px: float = UI_FONT_PX, *, is_scaled: bool = True) -> QFont:
    """The system's UI font with tabular figures: digits of one width, so that columns align.

    `is_scaled` is False where the size follows a zoom that holds the scale already.
    """
    font = QFont(QGuiApplication.font())
    font.setPixelSize(max(1, round(size_px * (_scale if is_scaled else 1.0))))
    if hasattr(QFont, "Tag"):  # Qt >= 6.7; before it, UI fonts have tabular figures anyway
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mono_font(size_px: float = UI_FONT_PX) -> QFont:
    """The one monospaced face, for formulas and code."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPixelSize(max(1, round(size_px * _scale)))
    return font


# ------------------------------------------------------------------------ what Qt needs of them


def palette(theme: Theme) -> QPalette:
    """The QPalette of a theme for the Fusion style (offscreen Qt ignores `setColorScheme`)."""
    role = QPalette.ColorRole
    result = QPalette()
    disabled = blend(theme.chrome, theme.text, 0.45)
    colours = {
        role.Window: theme.chrome,
        role.WindowText: theme.text,
        role.Base: theme.sheet,
        role.AlternateBase: theme.chrome,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.chrome,
        role.ButtonText: theme.text,
        role.BrightText: theme.error,
        role.ToolTipBase: theme.sheet,
        role.ToolTipText: theme.text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Accent: theme.accent,
        role.Light: blend(theme.chrome, "#FFFFFF", 0.25 if theme.is_dark else 0.8),
        role.Midlight: blend(theme.chrome, "#FFFFFF", 0.12 if theme.is_dark else 0.4),
        role.Mid: theme.strong_lines,
        role.Dark: theme.strong_lines,
        role.Shadow: theme.strong_lines,
    }
    for which, colour in colours.items():
        result.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        result.setColor(QPalette.ColorGroup.Disabled, which, QColor(disabled))
    return result


OUTLINED = (
    "QPushButton", "QCheckBox", "QRadioButton", "QComboBox", "QAbstractSpinBox", "QSlider",
)  # fmt: skip
"""Controls whose outline the Fusion style derives from the colour of the window behind them."""
FUSION_OUTLINE = 140
"""Fusion draws an outline in the window's colour made so many percent darker."""


def outlined_palette(theme: Theme) -> QPalette:
    """The palette of the `OUTLINED` controls: in the dark, outlines that stand off from it."""
    result = palette(theme)
    outline = QColor(blend(theme.chrome, theme.text, 0.45))
    result.setColor(QPalette.ColorRole.Window, outline.lighter(FUSION_OUTLINE))
    return result


_STYLE = """
QToolTip {{ background: {sheet}; color: {text}; border: 1px solid {strong}; padding: 4px 8px; }}
QMainWindow::separator {{ background: {chrome}; width: 5px; height: 5px; }}
QMainWindow::separator:hover {{ background: {accent}; }}
QToolBar {{ background: {chrome}; border: none; spacing: 4px; padding: 4px 8px; }}
QToolBar::separator {{ background: {lines}; width: 1px; margin: 4px 4px; }}
QToolButton {{ border: 1px solid transparent; border-radius: 4px; padding: 4px 8px; }}
QToolButton:hover {{ background: {hover}; }}
QToolButton:pressed, QToolButton:checked {{ background: {pressed}; }}
QToolButton:focus {{ border-color: {accent}; }}
QDockWidget {{ font-weight: 600; }}
QDockWidget::title {{ background: {chrome}; padding: 6px 8px; border-bottom: 1px solid {lines}; }}
QTabBar::tab {{ background: transparent; color: {muted}; padding: 5px 14px; border: none;
  border-top: 2px solid transparent; }}
QTabBar::tab:hover {{ color: {text}; }}
QTabBar::tab:selected {{ background: {sheet}; color: {text}; border-top: 2px solid {accent}; }}
QTabBar:focus {{ border: none; }}
QStatusBar {{ background: {chrome}; border-top: 1px solid {lines}; }}
QStatusBar::item {{ border: none; }}
QMenuBar {{ background: {chrome}; }}
QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {pressed}; }}
QMenu {{ background: {sheet}; border: 1px solid {strong}; padding: 4px; }}
QMenu::item {{ padding: 5px 24px 5px 24px; border-radius: 4px; }}
QMenu::item:selected {{ background: {accent}; color: {on_accent}; }}
QMenu::item:disabled {{ color: {disabled}; background: transparent; }}
QMenu::separator {{ background: {lines}; height: 1px; margin: 4px 8px; }}
QLineEdit, QPlainTextEdit, QTextEdit {{ background: {sheet}; border: 1px solid {lines};
  border-radius: 4px; padding: 2px 6px; selection-background-color: {accent};
  selection-color: {on_accent}; }}
QLineEdit:focus, QPlainTextEdit:focus {{ border-color: {accent}; }}
QHeaderView::section {{ background: {header}; border: none; border-bottom: 1px solid {lines};
  padding: 4px 8px; }}
QScrollBar:vertical {{ background: {chrome}; width: 12px; margin: 0; border: none; }}
QScrollBar:horizontal {{ background: {chrome}; height: 12px; margin: 0; border: none; }}
QScrollBar::handle {{ background: {strong}; border-radius: 3px; border: none; margin: 3px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; border: none; }}
QAbstractScrollArea::corner {{ background: {chrome}; border: none; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def style_sheet(theme: Theme) -> str:
    """The style sheet that goes with `palette(theme)`: flat, hairlines, 8-point spacing."""
    return _STYLE.format(
        sheet=theme.sheet,
        chrome=theme.chrome,
        header=theme.header,
        lines=theme.lines,
        strong=theme.strong_lines,
        text=theme.text,
        muted=theme.muted,
        accent=theme.accent,
        on_accent=theme.on_accent,
        hover=blend(theme.chrome, theme.text, 0.06),
        pressed=blend(theme.chrome, theme.accent, 0.18),
        disabled=blend(theme.sheet, theme.text, 0.45),
    )


_current: Theme = LIGHT


def current_theme() -> Theme:
    """The theme that was applied last; LIGHT before any was."""
    return _current


@contextmanager
def lent_theme(theme: Theme) -> Iterator[None]:
    """Let `current_theme` be another one for a moment; no widget hears of it by itself."""
    global _current
    before, _current = _current, theme
    try:
        yield
    finally:
        _current = before


def apply_theme(application: QApplication, theme: Theme) -> None:
    """Give the application the Fusion style, the fonts, the palette and style sheet of `theme`.

    Widgets that paint themselves hear of it by `changeEvent(PaletteChange)` and read
    `current_theme()` again.
    """
    global _current
    _current = theme
    application.setStyle(QStyleFactory.create("Fusion"))
    application.setFont(ui_font())
    application.setPalette(palette(theme))
    if theme.is_dark:
        for control in OUTLINED:
            application.setPalette(outlined_palette(theme), control)
    application.setStyleSheet(style_sheet(theme))
