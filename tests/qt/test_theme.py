"""The theme's promises: text that can be read, roles that colour-blind eyes tell apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QFontMetricsF, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QPushButton,
    QRadioButton,
    QSlider,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gradsheet.qt.theme import (
    DARK,
    LIGHT,
    ROLE_COLOURS,
    ROLE_NAMES,
    THEMES,
    Theme,
    apply_theme,
    blend,
    contrast_ratio,
    current_theme,
    legible,
    palette,
    style_sheet,
    ui_font,
)
from gradsheet.sheet.roles import Role

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
PROTANOPIA = np.array(
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
)
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
EVERY_THEME = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))


def seen(colour: str, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b* (D65) of a colour as seen through a simulation of colour blindness."""
    code = QColor(colour)
    srgb = np.array([code.redF(), code.greenF(), code.blueF()])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(matrix @ linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_black_on_white_has_the_contrast_of_the_standard() -> None:
    assert contrast_ratio("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast_ratio("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@EVERY_THEME
def test_every_text_has_a_contrast_of_at_least_four_and_a_half(theme: Theme) -> None:
    weak = {
        what: round(contrast_ratio(text, ground), 2)
        for what, text, ground in theme.text_pairs()
        if contrast_ratio(text, ground) < 4.5
    }
    assert not weak


@EVERY_THEME
def test_headers_are_set_off_from_the_sheet(theme: Theme) -> None:
    assert theme.header != theme.sheet
    assert theme.header_selected != theme.header


def test_every_role_has_a_colour_and_a_name() -> None:
    assert {role.value for role in Role} == set(ROLE_COLOURS) == set(ROLE_NAMES)


@pytest.mark.parametrize("matrix", [PROTANOPIA, DEUTERANOPIA], ids=["protan", "deutan"])
def test_solid_role_colours_stay_fifteen_apart_to_colour_blind_eyes(
    matrix: NDArray[np.float64],
) -> None:
    close = {
        (a, b): float(np.linalg.norm(seen(ca, matrix) - seen(cb, matrix)))
        for (a, ca), (b, cb) in itertools.combinations(ROLE_COLOURS.items(), 2)
        if np.linalg.norm(seen(ca, matrix) - seen(cb, matrix)) < 15
    }
    assert not close


def test_a_tint_is_the_role_colour_laid_over_the_sheet() -> None:
    assert blend("#FFFFFF", "#000000", 0.5) == "#808080"
    assert LIGHT.role_tint(Role.DATA) == LIGHT.role_tint("data") != DARK.role_tint("data")


def test_a_colour_made_for_white_is_made_legible_in_the_dark() -> None:
    assert legible("#000080", DARK.sheet, DARK.text) != "#000080"
    assert legible("#000080", LIGHT.sheet, LIGHT.text) == "#000080"
    assert contrast_ratio(legible("#0000FF", DARK.sheet, DARK.text), DARK.sheet) >= 4.5


@EVERY_THEME
def test_the_palette_has_the_themes_colours(qapp: QApplication, theme: Theme) -> None:
    made = palette(theme)
    assert made.color(QPalette.ColorRole.Base) == QColor(theme.sheet)
    assert made.color(QPalette.ColorRole.Window) == QColor(theme.chrome)
    assert made.color(QPalette.ColorRole.Text) == QColor(theme.text)
    assert "{" in style_sheet(theme)
    assert "{{" not in style_sheet(theme)


def test_a_theme_can_be_changed_while_the_program_runs(qapp: QApplication) -> None:
    apply_theme(qapp, DARK)
    assert current_theme() is DARK
    assert qapp.palette().color(QPalette.ColorRole.Base) == QColor(DARK.sheet)
    apply_theme(qapp, LIGHT)
    assert current_theme() is LIGHT


def test_all_digits_are_equally_wide(qapp: QApplication) -> None:
    metrics = QFontMetricsF(ui_font())
    assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1


@EVERY_THEME
@pytest.mark.parametrize(
    "control", [QCheckBox, QComboBox, QPushButton, QRadioButton, QSlider, QSpinBox]
)
def test_every_control_stands_off_from_its_ground(
    qapp: QApplication, qtbot: QtBot, theme: Theme, control: type[QWidget]
) -> None:
    apply_theme(qapp, theme)
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(200, 60)
    shown = control(window)
    shown.resize(120, 30)
    window.show()
    shown.clearFocus()
    image = shown.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(120) for y in range(30)}
    # A hairline of the light theme is meant to be faint; in the dark it must not vanish.
    least = 3.0 if theme.is_dark else 1.2
    assert max(contrast_ratio(colour.upper(), theme.chrome) for colour in colours) >= least
    apply_theme(qapp, LIGHT)
