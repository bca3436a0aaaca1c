"""The x and y that the gradient-descent sheets learn from: the lecture's, drawn ones, or yours.

Owns `LineData` and the reading of two columns from text. Knows no sheet.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradsheet.formula.values import UserError, parse_entry

NOISY = "noisy-line"
"""The id of the noisy line among the functions to descend on."""
NOISY_ABOUT = "29 points round 2 x + 30, noise 10, seed 1"
NOISE, NOISY_SEED = 10.0, 1
"""Of the noisy line: the standard deviation on y, and what draws it."""
LECTURE_X = (
    14, 86, 28, 51, 28, 29, 72, 62, 84, 15, 42, 62, 47, 35, 9,
    38, 44, 99, 13, 21, 28, 20, 8, 64, 99, 70, 27, 17, 8,
)  # fmt: skip
"""The 29 values of the lecture's workbook."""
SLOPE, INTERCEPT = 2.0, 30.0
MOST_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class LineData:
    """Points to fit a line through.

    Attributes
    ----------
    x : tuple of float
    y : tuple of float, empty where the line makes them
        Given y, as pasted or read from a file.
    noise : tuple of float, empty for none
        Standard normal draws, one a point; the sheet multiplies them by ``spread``.
    slope, intercept, spread : float
        The line that makes y where none are given.
    source : str
    """

    x: tuple[float, ...]
    y: tuple[float, ...] = ()
    noise: tuple[float, ...] = ()
    slope: float = SLOPE
    intercept: float = INTERCEPT
    spread: float = 0.0
    source: str = "the lecture's 29 points"

    @property
    def rows(self) -> int:
        """Number of points."""
        return len(self.x)

    def values(self) -> tuple[list[float], list[float]]:
        """Return x and y as the sheets show them."""
        if self.y:
            return list(self.x), list(self.y)
        noise = self.noise or (0.0,) * self.rows
        y = [
            self.intercept + x * self.slope + (self.spread * n if self.noise else 0.0)
            for x, n in zip(self.x, noise, strict=True)
        ]
        return list(self.x), y


def lecture() -> LineData:
    """Return the lecture's points: y = 2 x + 30 without noise."""
    return LineData(tuple(float(x) for x in LECTURE_X))


def noisy() -> LineData:
    """Return 29 points round the lecture's line: the preset of a noisy line fit."""
    return drawn(NOISY_SEED, len(LECTURE_X), SLOPE, INTERCEPT, NOISE)


def drawn(
    seed: int,
    points: int = len(LECTURE_X),
    slope: float = SLOPE,
    intercept: float = INTERCEPT,
    spread: float = 0.0,
) -> LineData:
    """Draw x uniformly from the whole numbers 1 to 100, as the lecture's RANDBETWEEN does.

    Parameters
    ----------
    seed : int
        The same seed gives the same points.
    points : int
    slope, intercept : float
        Of the line.
    spread : float
        Standard deviation of the noise on y.

    Raises
    ------
    UserError
        If there are too few or too many points, or the spread is negative.
    """
    if not 2 <= points <= MOST_POINTS:
        raise UserError(
            f"{points} points cannot be drawn.", f"Choose from 2 to {MOST_POINTS:,} points."
        )
    if not spread >= 0:
        raise UserError(f"The noise cannot be {spread:g}.", "Enter a number of 0 or more.")
    generator = np.random.default_rng(seed)
    x = generator.integers(1, 101, points).astype(np.float64)
    noise = tuple(generator.standard_normal(points).tolist()) if spread else ()
    return LineData(
        tuple(x.tolist()), (), noise, slope, intercept, spread, f"{points} points, seed {seed}"
    )


def given(x: list[float], y: list[float], source: str = "your points") -> LineData:
    """Take points as they are.

    Raises
    ------
    UserError
        If there are fewer than two, or too many, or x and y differ in number.
    """
    if len(x) != len(y):
        raise UserError(f"There are {len(x)} x but {len(y)} y.", "Give one y for every x.")
    if not 2 <= len(x) <= MOST_POINTS:
        raise UserError(
            f"A line cannot be fitted here through {len(x)} points.",
            f"Give from 2 to {MOST_POINTS:,} points.",
        )
    return LineData(tuple(x), tuple(y), source=source)


def parsed(text: str, source: str = "your points") -> LineData:
    """Read two columns of numbers, separated by tab, semicolon, comma or spaces.

    A first row without numbers is a header. Decimal commas are understood where another
    separator is used.

    Raises
    ------
    UserError
        With the number of the first line that is not two numbers.
    """
    rows = _split(text)
    x: list[float] = []
    y: list[float] = []
    for number, row, decimal in rows:
        values = [parse_entry(field.strip(), decimal) for field in row[:2]]
        if len(values) == 2 and all(isinstance(v, float) for v in values):
            first, second = values
            assert isinstance(first, float)
            assert isinstance(second, float)
            x.append(first)
            y.append(second)
        elif x:
            raise UserError(
                f"Line {number} of {source} is not two numbers.",
                "Give x and y in two columns, one point a line.",
            )
    return given(x, y, source)


def read(path: Path) -> LineData:
    """Read a file of two columns. Raises UserError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        text = f"{path.name} cannot be read: {error.strerror}."
        raise UserError(text, "Check the path.") from None
    is_wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return parsed(text, path.name)


def _split(text: str) -> list[tuple[int, list[str], str]]:
    """Return (line number, fields, decimal sign) of the lines that are not blank."""
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    sample = "\n".join(line for _, line in lines[:20])
    separator = next((s for s in "\t;" if s in sample), "," if "," in sample else None)
    decimal = "," if separator in ("\t", ";", None) and "," in sample else "."
    found = []
    for number, line in lines:
        if separator is None:
            found.append((number, line.split(), decimal))
        else:
            fields = next(csv.reader(io.StringIO(line), delimiter=separator))
            found.append((number, fields, decimal))
    return found
